"""Holds the log of a Delta table against its data, read with pyarrow: sizes and row counts, null counts, and that the bounds of the statistics
bound the values.
"""
import datetime
import json
import os
import urllib.parse

from pyarrow import parquet
import pyarrow as pa


def comparable(bound, column):
    """A bound of the statistics, as a value of the column's type."""
    if pa.types.is_timestamp(column.type):
        return datetime.datetime.fromisoformat(bound.replace("Z", "+00:00"))
    if pa.types.is_date(column.type):
        return datetime.date.fromisoformat(bound)
    return bound


def check_file(folder, add):
    """Yields what is wrong with one live file, held against its add action."""
    path = os.path.join(folder, urllib.parse.unquote(add["path"]))
    if os.path.getsize(path) != add["size"]:
        yield f"{path}: {os.path.getsize(path)} bytes on disk, {add['size']} in the log"
    statistics = json.loads(add["stats"])
    data = parquet.ParquetFile(path).read()
    if data.num_rows != statistics["numRecords"]:
        yield f"{path}: {data.num_rows} rows, the log says {statistics['numRecords']}"
    for name, count in statistics["nullCount"].items():
        if data[name].null_count != count:
            yield f"{path}: {data[name].null_count} nulls in {name}, the log says {count}"
    for which, wrong in (("minValues", lambda value, bound: value < bound), ("maxValues", lambda value, bound: value > bound)):
        for name, bound in statistics[which].items():
            bound = comparable(bound, data[name])
            if any(value is not None and wrong(value, bound) for value in data[name].to_pylist()):
                yield f"{path}: {name} has values outside {which} {bound}"


def live_files(folder):
    """The add actions that replaying the JSON commits leaves, or None where the first commits are gone."""
    log = os.path.join(folder, "_delta_log")
    commits = sorted(name for name in os.listdir(log) if name.endswith(".json") and name[:-5].isdigit())
    if not commits or int(commits[0][:-5]) != 0:
        return None
    live = {}
    for name in commits:
        with open(os.path.join(log, name), encoding="utf-8") as commit:
            for line in commit:
                action = json.loads(line)
                if "add" in action:
                    live[action["add"]["path"]] = action["add"]
                if "remove" in action:
                    live.pop(action["remove"]["path"], None)
    return live


def check(folder, rows):
    """Returns what is wrong between log and data of a table in which a reader sees so many rows."""
    live = live_files(folder)
    if live is None:
        return []
    wrong = []
    counted = 0
    for add in live.values():
        counted += json.loads(add["stats"])["numRecords"]
        wrong += check_file(folder, add)
    if counted != rows:
        wrong.append(f"{folder}: the log counts {counted} rows, the reader sees {rows}")
    return wrong
