"""The batch of pinflow on Spark: pinflow's own SQL files over the sunk objects, the results as Delta tables. pinflow starts it, by spark-submit or as a
Databricks job, and publishes what it made:

    pinflow_batch.py JOB RESULT

Both are addresses. JOB has the objects, the statements and the places (docs/formats/spark-job.md); RESULT is written last. All tables are made anew in each run.
What is a row and what a dead letter, and why, is the same as in src/records/raw_batch.cc; the tests hold both against the same records.
"""
import base64
import binascii
import datetime
import gzip
import json
import re
import sys
import traceback

import pyarrow as pa
from pyspark.sql import SparkSession, functions as F

TEXT, WHOLE, SMALL, REAL = "text", "whole", "small", "real"
COLUMNS = {
    "pin": {"index": WHOLE, "unique_id": TEXT, "title": TEXT, "description": TEXT, "poster_name": TEXT, "follower_count": TEXT, "tag_list": TEXT, "is_image_or_video": TEXT, "image_src": TEXT,
            "downloaded": SMALL, "save_location": TEXT, "category": TEXT},
    "geo": {"ind": WHOLE, "timestamp": TEXT, "latitude": REAL, "longitude": REAL, "country": TEXT},
    "user": {"ind": WHOLE, "first_name": TEXT, "last_name": TEXT, "age": SMALL, "date_joined": TEXT},
}
ARROW = {TEXT: pa.string(), WHOLE: pa.int64(), SMALL: pa.int32(), REAL: pa.float64()}
SOURCE = {"source_topic": pa.string(), "source_partition": pa.int32(), "source_offset": pa.int64(), "arrived_at": pa.timestamp("us", "UTC")}
FAULT = {"object_first": pa.int64(), "reason": pa.string(), "raw": pa.binary()}
SPARK = {pa.string(): "STRING", pa.int64(): "BIGINT", pa.int32(): "INT", pa.float64(): "DOUBLE", pa.timestamp("us", "UTC"): "TIMESTAMP", pa.binary(): "BINARY"}
MOST_BYTES, MOST_LEVELS, MOST_WRAPS = 1 << 20, 64, 3
BITS = {WHOLE: 63, SMALL: 31}

BLANKS = re.compile(r"[ \t\n\r]*")
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*"')
WORD = re.compile(r'[^ \t\n\r,:\[\]{}"]+')
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?")
ESCAPE, NULL_LINE = b'{"pinflow.raw":', b'{"pinflow.raw":null}'
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
NOT_JSON, BAD_ESCAPE = "the record is not JSON", "the record has an escape that is no character"


class NoRow(ValueError):
    """Why a record is no row."""


def trim(text):
    return text.strip(" \t\n\r")


def is_word(text):
    return text in ("true", "false", "null") or NUMBER.fullmatch(text) is not None


def unquoted(token):
    """The text that a JSON string stands for; None where an escape is no character."""
    try:
        text = json.loads(token)
        text.encode()  # Half of a surrogate pair cannot be encoded.
        return text
    except ValueError:
        return None


def real(spelling, column):
    if not NUMBER.fullmatch(spelling):
        raise NoRow(f"member '{column}' is not a number")
    value = float(spelling)
    if value in (float("inf"), float("-inf")) or value == 0 and re.search("[1-9]", re.split("[eE]", spelling)[0]):
        raise NoRow(f"member '{column}' is out of range")
    return value


def whole(spelling, column, kind):
    if not NUMBER.fullmatch(spelling):
        raise NoRow(f"member '{column}' is not a whole number")
    if re.fullmatch("-?[0-9]+", spelling):
        value = int(spelling) if len(spelling) < 30 else 1 << 64
    else:
        exact = real(spelling, column)
        if exact != int(exact):
            raise NoRow(f"member '{column}' is not a whole number")
        # Past it a double no longer says which integer it means.
        value = int(exact) if abs(exact) <= 2.0**53 else 1 << 64
    if not -(1 << BITS[kind]) <= value < 1 << BITS[kind]:
        raise NoRow(f"member '{column}' is out of range")
    return value


def cell(token, column, kind):
    """The value of a column of what stands in the record for it."""
    if token[0] == '"':
        text = unquoted(token)
        if text is None:
            raise NoRow(f"member '{column}' has an escape that is no character")
        if kind == TEXT:
            return text
        token = trim(text)
        if not token:
            return None
    elif token == "null":
        return None
    elif token in ("true", "false") or token[0] in "{[":
        raise NoRow(f"member '{column}' is not " + {TEXT: "text", REAL: "a number"}.get(kind, "a whole number"))
    if kind == TEXT:
        return token
    return real(token, column) if kind == REAL else whole(token, column, kind)


