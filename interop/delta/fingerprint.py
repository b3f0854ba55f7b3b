"""What a Delta table holds, as pinflow's own fingerprint tells it (docs/formats/delta.md), made from what a foreign reader gives as Arrow
batches; and the loop in which a reader answers.
"""
import hashlib
import json
import sys

import pyarrow as pa


def canonical(value, kind):
    """The bytes of one value that is not null, spelled the same by every reader."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parts = [b"null" if item is None else canonical(item, kind.value_type) for item in value]
        return b"[" + b",".join(parts) + b"]"
    if pa.types.is_boolean(kind):
        return b"true" if value else b"false"
    if pa.types.is_floating(kind):
        return ("%.17g" % value).encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return str(value).encode()


def readable(column):
    """Timestamps as microseconds, the view types of newer readers as plain ones."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return readable(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise ValueError("a timestamp without time zone, where UTC is expected")
        return column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return column.cast(pa.large_binary())
    return column


def fingerprint(name, version, columns, batches):
    """`columns` are the names in the table's order; `version` is None where the reader does not tell which one it read."""
    rows = 0
    sums = {column: [0, 0] for column in columns}
    for batch in batches:
        rows += batch.num_rows
        for field, column in zip(batch.schema, batch.columns):
            told = sums[field.name]
            column = readable(column)
            for value in column.to_pylist():
                if value is None:
                    told[0] += 1
                else:
                    told[1] += int(hashlib.md5(canonical(value, column.type)).hexdigest()[:15], 16)
    told = {column: {"nulls": nulls, "checksum": str(total % 2**64)} for column, (nulls, total) in sums.items()}
    return {"table": name, "version": version, "rows": rows, "columns": told}


def serve(name, answer, past=("version", "time")):
    """Says who answers and how it can be asked for older states, then answers each line of standard input, a JSON object, by a line; a
    failure is told as {"error": ...}."""
    print(json.dumps({"reader": name, "past": past}), flush=True)
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except Exception as failure:  # pylint: disable=broad-exception-caught  # Whatever a reader raises is the answer to this request.
            told = {"error": f"{type(failure).__name__}: {failure}"}
        print(json.dumps(told, ensure_ascii=False), flush=True)
