#!/usr/bin/env python3
"""Runs the DAG of packaging/airflow in a real Airflow against a pinflow that runs. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM [--folder DIR] [--posts N]
"""
import argparse
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE.parent / "kafka")]

import http_peers  # noqa: E402  pylint: disable=wrong-import-position
from check_report import Report, expect  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position

DAGS = ROOT / "packaging" / "airflow"
DAG = "pinflow_daily"


def install():
    """Makes build/interop/airflow when it is missing or its packages changed; takes some minutes."""
    folder = BUILD / "airflow"
    wanted = (HERE / "requirements.txt").read_bytes() + (HERE / "constraints.txt").read_bytes()
    mark = folder / "complete"
    if mark.exists() and mark.read_bytes() == wanted:
        return folder / "venv/bin"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / "install.log", "wb") as log:
        for command in ([sys.executable, "-m", "venv", folder / "venv"],
                        [folder / "venv/bin/pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / "requirements.txt", "-c", HERE / "constraints.txt"]):
            if subprocess.run([str(word) for word in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=1200, check=False).returncode != 0:
                raise Missing(f"Airflow could not be installed from PyPI, see {folder.relative_to(ROOT)}/install.log")
    mark.write_bytes(wanted)
    return folder / "venv/bin"


class Airflow:
    """Airflow's command line with a home, a database and nothing of this machine's own settings."""

    def __init__(self, folder, program, data):
        self.program = install() / "airflow"
        self.answers = folder / "answers"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PINFLOW_"))}
        self.environment.update({
            "AIRFLOW_HOME": str(folder / "home"), "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}", "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False", "no_proxy": "*",
            "PINFLOW": str(program), "PINFLOW_DATA__FOLDER": str(data), "PINFLOW_ANSWERS": str(self.answers)})
        self.must("db", "migrate")
        self.version = self.must("version").strip().splitlines()[-1]

    def run(self, *arguments, environment=None):
        done = subprocess.run([str(self.program), *map(str, arguments)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**self.environment, **(environment or {})}, timeout=600, check=False)
        return done.returncode, done.stdout

    def must(self, *arguments):
        code, said = self.run(*arguments)
        expect(code == 0, f"airflow {' '.join(map(str, arguments))} ended with {code}: {said.strip()[-1500:]}")
        return said


class Pipeline:
    def __init__(self, program, folder, posts):
        self.program, self.data = program, folder / "data"
        self.run("source", "create", "--posts", posts, "--quiet")
        self.up = http_peers.Doors(program, folder, {"sink.rotate_interval": "1s"}).start()

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments), "--data", str(self.data)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=200,
                              check=False)
        expect(done.returncode == 0, f"pinflow {' '.join(map(str, arguments))} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
        return done.stdout

    def post(self, *how):
        self.run("emulate", "--to", "topics", "--burst", "--url", self.up.url, "--quiet", *how)

    def sunk(self):
        """Records that are in objects."""
        return sum(path.read_bytes().count(b"\n") for path in self.data.glob("objects/topics/*/*/*.json"))

    def wait_until_sunk(self, records):
        for _ in range(300):
            if self.sunk() >= records:
                return
            time.sleep(0.1)  # The store tells nobody of new objects.
        raise RuntimeError(f"only {self.sunk()} of {records} records were sunk")

    def runs(self):
        return json.loads(self.run("runs", "list", "--output", "json"))

    def posts(self):
        tables = map(json.loads, self.run("tables", "--fingerprint").splitlines())
        return next(table["rows"] for table in tables if table["table"] == "batch_posts")


def has_no_import_errors(airflow):
    said = airflow.must("dags", "reserialize")
    code, errors = airflow.run("dags", "list-import-errors", "--output", "json")
    expect(code == 0 and str(DAGS) not in errors and DAG + ".py" not in errors.replace(said, ""), errors.strip()[-1500:])
    listed = airflow.must("dags", "list", "--output", "json")
    expect(DAG in listed, f"the DAG is not listed: {listed.strip()[-500:]}")
    tasks = [line for line in airflow.must("tasks", "list", DAG).splitlines() if line.strip() in ("answers", "batch", "check_tables")]
    expect(len(tasks) == 3, f"its tasks are {tasks}")
    return airflow.version


def test_run(airflow, day):
    said = airflow.must("dags", "test", DAG, day)
    expect("state=success" in said or "DagRun Finished" in said or "success" in said.lower(), said.strip()[-1500:])
    return said


def answers_are_there(airflow, pipeline):
    ours = json.loads(pipeline.run("question", "all", "--format", "json", "--quiet"))
    folders = sorted(folder for folder in airflow.answers.iterdir() if folder.is_dir())
    expect(folders, "no folder of answers was written")
    cells = 0
    for name, rows in ours.items():
        with open(folders[-1] / f"{name}.csv", encoding="utf-8", newline="") as file:
            theirs = list(csv.reader(file))
        expect(theirs[0] == list(rows[0]) and len(theirs) == len(rows) + 1, f"{name}: {len(theirs) - 1} rows, not {len(rows)}")
        cells += sum(map(len, theirs[1:]))
    return f"{len(ours)} answers, {cells} cells"


def first_run(airflow, pipeline, posts):
    pipeline.post()
    pipeline.wait_until_sunk(3 * posts)
    test_run(airflow, "2026-03-01")
    expect([run["state"] for run in pipeline.runs()] == ["success"], f"the runs of the batch are {pipeline.runs()}")
    expect(pipeline.posts() == posts, f"{pipeline.posts()} posts, not {posts}")
    return answers_are_there(airflow, pipeline)


def second_run(airflow, pipeline, posts):
    """All posts are sent again: answers stay, and no row is doubled."""
    before = pipeline.run("question", "all", "--format", "csv", "--quiet")
    pipeline.post("--order", "shuffled", "--seed", "2")
    pipeline.wait_until_sunk(6 * posts)
    test_run(airflow, "2026-03-02")
    expect([run["state"] for run in pipeline.runs()] == ["success", "success"], f"the runs of the batch are {pipeline.runs()}")
    expect(pipeline.posts() == posts, f"{pipeline.posts()} posts, not {posts}")
    expect(pipeline.run("question", "all", "--format", "csv", "--quiet") == before, "posting again changed an answer")
    return answers_are_there(airflow, pipeline)


def tells_of_failure(airflow):
    """A wrong configuration fails the task at once: it does not wait for another try that would end the same."""
    code, said = airflow.run("dags", "test", DAG, "2026-03-03", environment={"PINFLOW_SQL__MEMORY_LIMITT": "1GiB"})
    expect(code != 0 or "failed" in said.lower(), f"the run succeeds: {said.strip()[-800:]}")
    expect("wrong configuration" in said, f"the reason is not told: {said.strip()[-1500:]}")
    expect("UP_FOR_RETRY" not in said.upper(), "it is to be tried again")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "airflow"))
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder)
    program = pathlib.Path(options.pinflow).resolve()
    pipeline = None
    try:
        airflow = Airflow(folder, program, folder / "data")
        pipeline = Pipeline(str(program), folder, options.posts)
        report.check("Airflow: the DAG loads, and has its tasks", has_no_import_errors, airflow)
        report.check("Airflow: a run beside a pinflow that runs", first_run, airflow, pipeline, options.posts)
        report.check("Airflow: a second run, all posted again", second_run, airflow, pipeline, options.posts)
        report.check("Airflow: a run that cannot succeed says why", tells_of_failure, airflow)
    except Missing as reason:
        report.skip("Airflow", str(reason))
    finally:
        if pipeline:
            pipeline.up.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
