#!/usr/bin/env python3
"""Measures live metrics over a Kafka cluster, where `stream` processes condense the streams into one topic and every `serve` reads it: how soon after its acknowledgement a post is in
the answers, how fast a backlog is condensed and read, what a `serve` that begins anew takes, and how large the topic becomes. Brokers, processes and clients share one machine.

    live_bench.py [--pinflow PROGRAM] [--posts N] [--single N] [--brokers N] [--folder DIR]
"""
import argparse
import http.client
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "interop" / name) for name in ("cluster", "kafka", "s3")] + [str(ROOT / "bench")]

import brokers  # noqa: E402  pylint: disable=wrong-import-position
import end_to_end  # noqa: E402  pylint: disable=wrong-import-position
import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
import live_answers  # noqa: E402  pylint: disable=wrong-import-position
from machine import cpu_seconds, peak_mib  # noqa: E402  pylint: disable=wrong-import-position

BROKER_JVM = ("-Xmx512m", "-Xms512m", "-XX:+UseG1GC")


class Door:
    """One connection that is kept open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body=body, headers={"Content-Type": "application/vnd.kafka.json.v2+json"} if body else {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def freshness(port, count, first=10_000_000):
    """Milliseconds from the acknowledgement of a pin to its profile's answer, one post at a time; asked without a pause, so the asking itself is in them."""
    door, asking, delays = Door(port), Door(port), []
    for number in range(count):
        record = {"records": [{"key": str(number), "value": {"index": number + first, "poster_name": f"fresh-{number + first}", "follower_count": "5k", "category": "art"}}]}
        status, _ = door.ask("POST", f"/topics/{end_to_end.STREAM}pin", json.dumps(record))
        assert status == 200, status
        begin = time.perf_counter()
        while asking.ask("GET", f"/live/profiles/fresh-{number + first}")[0] != 200:
            assert time.perf_counter() - begin < 30, "not in the answers within 30 s"
        delays.append((time.perf_counter() - begin) * 1e3)
    return sorted(delays)


def lag(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in answer.read().decode().splitlines() if line.startswith("pinflow_live_lag_records{"))


def topic_bytes(folder):
    """Of one replica of all partitions."""
    return sum(path.stat().st_size for path in (folder / "brokers" / "broker1" / "data").glob("pinflow-live-*/*.log"))


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder, self.lines = options, folder, []
        self.program = options.program = pathlib.Path(options.pinflow).resolve()

    def tell(self, what, figure):
        self.lines.append(f"| {what} | {figure} |")
        print(f"{what}: {figure}", flush=True)

    @staticmethod
    def role(stage, name, folder="data"):
        """All share the tables of one folder, but a `serve` that is to know nothing."""
        role = end_to_end.Role(stage, name, stage.folder / folder)
        stage.roles.append(role)
        return role

    def run(self):
        members, bootstrap = brokers.start(self.folder / "brokers", self.options.brokers, jvm=BROKER_JVM)
        (self.folder / "stage").mkdir()
        stage = end_to_end.Stage(self.options, self.folder / "stage", [], ["log.engine=kafka", f"kafka_cluster.bootstrap_servers={bootstrap}", "sql.memory_limit=1GiB"])
        try:
            self.measure(stage)
        finally:
            stage.stop()
            brokers.stop(members)

    def measure(self, stage):
        serve = self.role(stage, "serve")
        streams = [self.role(stage, "stream") for _ in range(2)]
        freshness(serve.port, 20, 11_000_000)  # Until the streams have divided the partitions.
        delays = freshness(serve.port, self.options.single)
        self.tell(f"post to answer, ms, of {len(delays)} posts one by one: median, 99 in 100, most", f"{statistics.median(delays):.1f}, {delays[len(delays) * 99 // 100]:.1f}, {delays[-1]:.1f}")
        for stream in streams:
            stream.process.terminate()  # They leave their group.
            stream.process.wait()
        subprocess.run([str(self.program), "source", "create", "--posts", str(self.options.posts), "--data", str(self.folder / "source"), "--quiet"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([str(self.program), "emulate", "--to", "streams", "--burst", "--url", f"http://127.0.0.1:{serve.port}", "--data", str(self.folder / "source"), "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        ends = {(topic, partition): end for topic in (f"{end_to_end.STREAM}{kind}" for kind in end_to_end.KINDS) for partition, end in end_to_end.ends(stage, topic).items()}
        records = sum(ends.values())
        begin, cpu = time.monotonic(), cpu_seconds([serve.process.pid])
        streams[0].start()
        live_answers.await_end(serve.port, ends)
        took = time.monotonic() - begin
        self.tell(f"{records:,} records condensed by one stream, which writes its tables beside it, and read by one serve", f"{took:.1f} s, {records / took:,.0f} a second")
        self.tell("CPU s of that stream (both lanes), of the serve", f"{cpu_seconds([streams[0].process.pid]):.1f}, {cpu_seconds([serve.process.pid]) - cpu:.1f}")
        self.tell("bytes a post in the topic, one replica", f"{topic_bytes(self.folder) / (records / 3):.0f}")
        begin = time.monotonic()
        late = self.role(stage, "serve", "late")
        live_answers.await_end(late.port, ends)
        self.tell("a serve that begins with nothing, from its start to the same answers", f"{time.monotonic() - begin:.1f} s, {cpu_seconds([late.process.pid]):.1f} CPU s, {peak_mib([late.process.pid]):.0f} MiB")
        same = live_answers.told(serve.port) == live_answers.told(late.port)
        self.tell("both answer alike", same)
        begin = time.monotonic()
        streams[0].kill()
        streams[1].start()
        door, name = Door(serve.port), "after the takeover"
        door.ask("POST", f"/topics/{end_to_end.STREAM}pin", json.dumps({"records": [{"key": "1", "value": {"index": 20_000_000, "poster_name": name, "category": "art"}}]}))
        while door.ask("GET", "/live/profiles/after%20the%20takeover")[0] != 200:
            assert time.monotonic() - begin < 300, "nobody took over"
            time.sleep(0.05)
        self.tell("the stream killed, another in its place: until a new post is in the answers (the group waits for the dead member first)", f"{time.monotonic() - begin:.1f} s")
        if not same:
            raise AssertionError("the two answer otherwise")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build/release/pinflow"))
    parser.add_argument("--posts", type=int, default=300_000)
    parser.add_argument("--single", type=int, default=300)
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-live"))
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        kafka_peers.libs(kafka_peers.NEWEST)
    except kafka_peers.Missing as reason:
        print(f"skipped  live metrics over a cluster: {reason}")
        return 0
    bench = Bench(options, folder)
    bench.run()
    print("\n| what | figure |\n|---|---|\n" + "\n".join(bench.lines))
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
