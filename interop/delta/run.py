#!/usr/bin/env python3
"""Lets readers that we did not write read the Delta tables of a pinflow that runs, and compares what they see with pinflow's own answer: rows,
nulls and a checksum of every column. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM [--folder DIR] [--long] [--posts N]

--long adds Apache Spark, as a reader and as one who rewrites tables that pinflow then goes on with.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

import spark_peer  # First: it lets the others find what interop/kafka and interop/http have.
import http_peers
from check_report import Report, expect
from kafka_peers import BUILD, Missing, ROOT

HERE = pathlib.Path(__file__).resolve().parent
PIN, GEO, USER = "pinterest_pin_table", "pinterest_geo_table", "pinterest_user_table"
STREAMED = (PIN, GEO, USER, "dead_letters")
# A checkpoint each three commits and a commit every 50 ms: many of both in a short run.
SETTINGS = {"stream.checkpoint_interval": 3, "stream.commit_interval": "50ms", "stream.max_commit_interval": "50ms", "stream.optimize_interval": "0s"}
AGED = datetime.timedelta(days=40)  # More than a log is kept.


class Reader:
    """A foreign reader as a child process, asked line by line."""

    def __init__(self, python, script, log_folder, environment=None):
        self.script = script
        self.errors = log_folder / f"{script}.err"
        with open(self.errors, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen([python, str(HERE / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        told = self.answer()
        self.name, self.past = told["reader"], told["past"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Missing(f"{self.script} ended: {self.errors.read_text(encoding='utf-8').strip()[-300:]}")
        return json.loads(line)

    def ask(self, **request):
        self.process.stdin.write(json.dumps({**request, "folder": str(request["folder"])}) + "\n")
        self.process.stdin.flush()
        told = self.answer()
        expect("error" not in told, f"{self.name}, {request['folder'].name}: {told.get('error')}")
        return told

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Pipeline:
    """A data folder on which pinflow runs now and then."""

    def __init__(self, program, folder, posts):
        self.program, self.folder, self.data = program, folder, folder / "data"
        self.tables = self.data / "tables"
        self.seed = 0
        self.run("source", "create", "--posts", posts, "--quiet")

    def ask(self, *arguments):
        """Runs a command on the data; returns its exit code and what it said."""
        done = subprocess.run([self.program, *map(str, arguments), "--data", str(self.data)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        return done.returncode, done.stdout or done.stderr  # A check that finds something says so on stdout.

    def run(self, *arguments):
        code, said = self.ask(*arguments)
        expect(code == 0, f"pinflow {' '.join(map(str, arguments))} ended with {code}: {said.strip()[-800:]}")
        return said

    def post(self, settings=None, days=0):
        """Runs pinflow, posts all rows of the source in another order than before, and some that cannot be rows; ends it. `days`: also pins that
        arrived on so many days."""
        self.seed += 1
        up = http_peers.Doors(self.program, self.folder, {**SETTINGS, **(settings or {})}).start()
        try:
            self.run("emulate", "--to", "both", "--burst", "--order", "shuffled", "--seed", self.seed, "--url", up.url, "--quiet")
            for broken in ("no object", {"index": "x", "ind": "x"}, []):
                body = json.dumps({"StreamName": "s", "Data": broken, "PartitionKey": "k"}).encode()
                request = urllib.request.Request(f"{up.url}/streams/streaming-pinterest-pin/record", body, {"Content-Type": "application/json"}, method="PUT")
                urllib.request.urlopen(request, timeout=30).close()
            if days:
                produce_pins(up.bootstrap, days, self.seed)
        finally:
            up.stop()
        expect(up.process.returncode == 0, f"pinflow up ended with {up.process.returncode}: {' | '.join(up.lines.all[-5:])}")

    def fingerprints(self):
        lines = self.run("tables", "--fingerprint").splitlines()
        return {line["table"]: line for line in map(json.loads, lines)}

    def commits(self, table):
        return sorted((self.tables / table / "_delta_log").glob("0*.json"))

    def checkpoints(self):
        return len(list(self.tables.glob("*/_delta_log/0*.checkpoint.parquet")))

    def age_log(self):
        """Makes all commits of the streamed tables look old, so that the next checkpoint's writer cleans the log."""
        for table in STREAMED:
            for commit in self.commits(table):
                status = commit.stat()
                os.utime(commit, ns=(status.st_atime_ns, status.st_mtime_ns - int(AGED.total_seconds() * 1e9)))