class Walk:
    """Walks the tokens of a text, for it is read as a whole even where only some members count."""

    def __init__(self, text):
        self.text = text

    def past_blanks(self, at):
        return BLANKS.match(self.text, at).end()

    def at(self, at, wanted):
        if self.text[at:at + 1] != wanted:
            raise NoRow(NOT_JSON)
        return self.past_blanks(at + 1)

    def value(self, at, depth, own=False):
        """The end of the value that begins here; what `own` says is looked at by the caller, down to its escapes."""
        if depth > MOST_LEVELS and not own:
            raise NoRow("the record is nested deeper than 64 levels")
        first = self.text[at:at + 1]
        if first == '"':
            return self.string(at, own)
        if first == "{":
            end = at
            for *_, end in self.members(at, depth):
                pass
            return self.close(at, end, "}")
        if first == "[":
            end = at
            for _, end in self.items(at, depth):
                pass
            return self.close(at, end, "]")
        word = WORD.match(self.text, at)
        if not word or not is_word(word.group()):
            raise NoRow(NOT_JSON)
        return word.end()

    def close(self, begin, end, mark):
        """The place behind the mark that ends what has no members, or whose last member ends here."""
        at = self.past_blanks(end if end > begin else begin + 1)
        if self.text[at:at + 1] != mark:
            raise NoRow(NOT_JSON)
        return at + 1

    def string(self, at, own=False):
        match = STRING.match(self.text, at)
        if not match:
            raise NoRow(NOT_JSON)
        if not own and "\\" in match.group() and unquoted(match.group()) is None:
            raise NoRow(BAD_ESCAPE)
        return match.end()

    def members(self, at, depth, own=()):
        """Each member of an object: name, begin and end of its value."""
        at = self.at(at, "{")
        while self.text[at:at + 1] != "}":
            end = self.string(at)
            name = unquoted(self.text[at:end])
            begin = self.at(self.past_blanks(end), ":")
            end = self.value(begin, depth + 1, name in own)
            yield name, begin, end
            at = self.past_blanks(end)
            if self.text[at:at + 1] == "}":
                return
            at = self.at(at, ",")
            if self.text[at:at + 1] != '"':
                raise NoRow(NOT_JSON)

    def items(self, at, depth):
        """Each item of an array: begin and end."""
        at = self.at(at, "[")
        while self.text[at:at + 1] != "]":
            end = self.value(at, depth + 1)
            yield at, end
            at = self.past_blanks(end)
            if self.text[at:at + 1] == "]":
                return
            at = self.at(at, ",")
            if self.text[at:at + 1] == "]":
                raise NoRow(NOT_JSON)


def enveloped(walk, begin):
    """The record within `{"records":[{"value": record}]}`; `begin` is where the array stands."""
    text = walk.text
    not_one = NoRow("the envelope does not hold exactly one record")
    records = list(walk.items(begin, 2)) if text[begin] == "[" else []
    if len(records) != 1 or text[records[0][0]] != "{":
        raise not_one
    for name, at, end in walk.members(records[0][0], 3):
        if name == "value" and text[at] in '"{':
            return unquoted(text[at:end]) if text[at] == '"' else text[at:end]
        if name == "value":
            break
    raise not_one


def level(text, columns):
    """The row that a text is, or the text that is wrapped in it: one of both is None."""
    if not trim(text):
        raise NoRow("the record is empty")
    if '"' in STRING.sub("", text):
        raise NoRow(NOT_JSON)
    walk = Walk(text)
    at = walk.past_blanks(0)
    if text[at] == '"':
        end = walk.string(at)
        if walk.past_blanks(end) != len(text):
            raise NoRow(NOT_JSON)
        return None, unquoted(text[at:end])
    if text[at] != "{":
        raise NoRow("the record is not an object" if text[at] == "[" or is_word(trim(text)) else NOT_JSON)
    known = next(iter(columns))
    made, seen, first, records, end = dict.fromkeys(columns), set(), None, None, at
    for name, begin, end in walk.members(at, 1, columns.keys() | {"ind", "index"}):
        column = name if name in columns else known if name in ("ind", "index") else None
        if column is None:
            records = begin if name == "records" and records is None else records
        elif column in seen:
            if text[begin] == '"':
                walk.string(begin)
        else:
            seen.add(column)
            try:
                made[column] = cell(text[begin:end], column, columns[column])
            except NoRow as failure:
                first = first or failure
    if walk.past_blanks(walk.close(at, end, "}")) != len(text):
        raise NoRow(NOT_JSON)
    if first:
        raise first
    if made[known] is not None:
        return made, None
    if records is None:
        raise NoRow(f"member '{known}' is missing")
    return None, enveloped(walk, records)


