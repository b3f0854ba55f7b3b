#!/usr/bin/env python3
"""Measures pinflow's HTTP doors beside a Kafka bridge on Apache Kafka, nginx's constant answer and kinesalite: one machine, one run, taking
turns, contents compared before times. See README.md.

    http_bench.py [--pinflow PROGRAM] [--small] [--only WORD]... [--rounds N] [--folder DIR] [--table FILE] [--json FILE]
"""
import argparse
import base64
import collections
import http.client
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
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "interop" / "http"), str(ROOT / "bench")]

import http_peers  # noqa: E402  pylint: disable=wrong-import-position
import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing, NEWEST, free_port  # noqa: E402  pylint: disable=wrong-import-position
from machine import cpu_seconds, flushes_per_second, peak_mib  # noqa: E402  pylint: disable=wrong-import-position

LOAD = ROOT / "build" / "release" / "bench" / "http_load"
# What each side is told so that a success answer promises the same.
CLASSES = {
    "fsync": ({"log.flush.interval.messages": 1}, {"log.durability": "power"}),
    "flush-free": ({}, {"log.durability": "os"}),
}
SINGLE, BATCH = 64, 16  # Connections of posts of one record, of a hundred.
RATES = (2_000, 10_000)
RECORD = b"0123456789abcdef" * 64  # Of 1 KiB, as Kinesis is measured.
POST = "application/vnd.kafka.json.v2+json"


# Requests.

def http_request(method, target, content_type, body, more=""):
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def pin(number):
    """A post as the site's users make it, of about 640 bytes."""
    return {"index": number, "unique_id": f"{number:08x}-0000-4000-8000-{number:012x}", "title": f"Idea {number} for a small garden that anybody can keep, with flowers and a bench",
            "description": "Everything that you need for a weekend in the garden: tools, seeds, a plan and a little patience. " * 3, "poster_name": f"Gardener {number % 997}",
            "follower_count": f"{number % 90}k", "tag_list": "garden,flowers,weekend,plan,outdoor", "is_image_or_video": "image",
            "image_src": f"https://images.example/{number}.jpg", "downloaded": 1, "save_location": "Local save in /data/garden", "category": "diy-and-crafts"}


def posts(target, first, requests, records):
    for turn in range(requests):
        batch = [{"value": pin(first + turn * records + number)} for number in range(records)]
        yield http_request("POST", target, POST, json.dumps({"records": batch}, separators=(",", ":")).encode())


def kinesis_request(operation, body):
    # kinesalite wants a signature to be there, and reads none of it.
    more = (f"X-Amz-Target: Kinesis_20131202.{operation}\r\nX-Amz-Date: 20260101T000000Z\r\n"
            "Authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n")
    return http_request("POST", "/", "application/x-amz-json-1.1", json.dumps(body).encode(), more)


def call(port, operation, **body):
    """One Kinesis call; returns its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}", "X-Amz-Date": "20260101T000000Z",
                       "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{operation} answered {answer.status}: {text[:300]}")
    return json.loads(text) if text else {}


def write_requests(path, requests):
    with open(path, "wb") as file:
        for request in requests:
            file.write(b"%d\n" % len(request) + request)
    return path


# Peers: each has name, port (of HTTP) and pids, whose CPU time is told.

class Pinflow:
    def __init__(self, program, folder, settings):
        self.doors = http_peers.Doors(program, folder, {"http.auto_create_topics": "true", **settings})
        self.name, self.port, self.kinesis_port = "pinflow", self.doors.http_port, self.doors.kinesis_port
        self.bootstrap = self.doors.bootstrap

    def start(self):
        self.doors.start()
        self.pids = [self.doors.pid]

    def stop(self):
        self.doors.stop()


class Bridge:
    """A bridge on Apache Kafka: Strimzi's where Maven has it, otherwise the least one that its libraries make."""

    def __init__(self, folder, settings):
        self.folder = folder
        folder.mkdir(parents=True)
        self.kafka = kafka_peers.ApacheKafka(NEWEST, folder / "kafka", {"num.partitions": 1, **settings})
        self.port = free_port()
        self.bootstrap = self.kafka.bootstrap

    def command(self):
        self.name, command, ready = bridge_command(self.port, self.bootstrap, self.folder)
        return command, ready

    def start(self):
        command, ready = self.command()
        self.kafka.start()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = kafka_peers.Lines(self.process.stdout, open(self.folder / "bridge.log", "w", encoding="utf-8"))
        self.lines.wait(ready, 60)
        self.pids = [self.process.pid, self.kafka.pid]

    def stop(self):
        if hasattr(self, "process"):
            self.process.terminate()
            self.process.wait(30)
        self.kafka.stop()


