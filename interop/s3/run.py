#!/usr/bin/env python3
"""Lets pinflow keep its objects and tables in S3 servers that we did not write. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM [--folder DIR] [--long] [WORD ...]
"""
import argparse
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE.parent / "kafka")]

import http_peers  # noqa: E402  pylint: disable=wrong-import-position
from check_report import Report, expect  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position
from servers import BUCKET, ENVIRONMENT, KEY, SECRET, S3Proxy, Versity  # noqa: E402  pylint: disable=wrong-import-position

class Careless(http.server.BaseHTTPRequestHandler):
    """An object store that takes every PUT, whatever its conditions."""
    objects = {}
    protocol_version = "HTTP/1.1"

    def key(self):
        return urllib.parse.unquote(self.path.split("?")[0])

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"x"')
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):  # pylint: disable=invalid-name
        self.objects[self.key()] = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200)

    def do_GET(self):  # pylint: disable=invalid-name
        found = self.objects.get(self.key())
        if found is None:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self.answer(200, found)

    def do_DELETE(self):  # pylint: disable=invalid-name
        self.objects.pop(self.key(), None)
        self.answer(204)

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


class Lake:
    """Data folders of pinflow whose objects and tables lie in one bucket."""

    def __init__(self, program, folder, endpoint):
        self.program, self.folder, self.endpoint = program, folder, endpoint

    def settings(self, name):
        # Objects are named by places in a log, so each log has a place of its own for them.
        return {"data.tables": f"s3://{BUCKET}/lake/tables", "data.objects": f"s3://{BUCKET}/lake/objects-{name}", "s3.endpoint": self.endpoint,
                "stream.commit_interval": "200ms", "stream.checkpoint_interval": 5, "stream.optimize_interval": "0s"}

    def run(self, data, *arguments, code=0, environment=None):
        sets = [text for key, value in self.settings(data.parent.name).items() for text in ("--set", f"{key}={value}")]
        done = subprocess.run([self.program, *map(str, arguments), "--data", str(data), *sets], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=200, env=environment or ENVIRONMENT)
        expect(done.returncode == code, f"pinflow {' '.join(map(str, arguments))} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-900:]}")
        return done.stdout + done.stderr

    def up(self, name):
        os.environ.update(ENVIRONMENT)
        return http_peers.Doors(self.program, self.folder / name, self.settings(name)).start()

    def source(self, posts):
        """A data folder to post from."""
        data = self.folder / "source" / "data"
        if not data.exists():
            self.run(data, "source", "create", "--posts", posts, "--quiet")
        return data

    def post(self, up, source, seed, pace=("--burst",)):
        self.run(source, "emulate", "--to", "both", *pace, "--order", "shuffled", "--seed", seed, "--url", up.url, "--quiet")


def fingerprints(text):
    return {line["table"]: line for line in map(json.loads, text.strip().splitlines())}


