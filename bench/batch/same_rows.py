"""Says of each Parquet table, rows and a sum of hashes of every column, whatever the order of rows and files. Run with the packages of requirements.txt.

    same_rows.py < [{"table": NAME, "files": [...], "columns": [...]}, ...]
"""
import json
import sys

import duckdb

PLAIN = {"TIMESTAMP": "epoch_us({})", "TIMESTAMP WITH TIME ZONE": "epoch_us({})", "INTEGER": "CAST({} AS BIGINT)"}

engine = duckdb.connect(config={"threads": 2})
engine.execute("SET TimeZone = 'UTC'")
for wanted in json.load(sys.stdin):
    files = ", ".join(f"'{file}'" for file in wanted["files"])
    types = {row[0]: row[1] for row in engine.execute(f"DESCRIBE FROM read_parquet([{files}])").fetchall()}
    sums = ", ".join(f"sum(hash({PLAIN.get(types[name], '{}').format(chr(34) + name + chr(34))}))" for name in wanted["columns"])
    rows, *told = engine.execute(f"SELECT count(*), {sums} FROM read_parquet([{files}])").fetchone()
    print(json.dumps({"table": wanted["table"], "rows": rows, "columns": dict(zip(wanted["columns"], map(str, told)))}), flush=True)
