#!/usr/bin/env python3
"""Runs the same batch by DuckDB, within pinflow, and by Spark, as `batch.engine = "spark"`: over the same objects, with repeats, dirt and broken records. All tables and
answers must be equal, and neither engine may write the other's tables unasked. One line a check; exit code 1 if one fails.

    on_spark.py --pinflow PROGRAM [--folder DIR] [--long] [--posts N] [WORD ...]
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import run as batch  # First: it lets the others find what interop/kafka, interop/http and interop/delta have.
import posted
import spark_peer
from check_report import Report, expect
from kafka_peers import BUILD, Missing

OF_RUN = {"run_id", "checked_at"}  # Columns that tell of the run.


class OnSpark:
    """A copy of a data folder, whose batch runs on Spark."""

    def __init__(self, pipeline, folder, memory):
        peer = spark_peer.spark()
        self.program, self.data = pipeline.program, folder / "data"
        shutil.copytree(pipeline.data, self.data)  # Times of files too: they are the times of arrival.
        conf = {"spark.driver.memory": memory, "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
                "spark.sql.shuffle.partitions": "4", "spark.databricks.delta.snapshotPartitions": "2"}
        self.environment = {**peer.environment, "PINFLOW_BATCH__ENGINE": "spark", "PINFLOW_BATCH__SPARK_SUBMIT": str(pathlib.Path(peer.python).parent / "spark-submit"),
                            "PINFLOW_BATCH__SPARK_MASTER": "local[2]", "PINFLOW_BATCH__SPARK_JARS": peer.environment["PINFLOW_SPARK_JARS"],
                            "PINFLOW_BATCH__SPARK_CONF": ";".join(f"{key}={value}" for key, value in conf.items())}

    def ask(self, *arguments, engine="spark"):
        environment = {**self.environment, "PINFLOW_BATCH__ENGINE": engine}
        return subprocess.run([self.program, *map(str, arguments), "--data", str(self.data)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment, timeout=3600, check=False)

    def run(self, *arguments, engine="spark"):
        done = self.ask(*arguments, engine=engine)
        expect(done.returncode == 0, f"pinflow {' '.join(arguments)} with engine {engine} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout

    def forget(self):
        """Takes away all that a batch made."""
        for table in (self.data / "tables").iterdir():
            if table.name.startswith(("batch", "question_")):
                shutil.rmtree(table)


def fingerprints(text):
    tables = {}
    for line in map(json.loads, text.splitlines()):
        if line["table"].startswith(("batch_", "question_")):
            columns = line["columns"]
            tables[line["table"]] = {"rows": line["rows"], "columns": {name: told for name, told in columns.items() if name not in OF_RUN}}
    return tables


def same(pipeline, spark):
    ours, theirs = (fingerprints(one.run("tables", "--fingerprint")) for one in (pipeline, spark))
    expect(set(ours) == set(theirs) and len(ours) >= 18, f"tables {sorted(ours)} against {sorted(theirs)}")
    wrong = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    expect(not wrong, f"{len(wrong)} tables differ: {json.dumps(wrong)[:1500]}")
    for form in ("json", "csv"):
        words = ["question", "all", "--format", "json", "--quiet"] if form == "json" else ["question", "category_by_country", "--format", "csv", "--quiet"]
        expect(pipeline.run(*words) == spark.run(*words), f"answers as {form}")
    return f"{len(ours)} tables, {sum(told['rows'] for told in ours.values())} rows"


def timed(spark, *words):
    begin = time.monotonic()
    spark.run("batch", "run", "--quiet", *words)
    return f"{time.monotonic() - begin:.1f} s"


def refused(spark, engine):
    done = spark.ask("batch", "run", "--quiet", engine=engine)
    expect(done.returncode != 0 and "--rebuild" in done.stderr, f"exit code {done.returncode}: {done.stderr[-500:]}")
    return done.stderr.strip()[:160]


def days(report, pipeline, folder, name, memory):
    spark = OnSpark(pipeline, folder / f"{name}-spark", memory)
    label = f"Batch on Spark, {name}"
    report.check(f"{label}: tables of DuckDB are refused", refused, spark, "spark")
    spark.forget()
    report.check(f"{label}: a run", timed, spark)
    report.check(f"{label}: tables and answers equal DuckDB's", same, pipeline, spark)
    report.check(f"{label}: DuckDB refuses them", refused, spark, "duckdb")
    report.check(f"{label}: DuckDB takes over", lambda: spark.run("batch", "run", "--rebuild", "--quiet", engine="duckdb") and "rebuilt" or "rebuilt")
    report.check(f"{label}: Spark takes over", timed, spark, "--rebuild")
    report.check(f"{label}: the tables are sound", lambda: spark.run("tables", "check").splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "batch-on-spark"))
    parser.add_argument("--long", action="store_true", help="a million posts too")
    parser.add_argument("--posts", type=int, default=11154)
    parser.add_argument("words", nargs="*", help="only posts with one of these words in their names")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report([], folder)
    program = str(pathlib.Path(options.pinflow).resolve())
    os.environ.pop("PINFLOW_BATCH__ENGINE", None)

    def synthetic(number, name, memory):
        pipeline = batch.Pipeline(program, folder / name, posted.Posts({kind: [] for kind in posted.KINDS}, 2, 2))
        pipeline.posts = posts = posted.Posts(batch.synthetic_rows(pipeline, number), 3, 2)
        posts.plain(0.9)
        posts.again()
        posts.changed(0.3)
        pipeline.work()
        days(report, pipeline, folder, name, memory)

    def real():
        pipeline = batch.Pipeline(program, folder / "real", posted.Posts(batch.real_rows(), 1, 1))
        pipeline.posts.plain()
        pipeline.posts.again()
        pipeline.work()
        days(report, pipeline, folder, "real", "2g")

    steps = [("synthetic posts", lambda: synthetic(options.posts, "synthetic", "2g")), ("real rows", real)]
    if options.long:
        steps.append(("a million posts", lambda: synthetic(1_000_000, "million", "8g")))
    for name, step in steps:
        if options.words and not any(word in name for word in options.words):
            continue
        try:
            step()
        except Missing as reason:
            report.skip(f"Batch on Spark, {name}", str(reason))
        except Exception as failure:  # pylint: disable=broad-exception-caught  # The checks after it have nothing to stand on.
            report.check(f"Batch on Spark, {name}", batch.raised, failure)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
