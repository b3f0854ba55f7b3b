"""Answers in Spark, as a process that is asked by lines of JSON:

    {"posted": FILE, "since": NUMBER, "folder": DIR, "way": "own" | "files"}

`since` says how many records were posted on the days before. `posted` holds what was posted (posted.py). The answer has the questions' rows; cleaned rows, posts and people go to Parquet in `folder`. `own` is
own_answers.py, `files` are pinflow's SQL files; both begin with what read_posted.py makes of the records.
"""
import json
import os
import pathlib
import sys

import pyarrow as pa
from pyspark.sql import SparkSession

import own_answers
import read_posted
import shared_sql

TYPES = {read_posted.TEXT: pa.string(), read_posted.WHOLE: pa.int64(), read_posted.SMALL: pa.int32(), read_posted.REAL: pa.float64()}

spark = (SparkSession.builder.master("local[2]").appName("pinflow")
         .config("spark.jars", os.environ["PINFLOW_SPARK_JARS"])
         .config("spark.sql.session.timeZone", "UTC")
         .config("spark.sql.shuffle.partitions", "2")
         .config("spark.driver.memory", "2g")
         # Many small statements: what starts fast is faster than what runs fast.
         .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
         .config("spark.sql.codegen.wholeStage", "false")
         .config("spark.driver.host", "127.0.0.1")
         .config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.ui.enabled", "false")
         .config("spark.ui.showConsoleProgress", "false")
         .getOrCreate())
spark.sparkContext.setLogLevel("ERROR")


def load(posted):
    """The typed raw rows as DataFrames with their places; and the places of what is no row."""
    rows, no_rows = read_posted.read(posted)
    frames = {}
    for kind, columns in read_posted.COLUMNS.items():
        schema = pa.schema([(name, TYPES[type_]) for name, type_ in columns.items()] + [("source_partition", pa.int32()), ("source_offset", pa.int64()), ("posted", pa.int64())])
        frame = spark.createDataFrame(pa.Table.from_pylist(rows[kind], schema))
        frames[kind] = frame.selectExpr("*", f"'pinterest.{kind}' AS source_topic", "CAST(NULL AS TIMESTAMP) AS arrived_at").cache()
    return frames, no_rows, {kind: len(rows[kind]) for kind in rows}


def write(frame, folder, name):
    path = str(pathlib.Path(folder) / name)
    frame.coalesce(1).write.mode("overwrite").parquet(path)
    return spark.read.parquet(path)


def own(raw, folder):
    rows = {kind: write(own_answers.latest(frame), folder, kind) for kind, frame in own_answers.clean(raw).items()}
    posts, people = own_answers.model(rows)
    return own_answers.answers(write(posts, folder, "posts"), write(people, folder, "people"))


def files(raw, folder):
    for kind, frame in raw.items():
        frame.createOrReplaceTempView(f"raw_{kind}")
    shared_sql.prelude(spark)
    shared_sql.model(spark, lambda name, frame: write(frame, folder, name.removeprefix("latest_")))
    return shared_sql.frames(spark, "questions")


def findings(raw, since):
    """Of checks over raw records, each finding once, among what this day brought; the others look at all. What compares with the posts of the day before is
    asked on the first day, when there are none."""
    spark.sql("SELECT * FROM posts WHERE FALSE").createOrReplaceTempView("posts_before")
    found = {name: frame.count() for name, frame in shared_sql.frames(spark, "checks").items() if not since or name != "category_drift"}
    for kind, frame in raw.items():
        frame.filter(frame["posted"] >= since).createOrReplaceTempView(f"raw_{kind}")
    return {**found, **{name: frame.distinct().count() for name, frame in shared_sql.frames(spark, "checks/raw").items()}}


def answer(request):
    raw, no_rows, counts = load(request["posted"])
    made = {"own": own, "files": files}[request["way"]](raw, request["folder"])
    told = {"rows": counts, "no_rows": no_rows, "answers": {name: {"columns": frame.columns, "rows": [list(row) for row in frame.collect()]} for name, frame in made.items()}}
    if request["way"] == "files":
        told["findings"] = findings(raw, int(request["since"]))
    for frame in raw.values():
        frame.unpersist()
    return told


print(json.dumps({"reader": f"Spark {spark.version}", "past": []}), flush=True)
for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as failure:  # pylint: disable=broad-exception-caught  # Whatever Spark raises is the answer to this request.
        said = {"error": f"{type(failure).__name__}: {str(failure)[:1500]}"}
    print(json.dumps(said, ensure_ascii=False), flush=True)
