#!/usr/bin/env python3
"""Measures `pinflow sink` beside a sink of Kafka Connect: the same topics of one Apache Kafka into one S3 server, lines of JSON with gzip, objects of the same size, one
machine, taking turns. What is in the objects is compared before times: each record once on either side, and equal. See README.md.

    sink_bench.py [--pinflow PROGRAM] [--small] [--rounds N] [--folder DIR] [--table FILE] [--json FILE]
"""
import argparse
import collections
import gzip
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(ROOT / "interop" / "s3"), str(ROOT / "interop" / "kafka"), str(ROOT / "bench")]

import connect_worker  # noqa: E402  pylint: disable=wrong-import-position
import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
import servers  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import Missing, NEWEST  # noqa: E402  pylint: disable=wrong-import-position
from machine import cpu_seconds, peak_mib  # noqa: E402  pylint: disable=wrong-import-position

TOPICS = ("pinterest.pin", "pinterest.geo", "pinterest.user")
PARTITIONS = 2
FLUSH_SIZE = 10_000
LONGEST_SECONDS = 120
QUIET_SECONDS = 2 * connect_worker.FLUSH_MS / 1000 + 1


def posts(program, folder, number):
    """The lines of so many synthetic posts, by topic, as the emulator sends them."""
    common = ["--data", str(folder / "source"), "--quiet"]
    subprocess.run([program, "source", "create", "--posts", str(number), *common], check=True, stdout=subprocess.DEVNULL, timeout=600)
    said = subprocess.run([program, "emulate", "--to", "console", "--burst", "--order", "in-order", "--connections", "1", *common], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, timeout=600).stdout
    lines = {topic: [] for topic in TOPICS}
    for line in said.splitlines():
        if line.startswith("{"):
            lines[TOPICS[0] if '"index"' in line else TOPICS[1] if '"country"' in line else TOPICS[2]].append(line)
    if any(len(of_topic) != number for of_topic in lines.values()):
        raise RuntimeError(f"the emulator gave { {topic: len(of_topic) for topic, of_topic in lines.items()} }")
    return lines


def fill(bootstrap, folder, lines, count):
    """Fills each partition with so many records; the same in every run."""
    for topic, of_topic in lines.items():
        code, said = kafka_peers.run_tool(NEWEST, "topics", "--bootstrap-server", bootstrap, "--create", "--topic", topic, "--partitions", PARTITIONS)
        if code != 0:
            raise RuntimeError(said)
        for partition in range(PARTITIONS):
            file = folder / "lines"
            file.write_text("\n".join(of_topic[partition * count:(partition + 1) * count]) + "\n", encoding="utf-8")
            subprocess.run(["kcat", "-P", "-b", bootstrap, "-t", topic, "-p", str(partition), "-X", "acks=all", "-l", str(file)], check=True, timeout=300)
            file.unlink()


class Objects:
    """The objects below a prefix, as they lie in the folder of the server."""
    NAME = re.compile(r"(?P<topic>[\w.]+)[-+](?P<partition>\d+)[-+](?P<first>\d+)(\.json)?\.gz$")

    def __init__(self, folder):
        self.folder = folder

    def state(self):
        """How many there are, and when the last one came."""
        times = [entry.stat().st_mtime for entry in self.folder.rglob("*.gz") if entry.is_file()] if self.folder.exists() else []
        return len(times), max(times, default=0)

    def contents(self):
        """Objects, bytes, and for each partition offset by offset a checksum of the record; raises where an offset comes twice."""
        seen, size, count = collections.defaultdict(dict), 0, 0
        for path in self.folder.rglob("*.gz"):
            place = self.NAME.search(path.name)
            if not place:
                raise RuntimeError(f"an object with the name {path.name}")
            count, size = count + 1, size + path.stat().st_size
            of_partition = seen[place["topic"], int(place["partition"])]
            with gzip.open(path) as lines:
                for offset, line in enumerate(lines, int(place["first"])):
                    if offset in of_partition:
                        raise RuntimeError(f"{place['topic']}-{place['partition']}, offset {offset}: in two objects")
                    of_partition[offset] = zlib.crc32(json.dumps(json.loads(line), sort_keys=True).encode())
        return count, size, dict(seen)


