"""The three that do the same batch: pinflow, Spark, hand-written SQL in DuckDB. Each does it over the objects of a data folder and tells seconds, CPU, memory
and answers."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "bench" / "stream"), *(str(ROOT / "interop" / name) for name in ("batch", "delta", "http", "kafka"))]

import spark_peer  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing  # noqa: E402  pylint: disable=wrong-import-position
from spark_bench import children, cpu_seconds, peak_mib  # noqa: E402  pylint: disable=wrong-import-position


def failed(what, said):
    raise RuntimeError(f"{what}: {said.strip()[-800:]}")


def measured(command):
    """Runs a process to its end; returns what it printed, its seconds, CPU seconds and peak memory in MiB, as the kernel counted them."""
    begin = time.monotonic()
    with subprocess.Popen([str(word) for word in command], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said = process.stdout.read()
        errors = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        failed(command[0], errors or said)
    return said, {"whole": time.monotonic() - begin, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def duckdb_python():
    """The Python that has DuckDB of pinflow's version."""
    folder = BUILD / "bench-duckdb"
    wanted = (HERE / "requirements.txt").read_bytes()
    mark = folder / "complete"
    if not mark.exists() or mark.read_bytes() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        spark_peer.run([sys.executable, "-m", "venv", folder], folder / "install.log", "no Python environment could be made")
        spark_peer.run([folder / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / "requirements.txt"], folder / "install.log", "DuckDB could not be installed from PyPI")
        mark.write_bytes(wanted)
    return folder / "bin" / "python"


class Pinflow:
    name = "pinflow"

    def __init__(self, options, data):
        self.options, self.data = options, data

    def command(self, *arguments):
        return [self.options.pinflow, *arguments, "--data", self.data, "--set", f"sql.memory_limit={self.options.memory}", "--quiet"]

    def forget(self):
        """Then the next run has all before it."""
        for folder in ("tables", "state"):
            shutil.rmtree(self.data / folder, ignore_errors=True)

    def run(self):
        _, told = measured(self.command("batch", "run"))
        run = json.loads(measured(self.command("runs", "list", "--limit", "1", "--output", "json"))[0])[0]
        told["steps"] = {name: taken / 1000 for name, taken in run["steps_ms"].items()}
        told["ask"] = told["steps"].get("ask", 0)
        told["clean"] = told["whole"] - told["ask"] - told["steps"].get("check", 0)
        return told

    def answers(self):
        said, _ = measured(self.command("question", "all", "--format", "json"))
        return {name: [list(row.values()) for row in rows] for name, rows in json.loads(said).items()}

    def files(self, table):
        """The data files of a Delta table as it is now."""
        return delta_files(self.data / "tables" / table)


class DuckDB:
    name = "DuckDB by hand"

    def __init__(self, options, data, out):
        self.options, self.data, self.out = options, data, out
        self.python = duckdb_python()

    def run(self):
        shutil.rmtree(self.out, ignore_errors=True)
        said, told = measured([self.python, HERE / "duckdb_batch.py", self.data / "objects", self.out, self.options.memory])
        mine = json.loads(said)
        self.told = mine.pop("answers")
        return {**told, **mine}

    def answers(self):
        return self.told

    def files(self, table):
        return [str(self.out / f"{table}.parquet")]


class Spark:
    name = "PySpark"

    def __init__(self, options, data, out):
        self.options, self.data, self.out = options, data, out
        self.peer = spark_peer.spark()
        self.process = None

    def run(self):
        """The first is cold: from the start of the process. The others are warm: the same again in the same session."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        begin = time.monotonic()
        before = 0
        if not self.process:
            with open(self.out.parent / "spark.err", "w", encoding="utf-8") as errors:
                self.process = subprocess.Popen([self.peer.python, HERE / "spark_batch.py", str(self.data / "objects"), self.options.heap], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                stderr=errors, env=self.peer.environment)
            self._line()
        else:
            before = cpu_seconds(children(self.process.pid))
        self.process.stdin.write(f"{self.out}\n")
        self.process.stdin.flush()
        mine = self._line()
        self.told = mine.pop("answers")
        pids = children(self.process.pid)
        return {"whole": time.monotonic() - begin, "cpu": cpu_seconds(pids) - before, "peak": peak_mib(pids), **mine}

    def _line(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else failed("Spark ended", (self.out.parent / "spark.err").read_text(encoding="utf-8"))

    def answers(self):
        return self.told

    def files(self, table):
        return delta_files(self.out / table)

    def stop(self):
        if self.process:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            self.process.wait(120)
            self.process.stdout.close()
            self.process = None


def delta_files(folder):
    """From the commits alone: these tables are younger than their first checkpoint."""
    files = {}
    for commit in sorted((folder / "_delta_log").glob("*.json")):
        for action in map(json.loads, commit.read_text(encoding="utf-8").splitlines()):
            if "remove" in action:
                files.pop(action["remove"]["path"], None)
            elif "add" in action:
                files[action["add"]["path"]] = str(folder / action["add"]["path"])
    return list(files.values())


__all__ = ["DuckDB", "HERE", "Missing", "Pinflow", "ROOT", "Spark", "delta_files", "duckdb_python", "measured"]