def refused(_):
    raise NoRow(NOT_JSON)


PLAIN = []  # The decoder, once it is needed: it cannot be sent to where rows are read.


def plain(text, columns):
    """The row of a record as nearly all are; None where a closer look is needed."""
    if "\\u" in text:
        return None
    if not PLAIN:
        PLAIN.append(json.JSONDecoder(object_pairs_hook=tuple, parse_constant=refused))
    try:
        pairs = PLAIN[0].decode(text)
    except (ValueError, RecursionError):
        return None
    if type(pairs) is not tuple:
        return None
    made = dict.fromkeys(columns)
    seen = set()
    for name, value in pairs:
        kind = columns.get(name)
        if kind is None or name in seen:
            return None
        seen.add(name)
        is_ = type(value)
        if value is None:
            continue
        if kind == TEXT and is_ is str or kind in BITS and is_ is int and -(1 << BITS[kind]) <= value < 1 << BITS[kind]:
            made[name] = value
        elif kind == REAL and (is_ is float and 0 < abs(value) < 1e300 or is_ is int and abs(value) < 1 << 53):
            made[name] = float(value)
        else:
            return None
    return made if made[next(iter(columns))] is not None else None


def row(kind, raw):
    """The typed raw row of a record; raises NoRow with the reason where it is none."""
    columns = COLUMNS[kind]
    if not raw:
        raise NoRow("the record is empty")
    if len(raw) > MOST_BYTES:
        raise NoRow("the record is larger than 1 MiB")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise NoRow("the record is not UTF-8") from None
    made = plain(text, columns)
    if made:
        return made
    for _ in range(MOST_WRAPS + 1):
        made, text = level(text, columns)
        if made:
            return made
        if not text:
            raise NoRow("the record is empty")
    raise NoRow("the record is wrapped more than 3 times")


def unescaped(line):
    """The bytes of a line of an object, None for a record without value."""
    if not line.startswith(ESCAPE):
        return line
    if line == NULL_LINE:
        return None
    text = line[len(ESCAPE):]
    if len(text) < 3 or text[:1] != b'"' or text[-2:] != b'"}':
        raise NoRow("the escaped value has no base64 text")
    try:
        return base64.b64decode(text[1:-2], validate=True)
    except binascii.Error as failure:
        raise NoRow(f"the escaped value cannot be decoded: {failure}") from None


def reader(kind, objects):
    """What reads objects of a kind: batches of (path, content) in, rows and what is no row out. `objects` tells by file name topic, partition, first offset and arrival."""
    fields = {**{name: ARROW[type_] for name, type_ in COLUMNS[kind].items()}, **SOURCE, **FAULT}
    schema = pa.schema(list(fields.items()))
    names = list(COLUMNS[kind])

    def lines_of(path, content):
        name = path.rsplit("/", 1)[-1]
        topic, partition, first, arrived = objects[name]
        lines = (gzip.decompress(content) if name.endswith(".gz") else content).split(b"\n")
        if not lines[-1]:
            lines.pop()
        for place, line in enumerate(lines):
            where = (topic, partition, first + place, arrived, first)
            raw = line
            try:
                raw = unescaped(line)
                if raw is None:
                    raise NoRow("the record has no value")
                yield (*row(kind, raw).values(), *where, None, None)
            except NoRow as failure:
                yield (*(None for _ in names), *where, str(failure), raw)

    def read(batches):
        for batch in batches:
            for path, content in zip(batch.column("path").to_pylist(), batch.column("content").to_pylist()):
                columns = list(zip(*lines_of(path, content)))
                if columns:
                    yield pa.RecordBatch.from_arrays([pa.array(values, field.type) for values, field in zip(columns, schema)], schema=schema)

    return read, ", ".join(f"{name} {SPARK[type_]}" for name, type_ in fields.items())


class Stop(Exception):
    """What ends the run, in words for the person who started it."""


