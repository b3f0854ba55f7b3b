#!/usr/bin/env python3
"""The whole way of posts, from the doors to objects, tables and the batch's answers, on each kind of log and store, while processes are killed at random:

- embedded log, folder: one `pinflow up`;
- Kafka, folder, and Kafka, S3 (versitygw): two `serve`, two `sink`, two `stream`.

What is held: a record that was acknowledged is in its topic; one whose request got no answer may be there too, but not more often than it was sent. Each
record of a topic is in exactly one object, and each record of a stream in exactly one row. Live metrics are the same at every door, at one that begins anew,
and as SQL over the tables says. The batch gives the same answers everywhere.

    end_to_end.py [--program PROGRAM] [--kills N] [--brokers N] [--seed N] [--posts N] [WORD ...]
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "interop" / "kafka"), str(ROOT / "interop" / "s3"), str(HERE)]
import brokers  # noqa: E402
import kafka_peers  # noqa: E402
import live_answers  # noqa: E402
import servers  # noqa: E402
from check_report import Report, expect  # noqa: E402
from doors import call  # noqa: E402

PARTITIONS = 6
KINDS = ("pin", "geo", "user")
NUMBER = {"pin": "index", "geo": "ind", "user": "ind"}
STREAM = "streaming-pinterest-"


class Stage:
    """A log and a store, the processes on them, and where their objects lie."""

    def __init__(self, options, folder, roles, settings, environment=None, ports=()):
        self.program, self.folder = options.program.resolve(), folder
        self.ports = [part for port in ports for part in ("--set", port)]  # Of the Kafka door, where it is to be known.
        self.settings = [part for setting in settings for part in ("--set", setting)]
        self.environment = {**os.environ, **(environment or {})}
        self.own_folders = any(setting.startswith("data.objects=") for setting in settings)
        self.roles = []
        try:
            for number, name in enumerate(roles):
                self.roles.append(Role(self, name, self.data(number)))
        except RuntimeError:
            self.stop()
            raise

    def data(self, number):
        """One folder for all where it holds objects and tables too."""
        place = self.folder / (f"data{number}" if self.own_folders else "data")
        place.mkdir(parents=True, exist_ok=True)
        return place

    def objects(self):
        return self.data(0) / "objects" / "topics"

    def command(self, *words):
        done = subprocess.run([str(self.program), *words, "--data", str(self.data(0)), *self.settings, "--quiet"], env=self.environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pinflow {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def doors(self):
        return [role for role in self.roles if role.name in ("up", "serve")]

    def stop(self):
        for role in self.roles:
            role.kill()


class Role:
    """A pinflow process of one role; started again, it has the same folder and the same port."""

    def __init__(self, stage, name, data):
        self.stage, self.name, self.port, self.killed = stage, name, kafka_peers.free_port(), 0
        self.command = [str(stage.program), name, "--data", str(data), *stage.settings, "--set", f"http.port={self.port}", "--set", "kafka.port=0",
                        "--set", f"topics.partitions={PARTITIONS}", "--set", "sink.flush_size=50", "--set", "sink.rotate_interval=2s", "--set", "sql.memory_limit=256MiB",
                        "--set", "schedule.enabled=false", *stage.ports]
        self.process = None
        self.start()

    def start(self):
        log = self.stage.folder / f"{self.name}.{self.port}.log"
        with open(log, "a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=errors, text=True, env=self.stage.environment)
        watchdog = threading.Timer(90, self.process.kill)
        watchdog.start()
        banner = any("Ctrl-C" in line for line in self.process.stdout)
        watchdog.cancel()
        if not banner:
            raise RuntimeError(f"{self.name} did not start; see {log}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.process.stdout.close()


class Poster(threading.Thread):
    """Posts all records again and again until it may stop, through any door that is there; counts for each topic and post the acknowledged ones and those
    without an answer, which may be stored or not."""

    def __init__(self, stage, records, seed):
        super().__init__(daemon=True)
        self.stage, self.records, self.chance = stage, records, random.Random(seed)
        self.enough, self.failure, self.sent = threading.Event(), None, 0
        self.acknowledged, self.unknown = collections.Counter(), collections.Counter()

    def run(self):
        try:
            rounds = 0
            while not self.failure and not (rounds and self.enough.is_set()):
                for number, record in enumerate(self.records):
                    if rounds and self.enough.is_set():
                        break
                    for kind in KINDS:
                        for topic in (f"pinterest.{kind}", f"{STREAM}{kind}"):
                            self.post(topic, number, record[kind])
                rounds += 1
        except Exception as failure:  # pylint: disable=broad-exception-caught  # It is told by the thread that waits.
            self.failure = failure

    def post(self, topic, number, value):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            door = self.chance.choice(self.stage.doors())
            try:
                status, answer = call(door.port, "POST", f"/topics/{topic}", {"records": [{"key": str(number), "value": value}]})
            except ConnectionRefusedError:
                time.sleep(0.05)  # Nothing was sent. The other door, or the same once it is there again.
                continue
            except (OSError, http.client.HTTPException, ValueError):
                self.unknown[topic, number] += 1
                continue
            self.sent += 1
            if status == 200 and answer["offsets"][0].get("offset") is not None:
                self.acknowledged[topic, number] += 1
                return
            code = status if status != 200 else answer["offsets"][0].get("error_code")
            expect(status in (200, 429, 500, 503), f"{topic} answered {status}: {answer}")
            if code not in (429, 503):
                self.unknown[topic, number] += 1  # A broker that did not answer in time: stored or not.
        raise RuntimeError(f"{topic} did not take post {number} for two minutes")


def in_objects(folder):
    """How often each post is in the objects of each topic, and the offsets that names and lines cover, each with how often."""
    posts, offsets = collections.Counter(), collections.Counter()
    for path in folder.rglob("*.json"):
        topic, partition, first = path.name.removesuffix(".json").split("+")
        for place, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            record = json.loads(line)
            posts[topic, record.get("index", record.get("ind"))] += 1
            offsets[topic, int(partition), int(first) + place] += 1
    return posts, offsets


def ends(stage, topic):
    """The records of each partition, as a door tells."""
    counts = {}
    for partition in range(PARTITIONS):
        status, answer = call(stage.doors()[0].port, "GET", f"/topics/{topic}/partitions/{partition}/offsets")
        expect(status == 200 and answer["beginning_offset"] == 0, f"{topic}-{partition}: {status} {answer}")
        counts[partition] = answer["end_offset"]
    return counts


def rows(stage, sql):
    status, answer = call(stage.doors()[-1].port, "POST", "/sql", {"sql": sql}, "application/json")
    expect(status == 200, f"{sql}: {status} {answer}")
    return answer["rows"]


def wait_for(what, reached, seconds=120):
    deadline = time.monotonic() + seconds
    while not reached():
        expect(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.5)


def holds_posts(poster, topic, counts, where):
    """Acknowledged ones are there, and no more than were sent."""
    for number in range(len(poster.records)):
        least, there = poster.acknowledged[topic, number], counts[topic, number]
        expect(least <= there <= least + poster.unknown[topic, number],
               f"{where}: post {number} of {topic} is there {there} times; {least} were acknowledged, {poster.unknown[topic, number]} had no answer")


def kill_at_random(stage, poster, chance, kills):
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 1.5))  # Any moment is as good: nothing waits for this.
        victim = chance.choice(stage.roles)
        victim.kill()
        time.sleep(chance.uniform(0, 0.5))
        victim.start()
        victim.killed += 1
        if poster.failure:
            break


def go_through(stage, options, records):
    """Posts and kills; then holds objects, tables and answers against what was sent."""
    poster = Poster(stage, records, options.seed)
    poster.start()
    kill_at_random(stage, poster, random.Random(options.seed), options.kills)
    said = holds_all(stage, poster)
    said += "; " + holds_live(stage)
    stage.command("batch", "run")
    return said, json.loads(stage.command("question", "all", "--format", "json"))


def holds_all(stage, poster):
    """Ends the posting and holds objects and tables against what was sent."""
    poster.enough.set()
    poster.join(300)
    if poster.failure:
        raise poster.failure
    expect(not poster.is_alive(), "posting did not end")
    topics = {f"{prefix}{kind}": None for kind in KINDS for prefix in ("pinterest.", STREAM)}
    topics = {topic: ends(stage, topic) for topic in topics}
    sunk = [topic for topic in topics if not topic.startswith(STREAM)]
    wanted = collections.Counter({(topic, partition, at): 1 for topic in sunk for partition, end in topics[topic].items() for at in range(end)})
    wait_for("all records in objects", lambda: sum(in_objects(stage.objects())[1].values()) >= sum(wanted.values()))
    posts, offsets = in_objects(stage.objects())
    expect(offsets == wanted, f"objects: too much {list((offsets - wanted).items())[:3]}, missing {list((wanted - offsets).items())[:3]}")
    for topic in sunk:
        holds_posts(poster, topic, posts, "objects")
    for kind in KINDS:
        topic, table = f"{STREAM}{kind}", f"pinterest_{kind}_table"
        end = topics[topic]
        wait_for(f"all records in {table}", lambda table=table, end=end: int(rows(stage, f"SELECT count(*) FROM {table}")[0][0]) >= sum(end.values()))
        seen = rows(stage, f"SELECT source_partition, count(*), count(DISTINCT source_offset), min(source_offset), max(source_offset) FROM {table} GROUP BY ALL ORDER BY ALL")
        expect([[int(value) for value in row] for row in seen] == [[p, n, n, 0, n - 1] for p, n in end.items() if n], f"{table}: {seen}, the stream ends at {end}")
        counts = collections.Counter({(topic, int(row[0])): int(row[1]) for row in rows(stage, f"SELECT ind, count(*) FROM {table} GROUP BY ALL")})
        holds_posts(poster, topic, counts, table)
    killed = collections.Counter()
    for role in stage.roles:
        killed[role.name] += role.killed
    kills = ", ".join(f"{n} of {name}" for name, n in sorted(killed.items()))
    return f"{sum(sum(end.values()) for end in topics.values())} records, {sum(poster.unknown.values())} without an answer; killed: {kills}"


def holds_live(stage):
    """All doors, and over a cluster one that knows nothing yet."""
    ends_of_streams = {(topic, partition): end for topic in (f"{STREAM}{kind}" for kind in KINDS) for partition, end in ends(stage, topic).items()}
    doors = [role.port for role in stage.doors()]
    late = None
    try:
        if len(stage.roles) > 1:
            late = Role(stage, "serve", stage.folder / "late")
            doors.append(late.port)
        return live_answers.hold(doors, lambda sql: rows(stage, sql), ends_of_streams)
    finally:
        if late:
            late.kill()


def records_of(options, folder):
    """Synthetic posts, as the emulator would send them."""
    program = str(options.program.resolve())
    subprocess.run([program, "source", "create", "--posts", str(options.posts), "--data", str(folder), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run([program, "emulate", "--to", "console", "--burst", "--order", "in-order", "--connections", "1", "--data", str(folder), "--quiet"], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    records = [{} for _ in range(options.posts)]
    for line in said.splitlines():
        record = json.loads(line)
        kind = "pin" if "index" in record else "geo" if "latitude" in record else "user"
        records[record[NUMBER[kind]]][kind] = record
    expect(all(len(record) == len(KINDS) for record in records), "the emulator left records out")
    return records


def condensed(program, bootstrap):
    """Makes the topic of condensed streams as one that is compacted within seconds."""
    settings = ("cleanup.policy=compact", "segment.ms=3000", "min.cleanable.dirty.ratio=0.01", "max.compaction.lag.ms=3000")
    subprocess.run([str(program), "topics", "create", "pinflow-live", "--partitions", "12", "--bootstrap", bootstrap, *(f"--setting={one}" for one in settings)], check=True,
                   stdout=subprocess.DEVNULL)


class Suite:
    """The stages one after the other, with what they share: posts, brokers, and the answers of the first that was there."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.records = records_of(options, folder / "source")
        self.bootstrap, self.answers = "", None

    def run(self, stage):
        try:
            said, answers = go_through(stage, self.options, self.records)
        finally:
            stage.stop()
        if self.answers is None:
            self.answers = answers
        expect(answers == self.answers, f"the batch answers otherwise than on the first stage; see {stage.folder}")
        return said

    def embedded(self):
        return self.run(Stage(self.options, self.folder / "embedded", ["up"], []))

    def on_kafka(self, folder, settings, environment=None):
        """With brokers of its own: topics of one stage are not those of the next."""
        members, bootstrap = brokers.start(folder / "brokers", self.options.brokers, settings={"log.cleaner.backoff.ms": 1000})
        try:
            condensed(self.options.program, bootstrap)
            roles = ["serve", "serve", "sink", "sink", "stream", "stream"]
            return self.run(Stage(self.options, folder, roles, ["log.engine=kafka", f"kafka_cluster.bootstrap_servers={bootstrap}", *settings], environment))
        finally:
            brokers.stop(members)

    def kafka_folder(self):
        return self.on_kafka(self.folder / "kafka-folder", [])

    def kafka_s3(self):
        folder = self.folder / "kafka-s3"
        server = servers.Versity(folder / "server").start()
        try:
            Stage.objects = lambda stage: server.data / servers.BUCKET / "objects" / "topics"
            return self.on_kafka(folder, [f"s3.endpoint={server.endpoint}", f"data.objects=s3://{servers.BUCKET}/objects", f"data.tables=s3://{servers.BUCKET}/tables"], servers.ENVIRONMENT)
        finally:
            server.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/pinflow")
    arguments.add_argument("--kills", type=int, default=8, help="on each stage")
    arguments.add_argument("--brokers", type=int, default=3)
    arguments.add_argument("--posts", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=os.getpid())
    arguments.add_argument("words", nargs="*", help="only stages with one of these words in their names")
    options = arguments.parse_args()
    folder = ROOT / "build" / "interop" / "run" / "end-to-end"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder)
    try:
        if not options.program.exists():
            raise kafka_peers.Missing(f"{options.program.name} is not built")
        suite = Suite(options, folder)
        report.check("End to end on the embedded log and a folder", suite.embedded)
        kafka_peers.libs(kafka_peers.NEWEST)
        report.check(f"End to end on Kafka and a folder, {options.brokers} brokers", suite.kafka_folder)
        report.check(f"End to end on Kafka and S3, {options.brokers} brokers", suite.kafka_s3)
    except kafka_peers.Missing as reason:
        report.skip("End to end", str(reason))
    if report.failed:
        print(f"         (--seed {options.seed})")
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
