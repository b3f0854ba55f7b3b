#!/usr/bin/env python3
"""Runs the tests of the log on a Kafka cluster against three real brokers on this machine, one of which is killed in between."""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "interop" / "kafka"))
import kafka_peers  # noqa: E402
from brokers import start, stop  # noqa: E402


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tests", type=pathlib.Path, default=ROOT / "build/release/src/kafka_cluster/kafka_cluster_test")
    arguments.add_argument("--filter", default="*", help="which of the tests, as --gtest_filter has it after 'RealCluster.'")
    options = arguments.parse_args()
    folder = ROOT / "build" / "interop" / "run" / "cluster"
    shutil.rmtree(folder, ignore_errors=True)
    passed = failed = skipped = 0
    try:
        kafka_peers.libs(kafka_peers.NEWEST)
        if not options.tests.exists():
            raise kafka_peers.Missing(f"{options.tests.name} is not built")
        members, bootstrap = start(folder)
    except kafka_peers.Missing as reason:
        print(f"skipped  Log on a Kafka cluster: {reason}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    except RuntimeError as error:
        print(f"FAILED   Log on a Kafka cluster: {error}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    watchdog = None
    try:
        tests = subprocess.Popen([str(options.tests), f"--gtest_filter=RealCluster.{options.filter}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, env={**os.environ, "PINFLOW_TEST_KAFKA": bootstrap})
        watchdog = threading.Timer(240, tests.kill)
        watchdog.start()
        notes = []
        for line in tests.stdout:
            line = line.rstrip("\n")
            notes.append(line)
            if line == "KILL A BROKER":
                members[0].kill()
            ended = re.match(r"\[ +(OK|FAILED|SKIPPED) +\] (RealCluster\.\w+) \(", line)
            if not ended:
                continue
            if ended[1] == "OK":
                passed += 1
                said = next((note for note in notes if note.startswith("acknowledged ")), "")
                print(f"ok       {kafka_peers.NEWEST}: {ended[2]}{': ' + said if said else ''}")
            else:
                failed += 1
                print(f"FAILED   {ended[2]}\n  " + "\n  ".join(notes[-15:]))
            notes = []
        # 1: some test failed, and was told above.
        if tests.wait() not in ((1,) if failed else (0,)):
            failed += 1
            print(f"FAILED   the tests ended with {tests.returncode}\n  " + "\n  ".join(notes[-15:]))
    finally:
        if watchdog:
            watchdog.cancel()
        stop(members)
    if not passed and not failed:
        failed = 1
        print("FAILED   no test ran")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
