#!/usr/bin/env python3
"""Measures pinflow's Kafka door beside Apache Kafka: one machine, one run, taking turns, contents compared before times. See README.md.

    kafka_bench.py [--pinflow PROGRAM] [--small] [--only WORD ...] [--rounds N] [--folder DIR] [--table FILE] [--json FILE]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "interop" / "kafka"), str(ROOT / "bench")]

import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
import librdkafka_suite  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import Missing, NEWEST  # noqa: E402  pylint: disable=wrong-import-position
from machine import cpu_seconds, flushes_per_second, peak_mib  # noqa: E402  pylint: disable=wrong-import-position

JVM = ["-Xmx512m", "-Xms512m"]
# The two durability classes: what each broker is told so that it promises the same.
CLASSES = {
    "flush-free": ({}, {"log.durability": "os"}),
    "fsync": ({"log.flush.interval.messages": 1}, {"log.durability": "power"}),
}
SIZES = (100, 1024)
PARTITIONS = (1, 12)
# Records for each class and size: some seconds of the faster broker, and not minutes of the slower.
RECORDS = {("flush-free", 100): 3_000_000, ("flush-free", 1024): 600_000, ("fsync", 100): 600_000, ("fsync", 1024): 150_000}
RATE = 1000  # Records a second in the measure of latency.


def run(command, timeout=600, environment=None):
    done = subprocess.run([str(word) for word in command], text=True, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[-300:]} ended with {done.returncode}: {done.stdout[-1000:]}")
    return done.stdout


def wanted(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    if not match:
        raise RuntimeError(f"no '{pattern}' in: {text[-1500:]}")
    return match


# What is measured. Each takes a broker and a case and returns {measure: value}.

class Case:
    def __init__(self, klass, size, partitions, records, folder):
        self.klass, self.size, self.partitions, self.records = klass, size, partitions, records
        self.name = f"{klass}, {size} B, {partitions} partition{'s' if partitions > 1 else ''}"
        self.payload = folder / f"payload-{size}.txt"


def write_payload(path, size):
    """A thousand lines of letters that do not compress to nothing, the same in every run."""
    lines = []
    state = 12345
    for _ in range(1000):
        letters = bytearray()
        while len(letters) < size:
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            letters += b"%011x" % (state >> 20)
        lines.append(letters[:size].decode())
    path.write_text("\n".join(lines) + "\n")


def produce_java(broker, case, topic):
    command = [*kafka_peers.java_command(NEWEST, "producer-perf", JVM), "--topic", topic, "--num-records", case.records, "--throughput", -1,
               "--payload-file", case.payload, "--bootstrap-server", broker.bootstrap, "--command-property", "acks=all", "batch.size=65536"]
    said = run(command)
    last = [line for line in said.split("\n") if "99.9th" in line][-1]
    return {"MB/s": float(wanted(r"\(([\d.]+) MB/sec\)", last).group(1)) * 1.048576, "p50 ms": float(wanted(r"([\d.]+) ms 50th", last).group(1)),
            "p99 ms": float(wanted(r"([\d.]+) ms 99th", last).group(1))}


def consume_java(broker, case, topic):
    said = run([*kafka_peers.java_command(NEWEST, "consumer-perf", JVM), "--topic", topic, "--num-records", case.records, "--bootstrap-server",
                broker.bootstrap, "--hide-header", "--timeout", 60000])
    # start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
    fields = [part.strip() for part in wanted(r"^\d{4}-.*$", said).group(0).split(",")]
    if int(fields[4]) < case.records:
        raise RuntimeError(f"{broker.name}: {fields[4]} records read of {case.records}")
    return {"MB/s": float(fields[8]) * 1.048576}


def performance_tool(*arguments):
    return run([librdkafka_suite.SUITE / "examples/rdkafka_performance", *arguments])


def produce_librdkafka(broker, case, topic):
    said = performance_tool("-P", "-t", topic, "-b", broker.bootstrap, "-s", case.size, "-c", case.records, "-a", "-1", "-q",
                            "-X", "linger.ms=5", "-X", "queue.buffering.max.messages=500000")
    found = wanted(r"% (\d+) messages produced \((\d+) bytes\), (\d+) delivered .* in (\d+)ms: (\d+) msgs/s and ([\d.]+) MB/s, (\d+) produce failures", said)
    if int(found.group(3)) != case.records:
        raise RuntimeError(f"{broker.name}: {found.group(3)} delivered of {case.records}")
    return {"MB/s": float(found.group(6))}


def consume_librdkafka(broker, case, topic):
    partitions = [word for number in range(case.partitions) for word in ("-p", str(number))]
    said = performance_tool("-C", "-t", topic, *partitions, "-b", broker.bootstrap, "-o", "beginning", "-c", case.records, "-q", "-B", "1000")
    found = wanted(r"% (\d+) messages \((\d+) bytes\) consumed in (\d+)ms: (\d+) msgs/s \(([\d.]+) MB/s\)", said)
    return {"MB/s": int(found.group(2)) / 1000 / int(found.group(3))}


def latency(broker, case, topic):
    command = [*kafka_peers.java_command(NEWEST, "producer-perf", JVM), "--topic", topic, "--num-records", RATE * 12, "--warmup-records", RATE * 4,
               "--throughput", RATE, "--payload-file", case.payload, "--bootstrap-server", broker.bootstrap, "--command-property", "acks=all", "linger.ms=0"]
    steady = [line for line in run(command).split("\n") if "99.9th" in line][-1]
    return {"p50 ms": float(wanted(r"([\d.]+) ms 50th", steady).group(1)), "p99 ms": float(wanted(r"([\d.]+) ms 99th", steady).group(1))}


def contents(broker, topic):
    """Returns count and an order-free checksum of all values of a topic."""
    count, total = 0, 0
    reader = subprocess.Popen(["kcat", "-b", broker.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\n"], stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL)
    for line in reader.stdout:
        count += 1
        total = (total + zlib.crc32(line)) % 2**64
    if reader.wait() != 0:
        raise RuntimeError(f"kcat could not read {topic} of {broker.name}")
    return count, total


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.figures = {}  # (case name, measure) -> {broker name: [values]}
        self.wrong = 0
        self.disk = []

    def note(self, case, step, broker, values):
        for unit, value in values.items():
            self.figures.setdefault((case.name, step, unit), {}).setdefault(broker.name, []).append(value)

    def measured(self, case, step, function, broker, topic, records):
        before = cpu_seconds([broker.pid])
        values = function(broker, case, topic)
        if records:
            values["CPU s per million"] = (cpu_seconds([broker.pid]) - before) / records * 1e6
        self.note(case, step, broker, values)

    def round_of(self, case, brokers, number):
        read = {}
        for broker in brokers if number % 2 == 0 else reversed(brokers):
            topic = f"b{case.size}-{case.partitions}-{number}"
            for name in (topic, topic + "-rdk"):
                code, said = kafka_peers.run_tool(NEWEST, "topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", name, "--partitions", case.partitions)
                if code != 0:
                    raise RuntimeError(f"{broker.name}: {said}")
            self.measured(case, "Java producer", produce_java, broker, topic, case.records)
            if number == 0:
                read[broker.name] = contents(broker, topic)
            self.measured(case, "Java consumer", consume_java, broker, topic, case.records)
            self.measured(case, "librdkafka producer", produce_librdkafka, broker, topic + "-rdk", case.records)
            self.measured(case, "librdkafka consumer", consume_librdkafka, broker, topic + "-rdk", case.records)
            self.measured(case, f"Java, {RATE} records/s", latency, broker, topic, 0)
            for name in (topic, topic + "-rdk"):
                kafka_peers.run_tool(NEWEST, "topics", "--bootstrap-server", broker.bootstrap, "--delete", "--topic", name)
        if read:
            same = len(set(read.values())) == 1 and next(iter(read.values()))[0] == case.records
            print(f"{'equal' if same else 'FAILED'}: contents of {case.name}: {read}", flush=True)
            self.wrong += not same

    def run_class(self, klass):
        kafka_settings, pinflow_settings = CLASSES[klass]
        kafka = kafka_peers.ApacheKafka(NEWEST, self.folder / klass / "apache", kafka_settings)
        brokers = [kafka]
        if self.options.pinflow:
            brokers.append(kafka_peers.Pinflow(self.options.pinflow, self.folder / klass / "pinflow", pinflow_settings))
        cases = [Case(klass, size, partitions, RECORDS[klass, size] // (10 if self.options.small else 1), self.folder)
                 for size in SIZES for partitions in PARTITIONS]
        cases = [case for case in cases if not self.options.only or any(word in case.name for word in self.options.only)]
        if not cases:
            return
        try:
            for broker in brokers:
                broker.start()
            for case in cases:
                if not case.payload.exists():
                    write_payload(case.payload, case.size)
            # Both have compiled code and warm caches before the first figure.
            warm = Case(klass, cases[0].size, 1, 100_000, self.folder)
            for broker in brokers:
                kafka_peers.run_tool(NEWEST, "topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", "warm", "--partitions", 1)
                produce_java(broker, warm, "warm")
                consume_java(broker, warm, "warm")
            for case in cases:
                for number in range(self.options.rounds):
                    self.disk.append(flushes_per_second(self.folder))
                    self.round_of(case, brokers, number)
                print(f"measured {case.name}", flush=True)
            for broker in brokers:
                self.note(Case(klass, "all", 0, 0, self.folder), "peak memory", broker, {"MiB": peak_mib([broker.pid])})
        finally:
            for broker in brokers:
                broker.stop()
            shutil.rmtree(self.folder / klass, ignore_errors=True)

    def table(self):
        """Returns the Markdown table: medians, their spread, and the ratio in pinflow's favour where above 1."""
        kafka = f"Apache Kafka {NEWEST}"
        lines = [f"| case | measure | {kafka} | pinflow | ratio |", "|---|---|---|---|---|"]
        for (case, step, unit), by_broker in self.figures.items():
            cells, medians = [], {}
            for name in (kafka, "pinflow"):
                values = by_broker.get(name)
                if not values:
                    cells.append("-")
                    continue
                medians[name] = statistics.median(values)
                spread = f" [{min(values):.3g} .. {max(values):.3g}]" if len(values) > 1 else ""
                cells.append(f"{medians[name]:.3g}{spread}")
            ratio = "-"
            if len(medians) == 2 and all(medians.values()):
                ours, theirs = medians["pinflow"], medians[kafka]
                ratio = f"{ours / theirs if unit == 'MB/s' else theirs / ours:.2f}"
            lines.append(f"| {case.replace(', all B, 0 partition', '')} | {step}, {unit} | {cells[0]} | {cells[1]} | {ratio} |")
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default="")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-kafka"))
    parser.add_argument("--table", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        kafka_peers.libs(NEWEST)
        librdkafka_suite.build()
        if not shutil.which("kcat"):
            raise Missing("no kcat on this machine")
    except Missing as reason:
        print(f"skipped  Kafka door beside Apache Kafka: {reason}")
        return 0
    bench = Bench(options, folder)
    for klass in CLASSES:
        if not options.only or any(word in f"{klass}, {size} B, {p} partition" + "s" * (p > 1) for word in options.only for size in SIZES for p in PARTITIONS):
            bench.run_class(klass)
    print(f"\n{os.cpu_count()} cores; append of 4 KiB and fdatasync here: {statistics.median(bench.disk):.0f} a second; rounds: {options.rounds}\n")
    print(bench.table())
    if options.table:
        pathlib.Path(options.table).write_text(bench.table() + "\n")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps([[*key, values] for key, values in bench.figures.items()], indent=1))
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
