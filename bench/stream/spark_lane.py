"""The stream lane in Spark: reads the topic of pins from Kafka, cleans it by the shared SQL (sql/prelude/spark.sql, sql/clean/pin.sql) and appends to a Delta
table by Structured Streaming. Says {"ready": true} when the query runs; stops at the end of standard input.

    spark_lane.py lane BOOTSTRAP TOPIC TABLE CHECKPOINT [MOST_RECORDS_A_BATCH]
    spark_lane.py compare TABLE TABLE      says of each: rows, and for each column its nulls and a sum of hashes
"""
import json
import os
import pathlib
import re
import sys

from pyspark.sql import SparkSession

SQL = pathlib.Path(__file__).resolve().parents[2] / "sql"
RAW = ("index BIGINT, unique_id STRING, title STRING, description STRING, poster_name STRING, follower_count STRING, tag_list STRING, is_image_or_video STRING, "
       "image_src STRING, downloaded INT, save_location STRING, category STRING")


def session():
    spark = (SparkSession.builder.master("local[2]").appName("lane")
             .config("spark.jars", os.environ["PINFLOW_SPARK_JARS"])
             .config("spark.driver.memory", os.environ.get("PINFLOW_SPARK_MEMORY", "2g"))
             .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
             .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
             # For one machine: the defaults, of 200 and 50 partitions, are for clusters and would slow it down.
             .config("spark.sql.shuffle.partitions", "2")
             .config("spark.databricks.delta.snapshotPartitions", "2")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.driver.host", "127.0.0.1")
             .config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.ui.enabled", "false")
             .config("spark.ui.showConsoleProgress", "false")
             .getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def statements(path):
    """The statements of a file, without its comments."""
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--"))
    return [statement for statement in re.split(r";\s*(?:\n|$)", text) if statement.strip()]


def lane(bootstrap, topic, table, checkpoint, most="0"):
    spark = session()
    for statement in statements(SQL / "prelude/spark.sql"):
        spark.sql(statement)
    source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", topic).option("startingOffsets", "earliest")
    if int(most):
        source = source.option("maxOffsetsPerTrigger", most)
    source.load().createOrReplaceTempView("records")
    spark.sql(f"""SELECT record.*, topic AS source_topic, partition AS source_partition, offset AS source_offset, timestamp AS arrived_at
                  FROM (SELECT from_json(CAST(value AS STRING), '{RAW}') AS record, topic, partition, offset, timestamp FROM records)
                  WHERE record.index IS NOT NULL""").createOrReplaceTempView("raw_pin")
    clean = spark.sql(statements(SQL / "clean/pin.sql")[0])
    query = clean.writeStream.format("delta").outputMode("append").option("checkpointLocation", checkpoint).start(table)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.read()
    failure = query.exception()
    query.stop()
    if failure:
        raise SystemExit(str(failure))


def compare(*tables):
    spark = session()
    for table in tables:
        rows = spark.read.format("delta").load(table)
        sums = ", ".join(f"count_if({name} IS NULL) AS nulls_{name}, sum(CAST(xxhash64({name}) AS DECIMAL(20, 0))) AS sum_{name}" for name in rows.columns)
        rows.createOrReplaceTempView("compared")
        told = spark.sql(f"SELECT count(*) AS rows, count(DISTINCT source_partition, source_offset) AS places, {sums} FROM compared").collect()[0].asDict()
        print(json.dumps({"columns": rows.columns, **{name: str(value) for name, value in told.items()}}), flush=True)


if __name__ == "__main__":
    {"lane": lane, "compare": compare}[sys.argv[1]](*sys.argv[2:])
