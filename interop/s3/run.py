#!/usr/bin/env python3
"""Lets pinflow keep its objects and tables in S3 servers that we did not write. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM [--folder DIR] [WORD ...]
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
from kafka_peers import BUILD, Broker, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position

S3PROXY = "3.0.0"
KEY, SECRET, BUCKET = "pinflow-interop", "no/secret+of/value", "interop"
ENVIRONMENT = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
               "no_proxy": "127.0.0.1"}


def s3proxy_jar():
    folder = BUILD / "s3proxy"
    jar = folder / f"s3proxy-{S3PROXY}-jar-with-dependencies.jar"
    if jar.exists():
        return jar
    if not shutil.which("mvn") or not shutil.which("java"):
        raise Missing("no Maven or no Java on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "mvn.log", "wb") as log:
        code = subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=org.gaul:s3proxy:{S3PROXY}:jar:jar-with-dependencies", f"-DoutputDirectory={folder}"],
                              stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=600).returncode
    if code != 0 or not jar.exists():
        raise Missing(f"Maven could not fetch S3Proxy {S3PROXY}, see {folder.relative_to(ROOT)}/mvn.log")
    return jar


class S3Proxy(Broker):
    """S3Proxy over a folder: it checks the signature of every call."""
    name = f"S3Proxy {S3PROXY}"

    def __init__(self, folder):
        super().__init__(folder)
        self.jar = s3proxy_jar()
        self.data = self.folder / "data"
        (self.data / BUCKET).mkdir(parents=True)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.properties = self.folder / "s3proxy.properties"
        self.properties.write_text("\n".join(f"{key}={value}" for key, value in {
            "s3proxy.endpoint": self.endpoint, "s3proxy.authorization": "aws-v4", "s3proxy.identity": KEY, "s3proxy.credential": SECRET,
            "jclouds.provider": "filesystem-nio2", "jclouds.filesystem.basedir": self.data}.items()))

    def command(self):
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-jar", str(self.jar), "--properties", str(self.properties)]

    def ready_line(self):
        return "Started Server"


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

    def post(self, up, source, seed):
        self.run(source, "emulate", "--to", "both", "--burst", "--order", "shuffled", "--seed", seed, "--url", up.url, "--quiet")


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


def one_after_the_other(lake, folder, posts):
    """Two pinflows with logs of their own write the same tables, one after the other: S3Proxy looks and puts in two steps, so it is no store for both at once."""
    source = folder / "source" / "data"
    lake.run(source, "source", "create", "--posts", posts, "--quiet")
    for seed, name in enumerate(("one", "two", "one")):
        up = lake.up(name)
        try:
            lake.post(up, source, seed)
        finally:
            up.stop()
    tables = fingerprints(lake.run(folder / "one" / "data", "tables", "--fingerprint"))
    rows = {name: table["rows"] for name, table in tables.items()}
    expect(len(rows) >= 3 and all(count == 3 * posts for name, count in rows.items() if name.startswith("pinterest")), f"each should hold {3 * posts} rows: {rows}")
    return f"{sum(rows.values())} rows in {sum(table['version'] for table in tables.values())} commits"


def is_sound(lake, data):
    lake.run(data, "tables", "optimize")
    said = lake.run(data, "tables", "check")
    return said.strip().splitlines()[-1]


def is_read_by_deltalake(lake, data, server):
    ours = fingerprints(lake.run(data, "tables", "--fingerprint"))
    read = "import sys, json, deltalake; print(json.dumps({n: deltalake.DeltaTable(sys.argv[1] + '/' + n).to_pyarrow_table().num_rows for n in sys.argv[2:]}))"
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("--folder", default=str(BUILD / "run" / "s3"))
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder)
    program = str(pathlib.Path(options.pinflow).resolve())
    report.check("S3: a store that passes over If-None-Match is refused", refuses_careless, program, folder)
    server = None
    try:
        server = S3Proxy(folder / "server").start()
        lake = Lake(program, folder, server.endpoint)
        data = folder / "one" / "data"
        report.check(f"S3: wrong keys are refused by {server.name}", refuses_wrong_keys, lake, folder)
        report.check(f"S3: two pipelines write the same tables on {server.name}", one_after_the_other, lake, folder, options.posts)
        report.check("S3: the tables are what the specification asks for", is_sound, lake, data)
        report.check("S3: the tables are read by deltalake from the server's folder", is_read_by_deltalake, lake, data, server)
        report.check("S3: sink and batch", sink_and_batch, lake, data, server)
    except Missing as reason:
        report.skip("S3 server", reason)
    finally:
        if server:
            server.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
