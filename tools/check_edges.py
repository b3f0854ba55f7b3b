#!/usr/bin/env python3
"""Holds the edges between modules: a module includes only modules above it in the list below, never another's
internal/ folder, and only those outside libraries that are its own. Prints each breach; exit code 1 if there is one."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The modules in their order, each with the outside headers that it alone (and fmt, which all) may see.
MODULES = {
    "base": [],
    "config": ["toml++/"],
    "records": ["simdjson.h"],
    "disk": [],
    "aws": ["curl/", "openssl/", "simdjson.h"],
    "sql": ["duckdb.h"],
    "objects": [],
    "log": ["isa-l/", "zlib.h", "snappy", "lz4", "zstd"],
    "kafka_cluster": ["librdkafka/"],
    "groups": [],
    "kafka_wire": [],
    "net": ["openssl/"],
    "access": ["openssl/", "simdjson.h"],
    "http": ["boost/", "nghttp2/", "zlib.h", "zstd"],
    "kafka_door": ["boost/", "openssl/"],
    "doors": ["openssl/", "re2/"],
    "delta": ["simdjson.h"],
    "sink": ["re2/", "simdjson.h"],
    "stream": [],
    "live": [],
    "batch": ["simdjson.h"],
    "spark": ["simdjson.h"],
    "query": ["simdjson.h"],
    "schedule": ["simdjson.h"],
    "emulator": ["mysql"],
    "kinesis_source": ["simdjson.h"],
    "migrate": [],
    "app": ["CLI/"],
}
EVERYWHERE = ["fmt/"]
TESTS_ONLY = ["gtest/", "gmock/", "benchmark/", "librdkafka/", "simdjson.h"]
ORDER = {name: rank for rank, name in enumerate(MODULES)}
OUTSIDE = sorted({library for libraries in MODULES.values() for library in libraries} | set(TESTS_ONLY))


def breaches_of(path: pathlib.Path, module: str):
    is_test = re.search(r"_(test|bench|fuzz)\.cc$|_fixture\.h$", path.name) or "testing" in path.parts
    is_inside = "internal" in path.parts  # No other module includes it.
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        ours = re.match(r'\s*#include "([^"]+)"', line)
        theirs = re.match(r"\s*#include <([^>]+)>", line)
        if ours:
            target = ours.group(1).split("/")
            if len(target) < 2 or target[0] not in ORDER:
                yield number, f'"{ours.group(1)}" is not <module>/<header>'
            elif ORDER[target[0]] > ORDER[module]:
                yield number, f"{module} may not look down at {target[0]}"
            elif "internal" in target and target[0] != module:
                yield number, f"{'/'.join(target)} is private to {target[0]}"
        elif theirs:
            header = theirs.group(1)
            allowed = MODULES[module] + EVERYWHERE + (TESTS_ONLY if is_test else [])
            library = next((name for name in OUTSIDE if header.startswith(name)), None)
            if library and not any(header.startswith(name) for name in allowed):
                yield number, f"{module} may not see <{header}>"
            elif library and path.suffix == ".h" and header != "fmt/core.h" and not is_test and not is_inside:
                yield number, f"<{header}> belongs in a .cc file, not in a header"


def main() -> int:
    count = 0
    files = 0
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        files += 1
        module = path.relative_to(ROOT / "src").parts[0]
        if module not in ORDER:
            print(f"{path.relative_to(ROOT)}: no module '{module}' in {pathlib.Path(__file__).name}")
            count += 1
            continue
        for number, text in breaches_of(path, module):
            print(f"{path.relative_to(ROOT)}:{number}: {text}")
            count += 1
    print(f"edges between modules: {files} files read, {count} breaches")
    return 1 if count or not files else 0


if __name__ == "__main__":
    sys.exit(main())
