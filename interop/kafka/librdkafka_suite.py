#!/usr/bin/env python3
"""Runs librdkafka's own test suite against a broker, each number in a process of its own, as librdkafka_suite.list says.

    librdkafka_suite.py --pinflow PROGRAM | --apache VERSION   [--quick] [--jobs N] [--folder DIR] [NUMBER ...]

--quick runs only the numbers marked quick. The suite's sources come from an npm package and are built once, below build/interop.
A number that the suite skips, or that runs no sub-test where only= was given, counts as failed: an empty pass proves nothing.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import kafka_peers
from client_peers import node_modules
from kafka_peers import BUILD, HERE, Missing, ROOT

SUITE = BUILD / "librdkafka"
SECONDS = {"quick": 240, "long": 400, "full": 900}
Entry = collections.namedtuple("Entry", "number mode scenario only version reason")


def read_list():
    entries = []
    for line in (HERE / "librdkafka_suite.list").read_text().splitlines():
        words = line.split("#")[0].split() if not re.match(r"^\d{4}", line) else line.split()
        if not words:
            continue
        numbers, mode, rest = words[0], words[1], words[2:]
        if mode == "excluded":
            first, last = (numbers.split("-") * 2)[:2]
            entries += [Entry(f"{n:04d}", mode, "", "", "", " ".join(rest)) for n in range(int(first), int(last) + 1)]
        else:
            options = dict(word.split("=", 1) for word in rest)
            entries.append(Entry(numbers, mode, options.get("scenario", "default"), options.get("only", ""), options.get("version", ""), ""))
    return entries


def build():
    """Builds librdkafka, its test runner and its performance tool once."""
    lock = (HERE / "package-lock.json").read_bytes()
    mark = SUITE / "complete"
    if mark.exists() and mark.read_bytes() == lock:
        return
    modules = node_modules()
    if not shutil.which("make") or not shutil.which("g++"):
        raise Missing("no make or no g++ on this machine")
    shutil.rmtree(SUITE, ignore_errors=True)
    shutil.copytree(modules / "@confluentinc/kafka-javascript/deps/librdkafka", SUITE)
    # This package ships the tests, the other one the examples; the tool uses the public interface and two headers of the sources.
    (SUITE / "examples").mkdir()
    shutil.copy(modules / "node-rdkafka/deps/librdkafka/examples/rdkafka_performance.c", SUITE / "examples")
    # These two ask for three replicas, which one broker of any make refuses; one serves their purpose.
    for name, asked, given in (("0107-topic_recreate.c", ", 3, 5000)", ", 1, 5000)"), ("0111-delay_create_topics.cpp", ", 1, 3);", ", 1, 1);")):
        source = SUITE / "tests" / name
        source.write_text(source.read_text().replace(asked, given))
    jobs = f"-j{os.cpu_count()}"
    steps = (["bash", "./configure", "--disable-curl", "--disable-gssapi"], ["make", jobs, "libs"], ["make", jobs, "-C", "tests", "build"],
             ["bash", "-c", "gcc -O2 -w -I src -o examples/rdkafka_performance examples/rdkafka_performance.c src/librdkafka.a "
                            "$(pkg-config --static --libs src/rdkafka.pc | tr ' ' '\\n' | grep -v -e -L -e -lrdkafka | tr '\\n' ' ')"])
    with open(SUITE / "build.log", "wb") as log:
        for step in steps:
            if subprocess.run(step, cwd=SUITE, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=1800).returncode != 0:
                raise Missing(f"librdkafka's sources do not build here, see {SUITE.relative_to(ROOT)}/build.log")
    mark.write_bytes(lock)


def kafka_path(broker_version):
    """Returns a folder with bin/kafka-topics.sh, which some tests call, as Apache Kafka's distribution has it."""
    folder = BUILD / "kafka-path"
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    script = folder / "bin" / "kafka-topics.sh"
    command = " ".join(f"'{word}'" for word in kafka_peers.java_command(broker_version, "topics"))
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    return folder


