#!/usr/bin/env python3
"""`pinflow migrate`, from one machine to many: a pipeline on the embedded log and a folder, in full work, is killed and taken to three brokers of Apache Kafka and
to S3 (versitygw); the migration is killed again and again on its way. Posts come before, meanwhile (they wait) and after. What is held is what end_to_end.py
holds, over both lives of the pipeline: each record in one object and in one row, offsets without a hole, every acknowledged one there; and for a topic with
a past (records deleted, a consumer group halfway): same records, same offsets, the group goes on.

    migrate.py [--program PROGRAM] [--kills N] [--migration-kills N] [--brokers N] [--seed N] [--posts N]
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import end_to_end
from end_to_end import Poster, Stage, brokers, expect, kafka_peers, servers
from check_report import Report

ROOT = end_to_end.ROOT
TOPIC, GROUP = "notes", "readers"
WRITTEN, DELETED, READ = 100, 37, 20


def tool(name, *arguments, given=""):
    code, said = kafka_peers.run_tool(kafka_peers.NEWEST, name, *arguments, given=given)
    expect(code == 0, f"{name} {' '.join(map(str, arguments))}: {said.strip()[-600:]}")
    return said


def consume(bootstrap, *arguments):
    """What Kafka's own consumer prints of each record."""
    said = tool("console-consumer", "--bootstrap-server", bootstrap, "--topic", TOPIC, "--timeout-ms", "10000", *arguments)
    return sorted(line for line in said.splitlines() if "\t" in line)


def everything(bootstrap):
    shown = [part for name in ("timestamp", "partition", "offset", "headers", "key") for part in ("--formatter-property", f"print.{name}=true")]
    return consume(bootstrap, "--from-beginning", *shown)


def make_past(bootstrap, folder):
    """A topic whose first records are gone, and a group that has read some of the others."""
    tool("topics", "--bootstrap-server", bootstrap, "--create", "--topic", TOPIC, "--partitions", "2", "--config", "retention.ms=-1")
    lines = "".join(f"h{i}:{i}\tkey {i}\tvalue {i}\n" for i in range(WRITTEN))
    parse = [part for name in ("headers", "key") for part in ("--reader-property", f"parse.{name}=true")]
    tool("console-producer", "--bootstrap-server", bootstrap, "--topic", TOPIC, *parse, given=lines)
    deletions = folder / "deletions.json"
    deletions.write_text(json.dumps({"version": 1, "partitions": [{"topic": TOPIC, "partition": 0, "offset": DELETED}]}), encoding="utf-8")
    tool("delete-records", "--bootstrap-server", bootstrap, "--offset-json-file", str(deletions))
    return consume(bootstrap, "--group", GROUP, "--max-messages", str(READ), "--from-beginning", "--formatter-property", "print.key=true")


