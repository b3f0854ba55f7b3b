#!/usr/bin/env python3
"""Measures the HTTP doors over a Kafka cluster: one, two and three `pinflow serve` beside as many Kafka bridges, before the same three brokers of Apache Kafka, acks=all,
all on this machine. What was acknowledged is counted in the topic after each figure, and the same posts are compared first. See README.md.

    doors_bench.py [--pinflow PROGRAM] [--small] [--rounds N] [--processes N] [--folder DIR] [--table FILE] [--json FILE]
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "interop" / name) for name in ("cluster", "http", "kafka")] + [str(ROOT / "bench"), str(ROOT / "bench" / "http")]

import brokers  # noqa: E402  pylint: disable=wrong-import-position
import http_bench  # noqa: E402  pylint: disable=wrong-import-position
import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import Missing, NEWEST  # noqa: E402  pylint: disable=wrong-import-position
from machine import cpu_seconds, peak_mib  # noqa: E402  pylint: disable=wrong-import-position
from serve import Serve  # noqa: E402  pylint: disable=wrong-import-position

PARTITIONS = 6
CASES = (("posts of one record", 1, 64), ("posts of a hundred", 100, 16))  # Connections are those of all processes together.
BROKER_JVM = ("-Xmx512m", "-Xms512m", "-XX:+UseG1GC")


class Pinflow:
    def __init__(self, program, folder, bootstrap):
        self.serve = Serve(program, folder, {"kafka_cluster.bootstrap_servers": bootstrap, "kafka.port": 0}).start()
        self.port, self.pid = self.serve.port, self.serve.process.pid

    def stop(self):
        self.serve.stop()


class Bridge:
    def __init__(self, folder, bootstrap):
        folder.mkdir(parents=True)
        self.port = kafka_peers.free_port()
        _, command, ready = http_bench.bridge_command(self.port, bootstrap, folder)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pid = self.process.pid
        # The log is closed with the process.
        self.lines = kafka_peers.Lines(self.process.stdout, open(folder / "log", "w", encoding="utf-8"))  # pylint: disable=consider-using-with
        self.lines.wait(ready, 60)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.milliseconds = 1_500 if options.small else 5_000
        self.figures = {}  # (case, processes, who) -> what each round measured
        self.peaks, self.checked = {}, 0
        self.wrong = 0
        self.members, self.bootstrap = [], ""

    def tell(self, same, what):
        print(f"{'equal' if same else 'FAILED'}: {what}", flush=True)
        self.wrong += not same

    def make_topic(self, name):
        code, said = kafka_peers.run_tool(NEWEST, "topics", "--bootstrap-server", self.bootstrap, "--create", "--topic", name, "--partitions", PARTITIONS, "--replication-factor", 3,
                                          "--config", "min.insync.replicas=2")
        if code != 0:
            raise RuntimeError(said)

    def stored(self, topic):
        asked = [word for partition in range(PARTITIONS) for word in ("-t", f"{topic}:{partition}:-1")]
        said = subprocess.run(["kcat", "-b", self.bootstrap, "-Q", *asked], text=True, stdout=subprocess.PIPE, check=True, timeout=60).stdout
        return sum(int(line.rsplit(" ", 1)[1]) for line in said.splitlines())

    def contents(self, topic):
        said = subprocess.run(["kcat", "-b", self.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\n"], stdout=subprocess.PIPE, check=True, timeout=120).stdout
        lines = said.splitlines()
        return len(lines), sum(zlib.crc32(json.dumps(json.loads(line), sort_keys=True).encode()) for line in lines)

    @staticmethod
    def load(port, requests, connections, milliseconds, count=0):
        more = ["--count", str(count)] if count else []
        done = subprocess.run([str(http_bench.LOAD), "--port", str(port), "--requests", str(requests), "--connections", str(connections), "--milliseconds", str(milliseconds), *more],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"http_load: {done.stderr.strip()[-500:]}")
        said = json.loads(done.stdout)
        if said["refused"]:
            raise RuntimeError(f"{said['refused']} requests were refused: {done.stderr.strip()[:500]}")
        return said

    def together(self, sides, requests, connections, milliseconds):
        """A load generator for each process, at the same time."""
        shares = [connections // len(sides) + (i < connections % len(sides)) for i in range(len(sides))]
        with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
            return list(pool.map(lambda pair: self.load(pair[0].port, requests, pair[1], milliseconds), zip(sides, shares)))

    def measured(self, who, sides, case, records, connections):
        """One figure, and whether the topic grew by what was acknowledged."""
        requests = self.folder / f"posts-{records}"
        pids, broker_pids = [side.pid for side in sides], [member.pid for member in self.members]
        os.sync()  # Nobody pays for pages that another one left dirty.
        begin = self.stored("bench")
        clock, cpu, brokers_cpu = time.monotonic(), cpu_seconds(pids), cpu_seconds(broker_pids)
        said = self.together(sides, requests, connections, self.milliseconds)
        elapsed = time.monotonic() - clock
        cpu, brokers_cpu = cpu_seconds(pids) - cpu, cpu_seconds(broker_pids) - brokers_cpu
        count = sum(one["accepted"] for one in said) * records
        there = self.stored("bench") - begin
        if there != count:
            self.tell(False, f"{who}, {case}, {len(sides)} processes: {count} records acknowledged, {there} stored")
        self.checked += count
        figures = {"records/s": count / max(one["seconds"] for one in said), "p50": statistics.median(one["p50"] for one in said), "p99": max(one["p99"] for one in said),
                   "cpu": cpu / count * 1e6, "brokers_cpu": brokers_cpu / count * 1e6,
                   "cores": cpu / elapsed, "brokers_cores": brokers_cpu / elapsed, "load_cores": sum(one["cpu_seconds"] for one in said) / elapsed}
        self.figures.setdefault((case, len(sides), who), []).append(figures)

    def compare(self, sides):
        """The same posts through one process of either kind; `sides` by name."""
        read = {}
        for name, side in sides.items():
            topic = f"same-{len(read)}"
            self.make_topic(topic)
            time.sleep(1)  # pinflow learns of topics that others make within half a second of the first question; the bridge at once.
            requests = http_bench.write_requests(self.folder / topic, [*http_bench.posts(f"/topics/{topic}", 0, 500, 1), *http_bench.posts(f"/topics/{topic}", 500, 20, 100)])
            for _ in range(20):
                try:
                    self.load(side.port, http_bench.write_requests(self.folder / "none", http_bench.posts(f"/topics/{topic}", 0, 1, 1)), 1, 5_000, 1)
                    break
                except RuntimeError:
                    time.sleep(0.5)
            self.load(side.port, requests, 8, 60_000, 520)
            read[name] = self.contents(topic)
        self.tell(len(set(read.values())) == 1 and next(iter(read.values()))[0] == 2501, f"2501 records posted to {' and '.join(read)}")

    def warm(self, side):
        """Code is compiled and connections are open before the first figure."""
        for _, records, connections in CASES:
            self.load(side.port, self.folder / f"posts-{records}", connections, 1_000 if self.options.small else 5_000)

    def rounds(self, makers):
        """Figures of 1, 2, ... processes of each kind, which take turns."""
        sides = {who: [] for who in makers}
        try:
            for count in range(1, self.options.processes + 1):
                for who, make in makers.items():
                    sides[who].append(make(self.folder / f"{who.replace(' ', '-')}-{count}"))
                    self.warm(sides[who][-1])
                for case, records, connections in CASES:
                    for number in range(self.options.rounds):
                        for who in list(makers)[::1 if number % 2 == 0 else -1]:
                            self.measured(who, sides[who], case, records, connections)
                print(f"measured {count} process{'es' if count > 1 else ''} of each", flush=True)
            self.peaks = {who: peak_mib([started[0].pid]) for who, started in sides.items()}
        finally:
            for side in itertools.chain(*sides.values()):
                side.stop()

    def run(self):
        self.members, self.bootstrap = brokers.start(self.folder / "brokers", 3, jvm=BROKER_JVM)
        try:
            self.make_topic("bench")
            for _, records, _ in CASES:
                http_bench.write_requests(self.folder / f"posts-{records}", http_bench.posts("/topics/bench", 0, 20_000 // records, records))
            program = pathlib.Path(self.options.pinflow).resolve()
            makers = {"pinflow": lambda folder: Pinflow(program, folder, self.bootstrap)}
            try:
                name, _, _ = http_bench.bridge_command(0, self.bootstrap, self.folder)
                makers[name] = lambda folder: Bridge(folder, self.bootstrap)
            except Missing as reason:
                print(f"skipped  bridge: {reason}")
            sides = {}
            try:
                for who, make in makers.items():
                    sides[who] = make(self.folder / f"{who.replace(' ', '-')}-same")
                self.compare(sides)
            finally:
                for side in sides.values():
                    side.stop()
            self.rounds(makers)
            self.tell(self.wrong == 0, f"{self.checked:,} records acknowledged in {sum(map(len, self.figures.values()))} figures, as many stored after each")
        finally:
            brokers.stop(self.members)

    def table(self):
        """Returns the Markdown table: medians, of records a second with their spread; a ratio above 1 is in pinflow's favour."""
        lines = ["| case | processes | who | records/s | ratio | p50 ms | p99 ms | CPU s per million: doors | ratio | brokers | cores: doors | brokers | load |", "|---" * 13 + "|"]
        for (case, count, who), figures in self.figures.items():
            def median(measure, of):
                return statistics.median(figure[measure] for figure in of)

            ours, speeds = self.figures[case, count, "pinflow"], [figure["records/s"] for figure in figures]
            faster, cheaper = ("-", "-") if who == "pinflow" else (f"{median('records/s', ours) / median('records/s', figures):.2f}", f"{median('cpu', figures) / median('cpu', ours):.2f}")
            cells = [case, count, who, f"{median('records/s', figures):,.0f} [{min(speeds):,.0f} .. {max(speeds):,.0f}]", faster, f"{median('p50', figures):.1f}", f"{median('p99', figures):.1f}",
                     f"{median('cpu', figures):.1f}", cheaper, f"{median('brokers_cpu', figures):.1f}", *(f"{median(measure, figures):.2f}" for measure in ("cores", "brokers_cores", "load_cores"))]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
        peaks = ", ".join(f"{who} {peak:,.0f} MiB" for who, peak in self.peaks.items())
        return "\n".join(lines) + f"\n\nPeak memory of the first process: {peaks}."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build/release/pinflow"))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-cluster"))
    parser.add_argument("--table", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    if not http_bench.LOAD.exists():
        print(f"skipped  X1, doors over a Kafka cluster: {http_bench.LOAD.relative_to(ROOT)} is not built")
        return 1
    folder = pathlib.Path(options.folder).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bench = Bench(options, folder)
    try:
        kafka_peers.libs(NEWEST)
        if not shutil.which("kcat"):
            raise Missing("no kcat on this machine")
        bench.run()
    except Missing as reason:
        print(f"skipped  X1, doors over a Kafka cluster: {reason}")
        return 0
    print(f"\n{os.cpu_count()} cores; 3 brokers, {PARTITIONS} partitions, 3 replicas, acks=all; rounds: {options.rounds}, {bench.milliseconds} ms each\n")
    print(bench.table())
    if options.table:
        pathlib.Path(options.table).write_text(bench.table() + "\n", encoding="utf-8")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps([[*key, rounds] for key, rounds in bench.figures.items()], indent=1), encoding="utf-8")
    if not bench.wrong:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
