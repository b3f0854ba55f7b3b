"""`pinflow serve` before a Kafka cluster, as a child process."""
import os
import pathlib
import subprocess
import threading
import time

import kafka_peers
from check_report import expect
from doors import call


class Serve:
    """Started on a port of its own; `settings` go to --set, but for `password`, which no command line may show."""

    def __init__(self, program, folder, settings):
        folder.mkdir(parents=True)
        self.port = kafka_peers.free_port()
        self.log = folder / "log"
        self.base = [str(program), "--data", str(folder / "data")]
        self.environment = {**os.environ, "PINFLOW_KAFKA_CLUSTER__PASSWORD": settings.pop("password", "")}
        self.words = [part for key, value in {"log.engine": "kafka", "http.port": self.port, **settings}.items() for part in ("--set", f"{key}={value}")]
        self.process = None

    def config_check(self):
        done = subprocess.run([self.base[0], "config", "check", "--online", *self.base[1:], *self.words], env=self.environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=90, check=False)
        return done.returncode, done.stdout

    def start(self):
        with open(self.log, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen([self.base[0], "serve", *self.base[1:], *self.words], env=self.environment, text=True, stdout=subprocess.PIPE, stderr=errors)
        watchdog = threading.Timer(90, self.process.kill)
        watchdog.start()
        banner = any("Ctrl-C" in line for line in self.process.stdout)
        watchdog.cancel()
        expect(banner, f"serve did not start: {self.log.read_text()[-1500:]}")
        return self

    def post(self):
        """Status, and the error code and message of the record if it has one."""
        status, answer = call(self.port, "POST", "/topics/pinterest.pin", {"records": [{"key": "1", "value": {"index": 1}}]})
        first = answer.get("offsets", [answer])[0]
        return status, first.get("error_code"), first.get("message") or first.get("error") or ""

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name="VmRSS"):
        """MiB of resident memory; VmHWM: the most there ever was."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) / 1024

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.process.stdout.close()


def until(what, seconds, reached):
    deadline = time.monotonic() + seconds
    while True:
        last = reached()
        if last[0]:
            return last[1]
        expect(time.monotonic() < deadline, f"{what}: not within {seconds} s; last {last[1]}")
        time.sleep(0.2)