def produce_pins(bootstrap, days, seed):
    """Pins by a Kafka client, which states the time of each."""
    import confluent_kafka  # pylint: disable=import-outside-toplevel  # Needed by this step alone.
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    now = int(datetime.datetime.now().timestamp() * 1000)
    for number in range(100 * days):
        value = json.dumps({"index": seed * 1_000_000 + number, "poster_name": f"Reader {number % 7}", "follower_count": f"{number}k", "title": "Größe — \u2028 'x'"})
        producer.produce("streaming-pinterest-pin", value, timestamp=now - number % days * 86_400_000)
    expect(producer.flush(60) == 0, "pins of several days were not acknowledged")


def difference(ours, theirs):
    """Says what differs; nothing where both see the same. A reader that does not tell a version is not asked for it."""
    if theirs["rows"] != ours["rows"]:
        return f"{theirs['rows']} rows, not {ours['rows']}"
    if theirs["version"] not in (None, ours["version"]):
        return f"version {theirs['version']}, not {ours['version']}"
    if list(theirs["columns"]) != list(ours["columns"]):
        return f"columns {list(theirs['columns'])}, not {list(ours['columns'])}"
    for column, told in ours["columns"].items():
        if theirs["columns"][column] != told:
            return f"{column}: {theirs['columns'][column]}, not {told}"
    return ""


