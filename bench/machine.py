"""What a bench reads of processes and disk."""
import os
import pathlib
import re
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def peak_mib(pids):
    return sum(int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) for pid in pids) / 1024


def flushes_per_second(folder):
    """What one append of 4 KiB and fdatasync costs here; returns how many a second go."""
    block, count = os.urandom(4096), 0
    with open(folder / "probe", "wb", buffering=0) as file:
        begin = time.monotonic()
        while time.monotonic() - begin < 1:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
    (folder / "probe").unlink()
    return count
