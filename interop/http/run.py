#!/usr/bin/env python3
"""Holds the HTTP doors against clients and tools that we did not write. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM | --kinesis URL | --kinesalite   [--folder DIR] [--quick | --long] [WORD ...]

--kinesis aims the Kinesis checks alone at an endpoint that runs already, --kinesalite at the emulator, which is known to fail some. --long adds what `make conformance` runs; --quick leaves out what takes long, as `make interop` does. With words, only
checks whose names hold one of them run.
"""
import argparse
import pathlib
import shutil
import sys

import http_peers  # First: it lets the others find what interop/kafka has.
import check_access
import check_boto
import check_kafka_rest
import check_openapi
import check_remote_kinesis
import check_sdks
import check_streams
import client_peers
import differential
from check_report import Report

# Clients on a JVM or with a start of their own for each call, and waits for seconds.
TAKE_LONG = ("AWS command line", "AWS SDK for Java v2", "Client Library", "one subscriber a consumer", "Kafka's consumers in one group")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--pinflow")
    which.add_argument("--kinesis")
    which.add_argument("--kinesalite", action="store_true")
    parser.add_argument("--folder", default=str(http_peers.BUILD / "run" / "http"))
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true")
    how.add_argument("--long", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder, TAKE_LONG if options.quick else ())
    if options.kinesalite:
        emulator = http_peers.Kinesalite(folder / "kinesalite").start()
        options.kinesis = emulator.kinesis
    if options.kinesis:
        check_boto.run(report, options.kinesis, folder)
        check_sdks.run(report, options.kinesis)
    if options.kinesalite:
        emulator.stop()
    if options.pinflow:
        doors = http_peers.Doors(options.pinflow, folder / "doors", {"kinesis.cors": "true", "kinesis.change_delay": "50ms"}).start()
        try:
            check_boto.run(report, doors.kinesis, folder)
            check_sdks.run(report, doors.kinesis)
            check_sdks.run_library(report, doors.kinesis, folder, options.long)
            differential.run(report, doors, folder)
            check_streams.run(report, options.pinflow, doors, folder)
            check_kafka_rest.run(report, doors, [peer for peer in client_peers.all_peers() if peer.newest and peer.static])
            check_openapi.run(report, doors, options.long)
        finally:
            doors.stop()
        check_access.run(report, options.pinflow, folder, options.long)
        check_remote_kinesis.run(report, options.pinflow, folder / "remote-kinesis", options.long)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
