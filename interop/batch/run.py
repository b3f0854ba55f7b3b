#!/usr/bin/env python3
"""Holds pinflow's batch lane against answers that Spark computes from the same posts: by DataFrames written from the rules alone, and by pinflow's own SQL
files; and the batch lane's tables against the stream lane's. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM [--folder DIR] [--long] [--posts N] [WORD ...]
"""
import argparse
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("delta", "http", "kafka")]

import http_peers  # noqa: E402  pylint: disable=wrong-import-position
import posted  # noqa: E402  pylint: disable=wrong-import-position
import spark_peer  # noqa: E402  pylint: disable=wrong-import-position
from check_report import Report, expect  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position

REAL = pathlib.Path(os.environ.get("PINFLOW_TEST_DATA", ROOT.parent / "shared" / "data")) / "real"
TOPICS = ("pinterest.{}", "streaming-pinterest-{}")
STREAMED = {kind: f"pinterest_{kind}_table" for kind in posted.KINDS}
CLEANED = {kind: f"batch_{kind}" for kind in posted.KINDS}
MODEL = {"posts": "batch_posts", "people": "batch_people"}
OWN_COLUMNS = ("source_topic", "arrived_at", "arrival_date")  # Differ by lane and by moment.


class Spark:
    """spark_answers.py as a child process."""

    def __init__(self, folder):
        peer = spark_peer.spark()
        self.errors = folder / "spark.err"
        with open(self.errors, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen([peer.python, str(HERE / "spark_answers.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=peer.environment)
        self.name = self.answer()["reader"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Missing(f"Spark ended: {self.errors.read_text(encoding='utf-8').strip()[-300:]}")
        return json.loads(line)

    def ask(self, **request):
        self.process.stdin.write(json.dumps({name: str(value) for name, value in request.items()}) + "\n")
        self.process.stdin.flush()
        told = self.answer()
        expect("error" not in told, f"Spark: {told.get('error')}")
        return told

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Pipeline:
    """A data folder of pinflow's, and what it says of it."""

    def __init__(self, program, folder, posts):
        self.program, self.folder, self.data, self.posts = program, folder, folder / "data", posts
        self.given = 0
        folder.mkdir(parents=True)

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments), "--data", str(self.data)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=600, check=False)
        expect(done.returncode == 0, f"pinflow {' '.join(map(str, arguments))} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
        return done.stdout

    def work(self):
        """Posts what was not posted yet to a pinflow that runs, ends it, runs the batch."""
        up = http_peers.Doors(self.program, self.folder, {"topics.partitions": self.posts.partitions, "kafka.default_partitions": self.posts.partitions}).start()
        try:
            posted.produce(up.bootstrap, self.posts.records[self.given:], TOPICS)
            self.given = len(self.posts.records)
        finally:
            up.stop()
        expect(up.process.returncode == 0, f"pinflow up ended with {up.process.returncode}: {' | '.join(up.lines.all[-5:])}")
        self.run("batch", "run", "--quiet")
        self.posts.write(self.folder / "posted.jsonl")

    def answers(self):
        """All answers, as JSON, as CSV and from the Delta tables; each {question: (columns, rows)}."""
        told = json.loads(self.run("question", "all", "--format", "json", "--quiet"))
        yield "JSON", {name: (list(rows[0]) if rows else None, [list(row.values()) for row in rows]) for name, rows in told.items()}
        yield "CSV", {name: table_of(self.run("question", name, "--format", "csv", "--quiet")) for name in told}
        tables = {}
        for name in told:
            rows = self.table(f"question_{name}").sort_by("answer_order").drop_columns(["answer_order"])
            tables[name] = (rows.column_names, [list(row) for row in zip(*(column.to_pylist() for column in rows.columns))])
        yield "Delta", tables

    def table(self, name):
        import deltalake  # pylint: disable=import-outside-toplevel  # main() has told where it is missing.
        return deltalake.DeltaTable(str(self.data / "tables" / name)).to_pyarrow_table()


def table_of(text):
    lines = list(csv.reader(io.StringIO(text, newline="")))
    return lines[0], lines[1:]


def spelled(value):
    """A cell as CSV has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows_of(table, columns):
    """The rows of an Arrow table in an order of their own, as plain values; times as microseconds."""
    import pyarrow as pa  # pylint: disable=import-outside-toplevel
    import pyarrow.types as types  # pylint: disable=import-outside-toplevel
    plain = []
    for name in columns:
        column = table[name]
        plain.append((column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()) if types.is_timestamp(column.type) else column).to_pylist())
    return sorted(zip(*plain), key=repr)


def same_rows(ours, theirs, columns, what):
    ours, theirs = rows_of(ours, columns), rows_of(theirs, columns)
    differ = next(((mine, other) for mine, other in zip(ours, theirs) if repr(mine) != repr(other)), None)
    expect(differ is None and len(ours) == len(theirs), f"{what}: {len(ours)} rows against {len(theirs)}" + (f"; {differ[0]} against {differ[1]}" if differ else ""))
    return len(ours)


def places(table):
    return sorted([partition, offset] for partition, offset in zip(table["source_partition"].to_pylist(), table["source_offset"].to_pylist()))


class Proof:
    def __init__(self, report, spark, pipeline, name):
        self.report, self.spark, self.pipeline, self.name = report, spark, pipeline, name
        self.since = 0  # Records of the days before.

    def day(self, what, ways=("own",)):
        """Posts, runs the batch and compares all; returns the answers."""
        self.since = self.pipeline.given
        self.pipeline.work()
        for way in ways:
            folder = self.pipeline.folder / f"spark-{way}"
            name = f"Batch, {self.name}, {what}, " + ("answers of our own PySpark" if way == "own" else "pinflow's SQL files on Spark")
            self.report.check(name, self.agrees, way, folder)
        self.report.check(f"Batch, {self.name}, {what}: batch equals stream", self.lanes_agree)
        return dict(self.pipeline.answers())["CSV"]

    def agrees(self, way, folder):
        told = self.spark.ask(posted=self.pipeline.folder / "posted.jsonl", since=self.since, folder=folder, way=way)
        cells = self.same_answers(told["answers"])
        rows = self.same_tables(folder)
        for kind in posted.KINDS:
            self.same_dead_letters(kind, told["no_rows"][kind])
        if "findings" in told:
            self.same_findings(told["findings"])
        return f"{len(told['answers'])} questions, {cells} cells, {rows} rows"

    def same_answers(self, theirs):
        cells = 0
        for form, ours in self.pipeline.answers():
            expect(set(ours) == set(theirs), f"questions as {form}: {sorted(ours)}, not {sorted(theirs)}")
            for name, told in theirs.items():
                columns, rows = ours[name]
                wanted = [[spelled(cell) for cell in row] for row in told["rows"]] if form == "CSV" else told["rows"]
                expect(columns in (None, told["columns"]), f"{name} as {form}: columns {columns}, not {told['columns']}")
                expect(len(rows) == len(wanted), f"{name} as {form}: {len(rows)} rows, not {len(wanted)}")
                for mine, other in zip(rows, wanted):
                    expect(repr(mine) == repr(other), f"{name} as {form}: {mine}, not {other}")
                cells += sum(map(len, wanted))
        expect(cells > 1000, f"only {cells} cells")
        return cells

    def same_tables(self, folder):
        import pyarrow.parquet  # pylint: disable=import-outside-toplevel
        rows = 0
        for name, table in {**CLEANED, **MODEL}.items():
            theirs = pyarrow.parquet.read_table(folder / name)
            ours = self.pipeline.table(table)
            columns = [column for column in ours.column_names if column not in OWN_COLUMNS]
            expect(set(columns) == set(theirs.column_names) - set(OWN_COLUMNS), f"{table}: columns {columns}, not {theirs.column_names}")
            rows += same_rows(ours, theirs, columns, table)
        return rows

    def same_dead_letters(self, kind, wanted):
        for table, topic in (("batch_dead_letters", TOPICS[0]), ("dead_letters", TOPICS[1])):
            import pyarrow.compute as compute  # pylint: disable=import-outside-toplevel
            letters = self.pipeline.table(table)
            ours = places(letters.filter(compute.equal(letters["source_topic"], topic.format(kind))))
            expect(ours == sorted(wanted), f"{table} of {kind}: {len(ours)} against {len(wanted)}; {[place for place in ours if place not in wanted][:3]} alone here, "
                                           f"{[place for place in wanted if place not in ours][:3]} alone there")

    def same_findings(self, theirs):
        last = json.loads(self.pipeline.run("runs", "list", "--limit", "1", "--output", "json"))[0]
        ours = {name: told["findings"] for name, told in last["report"]["checks"].items()}
        for name, count in theirs.items():
            mine = ours.get(name)
            expect(mine == count, f"check {name}: {mine} findings, not {count}")

    def lanes_agree(self):
        """The latest row a post of the streamed tables, made here, against the batch lane's tables."""
        rows = 0
        for kind in posted.KINDS:
            batch, stream = self.pipeline.table(CLEANED[kind]), self.pipeline.table(STREAMED[kind])
            columns = [column for column in batch.column_names if column not in OWN_COLUMNS]
            last = {}
            for place, key in enumerate(zip(stream["ind"].to_pylist(), stream["source_offset"].to_pylist(), stream["source_partition"].to_pylist())):
                if key[0] not in last or key > last[key[0]][0]:
                    last[key[0]] = (key, place)
            rows += same_rows(batch, stream.take([place for _, place in last.values()]), columns, f"{CLEANED[kind]} and {STREAMED[kind]}")
        return f"{rows} rows"


def real_rows():
    if not REAL.is_dir():
        raise Missing("the folder of real rows is not here: PINFLOW_TEST_DATA, else ../shared/data")
    return {kind: [json.loads(line) for line in (REAL / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()] for kind in posted.KINDS}


def synthetic_rows(pipeline, number):
    """The synthetic data set, as the emulator would post it."""
    pipeline.run("source", "create", "--posts", number, "--quiet")
    rows = {kind: [] for kind in posted.KINDS}
    for line in pipeline.run("emulate", "--to", "console", "--burst", "--order", "in-order", "--connections", 1, "--quiet").splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            rows["pin" if "index" in row else "geo" if "country" in row else "user"].append(row)
    expect(all(len(rows[kind]) == number for kind in rows), f"the emulator gave { {kind: len(rows[kind]) for kind in rows} }")
    return rows


def unchanged(before, after):
    for name, told in before.items():
        expect(after[name] == told, f"{name} is another answer than before")
    return f"{len(before)} questions"


def real(report, spark, program, folder, long):
    pipeline = Pipeline(program, folder / "real", posted.Posts(real_rows(), 1, 1))
    proof = Proof(report, spark, pipeline, "real rows")
    pipeline.posts.plain()
    before = proof.day("posted once", ("own", "files") if long else ())
    pipeline.posts.again()
    after = proof.day("posted again, shuffled, spelled anew, with broken records", ("own", "files") if long else ("own",))
    report.check("Batch, real rows: posting again changed no answer", unchanged, before, after)


def synthetic(report, spark, program, folder, number, long):
    pipeline = Pipeline(program, folder / "synthetic", posted.Posts({kind: [] for kind in posted.KINDS}, 2, 2))
    rows = synthetic_rows(pipeline, number)
    pipeline.posts = posts = posted.Posts(rows, 3, 2)
    proof = Proof(report, spark, pipeline, "synthetic posts")
    late = posts.plain(0.9)
    if long:
        proof.day("one record in ten missing", ("own", "files"))
        posts.late(late)
        proof.day("late records arrived", ("own",))
        posts.again()
        posts.changed(0.3)
    else:
        posts.again()
        posts.changed(0.3)
        proof.day("records missing, repeated, broken, changed", ("own", "files"))
        return
    proof.day("repeated, broken, changed", ("own", "files"))
    posts.changed(0.05)
    proof.day("few changed", ("own", "files"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "batch"))
    parser.add_argument("--long", action="store_true", help="more days, each by both ways, and more posts")
    parser.add_argument("--posts", type=int, default=0, help="synthetic posts; 1,500, with --long 11,154")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder)
    program = str(pathlib.Path(options.pinflow).resolve())
    spark = None
    try:
        import deltalake  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
        spark = Spark(folder)
        for name, step in (("synthetic posts", lambda: synthetic(report, spark, program, folder, options.posts or (11154 if options.long else 1500), options.long)),
                           ("real rows", lambda: real(report, spark, program, folder, options.long))):
            try:
                step()
            except Missing as reason:
                report.skip(f"Batch, {name}", str(reason))
            except Exception as failure:  # pylint: disable=broad-exception-caught  # The days after it have nothing to stand on.
                report.check(f"Batch, {name}", raised, failure)
    except (Missing, ImportError) as reason:
        report.skip("Batch answers beside Spark", str(reason))
    finally:
        if spark:
            spark.close()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


def raised(failure):
    raise failure


if __name__ == "__main__":
    sys.exit(main())
