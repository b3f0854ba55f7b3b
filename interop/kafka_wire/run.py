#!/usr/bin/env python3
"""Holds our tables of the Kafka protocol against Kafka's own message classes: messages with arbitrary values, of every kind and version
that pinflow offers, are read and written again by Kafka's Java client; the bytes must be the same.

    run.py PROGRAM     where PROGRAM is print_samples, built by `cmake --build build/release --target print_samples`
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import kafka_peers  # noqa: E402


def main():
    samples = subprocess.run([sys.argv[1], "20"], check=True, capture_output=True).stdout
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for version in kafka_peers.VERSIONS:
        try:
            jars = kafka_peers.libs(version)
        except kafka_peers.Missing as missing:
            print(f"skipped  Kafka {version}'s message classes: {missing}")
            counts["skipped"] += 1
            continue
        done = subprocess.run(["java", "-cp", f"{jars}/*", str(HERE / "ReadSamples.java")], input=samples, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        text = done.stdout.decode().strip()
        print(f"{'ok      ' if done.returncode == 0 else 'FAILED  '} Kafka {version}'s message classes: {text}")
        counts["failed" if done.returncode else "passed"] += 1
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
