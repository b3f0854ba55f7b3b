#!/usr/bin/env python3
"""Measures how soon an acknowledged post is a visible row, and counts in its profile's popularity, at fixed rates; and whether memory stays
flat and nothing is lost. See README.md.

    freshness.py [--pinflow PROGRAM] [--small] [--rates N,N] [--seconds N] [--probes N] [--folder DIR] [--table FILE] [--json FILE] [--set KEY=VALUE ...]
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "interop" / name) for name in ("http", "kafka")]

import http_peers  # noqa: E402  pylint: disable=wrong-import-position

LOAD = ROOT / "build" / "release" / "bench" / "freshness_load"
TABLE = "pinterest_pin_table"
TICKS = os.sysconf("SC_CLK_TCK")


class Watched(threading.Thread):
    """Samples the memory of a process each second, until it is stopped or the process ends."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.samples = pid, []
        self._stopped = threading.Event()
        self.start()

    def run(self):
        begin = time.monotonic()
        while not self._stopped.is_set():
            try:
                self.samples.append((time.monotonic() - begin, status_mib(self.pid, "VmRSS")))
            except (OSError, StopIteration):
                return
            self._stopped.wait(1)

    def stop(self):
        self._stopped.set()
        self.join()
        return self.samples


def status_mib(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith(field + ":")).split()[1]) / 1024


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def per_minute(samples):
    """The slope of the later half of a run, in MiB a minute, by least squares."""
    late = [(at / 60, mib) for at, mib in samples if at >= samples[-1][0] / 2]
    if len(late) < 3:
        return 0.0
    return statistics.linear_regression(*zip(*late)).slope


def wait_until(condition, seconds, what):
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > seconds:
            raise RuntimeError(f"{what} not within {seconds} s")
        time.sleep(0.05)


def run_program(*words, longest=300):
    done = subprocess.run([str(word) for word in words], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=longest, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


class Run:
    """One rate, on a data folder of its own."""

    def __init__(self, options, rate, folder):
        self.options, self.rate, self.folder = options, rate, folder
        self.data = folder / "data"

    def measure(self):
        doors = http_peers.Doors(self.options.pinflow, self.folder, {"kafka.default_partitions": 1, **self.options.settings}).start()
        try:
            log = self.data / "tables" / TABLE / "_delta_log"
            wait_until(log.is_dir, 30, f"the table {TABLE}")
            before = cpu_seconds(doors.pid)
            memory = Watched(doors.pid)
            warm_up = max(1, self.options.seconds // 10)
            told = json.loads(run_program(LOAD, "--port", doors.http_port, "--log", log, "--rate", self.rate, "--seconds", self.options.seconds, "--warm-up", warm_up,
                                          "--probes", self.options.probes, longest=self.options.seconds + 200))
            told["cores"] = (cpu_seconds(doors.pid) - before) / told["seconds"]
            told["samples"] = [(round(at, 1), round(mib, 1)) for at, mib in memory.stop()]
            told["peak_mib"] = status_mib(doors.pid, "VmHWM")
        finally:
            doors.stop()
        told["rate"] = self.rate
        told["steady_mib"] = [mib for at, mib in told["samples"] if at >= warm_up]
        self.count(told)
        return told

    def count(self, told):
        """What an outsider finds afterwards; raises where that is not what was acknowledged."""
        line = next(line for line in json.loads(run_program(self.options.pinflow, "tables", "--format", "json", "--data", self.data)) if line["table"] == TABLE)
        told["rows"], told["files"], told["version"] = line["rows"], line["files"], line["version"]
        told["on_disk"] = sum(1 for _ in (self.data / "tables" / TABLE).glob("*.parquet"))
        run_program(self.options.pinflow, "tables", "check", TABLE, "--data", self.data)
        posted = told["accepted"] + told["popular"]["count"]
        told["wrong"] = []
        if told["refused"] or told["unplaced"]:
            told["wrong"].append(f"{told['refused']} posts were refused, {told['unplaced']} records got no offset")
        if told["rows"] != posted or told["unseen"]:
            told["wrong"].append(f"{posted} records acknowledged, {told['rows']} rows in the table, {told['unseen']} never seen by the watcher")
        if told["accepted"] / told["seconds"] < 0.97 * self.rate:
            told["wrong"].append(f"only {told['accepted'] / told['seconds']:.0f} posts a second were reached")


def milliseconds(told):
    return f"{told['p50']:.0f} / {told['p99']:.0f}" if told["p50"] >= 10 else f"{told['p50']:.2g} / {told['p99']:.3g}"


def table(results):
    names = ["posts/s", "records", "row visible after its acknowledgement, p50 / p99 ms", "after it was due", "popularity after its acknowledgement", "acknowledged after it was due",
             "commits (rewrites)", "files at the end (on disk)", "MiB steady: least, most, MiB a minute", "cores", "lost"]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for told in results:
        lines.append(f"| {told['rate']:,} | {told['rows']:,} | {milliseconds(told['visible'])} | {milliseconds(told['due_visible'])} | {milliseconds(told['popular'])} | "
                     f"{milliseconds(told['acknowledged'])} | {told['appends'] + told['rewrites']:,} ({told['rewrites']}) | {told['files']} ({told['on_disk']}) | "
                     f"{min(told['steady_mib']):.0f}, {max(told['steady_mib']):.0f}, {per_minute(told['samples']):+.1f} | {told['cores']:.2f} | "
                     f"{'WRONG: ' + '; '.join(told['wrong']) if told['wrong'] else '0'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build" / "release" / "pinflow"))
    parser.add_argument("--small", action="store_true", help="20 seconds a rate")
    parser.add_argument("--rates", default="1000,5000,20000")
    parser.add_argument("--seconds", type=int, default=0, help="for each rate; 600")
    parser.add_argument("--probes", type=int, default=10, help="new profiles a second")
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-freshness"))
    parser.add_argument("--table", default="")
    parser.add_argument("--json", default="")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    options.seconds = options.seconds or (20 if options.small else 600)
    options.settings = dict(setting.split("=", 1) for setting in options.set)
    folder = pathlib.Path(options.folder)
    results, failed = [], False
    for rate in map(int, options.rates.split(",")):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            results.append(Run(options, rate, folder).measure())
            failed |= bool(results[-1]["wrong"])
        except (RuntimeError, OSError, TimeoutError, subprocess.TimeoutExpired) as failure:
            print(f"FAILED: {rate} posts/s: {failure}", flush=True)
            failed = True
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        # What was measured is kept, whatever comes of the next rate.
        if options.table:
            pathlib.Path(options.table).write_text(table(results) + "\n", encoding="utf-8")
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(results), encoding="utf-8")
        if results:
            print(f"measured {rate} posts/s for {options.seconds} s", flush=True)
    print(f"\n{os.cpu_count()} cores; {options.seconds} s a rate\n")
    print(table(results))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
