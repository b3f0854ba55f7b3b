"""Apache Kafka as a peer: its jars from Maven, its command-line tools, its broker; and pinflow's broker with the same face.

A broker here has `bootstrap` (host:port), start(), kill() (SIGKILL), stop() and pid; a restarted one keeps its address and its data.
"""
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BUILD = ROOT / "build" / "interop"
VERSIONS = ("3.9.1", "4.2.0")
NEWEST = VERSIONS[-1]

# Main classes of the tools; a pair where 4.x moved them.
TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "configs": "kafka.admin.ConfigCommand",
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "offsets": "org.apache.kafka.tools.GetOffsetShell",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "api-versions": ("kafka.admin.BrokerApiVersionsCommand", "org.apache.kafka.tools.BrokerApiVersionsCommand"),
    "cluster": "org.apache.kafka.tools.ClusterTool",
    "console-producer": ("kafka.tools.ConsoleProducer", "org.apache.kafka.tools.ConsoleProducer"),
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "producer-perf": "org.apache.kafka.tools.ProducerPerformance",
    "consumer-perf": "org.apache.kafka.tools.ConsumerPerformance",
    "connect-distributed": "org.apache.kafka.connect.cli.ConnectDistributed",
    "storage": "kafka.tools.StorageTool",
    "broker": "kafka.Kafka",
}
SHORT_LIVED = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m"]


class Missing(Exception):
    """A peer that this machine cannot have; the text is the reason that a skipped check prints."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def libs(version):
    """Returns the folder with Kafka's jars, fetched by Maven when missing or when the list of jars changed."""
    folder = BUILD / f"kafka-{version}"
    pom = HERE / "pom.xml"
    mark = folder / "complete"
    if mark.exists() and mark.read_bytes() == pom.read_bytes():
        return folder / "libs"
    if not shutil.which("mvn") or not shutil.which("java"):
        raise Missing("no Maven or no Java on this machine")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / "mvn.log", "wb") as log:
        code = subprocess.run(["mvn", "-q", "-B", "-f", str(pom), f"-Dkafka.version={version}", "dependency:copy-dependencies",
                               f"-DoutputDirectory={folder / 'libs'}", "-DincludeScope=runtime", "-DexcludeArtifactIds=slf4j-reload4j"],
                              stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=900).returncode
    if code != 0:
        raise Missing(f"Maven could not fetch Apache Kafka {version}, see {folder.relative_to(ROOT)}/mvn.log")
    shutil.copy(pom, mark)
    return folder / "libs"


@functools.cache
def npm_packages(source, name):
    """Returns the folder of the npm packages that the lock file in `source` pins, installed without their scripts into build/interop/NAME."""
    folder = BUILD / name
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing("no node or no npm on this machine")
    lock = source / "package-lock.json"
    mark = folder / "complete"
    if not mark.exists() or mark.read_bytes() != lock.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(source / file, folder)
        with open(folder / "npm.log", "wb") as log:
            if subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, stdout=log, stderr=log, timeout=600).returncode != 0:
                raise Missing(f"npm could not install its packages, see {folder.relative_to(ROOT)}/npm.log")
        shutil.copy(lock, mark)
    return folder / "node_modules"


def main_class(version, tool):
    names = TOOLS[tool]
    return names if isinstance(names, str) else names[0 if version.startswith("3.") else 1]


def java_command(version, tool, jvm=SHORT_LIVED, level="error"):
    """Returns the command line of a tool, to which its arguments are added."""
    return ["java", *jvm, f"-Dorg.slf4j.simpleLogger.defaultLogLevel={level}", "-cp", f"{libs(version)}/*", main_class(version, tool)]


def run_tool(version, tool, *arguments, given="", timeout=90):
    """Runs a tool to its end; returns its exit code and all that it printed."""
    done = subprocess.run([*java_command(version, tool), *map(str, arguments)], input=given, text=True, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class Lines:
    """The lines that a process prints, read by a thread of its own; wait() looks only at lines that no wait() has returned yet."""
    _changed = threading.Condition()  # Of all processes: who waits for one of several hears each of them.

    def __init__(self, stream, copy_to=None):
        self.all = []
        self._seen = 0
        self._ended = False
        self._copy_to = copy_to
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            if self._copy_to:
                self._copy_to.write(line)
                self._copy_to.flush()
            with self._changed:
                self.all.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @classmethod
    def wait_for(cls, fulfilled, seconds):
        """Returns whether the predicate came true; it is asked anew whenever a process has printed a line."""
        with cls._changed:
            return cls._changed.wait_for(fulfilled, seconds)

    def wait(self, pattern, seconds):
        """Returns the match of the next line that has the pattern; raises TimeoutError with the last lines when none comes."""
        found = []

        def there():
            while self._seen < len(self.all):
                match = re.search(pattern, self.all[self._seen])
                self._seen += 1
                if match:
                    found.append(match)
                    return True
            return self._ended

        with self._changed:
            self._changed.wait_for(there, seconds)
        if not found:
            raise TimeoutError(f"no line '{pattern}' within {seconds} s; last lines: " + " | ".join(self.all[-5:]))
        return found[0]


class Broker:
    """A broker as a child process; see the subclasses for what is started."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.process = None
        self.runs = 0

    def command(self):
        raise NotImplementedError

    def ready_line(self):
        raise NotImplementedError

    def start(self):
        self.runs += 1
        log = open(self.folder / f"broker-{self.runs}.log", "w")
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        self.lines = Lines(self.process.stdout, log)
        self.lines.wait(self.ready_line(), 60)
        return self

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


class ApacheKafka(Broker):
    """One broker and controller in one process (KRaft), on loopback, with the settings that librdkafka's suite assumes."""

    def __init__(self, version, folder, settings=None, jvm=("-Xmx1g", "-Xms1g", "-XX:+UseG1GC")):
        super().__init__(folder)
        self.version = version
        self.name = f"Apache Kafka {version}"
        self.speaks = version
        self.jvm = list(jvm)
        controller = free_port()
        properties = {
            "process.roles": "broker,controller", "node.id": 1, "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER", "log.dirs": self.folder / "data", "num.partitions": 4,
            "offsets.topic.replication.factor": 1, "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0, "auto.create.topics.enable": "true",
        }
        properties.update(settings or {})
        self.config = self.folder / "server.properties"
        self.config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        code, said = run_tool(version, "storage", "format", "-t", "Zx5pRk3rTJy0b1nT0k5vAQ", "-c", self.config)
        if code != 0:
            raise RuntimeError(f"kafka-storage format failed: {said}")

    def command(self):
        return [*java_command(self.version, "broker", self.jvm, "info"), str(self.config)]

    def ready_line(self):
        return r"Kafka Server started|\[KafkaRaftServer nodeId=1\] Kafka Server started"


class Pinflow(Broker):
    """`pinflow up` with its Kafka door; settings are given as --set name=value."""
    speaks = "3.9.1"  # The Kafka version whose answers a client may expect.

    def __init__(self, program, folder, settings=None):
        super().__init__(folder)
        self.program = program
        self.name = "pinflow"
        self.settings = {"http.port": 0, "kafka.port": self.port, "kafka.default_partitions": 4, **(settings or {})}

    def command(self):
        settings = [part for key, value in self.settings.items() for part in ("--set", f"{key}={value}")]
        return [str(self.program), "up", "--data", str(self.folder / "data"), *settings]

    def ready_line(self):
        return rf":{self.port}\b"
