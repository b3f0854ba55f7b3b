#!/usr/bin/env python3
"""Holds a Kafka broker against clients and tools that we did not write. The broker is pinflow, an Apache Kafka as the reference, or one
that runs already. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM | --apache VERSION | --bootstrap HOST:PORT   [--folder DIR] [--long] [WORD ...]

With words, only checks whose names hold one of them run. Without --long, Kafka's older version takes part where clients write and read, and is
left out of groups, restarts, Connect and administration.
"""
import argparse
import pathlib
import shutil
import sys
import types

import check_clients
import check_connect
import check_groups
import check_restart
import check_tools
import client_peers
import kafka_peers
from check_report import Report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--pinflow")
    which.add_argument("--apache")
    which.add_argument("--bootstrap")
    parser.add_argument("--folder", default=str(kafka_peers.BUILD / "run" / "kafka"))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    if options.pinflow:
        broker = kafka_peers.Pinflow(options.pinflow, folder / "broker")
    elif options.apache:
        broker = kafka_peers.ApacheKafka(options.apache, folder / "broker")
    else:
        broker = types.SimpleNamespace(bootstrap=options.bootstrap, start=None, stop=lambda: None, kill=None)
    report = Report(options.words, folder)
    if broker.start:
        broker.start()
    try:
        check_tools.run(report, broker, folder, options.long)
        peers = client_peers.all_peers()
        check_clients.run(report, broker, peers, folder)
        if not options.long:
            peers = [peer for peer in peers if peer.newest]
        check_groups.run(report, broker, peers)
        check_connect.run(report, broker, kafka_peers.VERSIONS if options.long else (kafka_peers.NEWEST,), folder)
        check_restart.run(report, broker, peers)
    finally:
        broker.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
