#!/usr/bin/env python3
"""Reads Delta tables with the deltalake package and tells what they hold, one JSON line a table.

    delta_reader.py FOLDER [TABLE ...]

FOLDER holds the tables, each a folder with a _delta_log; without names all of them are read, sorted. A line is

    {"table":"pins","version":7,"rows":3,"columns":{"ind":{"nulls":0,"checksum":"123"}}}

and is the same, byte by byte, as pinflow's own fingerprint of the table (docs/formats/delta.md says how a checksum is made).
The reader also holds the log against the data: the row counts in the file statistics must add up to the rows read, each file's
statistics must bound its values, and sizes in the log must be those on disk; what does not fit goes to standard error.

Exit code: 0 all read and consistent, 1 something is wrong, 2 wrong usage or the packages deltalake and pyarrow are missing.
"""

import datetime
import hashlib
import json
import os
import sys

try:
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from deltalake import DeltaTable
except ImportError as missing:
    print(f"delta_reader.py: {missing}; install the Python packages deltalake and pyarrow", file=sys.stderr)
    sys.exit(2)


def canonical(value, kind):
    """The bytes of one value that is not null, spelled the same by every reader."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parts = [b"null" if item is None else canonical(item, kind.value_type) for item in value]
        return b"[" + b",".join(parts) + b"]"
    if pa.types.is_boolean(kind):
        return b"true" if value else b"false"
    if pa.types.is_floating(kind):
        return ("%.17g" % value).encode()
    if isinstance(value, bytes):
        return value
    return str(value).encode()


def readable(column):
    """Timestamps as microseconds, the view types of newer readers as plain ones."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise ValueError("a timestamp without time zone, where UTC is expected")
        return column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return column.cast(pa.large_binary())
    return column


def fingerprint(name, table):
    rows = 0
    columns = {}
    for batch in table.to_pyarrow_dataset().to_batches():
        rows += batch.num_rows
        for field, column in zip(batch.schema, batch.columns):
            nulls, total = columns.get(field.name, (0, 0))
            column = readable(column)
            for value in column.to_pylist():
                if value is None:
                    nulls += 1
                else:
                    total += int(hashlib.md5(canonical(value, column.type)).hexdigest()[:15], 16)
            columns[field.name] = (nulls, total)
    told = {}
    for field in table.schema().fields:
        nulls, total = columns.get(field.name, (0, 0))
        told[field.name] = {"nulls": nulls, "checksum": str(total % 2**64)}
    return {"table": name, "version": table.version(), "rows": rows, "columns": told}


def comparable(bound, column):
    """A bound of the statistics, as a value of the column's type."""
    if pa.types.is_timestamp(column.type):
        return datetime.datetime.fromisoformat(bound.replace("Z", "+00:00"))
    if pa.types.is_date(column.type):
        return datetime.date.fromisoformat(bound)
    return bound


def check_file(folder, add):
    """Yields what is wrong with one live file, held against its add action."""
    path = os.path.join(folder, add["path"])
    if os.path.getsize(path) != add["size"]:
        yield f"{path}: {os.path.getsize(path)} bytes on disk, {add['size']} in the log"
    statistics = json.loads(add["stats"])
    data = parquet.read_table(path)
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


def check(folder, told):
    """Yields what is wrong between log and data of a table."""
    live = live_files(folder)
    if live is None:
        return
    rows = 0
    for add in live.values():
        rows += json.loads(add["stats"])["numRecords"]
        yield from check_file(folder, add)
    if rows != told["rows"]:
        yield f"{folder}: the log counts {rows} rows, the reader sees {told['rows']}"


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    root = arguments[0]
    names = arguments[1:] or sorted(
        name for name in os.listdir(root) if os.path.isdir(os.path.join(root, name, "_delta_log"))
    )
    code = 0
    for name in names:
        folder = os.path.join(root, name)
        told = fingerprint(name, DeltaTable(folder))
        print(json.dumps(told, separators=(",", ":"), ensure_ascii=False), flush=True)
        for wrong in check(folder, told):
            print(f"delta_reader.py: {wrong}", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