class Move:
    """The two lives of one pipeline, and the way between them."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.chance = random.Random(options.seed)
        self.program = options.program.resolve()
        self.records = end_to_end.records_of(options, folder / "source")

    def settings(self, bootstrap, server):
        """The file of the other side, as its operator would write it."""
        path = self.folder / "cluster.toml"
        path.write_text(f'[data]\nfolder = "{self.folder / "many" / "data0"}"\nobjects = "s3://{servers.BUCKET}/objects"\ntables = "s3://{servers.BUCKET}/tables"\n'
                        f'[s3]\nendpoint = "{server.endpoint}"\n[log]\nengine = "kafka"\n[kafka_cluster]\nbootstrap_servers = "{bootstrap}"\n', encoding="utf-8")
        return path

    def migrate(self, settings, *words):
        return [str(self.program), "migrate", "--data", str(self.folder / "one" / "data"), "--to", str(settings), *words]

    def finish(self, settings):
        done = subprocess.run(self.migrate(settings, "--yes"), env={**os.environ, **servers.ENVIRONMENT}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        expect(done.returncode == 0, f"migrate ended with {done.returncode}: {done.stderr.strip()[-800:]}\n{done.stdout.strip()[-800:]}")
        return done.stdout

    def kill_on_the_way(self, settings):
        killed = 0
        for _ in range(self.options.migration_kills):
            process = subprocess.Popen(self.migrate(settings, "--yes"), env={**os.environ, **servers.ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                _, errors = process.communicate(timeout=self.chance.uniform(0.1, 2.5))
                expect(process.returncode == 0, f"migrate ended with {process.returncode}: {errors.strip()[-800:]}")
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
        return killed

    def run(self):
        port = kafka_peers.free_port()
        one = Stage(self.options, self.folder / "one", ["up"], [], ports=[f"kafka.port={port}"])
        poster = Poster(one, self.records, self.options.seed)
        members, server, many = [], None, None
        try:
            read = make_past(f"127.0.0.1:{port}", self.folder)
            past = everything(f"127.0.0.1:{port}")
            expect(WRITTEN - DELETED <= len(past) < WRITTEN, f"{TOPIC} has {len(past)} records")
            poster.start()
            end_to_end.kill_at_random(one, poster, self.chance, self.options.kills)
            time.sleep(2)
            one.stop()  # By SIGKILL, in the middle of posts: they wait for a door from now on.
            one.command("batch", "run")

            members, bootstrap = brokers.start(self.folder / "brokers", self.options.brokers)
            server = servers.Versity(self.folder / "server").start()
            settings = self.settings(bootstrap, server)
            killed = self.kill_on_the_way(settings)
            self.finish(settings)
            again = self.finish(settings)
            expect("0 records copied" in again and "positions in" not in again, f"a second migration did something:\n{again}")
            expect(everything(bootstrap) == past, f"{TOPIC} is not what it was")

            Stage.objects = lambda stage: server.data / servers.BUCKET / "objects" / "topics"
            many = Stage(self.options, self.folder / "many", ["serve", "serve", "sink", "sink", "stream", "stream"],
                         ["log.engine=kafka", f"kafka_cluster.bootstrap_servers={bootstrap}", f"s3.endpoint={server.endpoint}",
                          f"data.objects=s3://{servers.BUCKET}/objects", f"data.tables=s3://{servers.BUCKET}/tables"], servers.ENVIRONMENT)
            poster.stage = many
            rest = consume(bootstrap, "--group", GROUP, "--formatter-property", "print.key=true")
            expect(not collections.Counter(read) & collections.Counter(rest) and len(read) + len(rest) == len(past),
                   f"the group read {len(read)} before and {len(rest)} after of {len(past)}")
            end_to_end.kill_at_random(many, poster, self.chance, self.options.kills)
            said = f"{end_to_end.holds_all(many, poster)}; {end_to_end.holds_live(many)}"
            self.same_answers(many)
            return f"{said}; {killed} of the migration; {len(past)} old records and their group moved"
        finally:
            poster.enough.set()
            poster.failure = poster.failure or "ended"
            for stage in (one, many):
                if stage:
                    stage.stop()
            brokers.stop(members)
            if server:
                server.stop()

    @staticmethod
    def same_answers(stage):
        """The batch goes on from where it was before the move, and comes to what it makes anew of all objects."""
        stage.command("batch", "run")
        answers = json.loads(stage.command("question", "all", "--format", "json"))
        stage.command("batch", "run", "--rebuild")
        expect(json.loads(stage.command("question", "all", "--format", "json")) == answers, "the batch answers otherwise once it reads all objects anew")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/pinflow")
    arguments.add_argument("--kills", type=int, default=2, help="of processes, before and after")
    arguments.add_argument("--migration-kills", type=int, default=4)
    arguments.add_argument("--brokers", type=int, default=1)
    arguments.add_argument("--posts", type=int, default=150)
    arguments.add_argument("--seed", type=int, default=os.getpid())
    options = arguments.parse_args()
    folder = ROOT / "build" / "interop" / "run" / "migrate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report([], folder)
    try:
        if not options.program.exists():
            raise kafka_peers.Missing(f"{options.program.name} is not built")
        kafka_peers.libs(kafka_peers.NEWEST)
        report.check(f"Moved from one machine to {options.brokers} broker(s) and S3", Move(options, folder).run)
    except kafka_peers.Missing as reason:
        report.skip("Migration", str(reason))
    if report.failed:
        print(f"         (--seed {options.seed})")
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
