"""The client programs (clients/) as child processes. Each knows produce, consume and member; README.md tells what they take and print."""
import functools
import json
import os
import shutil
import subprocess
import sys

import kafka_peers
from kafka_peers import HERE, Lines, Missing

ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@functools.cache
def compiled_java_client(version):
    """Returns the folder with Client.class, compiled against this version's jars."""
    libs = kafka_peers.libs(version)
    classes = libs.parent / "classes"
    if not shutil.which("javac"):
        raise Missing("no javac on this machine")
    shutil.rmtree(classes, ignore_errors=True)
    done = subprocess.run(["javac", "-Xlint:all,-processing,-classfile", "-cp", f"{libs}/*", "-d", str(classes), str(HERE / "clients/Client.java")],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"javac: {done.stdout}")
    return classes


def node_modules():
    return kafka_peers.npm_packages(HERE, "npm")


class Process:
    """A running client: its lines, and an end by request or by SIGKILL."""

    def __init__(self, command, environment):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        self.lines = Lines(self._process.stdout)

    def wait(self, pattern, seconds=30):
        return self.lines.wait(pattern, seconds)

    def stop(self):
        """Asks a member to leave its group and waits for its end."""
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def records(self):
        """Returns (partition, offset, number) of all records read so far."""
        return [tuple(map(int, line.split()[1:])) for line in list(self.lines.all) if line.startswith("read ")]


class Peer:
    codecs = ALL_CODECS
    cooperative = None  # The settings for a cooperative assignor, where the client has one.
    static = True
    newest = True  # Of its kind.

    def command(self):
        raise NotImplementedError

    def environment(self):
        return None

    def _line(self, what, broker, arguments, settings):
        pairs = [f"{key}={value}" for key, value in settings.items()]
        return [*self.command(), what, broker.bootstrap, *map(str, arguments), *pairs]

    def run(self, what, broker, *arguments, timeout=120, **settings):
        """Runs a client to its end; returns the number behind `done`."""
        done = subprocess.run(self._line(what, broker, arguments, {k.replace("_", "."): v for k, v in settings.items()}), text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment())
        lines = done.stdout.strip().split("\n")
        told = [line for line in lines if line.startswith(("done ", "failed "))]
        if done.returncode != 0 or not told or not told[-1].startswith("done "):
            raise RuntimeError(f"{self.name} {what} {arguments[0]}: {told[-1] if told else ' | '.join(lines[-4:])}")
        return int(told[-1].split()[1])

    def start(self, what, broker, *arguments, **settings):
        return Process(self._line(what, broker, arguments, {k.replace("_", "."): v for k, v in settings.items()}), self.environment())


class JavaPeer(Peer):
    cooperative = {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}

    def __init__(self, version):
        self.version = version
        self.name = f"Java client {version}"
        self.newest = version == kafka_peers.NEWEST

    def command(self):
        return ["java", *kafka_peers.SHORT_LIVED, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                f"{compiled_java_client(self.version)}:{kafka_peers.libs(self.version)}/*", "Client"]


class ConfluentPeer(Peer):
    """confluent-kafka for Python, that is librdkafka."""
    cooperative = {"partition.assignment.strategy": "cooperative-sticky"}

    def __init__(self):
        try:
            import confluent_kafka  # pylint: disable=import-outside-toplevel
            self.name = f"confluent-kafka {confluent_kafka.__version__}"
        except ImportError:
            self.name = "confluent-kafka"

    def command(self):
        if self.name == "confluent-kafka":
            raise Missing("the Python package confluent-kafka is not installed")
        return [sys.executable, str(HERE / "clients/client.py")]


class KafkaJsPeer(Peer):
    codecs = ("none", "gzip", "snappy")
    static = False

    def __init__(self):
        lock = json.loads((HERE / "package-lock.json").read_text())
        self.name = "KafkaJS " + lock["packages"]["node_modules/kafkajs"]["version"]

    def command(self):
        node_modules()
        return ["node", str(HERE / "clients/client.js")]

    def environment(self):
        return {**os.environ, "NODE_PATH": str(node_modules())}


def all_peers():
    return [*(JavaPeer(version) for version in kafka_peers.VERSIONS), ConfluentPeer(), KafkaJsPeer()]
