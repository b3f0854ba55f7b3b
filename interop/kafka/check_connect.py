"""Kafka Connect in distributed mode: a file source and a file sink over one topic, through the death of the worker."""
import json
import subprocess
import time
import urllib.error
import urllib.request

from check_report import expect
from check_tools import Tools
from kafka_peers import Lines, free_port, java_command

JVM = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx384m"]


class Worker:
    def __init__(self, version, broker, folder):
        self.version = version
        self.port = free_port()
        self.folder = folder
        self.config = folder / "worker.properties"
        converter = "org.apache.kafka.connect.storage.StringConverter"
        settings = {
            "bootstrap.servers": broker.bootstrap, "group.id": f"connect-{version}", "listeners": f"http://127.0.0.1:{self.port}",
            "key.converter": converter, "value.converter": converter, "plugin.discovery": "service_load", "offset.flush.interval.ms": 500,
            "scheduled.rebalance.max.delay.ms": 0,
        }
        for use in ("config", "offset", "status"):
            settings[f"{use}.storage.topic"] = f"connect-{version}-{use}s"
            settings[f"{use}.storage.replication.factor"] = 1
        self.config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self.process = None
        self.runs = 0

    def start(self):
        self.runs += 1
        log = open(self.folder / f"worker-{self.runs}.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([*java_command(self.version, "connect-distributed", JVM, "info"), str(self.config)], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines = Lines(self.process.stdout, log)
        missing = {"Finished starting connectors and tasks", "REST resources initialized"}  # In either order; without the second, answers are 404.
        while missing:
            missing.discard(self.lines.wait("|".join(missing), 90).group())

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"Connect answers {error.code} to {method} {path}: {error.read()[:500]}") from error


def wait_for_file(path, lines, seconds=60):
    """Connect tells nobody when a sink has written; its file is the only sign."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and len(path.read_text().splitlines()) >= lines:
            return
        time.sleep(0.1)
    count = len(path.read_text().splitlines()) if path.exists() else 0
    raise TimeoutError(f"the sink wrote {count} lines of {lines} in {seconds} s")


def survives_restart(broker, version, folder):
    folder = folder / f"connect-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    source, sink = folder / "source.txt", folder / "sink.txt"
    topic = f"connect-{version}-lines"
    first = [f"line {n}" for n in range(2000)]
    source.write_text("\n".join(first) + "\n")
    Tools(version, broker).create(topic, 1)
    worker = Worker(version, broker, folder)
    worker.start()
    try:
        kind = "org.apache.kafka.connect.file.FileStream"
        worker.ask("PUT", "/connectors/source/config", {"connector.class": f"{kind}SourceConnector", "tasks.max": "1", "file": str(source), "topic": topic})
        worker.ask("PUT", "/connectors/sink/config", {"connector.class": f"{kind}SinkConnector", "tasks.max": "1", "file": str(sink), "topics": topic})
        wait_for_file(sink, len(first))
        time.sleep(1.5)  # Longer than Connect's interval of flushing offsets, which it does not tell either.
        worker.kill()
        second = [f"line {n}" for n in range(2000, 3000)]
        with open(source, "a", encoding="utf-8") as more:
            more.write("\n".join(second) + "\n")
        worker.start()
        wait_for_file(sink, len(first) + len(second))
        connectors = sorted(worker.ask("GET", "/connectors"))
        expect(connectors == ["sink", "source"], f"after the restart Connect knows {connectors}")
        state = worker.ask("GET", "/connectors/source/status")["tasks"][0]["state"]
        expect(state == "RUNNING", f"the source's task is {state}")
        written = sink.read_text().splitlines()
        # At least once is Connect's promise; a worker killed between flushes may repeat. Nothing may miss, and order holds where nothing repeats.
        expect(list(dict.fromkeys(written)) == first + second, f"the sink has {len(written)} lines, others than the source's {len(first + second)}")
        worker.ask("DELETE", "/connectors/source")
        worker.ask("DELETE", "/connectors/sink")
        return f"3000 lines through, {len(written) - 3000} repeated"
    finally:
        worker.kill()


def run(report, broker, versions, folder):
    for version in versions:
        report.check(f"Kafka Connect {version} distributed: file to file, worker killed", survives_restart, broker, version, folder)
