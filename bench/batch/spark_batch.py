"""The batch in PySpark: pinflow's own SQL files over the same objects, the model as Delta tables, answers collected. Does the whole once for each line of standard input, a folder
for the tables; says its times as JSON.

    spark_batch.py OBJECTS MEMORY
"""
import json
import os
import pathlib
import sys
import time

from pyspark.sql import SparkSession

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "interop" / "batch"))
import shared_sql  # noqa: E402  pylint: disable=wrong-import-position

RAW = {"pin": ("index BIGINT, unique_id STRING, title STRING, description STRING, poster_name STRING, follower_count STRING, tag_list STRING, is_image_or_video STRING, "
               "image_src STRING, downloaded INT, save_location STRING, category STRING"),
       "geo": "ind BIGINT, timestamp STRING, latitude DOUBLE, longitude DOUBLE, country STRING",
       "user": "ind BIGINT, first_name STRING, last_name STRING, age INT, date_joined STRING"}
SUNK = "pin", "geo", "user"


def session(memory):
    spark = (SparkSession.builder.master("local[2]").appName("batch")
             .config("spark.jars", os.environ["PINFLOW_SPARK_JARS"])
             .config("spark.driver.memory", memory)
             .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
             .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
             # The default of 200 is for clusters; adaptive execution puts together what is small.
             .config("spark.sql.shuffle.partitions", "8")
             .config("spark.databricks.delta.snapshotPartitions", "2")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.driver.host", "127.0.0.1")
             .config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.ui.enabled", "false")
             .config("spark.ui.showConsoleProgress", "false")
             .getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def run(spark, objects, out):
    begin = time.monotonic()
    for kind in SUNK:
        # A line's place in its object is not to be had from Spark; its place in the task that reads it orders the same.
        place = "CAST(regexp_extract(_metadata.file_name, '[+]([0-9]+)[.]json', 1) AS BIGINT) + (monotonically_increasing_id() & 8589934591) AS source_offset"
        sunk = spark.read.schema(RAW[kind]).json(f"{objects}/topics/pinterest.{kind}")
        columns = [column for column in sunk.columns if column != "partition"]
        sunk.selectExpr(*columns, f"'pinterest.{kind}' AS source_topic", "partition AS source_partition", place, "CAST(NULL AS TIMESTAMP) AS arrived_at").createOrReplaceTempView(f"raw_{kind}")

    def table(name, frame):
        path = f"{out}/batch_{name.removeprefix('latest_')}"
        frame.write.format("delta").mode("overwrite").save(path)
        return spark.read.format("delta").load(path)

    shared_sql.prelude(spark)
    shared_sql.model(spark, table)
    modelled = time.monotonic()
    answers = {}
    for name, frame in shared_sql.frames(spark, "questions").items():
        answers[name] = [list(row) for row in frame.collect()]
    return {"clean": modelled - begin, "ask": time.monotonic() - modelled, "answers": answers}


def main():
    objects, memory = sys.argv[1:3]
    spark = session(memory)
    print(json.dumps({"ready": spark.version}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(spark, objects, line.strip())), flush=True)


if __name__ == "__main__":
    main()