class Pinflow:
    """`pinflow sink`, a new process each time, told by a properties file of the connector that its object names come from."""
    name = "pinflow"

    def __init__(self, options, bench):
        self.program, self.bench = pathlib.Path(options.pinflow).resolve(), bench
        self.process = None

    def begin(self, number):
        # Its positions in the group are a hint of an earlier round's store.
        kafka_peers.run_tool(NEWEST, "groups", "--bootstrap-server", self.bench.bootstrap, "--delete", "--group", "pinflow-sink")
        folder = self.bench.folder / f"pinflow-{number}"
        folder.mkdir()
        properties = folder / "s3-sink.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in {
            "name": "s3-sink", "connector.class": "io.confluent.connect.s3.S3SinkConnector", "tasks.max": "2", "topics": ",".join(TOPICS), "s3.bucket.name": servers.BUCKET,
            "s3.region": "us-east-1", "store.url": self.bench.server.endpoint, "flush.size": FLUSH_SIZE, "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
            "s3.compression.type": "gzip", "storage.class": "io.confluent.connect.s3.storage.S3Storage", "schema.compatibility": "NONE"}.items()))
        settings = {"log.engine": "kafka", "kafka_cluster.bootstrap_servers": self.bench.bootstrap, "data.objects": f"s3://{servers.BUCKET}/pinflow-{number}", "s3.region": "us-east-1",
                    "s3.endpoint": self.bench.server.endpoint, "http.port": 0}
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([str(self.program), "sink", "--data", str(folder / "data"), "--connector-properties", str(properties), *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=servers.ENVIRONMENT)
        return Objects(self.bench.server.data / servers.BUCKET / f"pinflow-{number}")

    def cpu(self):
        return cpu_seconds([self.process.pid])

    def failure(self):
        return None if self.process.poll() is None else f"ended with {self.process.returncode}"

    def end(self):
        """Peak memory of the process, MiB."""
        peak = peak_mib([self.process.pid])
        self.process.terminate()
        self.process.wait(30)
        return peak


class Connect:
    """One worker for all rounds, warm from a round that does not count; a connector of its own for each."""

    def __init__(self, bench):
        self.bench = bench
        self.worker = connect_worker.Worker(bench.bootstrap, bench.folder / "connect").start()
        self.name = f"Kafka Connect {NEWEST}, {self.worker.name}"
        self.before, self.connector = 0, None
        deadline = time.monotonic() + 90
        while not self.worker.is_ready():
            if time.monotonic() > deadline:
                raise RuntimeError("Connect is not ready after 90 s")
            time.sleep(0.2)

    def begin(self, number):
        self.before, self.connector = cpu_seconds([self.worker.pid]), f"round-{number}"
        self.worker.ask("PUT", f"/connectors/{self.connector}/config", self.worker.properties(TOPICS, f"connect-{number}/", self.bench.server.endpoint, FLUSH_SIZE))
        return Objects(self.bench.server.data / servers.BUCKET / f"connect-{number}")

    def cpu(self):
        return cpu_seconds([self.worker.pid]) - self.before

    def failure(self):
        return self.worker.failure(self.connector)

    def end(self):
        self.worker.ask("DELETE", f"/connectors/{self.connector}")
        return peak_mib([self.worker.pid])

    def stop(self):
        self.worker.stop()


def spelled(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.count = 20_000 if options.small else 100_000
        self.figures = collections.OrderedDict()  # measure -> {who: [values]}
        self.wrong, self.wanted = 0, None
        self.kafka = self.server = None

    @property
    def bootstrap(self):
        return self.kafka.bootstrap

    def note(self, who, measure, value):
        self.figures.setdefault(measure, {}).setdefault(who.name, []).append(value)

    def round_of(self, who, number):
        """One side sinks all there is. `number` 0 only warms up."""
        total = self.count * PARTITIONS * len(TOPICS)
        os.sync()
        others = cpu_seconds([self.kafka.pid]), cpu_seconds([self.server.pid])
        begin, cpu = time.time(), 0
        objects = who.begin(number)
        deadline, contents = time.monotonic() + LONGEST_SECONDS, None
        while contents is None:
            # What it has used when the last object has come, not while it then waits for records.
            before = objects.state()
            used = who.cpu()
            time.sleep(0.1)
            if objects.state() != before or not before[0]:
                cpu = used
            if before[0] and time.time() - before[1] > QUIET_SECONDS:
                found = objects.contents()
                if sum(map(len, found[2].values())) >= total:
                    contents = found
            failure = who.failure()
            if failure or time.monotonic() > deadline:
                raise RuntimeError(f"{who.name}: {failure or f'not all records are in objects after {LONGEST_SECONDS} s'}")
        seconds = objects.state()[1] - begin
        cpu_others = cpu_seconds([self.kafka.pid]) - others[0], cpu_seconds([self.server.pid]) - others[1]
        peak = who.end()
        self.compare(who, contents[2], number)
        if number:
            for measure, value in (("records/s", total / seconds), ("s", seconds), ("CPU s", cpu), ("peak MiB", peak), ("objects", contents[0]), ("MB of objects", contents[1] / 1e6),
                                   ("CPU s of the broker", cpu_others[0]), ("CPU s of the S3 server", cpu_others[1])):
                self.note(who, measure, value)
        shutil.rmtree(objects.folder)

    def compare(self, who, contents, number):
        if self.wanted is None:
            self.wanted = contents
        wanted = {(topic, partition): self.count for topic in TOPICS for partition in range(PARTITIONS)}
        counted = {place: len(of_partition) for place, of_partition in contents.items()}
        same = counted == wanted and all(sorted(of_partition) == list(range(self.count)) for of_partition in contents.values()) and contents == self.wanted
        print(f"{'equal' if same else 'FAILED'}: {who.name}, round {number}: {sum(counted.values())} records, each in one object", flush=True)
        self.wrong += not same

    def run(self):
        self.kafka = kafka_peers.ApacheKafka(NEWEST, self.folder / "kafka", {"auto.create.topics.enable": "false"})
        self.server = servers.Versity(self.folder / "s3")
        connect = None
        try:
            self.kafka.start()
            self.server.start()
            program = str(pathlib.Path(self.options.pinflow).resolve())
            fill(self.bootstrap, self.folder, posts(program, self.folder, self.count * PARTITIONS), self.count)
            sides = [Pinflow(self.options, self)]
            try:
                connect = Connect(self)
                sides.append(connect)
            except Missing as reason:
                print(f"skipped  Kafka Connect: {reason}")
            for number in range(self.options.rounds + 1):
                for who in sides if number % 2 else reversed(sides):
                    self.round_of(who, number)
        finally:
            if connect:
                connect.stop()
            for peer in (self.server, self.kafka):
                if peer.process:
                    peer.stop()

    def table(self):
        """Returns the Markdown table: medians with their spread; a ratio above 1 is in pinflow's favour."""
        names = list(dict.fromkeys(name for by_name in self.figures.values() for name in by_name))
        lines = [f"| measure | {' | '.join(names)} | ratio |", "|---" * (len(names) + 2) + "|"]
        for measure, by_name in self.figures.items():
            medians = {name: statistics.median(values) for name, values in by_name.items()}
            cells = [f"{spelled(medians[name])} [{spelled(min(by_name[name]))} .. {spelled(max(by_name[name]))}]" for name in names]
            ours = medians.get("pinflow", 0)
            theirs = next((value for name, value in medians.items() if name != "pinflow"), 0)
            ratio = f"{ours / theirs if '/s' in measure else theirs / ours:.2f}" if ours and theirs and "objects" not in measure else "-"
            lines.append(f"| {measure} | {' | '.join(cells)} | {ratio} |")
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build/release/pinflow"))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-sink"))
    parser.add_argument("--table", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
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
        print(f"skipped  S1, sink beside Kafka Connect: {reason}")
        return 0
    print(f"\n{os.cpu_count()} cores; {bench.count * PARTITIONS * len(TOPICS):,} records in {len(TOPICS) * PARTITIONS} partitions; at most {FLUSH_SIZE:,} records an object; rounds: {options.rounds}\n")
    print(bench.table())
    if options.table:
        pathlib.Path(options.table).write_text(bench.table() + "\n", encoding="utf-8")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(bench.figures, indent=1), encoding="utf-8")
    if not bench.wrong:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
