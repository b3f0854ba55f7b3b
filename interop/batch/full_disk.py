#!/usr/bin/env python3
"""Runs the batch on a disk that is full, and then on the same disk with a little more room each time, until it gets through: each run that fails says so with the
disk's own words, and the answers and tables are then those of a run that always had room. The disk is a tmpfs in a mount namespace of its own.

    full_disk.py --pinflow PROGRAM
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))

from check_report import Report, expect  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing  # noqa: E402  pylint: disable=wrong-import-position

NAME = "Batch on a full disk"
STEP = 64 * 1024  # Bytes of room more for each run.


def pinflow(program, data, *words):
    return subprocess.run([program, *words, "--data", str(data), "--quiet"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)


def with_room(disk, room):
    used = shutil.disk_usage(disk).used
    subprocess.run(["mount", "-o", f"remount,size={used + room}", str(disk)], check=True)


def gets_through(program, folder):
    """Within the namespace."""
    room, small = folder / "room", folder / "small"
    expect(pinflow(program, room, "demo", "--posts", "3000").returncode == 0, "the demo did not run")
    shutil.rmtree(room / "tables")
    shutil.rmtree(room / "state")
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(small)], stderr=subprocess.PIPE, check=False).returncode != 0:
        raise Missing("no tmpfs can be mounted")
    shutil.copytree(room / "objects", small / "objects")
    failed, steps = 0, set()
    while True:
        with_room(small, STEP * failed)
        done = pinflow(program, small, "batch", "run")
        if done.returncode == 0:
            break
        expect("No space left" in done.stderr or "nearly full" in done.stderr, f"a run with {failed * STEP} bytes of room ended with {done.returncode}: {done.stderr.strip()}")
        steps.update(word for word in ("list", "read", "merge", "model", "check", "ask", "publish") if f"step {word}" in done.stderr)
        failed += 1
        expect(failed < 400, "the batch never got through")
    expect(failed > 0, "the disk was not full")
    with_room(small, 1 << 28)
    expect(pinflow(program, room, "batch", "run").returncode == 0, "the batch with room did not run")
    answers = [pinflow(program, data, "question", "all", "--format", "json").stdout for data in (room, small)]
    expect(answers[0] and answers[0] == answers[1], "the answers are others than with room")
    checked = pinflow(program, small, "tables", "check")
    expect(checked.returncode == 0, f"tables check: {checked.stdout[-500:]}{checked.stderr[-500:]}")
    return f"{failed} runs failed, in step {' and '.join(sorted(steps)) or 'none'}; then the same answers"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = BUILD / "run" / "full-disk"
    if not options.inside and os.geteuid() == 0 and shutil.which("unshare"):
        # The mount ends with the process.
        sys.exit(subprocess.run(["unshare", "-m", sys.executable, __file__, "--pinflow", options.pinflow, "--inside"], check=False).returncode)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report([], folder)
    if options.inside:
        report.check(NAME, gets_through, str(pathlib.Path(options.pinflow).resolve()), folder)
    else:
        report.skip(NAME, "only root may mount a small disk")
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
