#!/usr/bin/env python3
"""Runs `pinflow serve`, two `sink` and two `stream` over a real Kafka, kills sinks and stream lanes at random, and counts: each acknowledged
post is in one object and in one row."""
import argparse
import collections
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
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "interop" / "kafka"))
sys.path.insert(0, str(HERE))
import kafka_peers  # noqa: E402
import run as cluster  # noqa: E402

PARTITIONS = 6
KINDS = ("pin", "geo", "user")


class Role:
    """A pinflow process of one role; restarted, it has the same folder."""

    def __init__(self, name, binary, folder, bootstrap):
        self.name = name
        self.folder = folder
        self.command = [str(binary), name, "--data", str(folder), "--set", "http.port=0", "--set", "log.engine=kafka",
                        "--set", f"kafka_cluster.bootstrap_servers={bootstrap}", "--set", f"topics.partitions={PARTITIONS}",
                        "--set", "sink.flush_size=50", "--set", "sink.rotate_interval=2s", "--set", "sql.memory_limit=256MiB"]
        self.url = ""
        self.start()

    def start(self):
        self.errors = open(self.folder / f"{self.name}.{time.monotonic_ns()}.log", "w")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        watchdog = threading.Timer(90, self.process.kill)
        watchdog.start()
        for line in self.process.stdout:
            if found := re.search(r"(?:doors|status)\s+(http\S+)", line):
                self.url = found[1]
            if "Ctrl-C" in line:
                break
        else:
            raise RuntimeError(f"{self.name} did not start; see {self.errors.name}")
        watchdog.cancel()

    def kill(self):
        self.process.kill()
        self.process.wait()


def call(url, body, kind="application/vnd.kafka.json.v2+json"):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def post(url, number):
    """Posts one record to the topic and the stream of each kind; what is answered was stored."""
    key = {"pin": "index", "geo": "ind", "user": "ind"}
    for kind in KINDS:
        for topic in (f"pinterest.{kind}", f"streaming-pinterest-{kind}"):
            answer = call(f"{url}/topics/{topic}", {"records": [{"key": str(number), "value": {key[kind]: number}}]})
            if "offset" not in answer["offsets"][0] or answer["offsets"][0]["offset"] is None:
                raise RuntimeError(f"{topic} did not take {number}: {answer}")


def in_objects(folder):
    counts = {kind: collections.Counter() for kind in KINDS}
    for path in (folder / "objects" / "topics").rglob("*.json"):
        kind = path.name.split("+")[0].split(".")[-1]
        for line in path.read_text().splitlines():
            record = json.loads(line)
            counts[kind][record.get("index", record.get("ind"))] += 1
    return counts


def in_tables(url):
    counts = {}
    for kind in KINDS:
        answer = call(f"{url}/sql", {"sql": f"SELECT count(*), count(DISTINCT ind) FROM pinterest_{kind}_table"}, "application/json")
        counts[kind] = [int(value) for value in answer["rows"][0]]
    return counts


def wait_for(what, reached, seconds=120):
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(1)


def check(options, folder, bootstrap):
    serve = Role("serve", options.program, folder, bootstrap)
    others = [Role(name, options.program, folder, bootstrap) for name in ("sink", "sink", "stream", "stream")]
    roles = [serve, *others]
    try:
        chance = random.Random(options.seed)
        posts = 0
        for _ in range(options.kills):
            for _ in range(chance.randrange(20, 60)):
                post(serve.url, posts)
                posts += 1
            victim = chance.choice(others)
            victim.kill()
            for _ in range(chance.randrange(1, 20)):
                post(serve.url, posts)
                posts += 1
            victim.start()
        wanted = {kind: collections.Counter(range(posts)) for kind in KINDS}
        wait_for("all posts in objects", lambda: all(len(c) >= posts for c in in_objects(folder).values()))
        wait_for("all posts in tables", lambda: all(c[0] >= posts for c in in_tables(serve.url).values()))
        objects, tables = in_objects(folder), in_tables(serve.url)
        if objects != wanted:
            raise RuntimeError(f"objects: {[(k, (c - wanted[k]).most_common(3)) for k, c in objects.items()]}")
        if any(count != [posts, posts] for count in tables.values()):
            raise RuntimeError(f"tables: {tables}, posted {posts}")
        print(f"ok       {posts} posts, {options.kills} kills: each in one object and one row of each kind")
    finally:
        for role in roles:
            if role.process.poll() is None:
                role.kill()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/pinflow")
    arguments.add_argument("--kills", type=int, default=10)
    arguments.add_argument("--brokers", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=os.getpid())
    options = arguments.parse_args()
    folder = ROOT / "build" / "interop" / "run" / "roles"
    shutil.rmtree(folder, ignore_errors=True)
    cluster.BROKERS = options.brokers
    try:
        kafka_peers.libs(kafka_peers.NEWEST)
        if not options.program.exists():
            raise kafka_peers.Missing(f"{options.program.name} is not built")
        members, bootstrap = cluster.start(folder)
    except kafka_peers.Missing as reason:
        print(f"skipped  Roles over a Kafka cluster: {reason}\n0 passed, 0 failed, 1 skipped")
        return 0
    try:
        data = folder / "data"
        data.mkdir()
        check(options, data, bootstrap)
    except (RuntimeError, OSError) as error:
        print(f"FAILED   Roles over a Kafka cluster (seed {options.seed}): {error}\n0 passed, 1 failed, 0 skipped")
        return 1
    finally:
        cluster.stop(members)
    print("1 passed, 0 failed, 0 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
