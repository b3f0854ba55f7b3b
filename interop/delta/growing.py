#!/usr/bin/env python3
"""Lets Spark read the streamed tables again and again while a pinflow appends to them, puts their files together and writes checkpoints. Each read must be a state that the
table had: of each source partition the rows are those from the first to the last that the transactions of the same version name, each once, never fewer than before; and
an earlier version stays what it was. One line a check; exit code 1 if one fails.

    growing.py --pinflow PROGRAM [--folder DIR] [--reads N] [--posts N]
"""
import argparse
import json
import pathlib
import shutil
import sys
import threading

import run as tables  # First: it lets the others find what interop/kafka and interop/http have.
import http_peers
import spark_peer
from check_report import Report, expect
from kafka_peers import BUILD, Missing

STREAMED = (tables.PIN, tables.GEO, tables.USER)
SETTINGS = {"stream.checkpoint_interval": 5, "stream.commit_interval": "50ms", "stream.max_commit_interval": "50ms", "stream.optimize_interval": "1s", "topics.partitions": 3}


class Feed(threading.Thread):
    """Posts all rows of the source to the streams again and again until it may stop; and pins to every partition."""

    def __init__(self, pipeline, up):
        super().__init__(daemon=True)
        self.pipeline, self.up = pipeline, up
        self.enough, self.rounds, self.failure = threading.Event(), 0, None
        self.start()

    def run(self):
        try:
            while not self.enough.is_set():
                self.rounds += 1
                self.pipeline.run("emulate", "--to", "streams", "--rate", 400, "--order", "shuffled", "--seed", self.rounds, "--url", self.up.url, "--quiet")
                tables.produce_pins(self.up.bootstrap, 3, self.rounds)
        except Exception as failure:  # pylint: disable=broad-exception-caught  # Told by the thread that waits.
            self.failure = failure


def held(name, told, before):
    """Holds one read of a table against its own transactions, and against the read before it."""
    # The last part of a transaction's name is the partition.
    ends = {app.rsplit(":", 1)[1]: last for app, last in told["transactions"].items()}
    rows = {partition: tuple(counts) for partition, counts in told["partitions"].items()}
    expect(rows == {partition: (last + 1, last + 1, 0, last) for partition, last in ends.items() if last >= 0},
           f"{name} at version {told['version']}: rows, distinct offsets, first and last are {rows}, the transactions name {ends}")
    expect(not before or told["version"] >= before["version"], f"{name}: version {told['version']} after {before and before['version']}")
    for partition, counts in (before or {"partitions": {}})["partitions"].items():
        expect(rows.get(partition, (0,))[0] >= counts[0], f"{name}, partition {partition}: {rows.get(partition)} after {counts}")


def operations(pipeline, table):
    """How often the table was written, by what was done, of the commits whose files are still there."""
    counts = {}
    for commit in pipeline.commits(table):
        for line in commit.read_text(encoding="utf-8").splitlines():
            if "commitInfo" in line and (info := json.loads(line).get("commitInfo")):
                counts[info["operation"]] = counts.get(info["operation"], 0) + 1
    return counts


def grows(pipeline, spark, reads):
    up = http_peers.Doors(pipeline.program, pipeline.folder, SETTINGS).start()
    feed = Feed(pipeline, up)
    first, last, versions = {}, {}, {name: set() for name in STREAMED}
    try:
        while min(map(len, versions.values())) < reads and not feed.failure:
            for name in STREAMED:
                if not pipeline.commits(name):
                    continue
                told = spark.ask(folder=pipeline.tables / name, do="positions")
                held(name, told, last.get(name))
                first.setdefault(name, told)
                last[name] = told
                versions[name].add(told["version"])
        for name, told in first.items():
            again = spark.ask(folder=pipeline.tables / name, do="positions", version=told["version"])
            expect(again["partitions"] == told["partitions"], f"{name}: version {told['version']} was {told['partitions']} and is now {again['partitions']}")
    finally:
        feed.enough.set()
        feed.join(120)
        up.stop()
    if feed.failure:
        raise feed.failure
    written = operations(pipeline, tables.PIN)
    expect(written.get("OPTIMIZE", 0) >= 2, f"files were not put together while Spark read: {written}")
    expect(any((pipeline.tables / tables.PIN / "_delta_log").glob("*.checkpoint.parquet")), "no checkpoint was written while Spark read")
    for name in STREAMED:
        told = spark.ask(folder=pipeline.tables / name, do="positions")
        held(name, told, last[name])
        last[name] = told
    rows = sum(counts[0] for told in last.values() for counts in told["partitions"].values())
    return f"{sum(map(len, versions.values()))} versions read, {rows} rows at the end; commits of the pins: {written}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "delta-growing"))
    parser.add_argument("--reads", type=int, default=25, help="different versions of each table")
    parser.add_argument("--posts", type=int, default=1000)
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report, name, spark = Report([], folder), "Delta tables read by Spark while they grow", None
    try:
        peer = spark_peer.spark()
        spark = tables.Reader(peer.python, "read_spark.py", folder, peer.environment)
        pipeline = tables.Pipeline(str(pathlib.Path(options.pinflow).resolve()), folder, options.posts)
        report.check(name, grows, pipeline, spark, options.reads)
        report.check("`pinflow tables check` after it", tables.Proof(report, pipeline, []).sound)
    except Missing as reason:
        report.skip(name, str(reason))
    finally:
        if spark:
            spark.close()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