def refuses_careless(program, folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        lake = Lake(program, folder, f"http://127.0.0.1:{server.server_address[1]}")
        done = subprocess.run([program, "up", "--data", str(folder / "careless"), "--set", "http.port=0", "--set", "kafka.port=0",
                               *[text for key, value in lake.settings("careless").items() for text in ("--set", f"{key}={value}")]],
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env=ENVIRONMENT)
        expect(done.returncode != 0, "pinflow up runs on a store that passes over If-None-Match")
        expect("overwrite each other's commits of Delta tables" in done.stderr, f"it says: {done.stderr[-600:]}")
        expect(not Careless.objects, f"it leaves {list(Careless.objects)}")
    finally:
        server.shutdown()


def refuses_wrong_keys(lake, folder):
    said = lake.run(folder / "wrong", "up", "--set", "http.port=0", "--set", "kafka.port=0", code=5, environment={**ENVIRONMENT, "AWS_SECRET_ACCESS_KEY": "another"})
    expect("SignatureDoesNotMatch" in said, f"it says: {said[-600:]}")


def one_after_the_other(lake, posts):
    """Two pinflows with logs of their own write the same tables, one after the other: S3Proxy looks and puts in two steps, so it is no store for both at once."""
    source = lake.source(posts)
    for seed, name in enumerate(("one", "two", "one")):
        up = lake.up(name)
        try:
            lake.post(up, source, seed)
        finally:
            up.stop()
    tables = fingerprints(lake.run(source, "tables", "--fingerprint"))
    rows = {name: table["rows"] for name, table in tables.items()}
    expect(len(rows) >= 3 and all(count == 3 * posts for name, count in rows.items() if name.startswith("pinterest")), f"each should hold {3 * posts} rows: {rows}")
    return f"{sum(rows.values())} rows in {sum(table['version'] for table in tables.values())} commits"


def one_wins(endpoint):
    """Many put the same new names at the same moment, by another client than ours: of each name one wins, and the object is what it wrote."""
    try:
        import boto3  # pylint: disable=import-outside-toplevel
        import botocore.exceptions  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise Missing("the package boto3 could not be installed") from None
    writers, names, answers = 8, 50, []
    client = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1",
                          config=boto3.session.Config(max_pool_connections=writers, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))
    barrier = threading.Barrier(writers)

    def write(writer):
        for name in range(names):
            barrier.wait(60)
            try:
                client.put_object(Bucket=BUCKET, Key=f"race/{name}", Body=f"{writer}".encode(), IfNoneMatch="*")
                answers.append((name, 200, writer))
            except botocore.exceptions.ClientError as refused:
                answers.append((name, refused.response["ResponseMetadata"]["HTTPStatusCode"], writer))
            except botocore.exceptions.BotoCoreError as failure:
                answers.append((name, str(failure), writer))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    odd = [answer for answer in answers if answer[1] not in (200, 409, 412)]
    expect(len(answers) == writers * names and not odd, f"{len(answers)} answers, among them {odd[:3]}")
    won = sorted((name, str(writer)) for name, status, writer in answers if status == 200)
    expect([name for name, _ in won] == list(range(names)), f"{len(won)} puts of {names} names won")
    held = [(name, client.get_object(Bucket=BUCKET, Key=f"race/{name}")["Body"].read().decode()) for name, _ in won]
    expect(held == won, "an object does not hold what its winner wrote")
    return f"{names} names, {writers} writers"


