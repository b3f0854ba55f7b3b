"""Reads Delta tables with the package deltalake (delta-rs); fingerprint.py says in which form it is asked."""
import datetime
import os

import deltalake

import fingerprint
import log_against_data


def answer(request):
    folder = request["folder"]
    table = deltalake.DeltaTable(folder, version=request.get("version"))
    if "time" in request:
        table.load_as_version(datetime.datetime.fromisoformat(request["time"].replace("Z", "+00:00")))
    names = [field.name for field in table.schema().fields]
    told = fingerprint.fingerprint(os.path.basename(folder), table.version(), names, table.to_pyarrow_dataset().to_batches())
    if request.get("hold"):
        told["wrong"] = log_against_data.check(folder, told["rows"])
    return told


fingerprint.serve(f"deltalake {deltalake.__version__}", answer)
