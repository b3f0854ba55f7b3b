"""Reads Delta tables with DuckDB's delta extension (delta-kernel-rs); fingerprint.py says in which form it is asked. The extension is the file that
its package carries, whose signature DuckDB checks when it loads it: nothing is fetched when it runs.
"""
import importlib.metadata
import os

import duckdb

import fingerprint

PACKAGE = "duckdb-extension-delta"


def extension_file():
    files = [file for file in importlib.metadata.files(PACKAGE) if file.name.endswith(".duckdb_extension")]
    return str(files[0].locate())


connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "2"})
connection.execute(f"LOAD '{extension_file()}'")
connection.execute("SET TimeZone = 'UTC'")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def answer(request):
    more = ""
    if "version" in request:
        more = f", version => {int(request['version'])}"
    rows = connection.execute(f"SELECT * FROM delta_scan({quoted(request['folder'])}{more})")
    batches = rows.to_arrow_reader()
    return fingerprint.fingerprint(os.path.basename(request["folder"]), request.get("version"), batches.schema.names, batches)


fingerprint.serve(f"DuckDB {duckdb.__version__} with delta", answer, past=["version"])