def both_at_once(lake, posts, server):
    """Two pinflows with logs of their own write the same tables at the same time: no commit may be lost, none may replace another's."""
    source, names = lake.source(posts), ("left", "right")
    before = fingerprints(lake.run(source, "tables", "--fingerprint"))
    running = [lake.up(name) for name in names]
    try:
        posting = [threading.Thread(target=lake.post, args=(up, source, seed, ("--rate", posts // 5))) for seed, up in enumerate(running)]
        for thread in posting:
            thread.start()
        for thread in posting:
            thread.join()
    finally:
        for up in running:
            up.stop()
    expect(all(up.process.returncode == 0 for up in running), "a pinflow ended badly")
    tables = fingerprints(lake.run(source, "tables", "--fingerprint"))
    rows = {name: table["rows"] - before.get(name, {"rows": 0})["rows"] for name, table in tables.items() if name.startswith("pinterest")}
    expect(len(rows) == 3 and all(count == len(names) * posts for count in rows.values()), f"each table should have {len(names) * posts} rows more: {rows}")
    turns = commits = 0
    for name in rows:
        who = []
        for commit in sorted((server.data / BUCKET / "lake/tables" / name / "_delta_log").glob("0*.json")):
            positions = [json.loads(line)["txn"]["appId"].split(":")[0] for line in commit.read_text(encoding="utf-8").splitlines() if '"txn"' in line]
            who += positions[:1]
        expect(len(set(who)) >= 2, f"{name}: only one of the two committed")
        turns += sum(1 for one, next_one in zip(who, who[1:]) if one != next_one)
        commits += len(who)
    expect(turns >= 10, f"the two took turns only {turns} times in {commits} commits: they did not write at the same time")
    said = lake.run(source, "tables", "check").strip().splitlines()
    expect(all(line.endswith(": sound") for line in said), " | ".join(said)[-800:])
    return f"{sum(rows.values())} rows in {commits} commits, {turns} turns between the writers, {len(said)} tables sound"


def pages(lake, folder, posts):
    """More objects than a list tells at once: one record each."""
    data = folder / "pages" / "data"
    lake.run(data, "source", "create", "--posts", posts, "--quiet")
    up = http_peers.Doors(lake.program, data.parent, {**lake.settings("pages"), "sink.flush_size": 1, "data.tables": f"s3://{BUCKET}/pages/tables"}).start()
    try:
        lake.run(data, "emulate", "--to", "topics", "--burst", "--url", up.url, "--quiet")
    finally:
        up.stop()
    lake.run(data, "batch", "run", "--quiet", "--set", f"data.tables=s3://{BUCKET}/pages/tables")
    last = json.loads(lake.run(data, "runs", "list", "--limit", "1", "--output", "json"))[0]["report"]
    rows = {kind: told["rows"] for kind, told in last["kinds"].items()}
    expect(last["objects"] == 3 * posts and all(count >= posts for count in rows.values()), f"{last['objects']} objects were read, {rows} rows")
    return f"{last['objects']} objects of one record"


def our_tests(server):
    """The tests of our S3 store that want a real server: names of all sorts, a file in parts, one of many puts a new name."""
    program = next((path for path in (ROOT / "build" / preset / "src/objects/objects_test" for preset in ("release", "dev")) if path.exists()), None)
    if not program:
        raise Missing("objects_test is not built")
    environment = {**ENVIRONMENT, "PINFLOW_TEST_S3": server.endpoint, "PINFLOW_TEST_S3_BUCKET": BUCKET, "PINFLOW_TEST_S3_ATOMIC": "1"}
    done = subprocess.run([str(program), "--gtest_filter=S3Server.*"], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=200)
    expect(done.returncode == 0 and "SKIPPED" not in done.stdout, done.stdout.strip()[-1200:])
    return done.stdout.strip().splitlines()[-1].strip()


def is_sound(lake, data):
    lake.run(data, "tables", "optimize")
    said = lake.run(data, "tables", "check")
    return said.strip().splitlines()[-1]


def is_read_by_deltalake(lake, data, server):
    ours = fingerprints(lake.run(data, "tables", "--fingerprint"))
    # Threads of the reader may outlive the interpreter, which then ends it by a signal.
    read = "import os, sys, json, deltalake; print(json.dumps({n: deltalake.DeltaTable(sys.argv[1] + '/' + n).to_pyarrow_table().num_rows for n in sys.argv[2:]}), flush=True); os._exit(0)"
    done = subprocess.run([sys.executable, "-c", read, str(server.data / BUCKET / "lake/tables"), *ours], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    if "No module named" in done.stderr:
        raise Missing("the package deltalake could not be installed")
    expect(done.returncode == 0, done.stderr[-500:])
    theirs = json.loads(done.stdout)
    expect(theirs == {name: table["rows"] for name, table in ours.items()}, f"it sees {theirs}")
    return f"{len(ours)} tables"


def sink_and_batch(lake, data, server):
    said = lake.run(data, "batch", "run", "--quiet")
    objects = list((server.data / BUCKET / "lake/objects-one").rglob("*.json"))
    expect(objects, f"no objects of the sink: {said[-300:]}")
    tables = fingerprints(lake.run(data, "tables", "--fingerprint"))
    expect("posts" in tables or len(tables) > 4, f"no tables of the batch: {list(tables)}")
    return f"{len(objects)} objects, {len(tables)} tables"


def checks_on(report, server, lake, folder, posts):
    data, on = folder / "one" / "data", f"on {server.name}"
    report.check(f"S3: wrong keys are refused {on}", refuses_wrong_keys, lake, folder)
    report.check(f"S3: two pipelines write the same tables one after the other {on}", one_after_the_other, lake, posts)
    report.check(f"S3: the tables are what the specification asks for {on}", is_sound, lake, data)
    report.check(f"S3: the tables are read by deltalake from the server's folder {on}", is_read_by_deltalake, lake, data, server)
    report.check(f"S3: sink and batch {on}", sink_and_batch, lake, data, server)
    if isinstance(server, S3Proxy):
        return  # It looks and puts in two steps: no store for writers at the same moment.
    report.check(f"S3: one of many puts a new name at the same moment {on}", one_wins, server.endpoint)
    report.check(f"S3: two pipelines write the same tables at the same moment {on}", both_at_once, lake, posts, server)
    report.check(f"S3: lists of several pages {on}", pages, lake, folder, 1100)
    report.check(f"S3: our store's own tests {on}", our_tests, server)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "s3"))
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--long", action="store_true", help="versitygw too, which Go builds for a minute or two")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder)
    program = str(pathlib.Path(options.pinflow).resolve())
    report.check("S3: a store that passes over If-None-Match is refused", refuses_careless, program, folder)
    for kind in (S3Proxy, Versity) if options.long else (S3Proxy,):
        place = folder / kind.__name__.lower()
        server = None
        try:
            server = kind(place / "server").start()
            checks_on(report, server, Lake(program, place, server.endpoint), place, options.posts)
        except Missing as reason:
            report.skip(f"S3 server {kind.name}", str(reason))
        finally:
            if server:
                server.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