def run_entry(entry, broker, folder):
    """Runs one line of the list; returns (outcome, what to print)."""
    name = "-".join(filter(None, (entry.number, entry.only, entry.scenario if entry.scenario != "default" else "")))
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    config = home / "test.conf"
    config.write_text(f"bootstrap.servers={broker.bootstrap}\n")
    environment = {**os.environ, "RDKAFKA_TEST_CONF": str(config), "TESTS": entry.number, "TEST_KAFKA_VERSION": entry.version or broker.speaks, "BROKERS": broker.bootstrap,
                   "KAFKA_PATH": str(kafka_path(kafka_peers.NEWEST)), "LD_LIBRARY_PATH": f"{SUITE}/src:{SUITE}/src-cpp"}
    if entry.only:
        environment["SUBTESTS"] = entry.only
    environment.pop("CI", None)  # With it, the suite passes over what measures time, and says so as if it had run.
    command = [str(SUITE / "tests/test-runner"), "-p1", "-L", "-s", entry.scenario, *([] if entry.mode == "full" else ["-Q"])]
    begin = time.monotonic()
    with open(home / "output.log", "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command, cwd=SUITE / "tests", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            code = process.wait(SECONDS[entry.mode])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return "FAILED", f"{name}: not at its end after {SECONDS[entry.mode]} s"
        log.seek(0)
        said = re.sub(r"\x1b\[[0-9;]*m", "", log.read())
    took = time.monotonic() - begin
    states = collections.Counter(re.findall(r"^\| \d{4}\w*\s*\|\s*(PASSED|FAILED|SKIPPED)", said, re.MULTILINE))
    # A failure's own words are in the line after the one that names its place.
    reason = re.search(r"(?<= ###\n).*$|^.*(?:Assertion|SKIPPING TEST: (?!Filtered)).*$", said, re.MULTILINE)
    if code != 0 or states["FAILED"]:
        return "FAILED", f"{name}: {reason.group(0).strip()[:300] if reason else f'exit code {code}'}"
    if not states["PASSED"] or (entry.only and not re.search(r"\[ .*PASS \(", said)):
        return "FAILED", f"{name}: ran nothing: {reason.group(0).strip()[:300] if reason else states}"
    return "ok", f"{name}: {states['PASSED']} passed{', without -Q' if entry.mode == 'full' else ''}, {took:.0f} s"


def run_twice(entry, broker, folder):
    """As run_entry; many numbers hold the broker to seconds, which a busy machine breaks, so a failed one gets a second try, which is told."""
    outcome, text = run_entry(entry, broker, folder)
    if outcome == "ok":
        return outcome, text
    again, text_again = run_entry(entry, broker, folder)
    return again, f"{text_again}, at the second try; at the first: {text}" if again == "ok" else text


def brokers(options, folder):
    """Returns the two brokers by scenario; each starts when its first number runs."""
    made = {}
    for scenario, create in (("default", "true"), ("noautocreate", "false")):
        if options.pinflow:
            made[scenario] = kafka_peers.Pinflow(options.pinflow, folder / scenario, {"kafka.auto_create_topics": create})
        else:
            made[scenario] = kafka_peers.ApacheKafka(options.apache, folder / scenario, {"auto.create.topics.enable": create})
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--pinflow")
    which.add_argument("--apache")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", default=str(BUILD / "run" / "librdkafka"))
    parser.add_argument("numbers", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        build()
        kafka_path(kafka_peers.NEWEST)
    except Missing as reason:
        print(f"skipped  librdkafka's suite: {reason}\n0 passed, 0 failed, 1 skipped")
        return 0
    entries = [entry for entry in read_list() if not options.numbers or entry.number in options.numbers]
    counts = collections.Counter()
    by_scenario = brokers(options, folder)
    for scenario, broker in by_scenario.items():
        wanted = [e for e in entries if e.scenario == scenario and (e.mode == "quick" or e.mode in ("long", "full") and not options.quick)]
        if not wanted:
            continue
        broker.start()
        try:
            with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
                for outcome, text in pool.map(lambda e: run_twice(e, broker, folder), wanted):
                    print(f"{outcome:8} librdkafka {text}", flush=True)
                    counts[outcome] += 1
        finally:
            broker.stop()
    reasons = collections.Counter(e.reason for e in entries if e.mode == "excluded")
    for reason, number in sorted(reasons.items()):
        print(f"excluded librdkafka {number} numbers: {reason}")
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, 0 skipped")
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