class Batch:
    def __init__(self, spark, job):
        self.spark, self.job = spark, job
        self.told = {"version": 1, "run": job["run"], "kinds": {}, "objects": [], "reasons": [], "checks": [], "questions": {}, "failures": []}
        self.parsed = {}

    def say(self, step):
        print(f"pinflow step {step}", flush=True)

    def statements(self, folder):
        return [statement for statement in self.job["statements"] if statement["name"].rsplit("/", 1)[0] == folder]

    def select(self, statement):
        """The frame of a statement; a mistake in it is told with its name."""
        try:
            frame = self.spark.sql(statement["text"])
        except Exception as failure:
            raise Stop(f"sql file {statement['name']}.sql, on Spark: {words(failure)}") from failure
        if statement["columns"] and statement["columns"] != frame.columns:
            raise Stop(f"sql file {statement['name']}.sql: the front comment declares the columns {', '.join(statement['columns'])}, the statement gives {', '.join(frame.columns)}; make them equal")
        return frame

    def write(self, name, frame):
        path = f"{self.job['tables']}/{name}"
        # Who wrote the table last, and in which run: pinflow looks at it.
        options = {"txnAppId": self.job["writer"], "txnVersion": str(self.job["number"])}
        frame.write.format("delta").mode("overwrite").options(**options).save(path)
        return self.spark.read.format("delta").load(path)

    def read(self):
        self.say("read")
        for kind in COLUMNS:
            objects = [one for one in self.job["objects"] if one["kind"] == kind]
            places = {one["name"].rsplit("/", 1)[-1]: (one["topic"], one["partition"], one["first"], one["arrived_us"]) for one in objects}
            read, schema = reader(kind, places)
            if objects:
                files = self.spark.read.format("binaryFile").option("recursiveFileLookup", "true").load([f"{self.job['objects_at']}/{one['name']}" for one in objects])
                frame = files.select("path", "content").mapInArrow(read, schema)
            else:
                frame = self.spark.createDataFrame([], schema)
            self.parsed[kind] = frame.persist()
            rows = self.parsed[kind].filter("reason IS NULL").select(*COLUMNS[kind], *SOURCE)
            rows.createOrReplaceTempView(f"raw_{kind}")
            for topic, partition, first, lines, letters in (self.parsed[kind].groupBy("source_topic", "source_partition", "object_first")
                                                            .agg(F.count("*"), F.count("reason")).collect()):
                self.told["objects"].append([topic, partition, first, lines, letters])

    def merge(self):
        self.say("merge")
        letters = None
        for statement in self.statements("clean"):
            kind = statement["name"].rsplit("/", 1)[-1]
            frame = self.select(statement)
            frame.createOrReplaceTempView(f"clean_{kind}")
            self.told["kinds"][kind] = {"rows": frame.count()}
        for kind in COLUMNS:
            latest = next(one for one in self.statements("model") if one["name"] == f"model/latest_{kind}")
            self.write(f"batch_{kind}", self.select(latest)).createOrReplaceTempView(f"latest_{kind}")
            some = self.parsed[kind].filter("reason IS NOT NULL").select(*SOURCE, F.lit(kind).alias("kind"), "reason", "raw")
            letters = some if letters is None else letters.unionByName(some)
        self.told["reasons"] = [list(one) for one in letters.groupBy("reason").agg(F.count("*").alias("letters")).orderBy(F.desc("letters"), "reason").collect()]
        self.write("batch_dead_letters", letters)

    def model(self):
        self.say("model")
        for name in ("posts", "people"):
            statement = next(one for one in self.statements("model") if one["name"] == f"model/{name}")
            self.write(f"batch_{name}", self.select(statement)).createOrReplaceTempView(name)

    def alone(self, statement, work):
        """Does something with a statement; a user's that fails is told and stops nothing."""
        try:
            work(statement)
        except Exception as failure:  # pylint: disable=broad-exception-caught
            if statement["built_in"]:
                raise
            self.told["failures"].append({"statement": statement["name"], "error": str(failure) if isinstance(failure, Stop) else f"on Spark: {words(failure)}"})

    def check(self):
        self.say("check")
        before = self.spark.sql("SELECT * FROM posts WHERE FALSE")
        if self.job["posts_before"] is not None:
            try:
                old = self.spark.read.format("delta").option("versionAsOf", self.job["posts_before"]).load(f"{self.job['tables']}/batch_posts")
                before = old if old.columns == before.columns else before
            except Exception as failure:  # pylint: disable=broad-exception-caught  # A version that is not there any more has nothing to compare with.
                print(f"the posts before this run are not compared: {words(failure)}", flush=True)
        before.createOrReplaceTempView("posts_before")
        for folder in ("checks", "checks/raw"):
            for statement in self.statements(folder):
                self.alone(statement, self.check_one)

    def check_one(self, statement):
        frame = self.select(statement)
        if statement["name"].startswith("checks/raw/"):
            frame = frame.distinct().orderBy(*frame.columns)  # A record sent twice is one finding.
        rows = [[plain_value(value) for value in found] for found in frame.limit(self.job["findings"]).collect()]
        count = len(rows) if len(rows) < self.job["findings"] else frame.count()
        self.told["checks"].append({"name": statement["name"], "findings": count, "columns": frame.columns, "rows": rows})

    def ask(self):
        self.say("ask")
        for statement in self.statements("questions"):
            self.alone(statement, self.ask_one)

    def ask_one(self, statement):
        name = statement["name"].rsplit("/", 1)[-1]
        frame = self.select(statement)
        # The answer's rows lie in its order over the partitions; their numbers follow it.
        placed = frame.withColumn("pinflow_place", F.monotonically_increasing_id())
        placed.createOrReplaceTempView("pinflow_answer")
        columns = ", ".join(f"`{column}`" for column in frame.columns)
        numbered = self.spark.sql(f"SELECT {columns}, CAST(row_number() OVER (ORDER BY pinflow_place) - 1 AS BIGINT) AS answer_order FROM pinflow_answer")
        self.write(f"question_{name}", numbered.coalesce(1))
        self.told["questions"][name] = frame.columns

    def run(self):
        for statement in re.split(r";[ \t]*(?:\n|$)", "\n".join(line for line in self.job["prelude"].splitlines() if not line.startswith("--"))):
            if statement.strip():
                self.spark.sql(statement)
        for step in (self.read, self.merge, self.model, self.check, self.ask):
            step()
        for frame in self.parsed.values():
            frame.unpersist()
        return self.told


