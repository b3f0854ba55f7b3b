"""Kafka Connect as its users run it, with a sink to S3: Aiven's where Maven has it, otherwise the least one that Aiven's library makes."""
import json
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request

import kafka_peers
import servers
from kafka_peers import BUILD, Missing, NEWEST, free_port

HERE = pathlib.Path(__file__).resolve().parent
JVM = ["-Xms256m", "-Xmx2g", "-XX:+UseG1GC"]  # What Connect's own start script gives it.
FLUSH_MS = 1_000  # Between its commits, when it puts what it has; 60 s unless set.


def libs(profile):
    """Returns the folder of a connector's jars, or nothing where Maven cannot fetch all of them."""
    folder = BUILD / f"connect-s3-{profile}"
    pom = HERE / "connect/pom.xml"
    mark = folder / "complete"
    if mark.exists() and mark.read_bytes() == pom.read_bytes():
        return folder / "libs"
    if not shutil.which("mvn") or not shutil.which("javac"):
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / "mvn.log", "wb") as log:
        done = subprocess.run(["mvn", "-q", "-B", "-f", str(pom), f"-P{profile}", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'libs'}", "-DincludeScope=runtime"],
                              stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=900, check=False)
    if done.returncode != 0:
        return None
    shutil.copy(pom, mark)
    return folder / "libs"


def plugin():
    """Returns what the connector is called, its class, and the folder of its jars."""
    found = libs("aiven")
    if found:
        return "Aiven's S3 sink", "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector", found
    found = libs("least")
    if not found:
        raise Missing("Maven has neither Aiven's S3 sink nor what the least sink is made of")
    folder = found.parent
    classes = folder / "classes"
    subprocess.run(["javac", "-nowarn", "-cp", f"{found}/*:{kafka_peers.libs(NEWEST)}/*", "-d", str(classes), str(HERE / "connect/LeastS3Sink.java")], check=True, timeout=120)
    subprocess.run(["jar", "--create", "--file", str(found / "least-s3-sink.jar"), "-C", str(classes), "."], check=True, timeout=60)
    return "least S3 sink", "LeastS3Sink", found


class Worker:
    """A worker of Connect in distributed mode; its topics are in the cluster."""

    def __init__(self, bootstrap, folder):
        self.name, self.connector, jars = plugin()
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True)
        settings = {
            "bootstrap.servers": bootstrap, "group.id": "bench-connect", "listeners": f"http://127.0.0.1:{self.port}", "plugin.path": jars.parent,
            "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
            # The connector's documentation asks for it where lines of JSON are written.
            "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
            "offset.flush.interval.ms": FLUSH_MS, "scheduled.rebalance.max.delay.ms": 0, "plugin.discovery": "hybrid_warn",
        }
        for use in ("config", "offset", "status"):
            settings[f"{use}.storage.topic"] = f"bench-connect-{use}s"
            settings[f"{use}.storage.replication.factor"] = 1
        self.config = folder / "worker.properties"
        self.config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self.process = None

    def start(self):
        with open(self.folder / "worker.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([*kafka_peers.java_command(NEWEST, "connect-distributed", JVM, "warn"), str(self.config)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=servers.ENVIRONMENT)
        return self

    @property
    def pid(self):
        return self.process.pid

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, data=json.dumps(body).encode() if body else None, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"Connect answers {error.code} to {method} {path}: {error.read()[:500]}") from error

    def is_ready(self):
        try:
            self.ask("GET", "/connectors")
            return True
        except (OSError, RuntimeError):
            if self.process.poll() is not None:
                raise RuntimeError(f"Connect ended, see {self.folder}/worker.log") from None
            return False

    def properties(self, topics, prefix, endpoint, flush_size):
        """What the connector is told; the names are Aiven's."""
        return {
            "connector.class": self.connector, "tasks.max": "2", "topics": ",".join(topics), "aws.s3.bucket.name": servers.BUCKET, "aws.s3.region": "us-east-1",
            "aws.s3.endpoint": endpoint, "aws.s3.prefix": prefix, "aws.access.key.id": servers.KEY, "aws.secret.access.key": servers.SECRET, "file.compression.type": "gzip",
            "file.max.records": str(flush_size), "file.name.template": "{{topic}}-{{partition}}-{{start_offset}}.gz", "format.output.type": "jsonl", "format.output.fields": "value",
            "format.output.fields.value.encoding": "none", "format.output.envelope": "false", "consumer.override.auto.offset.reset": "earliest",
        }

    def failure(self, name):
        """The trace of a task that failed, if one did."""
        told = self.ask("GET", f"/connectors/{name}/status")
        return next((one.get("trace", "?") for one in [told["connector"], *told["tasks"]] if one["state"] == "FAILED"), None)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
