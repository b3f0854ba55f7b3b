#!/usr/bin/env python3
"""Runs the batch by Spark where objects and tables lie in S3 (versitygw), as `batch.engine = "spark"`: Spark reads and writes s3a:// addresses with what pinflow passes on of its own settings. All
tables and answers must equal those of DuckDB over the same objects; one engine at a time writes the tables, whichever machine asks; no secret is said anywhere. One line a check; exit code 1 if one fails.

    on_spark_s3.py --pinflow PROGRAM [--folder DIR] [--posts N]
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import run as batch  # First: it lets the others find what interop/kafka, interop/http and interop/delta have.
import on_spark
import posted
import spark_peer
from check_report import Report, expect
from kafka_peers import BUILD, Missing

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "s3"))

import servers  # noqa: E402  pylint: disable=wrong-import-position


BESIDE_THE_DAY_BEFORE = {"batch_checks", "batch_check_findings"}  # Some checks hold a run against the posts of the run before: only of first runs they are equal.


class Machine(batch.Pipeline):
    """A data folder whose objects and tables lie in one bucket, and the engine that its batch runs on."""

    def __init__(self, program, folder, server, tables="tables"):
        super().__init__(program, folder, posted.Posts({kind: [] for kind in posted.KINDS}, 2, 2))
        peer = spark_peer.spark()
        conf = {"spark.driver.memory": "2g", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4",
                "spark.databricks.delta.snapshotPartitions": "2", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}  # Of so few rows most of the time is the compiler's.
        self.said = []  # All that any command said.
        self.environment = {**peer.environment, **servers.ENVIRONMENT, "PINFLOW_S3__ENDPOINT": server.endpoint, "PINFLOW_DATA__OBJECTS": f"s3://{servers.BUCKET}/lake/objects",
                            "PINFLOW_DATA__TABLES": f"s3://{servers.BUCKET}/lake/{tables}", "PINFLOW_BATCH__SPARK_SUBMIT": str(pathlib.Path(peer.python).parent / "spark-submit"),
                            "PINFLOW_BATCH__SPARK_MASTER": "local[2]", "PINFLOW_BATCH__SPARK_CONF": ";".join(f"{key}={value}" for key, value in conf.items()),
                            "PINFLOW_BATCH__SPARK_JARS": ",".join([peer.environment["PINFLOW_SPARK_JARS"], *spark_peer.s3_jars()])}

    def ask(self, *arguments, engine="duckdb", **environment):
        done = subprocess.run([self.program, *map(str, arguments), "--data", str(self.data)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**self.environment, "PINFLOW_BATCH__ENGINE": engine, **environment}, timeout=900, check=False)
        self.said.append(done.stdout + done.stderr)
        return done

    def run(self, *arguments, engine="duckdb"):
        done = self.ask(*arguments, engine=engine)
        expect(done.returncode == 0, f"pinflow {' '.join(map(str, arguments))} with engine {engine} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-3000:]}")
        return done.stdout

    def told(self):
        return {"tables": on_spark.fingerprints(self.run("tables", "--fingerprint")), "answers": self.run("question", "all", "--format", "json", "--quiet"),
                "csv": self.run("question", "category_by_country", "--format", "csv", "--quiet")}


def timed(machine, *words, engine="spark"):
    begin = time.monotonic()
    machine.run("batch", "run", "--quiet", *words, engine=engine)
    return f"{time.monotonic() - begin:.1f} s"


def same(machine, wanted, first=False):
    told = machine.told()
    ours, theirs = ({name: table for name, table in one["tables"].items() if first or name not in BESIDE_THE_DAY_BEFORE} for one in (wanted, told))
    expect(set(ours) == set(theirs) and len(ours) >= 16, f"tables {sorted(ours)} against {sorted(theirs)}")
    wrong = [name for name in ours if ours[name] != theirs[name]]
    expect(not wrong, f"{len(wrong)} tables differ: {wrong}")
    expect(told["answers"] == wanted["answers"] and told["csv"] == wanted["csv"], "answers differ")
    return f"{len(ours)} tables, {sum(table['rows'] for table in ours.values())} rows"


def refused(machine, engine):
    done = machine.ask("batch", "run", "--quiet", engine=engine)
    expect(done.returncode != 0 and "--rebuild" in done.stderr, f"exit code {done.returncode}: {done.stderr[-500:]}")
    return done.stderr.strip()[:120]


def without_jars(machine):
    done = machine.ask("batch", "run", "--quiet", "--rebuild", engine="spark", PINFLOW_BATCH__SPARK_JARS=machine.environment["PINFLOW_SPARK_JARS"])
    expect(done.returncode != 0 and "org.apache.hadoop:hadoop-aws:3.4.2" in done.stderr, f"exit code {done.returncode}: {done.stderr[-2000:]}")
    return "the package is named"


def at_once(machines, wanted):
    """Two machines, whose state folders know nothing of each other, at the same moment: who was written over says so, and what readers see is whole."""
    children = [subprocess.Popen([machine.program, "batch", "run", "--quiet", "--data", str(machine.data)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**machine.environment, "PINFLOW_BATCH__ENGINE": "spark"}) for machine in machines]
    ended = []
    for machine, child in zip(machines, children):
        said = "".join(child.communicate(timeout=900))
        machine.said.append(said)
        ended.append((child.returncode, said))
    for code, said in ended:
        expect(code == 0 or "somebody else writes" in said or "concurrent" in said.lower(), f"exit code {code}: {said[-1500:]}")
    same(machines[0], wanted)
    return f"exit codes {sorted(code for code, _ in ended)}; readers see the same"


def no_secrets(machines, server):
    words = (servers.SECRET, servers.KEY)
    for machine in machines:
        for text in machine.said:
            expect(not any(word in text for word in words), "a command said a key")
        for path in filter(pathlib.Path.is_file, machine.data.glob("state/**/*")):
            expect(not any(word.encode() in path.read_bytes() for word in words), f"{path.name} in the state folder has a key")
    for path in filter(pathlib.Path.is_file, (server.data / servers.BUCKET).rglob("*.json")):
        expect(not any(word.encode() in path.read_bytes() for word in words), f"object {path.name} has a key")
    return f"{sum(len(machine.said) for machine in machines)} commands"


def checks(report, program, folder, server, posts):
    first = Machine(program, folder / "first", server)
    os.environ.update({name: value for name, value in first.environment.items() if name.startswith(("AWS_", "PINFLOW_")) or name == "no_proxy"})  # For `pinflow up`.
    rows = batch.synthetic_rows(first, posts)
    first.posts = posted.Posts(rows, 3, 2)
    first.posts.plain(0.9)
    first.posts.again()
    first.posts.changed(0.3)
    first.work()
    wanted = first.told()
    second, fresh = Machine(program, folder / "second", server), Machine(program, folder / "fresh", server, "fresh")
    for machine in (second, fresh):
        machine.data.mkdir()
    label = "Batch on Spark and S3"
    report.check(f"{label}: tables of DuckDB are refused", refused, first, "spark")
    report.check(f"{label}: without Hadoop's jars", without_jars, first)
    report.check(f"{label}: Spark takes over", timed, first, "--rebuild")
    report.check(f"{label}: tables and answers equal DuckDB's", same, first, wanted)
    report.check(f"{label}: DuckDB refuses them", refused, first, "duckdb")
    report.check(f"{label}: DuckDB of another machine refuses them", refused, second, "duckdb")
    report.check(f"{label}: two machines at the same moment", at_once, (first, second), wanted)
    report.check(f"{label}: a run behind it", timed, first)
    report.check(f"{label}: tables and answers are the same", same, first, wanted)
    report.check(f"{label}: the tables are sound", lambda: first.run("tables", "check").splitlines()[-1])
    report.check(f"{label}: DuckDB takes over", lambda: timed(first, "--rebuild", engine="duckdb") + same(first, wanted)[:0])
    report.check(f"{label}: where no table was", timed, fresh)
    report.check(f"{label}: its tables and answers equal DuckDB's", same, fresh, wanted, True)
    report.check(f"{label}: no key was said", no_secrets, (first, second, fresh), server)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "batch-on-spark-s3"))
    parser.add_argument("--posts", type=int, default=11154)
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report([], folder)
    for name in [name for name in os.environ if name.startswith("PINFLOW_BATCH__")]:
        del os.environ[name]
    server = None
    try:
        server = servers.Versity(folder / "server").start()
        checks(report, str(pathlib.Path(options.pinflow).resolve()), folder, server, options.posts)
    except Missing as reason:
        report.skip("Batch on Spark and S3", str(reason))
    except Exception as failure:  # pylint: disable=broad-exception-caught  # The checks after it have nothing to stand on.
        report.check("Batch on Spark and S3", batch.raised, failure)
    finally:
        if server:
            server.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