def plain_value(value):
    """A cell as JSON has it; a point in time as {"us": microseconds since 1970}."""
    if hasattr(value, "tzinfo"):
        seconds = value.astimezone(UTC) - EPOCH
        return {"us": (seconds.days * 86_400 + seconds.seconds) * 1_000_000 + seconds.microseconds}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return str(value)


def words(failure):
    """What a failure says, without Spark's own places in the code."""
    text = re.split(r"\n\s*JVM stacktrace|\n\s+at ", str(failure), maxsplit=1)[0]
    return " ".join(text.split())[:2000]


def open_session():
    spark = (SparkSession.builder.appName("pinflow batch")
             .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
             .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
             .getOrCreate())
    # What pinflow's own writer and reader of Delta tables know; the rest is the session's.
    for name, value in {"spark.sql.session.timeZone": "UTC", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS", "spark.sql.execution.arrow.maxRecordsPerBatch": "8",
                        "spark.databricks.delta.properties.defaults.enableDeletionVectors": "false", "spark.databricks.delta.properties.defaults.columnMapping.mode": "none",
                        "spark.databricks.delta.properties.defaults.minReaderVersion": "1", "spark.databricks.delta.properties.defaults.minWriterVersion": "2"}.items():
        spark.conf.set(name, value)
    return spark


def get(spark, address):
    if address.startswith("file:"):
        with open(address.removeprefix("file://"), encoding="utf-8") as file:
            return file.read()
    return spark.read.text(address, wholetext=True).first()[0]


def put(spark, address, text):
    """One object, whole."""
    if address.startswith("file:"):
        with open(address.removeprefix("file://"), "w", encoding="utf-8") as file:
            file.write(text)
        return
    context = spark.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(address)  # pylint: disable=protected-access
    out = path.getFileSystem(context._jsc.hadoopConfiguration()).create(path, True)  # pylint: disable=protected-access
    out.write(text.encode())
    out.close()


def reached(spark, address):
    """What lies at the address that is read first; what keeps Spark from all of the store is told in words."""
    try:
        return get(spark, address)
    except Exception as failure:
        if "S3AFileSystem not found" in str(failure):
            hadoop = spark.sparkContext._jvm.org.apache.hadoop.util.VersionInfo.getVersion()  # pylint: disable=protected-access
            sys.exit(f"pinflow: this Spark cannot read S3; add org.apache.hadoop:hadoop-aws:{hadoop} to batch.spark_packages, or that jar and those it needs to batch.spark_jars")
        if address.startswith("s3a:"):
            sys.exit(f"pinflow: Spark cannot read {address}: {words(getattr(failure, 'java_exception', failure))}")
        raise


def main():
    job_at, result_at = sys.argv[1:3]
    spark = open_session()
    try:
        told = Batch(spark, json.loads(reached(spark, job_at))).run()
    except Exception as failure:  # pylint: disable=broad-exception-caught  # Whatever it is, the person who started the run is told in words.
        said = str(failure) if isinstance(failure, Stop) else f"on Spark: {words(failure)}"
        if not isinstance(failure, Stop):
            traceback.print_exc()
        put(spark, result_at, json.dumps({"version": 1, "error": said}))
        sys.exit(f"pinflow: {said}")
    put(spark, result_at, json.dumps(told, ensure_ascii=True))
    spark.stop()


if __name__ == "__main__":
    main()
