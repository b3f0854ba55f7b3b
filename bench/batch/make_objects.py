"""Writes sunk objects (docs/formats/objects.md) from a source that `pinflow source create` made; run with the packages of requirements.txt.

    make_objects.py SOURCE.duckdb OBJECTS --each RECORDS [--resent SHARE] [--shift IDS] [--after]

Records of a kind lie in objects of so many; `--resent` sends a share of all posts a second time, behind the others. `--after` goes on behind the objects that
are there; `--shift` adds to the ids, so that the posts are others.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re

import duckdb

TABLES = {"pin": ("pinterest_data", '"index"'), "geo": ("geolocation_data", "ind"), "user": ("user_data", "ind")}


def end_of(folder):
    """The offset behind the last record that is there."""
    names = sorted(path.name for path in folder.glob("*.json"))
    if not names:
        return 0
    with open(folder / names[-1], "rb") as file:
        return int(re.search(r"\+(\d+)\.json$", names[-1]).group(1)) + sum(1 for _ in file)


def plan(source, options):
    """What goes into which object: (file, SELECT)."""
    for kind, (table, known) in TABLES.items():
        topic = f"pinterest.{kind}"
        folder = options.objects / "topics" / topic / "partition=0"
        folder.mkdir(parents=True, exist_ok=True)
        offset = end_of(folder) if options.after else 0
        columns = ", ".join(f"{known} + {options.shift} AS {known}" if name == known.strip('"') else name
                            for name in (row[0] for row in source.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()))
        last = source.execute(f"SELECT max({known}) FROM {table}").fetchone()[0]
        for first in range(0, last + 1, options.each):
            until = min(first + options.each, last + 1)
            yield folder / f"{topic}+0+{offset:010}.json", f"SELECT {columns} FROM {table} WHERE {known} >= {first} AND {known} < {until} ORDER BY {known}"
            offset += until - first
        if options.resent:
            step = round(1 / options.resent)
            for first in range(0, last + 1, options.each * step):
                until = min(first + options.each * step, last + 1)
                yield folder / f"{topic}+0+{offset:010}.json", f"SELECT {columns} FROM {table} WHERE {known} >= {first} AND {known} < {until} AND {known} % {step} = 0 ORDER BY {known}"
                offset += (until - 1) // step - (first - 1) // step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("objects", type=pathlib.Path)
    parser.add_argument("--each", type=int, required=True)
    parser.add_argument("--resent", type=float, default=0)
    parser.add_argument("--shift", type=int, default=0)
    parser.add_argument("--after", action="store_true")
    options = parser.parse_args()
    source = duckdb.connect(options.source, read_only=True, config={"threads": 2})
    objects = list(plan(source, options))

    def write(part):
        cursor = source.cursor()
        for path, select in part:
            cursor.execute(f"COPY ({select}) TO '{path}' (FORMAT json)")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (objects[0::2], objects[1::2])))
    print(json.dumps({"objects": len(objects), "bytes": sum(path.stat().st_size for path, _ in objects)}))


if __name__ == "__main__":
    main()
