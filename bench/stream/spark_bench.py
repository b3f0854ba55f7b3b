#!/usr/bin/env python3
"""Measures pinflow's stream lane beside Spark Structured Streaming with Delta on Apache Kafka: the same posts, the same cleaning SQL, one machine, one
after the other, tables compared before times. See README.md.

    spark_bench.py [--pinflow PROGRAM] [--small] [--records N] [--rate N] [--seconds N] [--memory SIZE] [--folder DIR] [--table FILE] [--json FILE]
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "interop" / name) for name in ("delta", "http", "kafka")]

import http_peers  # noqa: E402  pylint: disable=wrong-import-position
import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
import spark_peer  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import Missing, NEWEST  # noqa: E402  pylint: disable=wrong-import-position

TOPIC, TABLE = "streaming-pinterest-pin", "pinterest_pin_table"
PARTITIONS = 2  # As many as cores: Spark reads each by a task of its own.
TICKS = os.sysconf("SC_CLK_TCK")


def children(pid):
    """A process and all below it."""
    found = [pid]
    for other in found:
        said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(other)], text=True, stdout=subprocess.PIPE, check=False).stdout
        found += [int(word) for word in said.split()]
    return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):  # One that ended meanwhile.
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def peak_mib(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, AttributeError):
            total += int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")).group(1)) / 1024
    return total


class Tail(threading.Thread):
    """Sees the commits of a Delta table, as one who is not the writer: looks for the next one each two milliseconds, since a table tells nobody that it grew.
    `through` maps the lines of a commit to the last offset of each partition that it contains."""

    def __init__(self, log, through):
        super().__init__(daemon=True)
        self.log, self.through = log, through
        self.seen = []  # (moment in monotonic microseconds, {partition: last offset})
        self.ends = {}
        self.failure = None
        self._stopped = threading.Event()
        self._next = 0
        self.start()

    def run(self):
        try:
            while not self._stopped.wait(0.002):
                while (commit := self.log / f"{self._next:020}.json").exists():
                    moment = time.monotonic_ns() // 1000
                    offsets = self.through([json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()])
                    if offsets:
                        self.seen.append((moment, offsets))
                        self.ends.update(offsets)
                    self._next += 1
        except Exception as failure:  # pylint: disable=broad-exception-caught  # Told by wait(), to whom it matters.
            self.failure = failure

    def wait(self, records, seconds, alive):
        """Waits until the table holds so many records of the topic; returns when the last was seen."""
        begin = time.monotonic()
        while sum(self.ends.values()) + len(self.ends) < records:
            if self.failure:
                raise RuntimeError(f"the log of the table could not be read: {self.failure!r}")
            if not alive():
                raise RuntimeError("the lane ended")
            if time.monotonic() - begin > seconds:
                raise RuntimeError(f"only {sum(self.ends.values()) + len(self.ends)} of {records} records were in the table after {seconds} s")
            time.sleep(0.01)
        return self.seen[-1][0] / 1e6

    def stop(self):
        self._stopped.set()
        self.join()


class Side:
    """What both sides have: a broker to feed, a lane that starts, a table."""
    note = ""

    def feed(self, peer, **more):
        words = [f"--{name}={value}" for name, value in more.items()]
        done = subprocess.run([peer.python, str(HERE / "feed_kafka.py"), f"--bootstrap={self.bootstrap}", f"--topic={TOPIC}", f"--partitions={PARTITIONS}",
                               f"--begin={self.options.begin}", *words], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"feeding {self.name}: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)


class Spark(Side):
    name = "Kafka + Spark"

    def __init__(self, options, peer, folder):
        self.options, self.peer, self.folder = options, peer, folder
        self.kafka = kafka_peers.ApacheKafka(NEWEST, folder / "kafka", {"num.partitions": PARTITIONS})
        self.bootstrap = self.kafka.bootstrap
        self.table, self.checkpoint = folder / "tables" / TABLE, folder / "checkpoint"
        self.lane = None

    def prepare(self):
        self.kafka.start()
        code, said = kafka_peers.run_tool(NEWEST, "topics", "--bootstrap-server", self.bootstrap, "--create", "--topic", TOPIC, "--partitions", PARTITIONS)
        if code != 0:
            raise RuntimeError(f"Kafka made no topic: {said}")

    def settle(self):
        """Makes ready for the start of the lane; returns the CPU seconds so far of what goes on running."""
        return cpu_seconds([self.kafka.pid])

    def start(self):
        environment = {**self.peer.environment, "PINFLOW_SPARK_MEMORY": self.options.memory}
        errors = open(self.folder / "spark.err", "w", encoding="utf-8")
        self.lane = subprocess.Popen([self.peer.python, str(HERE / "spark_lane.py"), "lane", self.bootstrap, TOPIC, str(self.table), str(self.checkpoint), str(self.options.most)],
                                     text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment)
        self.tail = Tail(self.table / "_delta_log", self.through)
        if '"ready"' not in self.lane.stdout.readline():
            raise RuntimeError(f"Spark did not start: {(self.folder / 'spark.err').read_text(encoding='utf-8')[-800:]}")

    def through(self, actions):
        """A commit of Spark's names its batch; which offsets a batch ends at is in the checkpoint, written before the batch."""
        for action in actions:
            if "txn" in action:
                lines = (self.checkpoint / "offsets" / str(action["txn"]["version"])).read_text(encoding="utf-8").splitlines()
                return {int(partition): end - 1 for partition, end in json.loads(lines[2])[TOPIC].items()}
        return {}

    def alive(self):
        return self.lane.poll() is None

    def pids(self):
        return [self.kafka.pid, *children(self.lane.pid)]

    def stop(self):
        if self.lane:
            with contextlib.suppress(OSError):
                self.lane.stdin.close()
            try:
                self.lane.wait(60)
            except subprocess.TimeoutExpired:
                self.lane.kill()
            self.tail.stop()
        self.kafka.stop()


