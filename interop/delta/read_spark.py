"""Reads and rewrites Delta tables with PySpark and delta-spark; fingerprint.py says in which form it is asked. What it does besides: `optimize`,
`checkpoint`, `append` (so many of the table's own rows again, which is enough to see who reads them), `positions` (the rows of each source partition beside the
transactions of the same version).
"""
import os

import delta
from pyspark.sql import SparkSession, functions

import fingerprint

spark = (SparkSession.builder.master("local[2]").appName("pinflow")
         .config("spark.jars", os.environ["PINFLOW_SPARK_JARS"])
         .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
         .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
         .config("spark.sql.session.timeZone", "UTC")
         .config("spark.sql.shuffle.partitions", "2")
         .config("spark.databricks.delta.snapshotPartitions", "2")
         .config("spark.driver.memory", "1g")
         .config("spark.driver.host", "127.0.0.1")
         .config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.ui.enabled", "false")
         .config("spark.ui.showConsoleProgress", "false")
         .getOrCreate())
spark.sparkContext.setLogLevel("ERROR")


def delta_log(folder):
    return spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, folder)  # pylint: disable=protected-access


def newest(folder):
    none = spark._jvm.scala.Option.empty()  # pylint: disable=protected-access
    return delta_log(folder).update(False, none, none)


def positions(folder, version):
    snapshot = newest(folder) if version is None else None
    told = {"version": version}
    if snapshot:
        transactions = snapshot.setTransactions()
        told = {"version": snapshot.version(), "transactions": {transactions.apply(i).appId(): transactions.apply(i).version() for i in range(transactions.size())}}
    rows = spark.read.format("delta").option("versionAsOf", told["version"]).load(folder)
    place = functions.col("source_offset")
    counted = rows.groupBy("source_partition").agg(functions.count(place), functions.countDistinct(place), functions.min(place), functions.max(place)).collect()
    return {**told, "partitions": {str(row[0]): list(row)[1:] for row in counted}, "files": len(rows.inputFiles())}


def read(request):
    folder = request["folder"]
    reader = spark.read.format("delta")
    version = request.get("version")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    elif "time" in request:
        reader = reader.option("timestampAsOf", request["time"])
    else:
        version = newest(folder).version()
    rows = reader.load(folder)
    return fingerprint.fingerprint(os.path.basename(folder), version, rows.columns, rows.toArrow().to_batches())


def answer(request):
    folder = request["folder"]
    work = request.get("do", "read")
    if work == "read":
        return read(request)
    if work == "positions":
        return positions(folder, request.get("version"))
    if work == "optimize":
        metrics = delta.DeltaTable.forPath(spark, folder).optimize().executeCompaction().collect()[0]["metrics"]
        return {"removed": metrics["numFilesRemoved"], "added": metrics["numFilesAdded"]}
    if work == "checkpoint":
        delta_log(folder).checkpoint()
        return {}
    if work == "append":
        spark.read.format("delta").load(folder).limit(request["rows"]).coalesce(1).write.format("delta").mode("append").save(folder)
        return {}
    raise ValueError(f"no such work: {work}")


fingerprint.serve(f"Spark {spark.version} with delta-spark {os.environ['PINFLOW_DELTA_SPARK']}", answer)