def bridge_command(port, bootstrap, folder):
    """Returns what the bridge is called, its command line, and what it prints once it listens."""
    libs = bridge_libs("strimzi")
    jvm = ["java", "-Xmx512m", "-Xms512m"]
    if libs:
        config = folder / f"bridge-{port}.properties"
        config.write_text(f"bridge.id=bench\nkafka.bootstrap.servers={bootstrap}\nkafka.producer.acks=all\nhttp.host=127.0.0.1\nhttp.port={port}\nhttp.timeoutSeconds=-1\n")
        command = [*jvm, "-cp", f"{libs}/*", "io.strimzi.kafka.bridge.Application", f"--config-file={config}"]
        return "Strimzi bridge", command, r"Bridge.*(started|listening)|HTTP-Kafka Bridge started"
    libs = bridge_libs("least")
    if not libs:
        raise Missing("Maven has neither Strimzi's bridge nor what the least bridge is made of")
    classes = libs.parent / "classes"
    subprocess.run(["javac", "-nowarn", "-cp", f"{libs}/*", "-d", str(classes), str(HERE / "bridge/LeastBridge.java")], check=True, timeout=120)
    return "least bridge", [*jvm, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{classes}:{libs}/*", "LeastBridge", str(port), bootstrap], "^listening"


def bridge_libs(profile):
    """Returns the folder of a bridge's jars, or nothing where Maven cannot fetch them."""
    folder = BUILD / f"bridge-{profile}"
    pom = HERE / "bridge/pom.xml"
    mark = folder / "complete"
    if mark.exists() and mark.read_bytes() == pom.read_bytes():
        return folder / "libs"
    if not shutil.which("mvn") or not shutil.which("javac"):
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / "mvn.log", "wb") as log:
        done = subprocess.run(["mvn", "-q", "-B", "-f", str(pom), f"-P{profile}", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'libs'}", "-DincludeScope=runtime"],
                              stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=900)
    if done.returncode != 0:
        return None
    shutil.copy(pom, mark)
    return folder / "libs"


def nginx_program():
    """Returns Debian's nginx: where it is not installed, its package is unpacked below build, since installing it would start a server."""
    if shutil.which("nginx"):
        return "nginx"
    folder = BUILD / "nginx"
    program = folder / "usr/sbin/nginx"
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for step in (["apt-get", "download", "nginx"], ["sh", "-c", "dpkg-deb -x nginx_*.deb ."]):
            if not shutil.which(step[0]) or subprocess.run(step, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False).returncode != 0:
                raise Missing("no nginx on this machine, and its Debian package could not be fetched")
    if subprocess.run([program, "-v"], capture_output=True, check=False).returncode != 0:
        raise Missing("Debian's nginx does not start here")
    return str(program)


class Nginx:
    """One worker that answers every post with the same bytes: what HTTP alone costs here."""
    name = "nginx, constant answer"

    def __init__(self, folder):
        self.program = nginx_program()
        folder.mkdir(parents=True)
        self.port = free_port()
        answer = '{"offsets":[{"partition":0,"offset":1234567,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null}'
        self.config = folder / "nginx.conf"
        self.config.write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body; client_body_buffer_size 1m; client_max_body_size 16m;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{self.port}; location / {{ default_type application/vnd.kafka.v2+json; return 200 '{answer}'; }} }}
}}
""")

    def start(self):
        self.process = subprocess.Popen([self.program, "-c", str(self.config)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=5).connect()
                break
            except OSError:
                time.sleep(0.02)
        self.pids = [self.process.pid, *map(int, subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], text=True, stdout=subprocess.PIPE, check=True).stdout.split())]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Kinesalite:
    """In memory, where it is fastest, or on LevelDB."""

    def __init__(self, folder, level_db):
        self.name = "kinesalite on LevelDB" if level_db else "kinesalite in memory"
        folder.mkdir(parents=True)
        self.emulator = http_peers.Kinesalite(folder, folder / "level" if level_db else None)
        self.kinesis_port = self.emulator.port

    def start(self):
        self.emulator.start()
        self.pids = [self.emulator.pid]

    def stop(self):
        self.emulator.stop()


def topic_contents(bootstrap, topic):
    """Returns count and an order-free checksum of the values of a topic, parsed, since bridges may respell JSON."""
    reader = subprocess.Popen(["kcat", "-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\n"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    count, total = 0, 0
    for line in reader.stdout:
        count += 1
        total = (total + zlib.crc32(json.dumps(json.loads(line), sort_keys=True).encode())) % 2**64
    if reader.wait() != 0:
        raise RuntimeError(f"kcat could not read {topic}")
    return count, total


def topic_end(bootstrap, topic):
    said = subprocess.run(["kcat", "-b", bootstrap, "-Q", "-t", f"{topic}:0:-1"], text=True, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    return int(said.rsplit(" ", 1)[1])


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.milliseconds = 1_000 if options.small else 4_000
        self.figures = collections.OrderedDict()  # (case, unit) -> {peer: [values]}
        self.failures = []
        self.skipped = []
        self.disk = []
        self.load_share = 0

    def wanted(self, name):
        return not self.options.only or any(word in name for word in self.options.only)

    def fail(self, what):
        print(f"FAILED: {what}", flush=True)
        self.failures.append(what)

    def note(self, case, unit, peer, value):
        self.figures.setdefault((case, unit), {}).setdefault(peer.name, []).append(value)

    def load(self, port, requests, **options):
        """Runs the load generator; returns what it tells."""
        arguments = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        done = subprocess.run([str(LOAD), "--port", str(port), "--requests", str(requests), *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180)
        if done.returncode != 0:
            raise RuntimeError(f"http_load: {done.stderr.strip()[-500:]}")
        said = json.loads(done.stdout)
        if said["refused"]:
            raise RuntimeError(f"{said['refused']} requests were refused: {done.stderr.strip()[:500]}")
        self.load_share = max(self.load_share, said["cpu_seconds"] / max(said["seconds"], 0.001))
        return said

    def measured(self, case, peer, port, requests, records, connections, unit="records/s"):
        os.sync()  # Nobody pays for pages that another one left dirty.
        before = cpu_seconds(peer.pids)
        said = self.load(port, requests, connections=connections, milliseconds=self.milliseconds)
        count = said["accepted"] * records
        self.note(case, unit, peer, count / said["seconds"])
        self.note(case, "CPU s per million", peer, (cpu_seconds(peer.pids) - before) / max(count, 1) * 1e6)
        self.note(case, "load generator, share of a core", peer, said["cpu_seconds"] / said["seconds"])
        return count

    # R: posts of JSON.

    def compare_posts(self, peers, klass):
        read = {}
        for peer in peers:
            requests = write_requests(self.folder / "same", [*posts("/topics/same", 0, 500, 1), *posts("/topics/same", 500, 20, 100)])
            self.load(peer.port, requests, connections=8, count=520, milliseconds=60_000)
            read[peer.name] = topic_contents(peer.bootstrap, "same")
        if len(set(read.values())) != 1 or next(iter(read.values()))[0] != 2500:
            self.fail(f"contents of the same posts ({klass}) differ: {read}")
        else:
            print(f"equal: 2500 records posted to {' and '.join(read)} ({klass})", flush=True)

    def post_rounds(self, klass, peers, nginx):
        singles = {}
        for records, connections, name in ((1, SINGLE, "R1 posts of one record"), (100, BATCH, "R2 posts of a hundred")):
            case = f"{name}, {klass}, {connections} connections"
            if not self.wanted(case):
                continue
            requests = write_requests(self.folder / f"posts-{records}", posts("/topics/bench", 0, 20_000 // records, records))
            singles[records] = requests
            for number in range(self.options.rounds):
                self.disk.append(flushes_per_second(self.folder))
                turn = [*peers, *([nginx] if nginx else [])]
                for peer in turn if number % 2 == 0 else reversed(turn):
                    begin = topic_end(peer.bootstrap, "bench") if peer is not nginx else 0
                    count = self.measured(case, peer, peer.port, requests, records, connections)
                    if peer is not nginx and topic_end(peer.bootstrap, "bench") - begin != count:
                        self.fail(f"{peer.name}, {case}: {count} records acknowledged, {topic_end(peer.bootstrap, 'bench') - begin} stored")
            print(f"measured {case}", flush=True)

    def latency(self, klass, peers):
        requests = write_requests(self.folder / "posts-rate", posts("/topics/bench", 0, 20_000, 1))
        seconds = 3 if self.options.small else 12
        for rate in RATES:
            case = f"R3 latency at {rate} posts/s, {klass}, {SINGLE} connections"
            if not self.wanted(case):
                continue
            for peer in peers:
                os.sync()
                self.load(peer.port, requests, connections=SINGLE, rate=rate, milliseconds=1_000)
                said = self.load(peer.port, requests, connections=SINGLE, rate=rate, milliseconds=seconds * 1_000)
                for unit, key in (("p50 ms", "p50"), ("p99 ms", "p99"), ("p99.9 ms", "p999")):
                    self.note(case, unit, peer, said[key])
                self.note(case, "posts/s reached", peer, said["accepted"] / said["seconds"])
            print(f"measured {case}", flush=True)

    def run_posts(self, klass):
        kafka_settings, pinflow_settings = CLASSES[klass]
        if not any(self.wanted(f"{name}, {klass}") for name in ("R1", "R2", "R3")) and self.options.only and not any(word[0] == "R" for word in self.options.only):
            return
        pinflow = Pinflow(self.options.pinflow, self.folder / klass / "pinflow", pinflow_settings)
        peers, nginx = [pinflow], None
        try:
            peers.insert(0, Bridge(self.folder / klass / "bridge", kafka_settings))
            peers[0].command()
        except Missing as reason:
            self.skipped.append(f"bridge on Apache Kafka: {reason}")
            peers = [pinflow]
        try:
            nginx = Nginx(self.folder / klass / "nginx")
        except Missing as reason:
            self.skipped.append(f"nginx: {reason}")
        running = [*peers, *([nginx] if nginx else [])]
        try:
            for peer in running:
                peer.start()
            for peer in peers:  # Topics are there, code is compiled, before the first figure.
                warm = write_requests(self.folder / "warm", [*posts("/topics/bench", 0, 2_000, 1), *posts("/topics/bench", 0, 100, 100)])
                self.load(peer.port, write_requests(self.folder / "first", posts("/topics/bench", 0, 1, 1)), connections=1, count=1, milliseconds=30_000)
                self.load(peer.port, warm, connections=16, milliseconds=1_000 if self.options.small else 5_000)
                self.load(peer.port, write_requests(self.folder / "first", posts("/topics/same", 0, 1, 1)), connections=1, count=0, milliseconds=1_000)
            self.compare_posts(peers, klass)
            self.latency(klass, peers)  # First: the writes of the throughput cases keep the disk busy long after them.
            self.post_rounds(klass, peers, nginx)
            for peer in peers:
                self.note(f"{klass}, all of R", "peak MiB", peer, peak_mib(peer.pids))
        finally:
            for peer in running:
                peer.stop()
            shutil.rmtree(self.folder / klass, ignore_errors=True)

    # K: Kinesis.

    def make_stream(self, peer, name, shards):
        call(peer.kinesis_port, "CreateStream", StreamName=name, ShardCount=shards)
        for _ in range(500):
            described = call(peer.kinesis_port, "DescribeStream", StreamName=name)["StreamDescription"]
            if described["StreamStatus"] == "ACTIVE":
                return [shard["ShardId"] for shard in described["Shards"]]
            time.sleep(0.02)
        raise RuntimeError(f"{peer.name}: {name} never became active")

    def pages(self, peer, stream, shards, limit):
        """Yields (iterator, answer) of all there is in a stream."""
        for shard in shards:
            iterator = call(peer.kinesis_port, "GetShardIterator", StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            while iterator:
                answer = call(peer.kinesis_port, "GetRecords", ShardIterator=iterator, Limit=limit)
                if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                    break
                if answer["Records"]:
                    yield shard, iterator, answer["Records"]
                iterator = answer.get("NextShardIterator")

    def compare_streams(self, peers):
        read = {}
        for peer in peers:
            shards = self.make_stream(peer, "same", 4)
            for turn in range(4):
                records = [{"Data": base64.b64encode(b"record %d %d" % (turn, number)).decode(), "PartitionKey": f"key {number}"} for number in range(500)]
                if call(peer.kinesis_port, "PutRecords", StreamName="same", Records=records)["FailedRecordCount"]:
                    self.fail(f"{peer.name}: records of the comparison failed")
            read[peer.name] = [(shard, record["PartitionKey"], record["Data"]) for shard, _, records in self.pages(peer, "same", shards, 1000) for record in records]
        if any(one != read[peers[0].name] for one in read.values()) or len(read[peers[0].name]) != 2000:
            self.fail(f"records of the same puts differ: {({name: len(records) for name, records in read.items()})}")
        else:
            print(f"equal: 2000 records put to {' and '.join(read)}, shard by shard in order", flush=True)

    def run_kinesis(self):
        names = ("K1 PutRecord of 1 KiB, 16 connections", "K1 PutRecords of 500 x 1 KiB, 4 connections", "K2 GetRecords of 1 KiB, 4 connections")
        if not any(map(self.wanted, names)):
            return
        peers = [Pinflow(self.options.pinflow, self.folder / "kinesis/pinflow", CLASSES["fsync"][1]), Pinflow(self.options.pinflow, self.folder / "kinesis/pinflow-os", CLASSES["flush-free"][1])]
        peers[0].name, peers[1].name = "pinflow, fsync", "pinflow, flush-free"
        try:
            http_peers.node_modules()
            peers += [Kinesalite(self.folder / "kinesis/memory", False), Kinesalite(self.folder / "kinesis/level", True)]
        except Missing as reason:
            self.skipped.append(f"kinesalite: {reason}")
        data = base64.b64encode(RECORD).decode()
        single = write_requests(self.folder / "put", (kinesis_request("PutRecord", {"StreamName": "bench", "Data": data, "PartitionKey": f"key {n}"}) for n in range(1000)))
        batch = write_requests(self.folder / "puts", (kinesis_request("PutRecords", {"StreamName": "bench", "Records": [{"Data": data, "PartitionKey": f"key {t * 500 + n}"} for n in range(500)]})
                                                      for t in range(10)))
        try:
            for peer in peers:
                peer.start()
            self.compare_streams(peers)
            for peer in peers:
                self.make_stream(peer, "bench", 4)
                shards = self.make_stream(peer, "read", 4)
                fill = [{"Data": data, "PartitionKey": f"key {n}"} for n in range(500)]
                for _ in range(20):
                    call(peer.kinesis_port, "PutRecords", StreamName="read", Records=fill)
                peer.reads, count, calls = self.folder / f"reads-{peers.index(peer)}", 0, []
                for _, iterator, records in self.pages(peer, "read", shards, 500):
                    calls.append(kinesis_request("GetRecords", {"ShardIterator": iterator, "Limit": 500}))
                    count += len(records)
                if count != 10_000:
                    self.fail(f"{peer.name}: {count} records read of 10,000")
                write_requests(peer.reads, calls)
                peer.page = count / len(calls)
            for number in range(self.options.rounds):
                self.disk.append(flushes_per_second(self.folder))
                for peer in peers if number % 2 == 0 else reversed(peers):
                    if self.wanted(names[0]):
                        self.measured(names[0], peer, peer.kinesis_port, single, 1, 16)
                    if self.wanted(names[1]):
                        self.measured(names[1], peer, peer.kinesis_port, batch, 500, 4)
                    if self.wanted(names[2]):
                        self.measured(names[2], peer, peer.kinesis_port, peer.reads, peer.page, 4)
            print("measured Kinesis", flush=True)
            for peer in peers:
                self.note("all of K", "peak MiB", peer, peak_mib(peer.pids))
        finally:
            for peer in peers:
                peer.stop()
            shutil.rmtree(self.folder / "kinesis", ignore_errors=True)

    def table(self):
        """Returns the Markdown table: medians with their spread; ratio above 1 is in pinflow's favour."""
        lines = ["| case | measure | who | median | ratio of pinflow to it |", "|---|---|---|---|---|"]
        for (case, unit), by_peer in self.figures.items():
            medians = {name: statistics.median(values) for name, values in by_peer.items()}
            ours = next((value for name, value in medians.items() if name in ("pinflow", "pinflow, fsync")), None)
            for name, values in by_peer.items():
                spread = f" [{min(values):,.4g} .. {max(values):,.4g}]" if len(values) > 1 else ""
                ratio = "-"
                if not name.startswith("pinflow") and ours and medians[name] and "load generator" not in unit:
                    ratio = f"{ours / medians[name] if '/s' in unit else medians[name] / ours:.2f}"
                lines.append(f"| {case} | {unit} | {name} | {medians[name]:,.4g}{spread} | {ratio} |")
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build/release/pinflow"))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=str(ROOT / "build" / "bench-http"))
    parser.add_argument("--table", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    if not LOAD.exists():
        print(f"skipped  HTTP doors beside others: {LOAD.relative_to(ROOT)} is not built")
        return 1
    if not shutil.which("kcat"):
        print("skipped  HTTP doors beside others: no kcat on this machine")
        return 0
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bench = Bench(options, folder)
    for run, *arguments in ((bench.run_posts, "fsync"), (bench.run_posts, "flush-free"), (bench.run_kinesis,)):
        try:
            run(*arguments)
        except Missing as reason:
            bench.skipped.append(str(reason))
        except Exception as failure:  # pylint: disable=broad-exception-caught  # The rest is measured all the same, and the run fails.
            bench.fail(f"{run.__name__} {' '.join(arguments)}: {failure!r}")
    for reason in bench.skipped:
        print(f"skipped  {reason}")
    disk = f"{statistics.median(bench.disk):.0f}" if bench.disk else "?"
    print(f"\n{os.cpu_count()} cores; append of 4 KiB and fdatasync here: {disk} a second; rounds: {options.rounds}; the load generator took at most "
          f"{bench.load_share:.0%} of a core\n")
    print(bench.table())
    if options.table:
        pathlib.Path(options.table).write_text(bench.table() + "\n")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps([[*key, values] for key, values in bench.figures.items()], indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