class Pinflow(Side):
    name = "pinflow"

    def __init__(self, options, peer, folder):
        self.options, self.peer, self.folder = options, peer, folder
        self.doors = http_peers.Doors(options.pinflow, folder, {"topics.partitions": PARTITIONS, "kafka.default_partitions": PARTITIONS})
        self.bootstrap = self.doors.bootstrap
        self.table = folder / "data" / "tables" / TABLE
        self.tail = None

    def prepare(self):
        self.doors.start()

    def settle(self):
        """Ends it, and takes the tables away: then it has all before it, as Spark does."""
        self.doors.stop()
        shutil.rmtree(self.folder / "data" / "tables", ignore_errors=True)
        return 0

    def start(self):
        self.tail = Tail(self.table / "_delta_log", self.through)
        self.doors.start()

    def through(self, actions):
        return {int(action["txn"]["appId"].rsplit(":", 1)[1]): action["txn"]["version"] for action in actions if "txn" in action}

    def alive(self):
        return self.doors.process.poll() is None

    def pids(self):
        return [self.doors.pid]

    def stop(self):
        self.doors.stop()
        if self.tail:
            self.tail.stop()


def percentile(values, p):
    return values[min(len(values) - 1, max(0, -(-int(p * 1000) * len(values) // 1000) - 1))] if values else 0.0


def freshness(stamps_file, seen, warm_up):
    """Milliseconds from each acknowledgement until a commit with the record was seen, sorted; and how many never were. `warm_up`: seconds not counted."""
    times, unseen = [], 0
    for line in stamps_file.read_text(encoding="ascii").splitlines():
        partition, first, *stamps = map(int, line.split())
        begin = min(stamps) + warm_up * 1_000_000
        commits = iter([(moment, offsets[partition]) for moment, offsets in seen if partition in offsets])
        moment, last = next(commits, (0, -1))
        for offset, stamp in enumerate(stamps, first):
            while last < offset:
                moment, last = next(commits, (0, sys.maxsize))
            if moment == 0:
                unseen += 1
            elif stamp >= begin:
                times.append(max(0, moment - stamp) / 1000)
    return sorted(times), unseen


def measure(side, peer, options):
    told = {"name": side.name}
    try:
        side.prepare()
        fed = side.feed(peer, records=options.records)
        told["fed"] = fed["records"] / fed["seconds"]
        print(f"{side.name}: fed {options.records:,} records in {fed['seconds']:.0f} s", flush=True)
        before = side.settle()
        begin = time.monotonic()
        side.start()
        told["ready"] = time.monotonic() - begin
        told["drain"] = side.tail.wait(options.records, options.patience, side.alive) - begin
        told["drain_cpu"] = cpu_seconds(side.pids()) - before
        told["drain_peak"] = peak_mib(side.pids())
        told["drain_commits"] = len(side.tail.seen)
        print(f"{side.name}: drained in {told['drain']:.1f} s", flush=True)
        stamps = side.folder / "stamps"
        records = options.rate * options.seconds
        before = cpu_seconds(side.pids())
        begin = time.monotonic()
        side.feed(peer, first=options.records, records=records, rate=options.rate, stamps=stamps)
        side.tail.wait(options.records + records, 120, side.alive)
        told["rate_cores"] = (cpu_seconds(side.pids()) - before) / (time.monotonic() - begin)
        told["peak"] = peak_mib(side.pids())
        times, told["unseen"] = freshness(stamps, side.tail.seen, min(10, options.seconds // 4))
        told["commits"] = len(side.tail.seen) - told["drain_commits"]
        told.update({"p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "max": times[-1] if times else 0, "counted": len(times)})
        print(f"{side.name}: fresh after {told['p50']:.0f} ms (p50), {told['p99']:.0f} ms (p99)", flush=True)
    finally:
        side.stop()
    return told


def compare(peer, options, tables):
    """Spark reads both tables; returns what differs."""
    environment = {**peer.environment, "PINFLOW_SPARK_MEMORY": "4g"}
    done = subprocess.run([peer.python, str(HERE / "spark_lane.py"), "compare", *map(str, tables)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=900, env=environment, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the tables could not be compared: {done.stderr.strip()[-800:]}")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    expected = str(options.records + options.rate * options.seconds)
    wrong = [name for name in told[0] if told[0][name] != told[1].get(name)]
    for name in wrong:
        print(f"FAILED: {name}: {told[0][name]} and {told[1].get(name)}", flush=True)
    if (told[0]["rows"], told[0]["places"]) != (expected, expected):
        wrong.append("rows")
        print(f"FAILED: {told[0]['rows']} rows of {told[0]['places']} places, {expected} were fed", flush=True)
    if not wrong:
        print(f"equal: {expected} rows, every column", flush=True)
    return wrong


def table(options, results):
    """The Markdown table; the ratio is in pinflow's favour where above 1."""
    million = options.records / 1e6
    rows = [("drain of the backlog, from the start of the process, s", lambda told: told["drain"]), ("the same, records a second", lambda told: options.records / told["drain"]),
            ("the same, from when the lane is ready, records a second", lambda told: options.records / (told["drain"] - told["ready"])),
            ("CPU s per million records drained", lambda told: told["drain_cpu"] / million), ("peak memory of the drain, all processes, MiB", lambda told: told["drain_peak"]),
            (f"fresh at {options.rate:,} records/s: acknowledged until in the table, p50 ms", lambda told: told["p50"]), ("the same, p99 ms", lambda told: told["p99"]),
            ("the same, most, ms", lambda told: told["max"]), ("cores used meanwhile", lambda told: told["rate_cores"]), ("commits meanwhile", lambda told: told["commits"]),
            ("peak memory of all, MiB", lambda told: told["peak"])]
    lines = [f"| {options.records:,} records, then {options.rate:,} a second for {options.seconds} s | {results[0]['name']} | {results[1]['name']} | ratio |", "|---|---|---|---|"]
    for name, value in rows:
        theirs, ours = map(value, results)
        more_is_better = name.endswith("records a second")
        ratio = "-" if name.startswith("commits") else f"{(ours / theirs if more_is_better else theirs / ours):.1f}" if ours and theirs else "-"
        lines.append(f"| {name} | {theirs:,.3g} | {ours:,.3g} | {ratio} |" if max(theirs, ours) < 1000 else f"| {name} | {theirs:,.0f} | {ours:,.0f} | {ratio} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build" / "release" / "pinflow"))
    parser.add_argument("--small", action="store_true", help="200,000 records and 20 seconds")
    parser.add_argument("--records", type=int, default=0, help="of the backlog; 5,000,000")
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=0, help="at that rate; 120")
    parser.add_argument("--memory", default="2g", help="heap of Spark")
    parser.add_argument("--most", type=int, default=0, help="records in one batch of Spark; 0: as many as there are")
    parser.add_argument("--patience", type=int, default=600, help="seconds that a drain may take")
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-spark"))
    parser.add_argument("--table", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    options.records = options.records or (200_000 if options.small else 5_000_000)
    options.seconds = options.seconds or (20 if options.small else 120)
    options.begin = int(time.time() * 1000)
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        peer = spark_peer.spark()
        kafka_peers.libs(NEWEST)
    except Missing as reason:
        print(f"skipped  the stream lane beside Spark: {reason}")
        return 0
    results = []
    try:
        sides = [Spark(options, peer, folder / "spark"), Pinflow(options, peer, folder / "pinflow")]
        for side in sides:
            results.append(measure(side, peer, options))
        wrong = compare(peer, options, [side.table for side in sides]) or any(told["unseen"] for told in results)
    except (RuntimeError, TimeoutError, subprocess.TimeoutExpired) as failure:
        print(f"FAILED: {failure}")
        wrong = True
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results), encoding="utf-8")
    if len(results) == 2:
        versions = f"Spark {peer.spark_version} local[2], heap {options.memory}, delta-spark {peer.delta_version}; Apache Kafka {NEWEST}; {PARTITIONS} partitions; {os.cpu_count()} cores"
        text = f"{versions}; outputs {'DIFFER' if wrong else 'equal'}\n\n{table(options, results)}"
        print(f"\n{text}")
        if options.table:
            pathlib.Path(options.table).write_text(text + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
