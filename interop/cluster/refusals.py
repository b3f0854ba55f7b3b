#!/usr/bin/env python3
"""What the doors of `pinflow serve` answer where the brokers of a real Kafka refuse: a record over max.message.bytes, and too few replicas in sync.

Held for each door (Kafka REST v2 and v3, Kinesis, streams): a record that is too large gets the documented error, its neighbours are stored; with two of three brokers
dead and min.insync.replicas=2 each request is answered in time, what was refused is nowhere, what was acknowledged is in the topic once after the brokers' return, what had
no certain answer not more than once; memory stays bounded meanwhile.

    refusals.py [--program PROGRAM] [WORD ...]
"""
import argparse
import base64
import collections
import concurrent.futures
import http.client
import itertools
import json
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "interop" / "kafka"), str(HERE)]
import brokers  # noqa: E402
import kafka_peers  # noqa: E402
from check_report import Report, expect  # noqa: E402
from serve import Serve, until  # noqa: E402

STORED, REFUSED, LATER, UNKNOWN = "stored", "refused", "not stored, to be sent again", "unknown"
MOST_SECONDS = 45  # Of one answer: the 30 s that the producer tries, and what a busy machine adds.
GIVEN_UP = 128  # MiB: twice what the producer may hold.


def ask(port, method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


# Doors. Each sends values as one request and gives the outcome of each: one of the four words, and what the door said.

class RestV2:
    name = "Kafka REST v2"

    def __init__(self, serve):
        self.port = serve.port

    def send(self, topic, values):
        body = json.dumps({"records": [{"key": "k", "value": value} for value in values]})
        status, said = ask(self.port, "POST", f"/topics/{topic}", body, {"Content-Type": "application/vnd.kafka.json.v2+json"})
        answer = json.loads(said)
        if status in (200, 422) and "offsets" in answer:
            return [self.outcome(status, one) for one in answer["offsets"]]
        word = {429: LATER, 503: LATER, 500: UNKNOWN}.get(status, f"status {status}")
        return [(word, said)] * len(values)

    @staticmethod
    def outcome(status, one):
        if one["error_code"] is None:
            return STORED, one
        if one["error_code"] == 50003:
            return LATER, one
        # 50002 is for what may not be sent again as it is; the text says which of the two it is.
        return (REFUSED if status == 422 or "limit" in one["error"] or "max.message.bytes" in one["error"] else UNKNOWN), one


class RestV3:
    name = "Kafka REST v3"

    def __init__(self, serve):
        self.port = serve.port
        self.cluster = json.loads(ask(self.port, "GET", "/v3/clusters", None, {})[1])["data"][0]["cluster_id"]

    def send(self, topic, values):
        body = "".join(json.dumps({"key": {"type": "STRING", "data": "k"}, "value": {"type": "JSON", "data": value}}) for value in values)
        status, said = ask(self.port, "POST", f"/v3/clusters/{self.cluster}/topics/{topic}/records", body, {"Content-Type": "application/json"})
        if status != 200:
            return [({429: LATER, 503: LATER, 500: UNKNOWN}.get(status, f"status {status}"), said)] * len(values)
        reports = [json.loads(line) for line in said.decode().replace("}{", "}\n{").splitlines() if line]
        words = {200: STORED, 413: REFUSED, 42901: LATER, 50003: LATER, 50002: UNKNOWN}
        return [(words.get(one["error_code"], f"code {one['error_code']}"), one) for one in reports]


def stream_outcomes(status, said, count):
    """What Kinesis' errors mean; of single records there are but two, and InternalFailure leaves open what happened."""
    answer = json.loads(said)
    if status == 200:
        words = {None: STORED, "ProvisionedThroughputExceededException": LATER, "InternalFailure": UNKNOWN}
        return [(REFUSED if "max.message.bytes" in one.get("ErrorMessage", "") or "limit" in one.get("ErrorMessage", "") else words[one.get("ErrorCode")], one)
                for one in answer["Records"]]
    word = {"ProvisionedThroughputExceededException": LATER, "ServiceUnavailable": LATER, "InvalidArgumentException": REFUSED, "InternalFailure": UNKNOWN}
    return [(word.get(answer.get("__type"), f"status {status}"), said)] * count


class Kinesis:
    name = "Kinesis"

    def __init__(self, serve):
        self.port = serve.kinesis_port

    def send(self, topic, values):
        records = [{"Data": base64.b64encode(json.dumps(value).encode()).decode(), "PartitionKey": "k"} for value in values]
        status, said = ask(self.port, "POST", "/", json.dumps({"StreamName": topic, "Records": records}),
                           {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.PutRecords", "X-Amz-Date": "20260101T000000Z",
                            "Authorization": "AWS4-HMAC-SHA256 Credential=pinflow/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"})
        return stream_outcomes(status, said, len(values))


class Streams:
    name = "streams"

    def __init__(self, serve):
        self.port = serve.port

    def send(self, topic, values):
        body = json.dumps({"records": [{"data": value, "partition-key": "k"} for value in values]})
        return stream_outcomes(*ask(self.port, "PUT", f"/streams/{topic}/records", body, {"Content-Type": "application/json"}), len(values))


class Cluster:
    """Brokers, a controller apart from them, and a pinflow before them."""

    def __init__(self, program, folder, settings=None):
        self.folder, self.program = folder, program
        self.members, self.bootstrap = brokers.start(folder / "brokers", 3, apart=True, settings=settings)
        self.serve = self.doors = None

    def start_serve(self):
        self.serve = Serve(self.program, self.folder / "serve", {"kafka_cluster.bootstrap_servers": self.bootstrap, "kafka.port": 0, "kinesis.port": (port := kafka_peers.free_port())})
        self.serve.kinesis_port = port
        self.serve.start()
        self.doors = [door(self.serve) for door in (RestV2, RestV3, Kinesis, Streams)]

    def topic(self, name, partitions=1, **configs):
        words = [part for key, value in configs.items() for part in ("--config", f"{key.replace('_', '.')}={value}")]
        self.tool("topics", "--create", "--topic", name, "--partitions", partitions, "--replication-factor", 3, *words)

    def tool(self, tool, *words):
        code, said = kafka_peers.run_tool(kafka_peers.NEWEST, tool, "--bootstrap-server", self.bootstrap, *words)
        expect(code == 0, f"{tool} {' '.join(map(str, words))}: {said[-800:]}")

    def known(self, topic):
        """Waits until pinflow has seen a topic that another made."""
        until(f"{topic} is seen", 30, lambda: (ask(self.serve.port, "GET", f"/topics/{topic}", None, {})[0] == 200, ""))

    def values(self, topic):
        said = subprocess.run(["kcat", "-b", self.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\n"], text=True, stdout=subprocess.PIPE, check=True, timeout=120).stdout
        return [json.loads(line) for line in said.splitlines()]

    def stop(self):
        if self.serve:
            self.serve.stop()
        brokers.stop(self.members)


def text(size, mark):
    return {"id": mark, "fill": "x" * size}


def words(outcomes):
    return [word for word, _ in outcomes]


class TooLarge:
    def __init__(self, cluster):
        self.cluster, self.marks = cluster, itertools.count()

    def send(self, door, topic, sizes, wanted):
        """Sends records of these sizes; holds the outcomes, and that exactly what was stored is in the topic."""
        marks = [f"{door.name} {next(self.marks)}" for _ in sizes]
        outcomes = door.send(topic, [text(size, mark) for size, mark in zip(sizes, marks)])
        expect(words(outcomes) == wanted, f"{door.name}, {topic}, {sizes[:5]}: {collections.Counter(words(outcomes))}, first that differs: "
                                          f"{next((said for (word, said), want in zip(outcomes, wanted) if word != want), outcomes)}")
        there = [value["id"] for value in self.cluster.values(topic)]
        for mark, word in zip(marks, words(outcomes)):
            expect(there.count(mark) == (word == STORED), f"{door.name}: a record that is {word} is in {topic} {there.count(mark)} times")
        return outcomes

    def known_limit(self, door):
        """The topic's own limit, which pinflow knows."""
        outcomes = self.send(door, "narrow", [1_000, 30_000, 1_000], [STORED, REFUSED, STORED])
        self.send(door, "narrow", [30_000], [REFUSED])
        return str(outcomes[1][1].get("error") or outcomes[1][1].get("message") or outcomes[1][1])[:150]

    def large_batch(self, door):
        """No record is too large, but all of them would make a batch that is."""
        self.send(door, "narrow", [1_000] * 200, [STORED] * 200)
        return "200 records of 1 kB where a batch may have 20 kB"

    def limit_of_brokers(self, door):
        """The brokers' default, which the topic does not show as its own."""
        self.send(door, "plain", [1_000, 80_000, 1_000], [STORED, REFUSED, STORED])
        self.send(door, "plain", [1_000] * 200, [STORED] * 200)
        return "message.max.bytes=50000"

    def changed_limit(self, door, number):
        """Another tool lowers the limit after pinflow has learned it, and raises it again."""
        topic = f"changed-{number}"
        alter = lambda value: self.cluster.tool("configs", "--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", f"max.message.bytes={value}")
        self.cluster.topic(topic, max_message_bytes=40_000)
        self.cluster.known(topic)
        self.send(door, topic, [1_000, 30_000], [STORED, STORED])
        alter(10_000)
        outcomes = door.send(topic, [text(1_000, "a"), text(30_000, "b"), text(1_000, "c")])
        expect(words(outcomes)[1] in (REFUSED, LATER) and set(words(outcomes)) <= {STORED, REFUSED, LATER}, f"{door.name}: {outcomes}")
        until("records within the new limit are stored, one above it is refused", 15,
              lambda: (words(said := door.send(topic, [text(1_000, "d"), text(30_000, "e"), text(1_000, "f")])) == [STORED, REFUSED, STORED], said))
        alter(40_000)
        until("a record within the raised limit is stored", 30, lambda: (words(said := door.send(topic, [text(30_000, "g")])) == [STORED], said))
        return f"at the first moment {words(outcomes)}"


class Flood:
    """Threads that send through all doors until they may stop, each record once; the outcome of each by its number, and how long answers took."""

    def __init__(self, cluster, topic, threads, sizes):
        self.cluster, self.topic, self.sizes = cluster, topic, sizes
        self.numbers, self.stop, self.outcomes, self.failures = itertools.count(), threading.Event(), {}, []
        self.slowest, self.most_memory = 0.0, 0.0
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.running = [self.pool.submit(self.run, i) for i in range(threads)]

    def run(self, seed):
        chance = random.Random(seed)
        while not self.stop.is_set():
            door = chance.choice(self.cluster.doors)
            count, size = chance.choice(self.sizes)
            numbers = [next(self.numbers) for _ in range(count)]
            begin = time.monotonic()
            try:
                outcomes = door.send(self.topic, [text(size, number) for number in numbers])
            except (OSError, http.client.HTTPException) as failure:
                self.failures.append(f"{door.name}: {failure!r}")
                outcomes = [(UNKNOWN, "")] * count
            self.slowest = max(self.slowest, time.monotonic() - begin)
            for number, (word, said) in zip(numbers, outcomes):
                self.outcomes[number] = (word, door.name, said)
            if words(outcomes).count(LATER) == count:
                time.sleep(0.2)  # As Retry-After asks, only sooner.

    def watch(self, seconds, until_seen=lambda: False):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until_seen():
            self.most_memory = max(self.most_memory, self.cluster.serve.memory())
            time.sleep(0.2)

    def end(self):
        self.stop.set()
        for one in self.running:
            one.result(120)
        self.pool.shutdown()

    def tally(self):
        return collections.Counter(word for word, _, _ in list(self.outcomes.values()))


def too_few_replicas(cluster):
    cluster.topic("safe", 3, min_insync_replicas=2)
    cluster.known("safe")
    flood = Flood(cluster, "safe", 48, [(1, 500), (20, 500), (30, 40_000)])
    try:
        flood.watch(5)
        before, calm = flood.tally(), cluster.serve.memory()
        expect(before[STORED] > 100 and set(before) <= {STORED, LATER}, f"with all brokers there: {before}")
        for broker in cluster.members[:2]:
            broker.kill()
        flood.watch(50)  # Longer than the producer tries: each outcome of the outage is told within it.
        meanwhile, cpu = flood.tally() - before, cluster.serve.cpu()
        flood.watch(5)
        burnt = (cluster.serve.cpu() - cpu) / 5
        returned = flood.tally()
        for broker in cluster.members[:2]:
            broker.start()
        flood.watch(90, lambda: flood.tally()[STORED] > returned[STORED] + 500)
        expect(flood.tally()[STORED] > returned[STORED] + 500, f"after the brokers' return: {flood.tally() - returned}")
    finally:
        flood.end()
    expect(set(flood.tally()) <= {STORED, LATER, UNKNOWN}, f"answers that have no place here: {[one for one in flood.outcomes.values() if one[0] not in (STORED, LATER, UNKNOWN)][:3]}")
    expect(not flood.failures, f"{len(flood.failures)} requests without an answer: {flood.failures[:3]}")
    expect(flood.slowest < MOST_SECONDS, f"an answer took {flood.slowest:.0f} s")
    expect(flood.most_memory < calm + GIVEN_UP, f"memory went from {calm:.0f} to {flood.most_memory:.0f} MiB")
    expect(meanwhile[LATER] > 0, f"while two brokers were dead nothing was refused: {meanwhile}")
    there = collections.Counter(value["id"] for value in cluster.values("safe"))
    for number, (word, door, said) in flood.outcomes.items():
        low, high = {STORED: (1, 1), LATER: (0, 0), UNKNOWN: (0, 1)}[word]
        expect(low <= there[number] <= high, f"record {number} through {door} is {word} and there {there[number]} times; told: {said}")
    return (f"{len(flood.outcomes)} records: {dict(flood.tally())}; in the outage {dict(meanwhile)}; slowest answer {flood.slowest:.0f} s; memory {calm:.0f} MiB, "
            f"at most {flood.most_memory:.0f}; {burnt:.2f} cores in the outage under load")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/pinflow")
    arguments.add_argument("words", nargs="*")
    options = arguments.parse_args()
    folder = ROOT / "build" / "interop" / "run" / "refusals"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report, cluster = Report(options.words, folder), None
    try:
        kafka_peers.libs(kafka_peers.NEWEST)
        if not shutil.which("kcat"):
            raise kafka_peers.Missing("no kcat on this machine")
        cluster = Cluster(options.program.resolve(), folder, {"message.max.bytes": 50_000})
        cluster.topic("narrow", max_message_bytes=20_000)
        cluster.topic("plain")
        cluster.start_serve()
        large = TooLarge(cluster)
        for number, door in enumerate(cluster.doors):
            report.check(f"Cluster, {door.name}: a record over the topic's limit", large.known_limit, door)
            report.check(f"Cluster, {door.name}: a batch over the topic's limit", large.large_batch, door)
            report.check(f"Cluster, {door.name}: the brokers' limit", large.limit_of_brokers, door)
            report.check(f"Cluster, {door.name}: a limit that changes", large.changed_limit, door, number)
        report.check("Cluster: two of three brokers dead, min.insync.replicas=2", too_few_replicas, cluster)
    except kafka_peers.Missing as reason:
        report.skip("Cluster: what the brokers refuse", str(reason))
    finally:
        if cluster:
            cluster.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