class Proof:
    def __init__(self, report, pipeline, readers):
        self.report, self.pipeline, self.readers = report, pipeline, readers
        self.then = {}  # What pinflow said of each table when it was new.
        self.compared = {}  # Of each table, the version that was compared last.

    def agree(self, what, again=False, **more):
        """Each reader sees what pinflow sees, in all tables that have commits that were not compared yet; `again`: in all."""
        ours = self.pipeline.fingerprints()
        expect(len(ours) >= len(STREAMED), f"only {len(ours)} tables")
        changed = {name: line for name, line in ours.items() if again or line["version"] != self.compared.get(name)}
        for reader in self.readers:
            self.report.check(f"{what}, read by {reader.name}", self.same, reader, changed, more)
        self.compared = {name: line["version"] for name, line in ours.items()}
        return ours

    def same(self, reader, ours, more):
        for name, line in ours.items():
            told = reader.ask(folder=self.pipeline.tables / name, **more)
            wrong = difference(line, told) or "; ".join(told.get("wrong", [])[:5])
            expect(not wrong, f"{name}: {wrong}")
        return f"{len(ours)} tables, {sum(line['rows'] for line in ours.values())} rows"

    def past(self, reader, by):
        """Versions that other commits followed are read as pinflow saw them when they were new."""
        read = 0
        for name, line in self.then.items():
            version = line["version"]
            commits = self.pipeline.commits(name)
            if name not in STREAMED or int(commits[-1].stem) == version:
                continue
            wanted = {"version": version}
            if by == "time":
                at = (commits[version].stat().st_mtime_ns // 1_000_000 + 1) / 1000
                wanted = {"time": datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
            told = reader.ask(folder=self.pipeline.tables / name, **wanted)
            wrong = difference(line, {**told, "version": told["version"] if by == "version" else None})
            expect(not wrong, f"{name} as of {wanted}: {wrong}")
            read += 1
        expect(read >= 3, f"only {read} tables have an older version to read")
        return f"{read} tables"

    def sound(self):
        code, said = self.pipeline.ask("tables", "check")
        lines = [line for line in said.splitlines() if not line.endswith(": sound")]
        expect(code == 0 and not lines, f"exit code {code}: " + " | ".join(lines)[:1500])
        return f"{len(said.splitlines())} tables"

    def check_sound(self, when):
        self.report.check(f"`pinflow tables check` {when}", self.sound)

    # The life of the tables, step by step.

    def first_days(self):
        for _ in range(2):
            self.pipeline.post()
            self.pipeline.run("batch", "run", "--quiet")
        expect(self.pipeline.checkpoints() > 3, f"only {self.pipeline.checkpoints()} checkpoints")
        self.then = self.agree(f"Delta tables past {self.pipeline.checkpoints()} checkpoints", hold=True)

    def another_column(self):
        statements = self.pipeline.folder / "statements/clean"
        statements.mkdir(parents=True)
        clean = (ROOT / "sql/clean/pin.sql").read_text(encoding="utf-8")
        more = clean.replace("  arrived_at\nFROM", "  arrived_at,\n  CAST(length(title) AS BIGINT) AS title_length\nFROM").replace("source_offset, arrived_at", "source_offset, arrived_at, title_length")
        expect(more.count("title_length") == 2, "sql/clean/pin.sql is not as this check knows it")
        (statements / "pin.sql").write_text(more, encoding="utf-8")
        self.pipeline.post({"sql.statements": statements.parent})
        ours = self.pipeline.fingerprints()
        expect("title_length" in ours[PIN]["columns"], "the column was not added")
        self.pipeline.run("tables", "optimize")
        self.agree("a column added at the end, and small files put together")
        for by in ("version", "time"):
            for reader in self.readers:
                if by in reader.past:
                    self.report.check(f"older state by {by}, read by {reader.name}", self.past, reader, by)

    def clearing(self):
        before = sum(1 for _ in self.pipeline.tables.glob("*/*.parquet"))
        self.pipeline.run("tables", "vacuum", "--retention", 0, "--allow-short")
        after = sum(1 for _ in self.pipeline.tables.glob("*/*.parquet"))
        expect(after < before, f"the vacuum took nothing of {before} files")
        self.pipeline.age_log()
        self.pipeline.post()
        first = int(self.pipeline.commits(PIN)[0].stem)
        expect(first > 0, "the log of the pins was not cleaned")
        self.agree(f"after a vacuum ({before} files, {after} left) and a log that begins with commit {first}", again=True)
        self.check_sound("after vacuum and log cleanup")

    def by_date(self):
        """Tables whose rows lie by the date of their arrival."""
        pipeline = Pipeline(self.pipeline.program, self.pipeline.folder / "by-date", 300)
        dated = Proof(self.report, pipeline, self.readers)
        for _ in range(2):
            pipeline.post({"stream.partition_by": "date"}, days=4)
        dates = {folder.name for folder in (pipeline.tables / PIN).glob("arrival_date=*")}
        expect(len(dates) >= 4, f"only the dates {dates}")
        dated.agree(f"tables partitioned by {len(dates)} dates", hold=True)
        pipeline.run("tables", "optimize")
        dated.agree("the same, small files put together", again=True)
        dated.check_sound("of partitioned tables")

    def rewritten_by(self, spark):
        """Spark rewrites tables that stand still; pinflow goes on with them."""
        for name in (PIN, GEO):
            folder = self.pipeline.tables / name
            told = spark.ask(folder=folder, do="optimize")
            expect(told["removed"] >= 2, f"Spark found nothing to put together in {name}: {told}")
            spark.ask(folder=folder, do="checkpoint")
        self.agree("after OPTIMIZE and a checkpoint by Spark")
        self.check_sound("after OPTIMIZE and a checkpoint by Spark")
        self.pipeline.post()
        self.agree("pinflow goes on where Spark rewrote")
        self.check_sound("where pinflow went on behind Spark")
        spark.ask(folder=self.pipeline.tables / PIN, do="append", rows=100)
        spark.ask(folder=self.pipeline.tables / USER, do="append", rows=100)
        self.agree("after an append by Spark to tables that stand still")
        self.pipeline.post()
        self.pipeline.run("tables", "optimize")
        self.agree("after pinflow put Spark's files together with its own")
        self.check_sound("after pinflow put Spark's files together with its own")


def start_readers(report, folder, long):
    readers, spark = [], None
    for python, script in ((sys.executable, "read_deltalake.py"), (sys.executable, "read_duckdb.py")):
        try:
            readers.append(Reader(python, script, folder))
        except Missing as reason:
            report.skip(f"Delta tables read by {script}", str(reason))
    if long:
        try:
            peer = spark_peer.spark()
            spark = Reader(peer.python, "read_spark.py", folder, peer.environment)
            readers.append(spark)
        except Missing as reason:
            report.skip("Delta tables read and rewritten by Spark", str(reason))
    return readers, spark


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "delta"))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--posts", type=int, default=2000)
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report([], folder)
    readers, spark = start_readers(report, folder, options.long)
    try:
        if readers:
            proof = Proof(report, Pipeline(options.pinflow, folder, options.posts), readers)
            steps = [proof.first_days, proof.another_column, proof.clearing]
            if "stream.partition_by" in proof.pipeline.run("config", "print"):
                steps.append(proof.by_date)
            if spark:
                steps.append(lambda: proof.rewritten_by(spark))
            for step in steps:
                failed = report.failed
                name = getattr(step, "__name__", "step").replace("_", " ")
                try:
                    step()
                except Exception as failure:  # pylint: disable=broad-exception-caught  # The steps after it have nothing to stand on.
                    report.check(f"Delta tables, {name}", raised, failure)
                    break
                if report.failed > failed:
                    break
    finally:
        for reader in readers:
            reader.close()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


def raised(failure):
    raise failure


if __name__ == "__main__":
    sys.exit(main())
