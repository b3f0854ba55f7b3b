#!/usr/bin/env python3
"""Holds `pinflow topics` and `pinflow groups` against an Apache Kafka, or against pinflow's own door. One line a check; exit code 1 if
one fails. Consumers are kcat's.

    check_commands.py PINFLOW [--apache VERSION | --own | --bootstrap HOST:PORT]    default: Apache Kafka of the newest version
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import kafka_peers  # noqa: E402


class Checks:
    def __init__(self, program, bootstrap):
        self.program = program
        self.bootstrap = bootstrap
        self.passed = 0
        self.failed = 0

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments), "--bootstrap", self.bootstrap], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def check(self, name, holds, said=""):
        print(f"{'ok      ' if holds else 'FAILED  '} {name}{'' if holds else f': {said}'}", flush=True)
        self.passed += bool(holds)
        self.failed += not holds

    def expect(self, name, code, pattern, *arguments):
        got, out, err = self.run(*arguments)
        self.check(name, got == code and re.search(pattern, out + err), f"exit {got}\n{out}{err}")

    def json(self, *arguments):
        code, out, err = self.run(*arguments, "--format", "json")
        if code != 0:
            raise RuntimeError(f"{arguments}: {err}")
        return json.loads(out)

    def positions(self, group):
        return [position["position"] for position in self.json("groups", "describe", group)[0]["positions"]]


def produce(bootstrap, topic, partition, count):
    records = "".join(f"value {i}\n" for i in range(count))
    subprocess.run(["kcat", "-P", "-b", bootstrap, "-t", topic, "-p", str(partition)], input=records, text=True, check=True, timeout=60)


class Consumer:
    """A kcat in a group; take() returns when it has read that many records."""

    def __init__(self, bootstrap, group, topic):
        self.process = subprocess.Popen(["kcat", "-b", bootstrap, "-G", group, "-X", "auto.offset.reset=earliest", "-u", topic],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.watchdog = threading.Timer(60, self.process.kill)
        self.watchdog.start()

    def take(self, count):
        for _ in range(count):
            if not self.process.stdout.readline():
                raise RuntimeError("kcat ended before it had all records")

    def stop(self):
        self.process.terminate()  # Commits and leaves the group.
        self.process.communicate(timeout=30)
        self.watchdog.cancel()


def making_topics(checks):
    checks.expect("create makes a topic with settings", 0, "topic 'orders' created", "topics", "create", "orders", "--partitions", 3, "--replicas", 1,
                  "--setting", "cleanup.policy=compact", "--setting", "retention.ms=600000")
    checks.expect("create of one that is there fails", 5, "TOPIC_ALREADY_EXISTS", "topics", "create", "orders")
    checks.expect("create --if-not-exists does not", 0, "left as it is", "topics", "create", "orders", "--if-not-exists")
    checks.expect("a name that cannot be is refused", 2, "INVALID_TOPIC", "topics", "create", "no/slash")
    checks.expect("an unknown setting is refused", 2, "INVALID_CONFIG", "topics", "create", "x", "--setting", "no.such.key=1")
    listed = {topic["topic"]: topic["partitions"] for topic in checks.json("topics", "list")}
    checks.check("list shows it", listed.get("orders") == 3 and "x" not in listed, listed)
    checks.expect("list is a table", 0, r"orders +3", "topics", "list")


def showing_topics(checks):
    checks.expect("create makes another topic", 0, "created", "topics", "create", "plain", "--partitions", 2)
    produce(checks.bootstrap, "plain", 1, 25)
    plain = checks.json("topics", "describe", "plain")[0]
    ends = [(p["begin_offset"], p["end_offset"]) for p in plain["partitions"]]
    checks.check("describe shows offsets", ends == [(0, 0), (0, 25)] and plain["settings"] == {}, plain)
    orders = checks.json("topics", "describe", "orders")[0]
    checks.check("describe shows settings that differ and the id", orders["settings"] == {"cleanup.policy": "compact", "retention.ms": "600000"}
                 and re.fullmatch("[0-9a-f-]{36}", orders["id"] or ""), orders)
    checks.expect("describe is a table", 0, r"(?s)topic plain: 2 partitions, 1 replica.*all default.* 1 +\d+ +0 +25 +25", "topics", "describe",
                  "plain")
    checks.expect("describe of what is not there says so", 2, "there is no topic 'nobody'", "topics", "describe", "nobody")
    checks.check("describe makes no topic", "nobody" not in {topic["topic"] for topic in checks.json("topics", "list")})


def changing_topics(checks):
    checks.expect("configure changes and resets settings", 0, "configured", "topics", "configure", "orders", "--setting", "retention.ms=700000",
                  "--default", "cleanup.policy")
    orders = checks.json("topics", "describe", "orders")[0]
    checks.check("describe shows the change", orders["settings"] == {"retention.ms": "700000"}, orders)
    checks.expect("configure refuses a wrong value", 2, "INVALID_CONFIG", "topics", "configure", "orders", "--setting", "retention.ms=soon")
    checks.expect("add-partitions adds", 0, "has 5 partitions now", "topics", "add-partitions", "orders", "--partitions", 5)
    checks.check("describe shows them", len(checks.json("topics", "describe", "orders")[0]["partitions"]) == 5)
    checks.expect("add-partitions never takes away", 2, "INVALID_PARTITIONS", "topics", "add-partitions", "orders", "--partitions", 2)
    checks.expect("delete deletes", 0, "topic 'orders' deleted", "topics", "delete", "orders")
    checks.expect("delete of what is not there fails", 2, "UNKNOWN_TOPIC_OR_PARTITION", "topics", "delete", "nobody")
    checks.expect("delete --if-exists does not", 0, "", "topics", "delete", "nobody", "--if-exists")


def live_group(checks):
    produce(checks.bootstrap, "plain", 0, 40)
    consumer = Consumer(checks.bootstrap, "readers", "plain")
    try:
        consumer.take(65)
        listed = {group["group"]: group for group in checks.json("groups", "list")}
        checks.check("groups list shows a live group", listed.get("readers", {}).get("state") == "Stable", listed)
        group = checks.json("groups", "describe", "readers")[0]
        checks.check("groups describe shows its member with partitions", len(group["members"]) == 1 and group["members"][0]["partitions"] == [
            {"topic": "plain", "partition": 0}, {"topic": "plain", "partition": 1}], group)
        checks.expect("reset-offsets refuses a live group", 5, "is in use .*Stop them first", "groups", "reset-offsets", "readers", "--to",
                      "earliest", "--topic", "plain", "--execute")
        checks.expect("delete refuses a live group", 5, "still has members", "groups", "delete", "readers")
    finally:
        consumer.stop()


def empty_group(checks):
    group = checks.json("groups", "describe", "readers")[0]
    positions = [(p["partition"], p["position"], p["end_offset"], p["lag"]) for p in group["positions"]]
    checks.check("groups describe shows positions and lag", positions == [(0, 40, 40, 0), (1, 25, 25, 0)] and group["state"] == "Empty", group)
    checks.expect("groups describe is a table", 0, r"(?s)group readers: Empty, 0 members.*plain +0 +40 +40 +0 +-", "groups", "describe", "readers")
    checks.expect("reset-offsets is a dry run", 0, "Nothing is changed yet", "groups", "reset-offsets", "readers", "--to", "earliest")
    checks.check("a dry run changes nothing", checks.positions("readers") == [40, 25])
    for to, topic, expected in (("earliest", "plain", [0, 0]), ("30", "plain", [30, 25]), ("latest", "plain:0", [40, 25]), ("7", "plain:1", [40, 7]),
                                ("2020-01-01", "plain:0,1", [0, 0]), ("2999-01-01T00:00Z", "plain", [40, 25])):
        code, out, err = checks.run("groups", "reset-offsets", "readers", "--to", to, "--topic", topic, "--execute")
        positions = checks.positions("readers")
        checks.check(f"reset-offsets of {topic} to {to}", code == 0 and positions == expected, f"{positions} {out}{err}")
    checks.expect("an offset is clipped to what is there", 0, "nearest that is there", "groups", "reset-offsets", "readers", "--to", "30")
    checks.expect("a new group gets positions", 0, "plain", "groups", "reset-offsets", "fresh", "--to", "earliest", "--topic", "plain", "--execute")
    checks.check("and is there", checks.positions("fresh") == [0, 0])
    checks.expect("groups delete deletes", 0, "group 'fresh' deleted", "groups", "delete", "fresh")
    checks.expect("groups describe of what is not there says so", 2, "there is no consumer group 'fresh'", "groups", "describe", "fresh")
    checks.expect("groups delete of what is not there fails", 2, "GROUP_ID_NOT_FOUND", "groups", "delete", "fresh")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pinflow")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--apache", default=kafka_peers.NEWEST)
    which.add_argument("--own", action="store_true", help="pinflow's own door")
    which.add_argument("--bootstrap")
    options = parser.parse_args()
    broker = None
    try:
        if not shutil.which("kcat"):
            raise kafka_peers.Missing("no kcat on this machine")
        if not options.bootstrap:
            folder = kafka_peers.BUILD / "run" / "kafka_wire"
            shutil.rmtree(folder, ignore_errors=True)
            broker = kafka_peers.Pinflow(options.pinflow, folder) if options.own else kafka_peers.ApacheKafka(options.apache, folder)
            broker.start()
    except kafka_peers.Missing as missing:
        print(f"skipped  pinflow topics and groups: {missing}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    checks = Checks(options.pinflow, options.bootstrap or broker.bootstrap)
    try:
        making_topics(checks)
        showing_topics(checks)
        changing_topics(checks)
        live_group(checks)
        empty_group(checks)
    except (RuntimeError, subprocess.SubprocessError) as error:
        checks.check("the rest could not run", False, error)
    finally:
        if broker:
            broker.stop()
    if broker:
        checks.expect("a broker that is gone is told with what to check", 5, "nothing answers at 127.0.0.1 port .*Is this the address", "topics",
                      "list")
    print(f"{checks.passed} passed, {checks.failed} failed, 0 skipped")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
