"""The Kafka REST doors, v2 and v3, as clients of Confluent's REST Proxy use them: Python's requests and httpx, curl, Kafka's own consumers."""
import base64
import json
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from check_report import expect
from http_peers import Missing

V2 = "application/vnd.kafka.v2+json"
JSON = "application/vnd.kafka.json.v2+json"
BINARY = "application/vnd.kafka.binary.v2+json"
AVRO = "application/vnd.kafka.avro.v2+json"
ABSENT = object()


def ask(url, method, path, body=None, content_type=None, accept=None, **more):
    import requests  # pylint: disable=import-outside-toplevel
    headers = {key: value for key, value in (("Content-Type", content_type), ("Accept", accept)) if value}
    data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
    return requests.request(method, url + path, data=data, headers=headers, timeout=30, **more)


def must(url, method, path, body=None, content_type=V2, accept=None, status=(200, 204)):
    answer = ask(url, method, path, body, content_type if body is not None else None, accept)
    expect(answer.status_code in status, f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
    return answer.json() if answer.content else None


def record(value):
    return {"records": [{"value": value}]}


# method, path, body, Content-Type, Accept, status, error_code or what the body must be.
TABLE = [
    ("GET", "/", None, None, None, 200, {}),
    ("GET", "/topics", None, None, V2, 200, ABSENT),
    ("GET", "/topics", None, None, "*/*", 200, ABSENT),
    ("GET", "/topics", None, None, "text/html", 406, 406),
    ("GET", "/topics/", None, None, None, 200, ABSENT),
    ("GET", "/brokers", None, None, None, 200, ABSENT),
    ("GET", "/topics/no-such-topic", None, None, None, 404, 40403),
    ("GET", "/topics/no-such-topic/partitions", None, None, None, 404, 40403),
    ("GET", "/topics/rest-table/partitions/99", None, None, None, 404, 40402),
    ("GET", "/topics/rest-table/partitions/0/offsets", None, None, None, 200, ABSENT),
    ("GET", "/nowhere", None, None, None, 404, 404),
    ("DELETE", "/topics", None, None, None, 405, 405),
    ("POST", "/topics/rest-table", record(1), JSON, None, 200, ABSENT),
    ("POST", "/topics/rest-table", record("aGk="), BINARY, None, 200, ABSENT),
    ("POST", "/topics/rest-table/partitions/0", record(None), JSON, None, 200, ABSENT),
    ("POST", "/topics/rest-table/partitions/99", record(1), JSON, None, 404, 40402),
    ("POST", "/topics/rest-table", record(1), V2, None, 415, 415),
    ("POST", "/topics/rest-table", record(1), "application/json", None, 415, 415),
    ("POST", "/topics/rest-table", record(1), "application/vnd.kafka.json.v3+json", None, 415, 415),
    ("POST", "/topics/rest-table", record(1), "application/vnd.kafka.json.v2+foo", None, 415, 415),
    ("POST", "/topics/rest-table", record("%%%"), BINARY, None, 400, 400),
    ("POST", "/topics/rest-table", record(5), BINARY, None, 400, 400),
    ("POST", "/topics/rest-table", record({"a": 1}), AVRO, None, 422, 42202),
    ("POST", "/topics/rest-table", {"records": [{"key": 1, "value": None}]}, AVRO, None, 422, 42201),
    ("POST", "/topics/rest-table", '{"records":', JSON, None, 400, 400),
    ("POST", "/topics/rest-table", "", JSON, None, 422, 422),
    ("POST", "/topics/rest-table", {}, JSON, None, 422, 422),
    ("POST", "/topics/rest-table", {"records": []}, JSON, None, 422, 422),
    ("POST", "/topics/rest-table", {"foo": 1}, JSON, None, (400, 422), ABSENT),
    ("POST", "/topics/rest-table", {"records": 5}, JSON, None, 400, 400),
    ("POST", "/topics/rest-table", {"records": [{"value": 1, "partition": 99}]}, JSON, None, 404, 40402),
    ("POST", "/topics/no-such-topic", record(1), JSON, None, 404, 40401),
    ("POST", "/consumers/rest-table", {"format": "csv"}, V2, None, 422, 422),
    ("POST", "/consumers/rest-table", {"fetch.min.bytes": "10000001"}, V2, None, 422, ABSENT),
    ("GET", "/consumers/rest-table/instances/nobody/records", None, None, JSON, 404, 40403),
    ("DELETE", "/consumers/rest-table/instances/nobody", None, V2, None, 404, 40403),
    ("POST", "/consumers/rest-table/instances/nobody/subscription", {"topics": ["rest-table"]}, V2, None, 404, 40403),
    ("GET", "/v3/clusters", None, None, None, 200, ABSENT),
    ("GET", "/v3/clusters/no-such-cluster", None, None, None, 404, 404),
]


def make_topic(url, name, partitions=1):
    cluster = must(url, "GET", "/v3/clusters")["data"][0]["cluster_id"]
    must(url, "POST", f"/v3/clusters/{cluster}/topics", {"topic_name": name, "partitions_count": partitions}, "application/json", status=(201,))
    return cluster


def table(url):
    make_topic(url, "rest-table", 2)
    wrong = []
    for method, path, body, content_type, accept, status, told in TABLE:
        answer = ask(url, method, path, body, content_type, accept)
        statuses = status if isinstance(status, tuple) else (status,)
        said = answer.json() if answer.content else None
        good = answer.status_code in statuses
        if good and told is not ABSENT:
            good = said == told if isinstance(told, dict) else said.get("error_code") == told and isinstance(said.get("message"), str)
        if not good:
            wrong.append(f"{method} {path} {json.dumps(body)[:60]} as {content_type}, Accept {accept}: {answer.status_code} {answer.text[:120]}, expected {status} {'' if told is ABSENT else told}")
    expect(not wrong, f"{len(wrong)} of {len(TABLE)} answers differ:\n  " + "\n  ".join(wrong))
    return f"{len(TABLE)} requests"


def metadata(url):
    make_topic(url, "rest-metadata", 3)
    expect("rest-metadata" in must(url, "GET", "/topics"), "a new topic is not listed")
    said = must(url, "GET", "/topics/rest-metadata")
    expect(said["name"] == "rest-metadata" and len(said["partitions"]) == 3 and said["configs"] and all(isinstance(value, str) for value in said["configs"].values()), f"topic is {said}")
    expect(said["partitions"][1].keys() >= {"partition", "leader", "replicas"} and said["partitions"][1]["replicas"][0].keys() >= {"broker", "leader", "in_sync"}, f"partition is {said['partitions'][1]}")
    expect(list(must(url, "GET", "/brokers")) == ["brokers"], "/brokers has other members")
    expect(must(url, "GET", "/topics/rest-metadata/partitions/2") == said["partitions"][2], "a partition alone differs from the one in its topic")
    sent = must(url, "POST", "/topics/rest-metadata/partitions/2", {"records": [{"key": n, "value": {"n": n}} for n in range(10)]}, JSON)
    expect([entry["offset"] for entry in sent["offsets"]] == list(range(10)) and sent["offsets"][0] == {"partition": 2, "offset": 0, "error_code": None, "error": None}, f"answered {sent}")
    expect(must(url, "GET", "/topics/rest-metadata/partitions/2/offsets") == {"beginning_offset": 0, "end_offset": 10}, "offsets differ")
    return "topics, partitions, brokers, offsets"


class Instance:
    """A consumer instance of the REST proxy."""

    def __init__(self, url, group, fmt="json", **settings):
        said = must(url, "POST", f"/consumers/{group}", {"format": fmt, "auto.offset.reset": "earliest", **settings})
        expect(said["base_uri"].endswith(f"/consumers/{group}/instances/{said['instance_id']}"), f"base_uri is {said['base_uri']}")
        self.url, self.accept = said["base_uri"], f"application/vnd.kafka.{fmt}.v2+json"

    def do(self, method, path="", body=None, **more):
        return must(self.url, method, path, body, **more)

    def read(self, timeout=2000):
        return self.do("GET", f"/records?timeout={timeout}", accept=self.accept)

    def read_until(self, count, seconds=30):
        records, end = [], time.monotonic() + seconds
        while len(records) < count:
            records += self.read()
            expect(time.monotonic() < end, f"{len(records)} records of {count} in {seconds} s")
        return records


def consumer(url):
    make_topic(url, "rest-consumer", 2)
    sent = [{"key": f"k{n}", "value": {"n": n, "text": "Ä"}, "partition": n % 2} for n in range(100)]
    must(url, "POST", "/topics/rest-consumer", {"records": sent}, JSON)
    instance = Instance(url, "rest-group", **{"auto.commit.enable": "false"})
    instance.do("POST", "/subscription", {"topics": ["rest-consumer"]})
    expect(instance.do("GET", "/subscription") == {"topics": ["rest-consumer"]}, "the subscription is told otherwise")
    got = instance.read_until(100)
    expect(sorted(r["value"]["n"] for r in got) == list(range(100)) and all(r["key"] == f"k{r['value']['n']}" and r["topic"] == "rest-consumer" for r in got), "other records were read")
    expect(sorted(map(str, instance.do("GET", "/assignments")["partitions"])) == sorted(str({"topic": "rest-consumer", "partition": p}) for p in (0, 1)), "assignments differ")
    instance.do("POST", "/offsets", {"offsets": [{"topic": "rest-consumer", "partition": 0, "offset": 9}]})
    partitions = {"partitions": [{"topic": "rest-consumer", "partition": 0}]}
    committed = must(instance.url, "GET", "/offsets", partitions)["offsets"]
    expect([entry["offset"] for entry in committed] == [10], f"committed is {committed}, the one behind 9 was wanted")
    instance.do("POST", "/positions/beginning", {"partitions": [{"topic": "rest-consumer", "partition": 1}]})
    expect(len(instance.read_until(50)) == 50, "after seeking to the beginning there are not 50 records")
    instance.do("POST", "/positions", {"offsets": [{"topic": "rest-consumer", "partition": 1, "offset": 45}]})
    expect([r["offset"] for r in instance.read_until(5)] == list(range(45, 50)), "after seeking to 45 other records came")
    instance.do("DELETE")
    again = Instance(url, "rest-group")
    again.do("POST", "/subscription", {"topics": ["rest-consumer"]})
    expect(min(r["offset"] for r in again.read_until(40) if r["partition"] == 0) == 10, "a new instance did not begin at the commit")
    again.do("DELETE")
    picks = Instance(url, "rest-assign", "binary")
    picks.do("POST", "/assignments", partitions)
    got = picks.read_until(50)
    expect(json.loads(base64.b64decode(got[3]["value"])) == sent[6]["value"], "the binary form holds other bytes")
    answer = ask(picks.url, "POST", "/subscription", {"topics": ["rest-consumer"]}, V2)
    expect(answer.status_code == 409 and answer.json()["error_code"] == 40903, f"subscribing after assigning answered {answer.status_code} {answer.text}")
    picks.do("DELETE")
    return "subscribed, read, sought, committed, assigned"


def held_by(member):
    """Returns how many partitions a Kafka consumer has, by what it told last."""
    told = [line.split() for line in list(member.lines.all) if line.startswith(("assigned", "revoked", "lost", "failed"))]
    expect(not told or told[-1][0] != "failed", f"a Kafka consumer ended: {' '.join(told[-1]) if told else ''}")
    return len(told[-1]) - 1 if told and told[-1][0] == "assigned" else 0


def mixed_group(url, doors, peers):
    """Instances of the REST proxy and Kafka's own consumers share a group: each record is read by one of them."""
    make_topic(url, "rest-mixed", 4)
    rest = Instance(url, "rest-mixed-group", "binary", **{"auto.commit.enable": "true"})
    rest.do("POST", "/subscription", {"topics": ["rest-mixed"]})
    rest.read(200)
    members = []
    try:
        for peer in peers:
            members.append(peer.start("member", doors, "rest-mixed", "rest-mixed-group", session_timeout_ms="6000", heartbeat_interval_ms="1000"))
        end = time.monotonic() + 60
        shares = []
        while sum(shares) != 4 or 0 in shares:
            expect(time.monotonic() < end, f"REST and Kafka's clients have {shares} partitions of 4 after a minute")
            expect(not rest.read(200), "there are records before any was sent")
            shares = [len(rest.do("GET", "/assignments")["partitions"]), *map(held_by, members)]

        def packed(text):
            return base64.b64encode(text.encode()).decode()

        must(url, "POST", "/topics/rest-mixed", {"records": [{"key": packed(f"k{n}"), "value": packed(f"v{n};"), "partition": n % 4} for n in range(400)]}, BINARY)
        mine, theirs, end = [], set(), time.monotonic() + 30
        while len(mine) + len(theirs) < 400:
            mine += rest.read(300)
            theirs = {record for member in members for record in member.records()}
            expect(time.monotonic() < end, f"{len(mine)} records read by REST, {len(theirs)} by Kafka's clients, of 400; they have {shares} partitions")
        expect(len(mine) == 100 * shares[0], f"{len(mine)} records read by REST, which has {shares[0]} partitions of 100 records")
        both = {(r["partition"], r["offset"]) for r in mine} & {(p, o) for p, o, _ in theirs}
        expect(not both, f"{len(both)} records were read by both")
    finally:
        for member in members:
            member.stop()
        rest.do("DELETE")
    return f"{len(mine)} records by REST, {len(theirs)} by {' and '.join(peer.name for peer in peers)}"


def beyond(url):
    """Tombstones, exact JSON, headers and times, and a request that is sent twice under one key."""
    import requests  # pylint: disable=import-outside-toplevel
    make_topic(url, "rest-beyond")
    exact = '{"records":[{"value":{"b":1.50,"a":1e2,"b":2,  "u":"\\u00e4\\/"}},{"key":"gone","value":null},{"value":1,"timestamp":1700000000000,"headers":[{"key":"h","value":"aGk="}]}]}'
    must(url, "POST", "/topics/rest-beyond", exact, JSON)
    reader = Instance(url, "rest-beyond", "binary")
    reader.do("POST", "/assignments", {"partitions": [{"topic": "rest-beyond", "partition": 0}]})
    got = reader.read_until(3)
    expect(base64.b64decode(got[0]["value"]) == b'{"b":1.50,"a":1e2,"b":2,  "u":"\\u00e4\\/"}', f"stored is {base64.b64decode(got[0]['value'])}")
    expect(got[1]["value"] is None and base64.b64decode(got[1]["key"]) == b'"gone"', f"a tombstone is read as {got[1]}")
    for _ in range(3):
        answer = requests.post(url + "/topics/rest-beyond", data=json.dumps(record("once")), headers={"Content-Type": JSON, "Idempotency-Key": "interop-1"}, timeout=30)
        expect(answer.status_code == 200 and answer.json()["offsets"][0]["offset"] == 3, f"under one key came {answer.status_code} {answer.text}")
    expect(must(url, "GET", "/topics/rest-beyond/partitions/0/offsets")["end_offset"] == 4, "a repeated request was stored again")
    answer = requests.post(url + "/topics/rest-beyond", data=json.dumps(record("other")), headers={"Content-Type": JSON, "Idempotency-Key": "interop-1"}, timeout=30)
    expect(answer.status_code == 422, f"another body under the same key: {answer.status_code} {answer.text}")
    reader.do("DELETE")
    return "tombstone, exact bytes, one key stores once"


def version_3(url):
    cluster = make_topic(url, "v3-topic", 2)
    base = f"/v3/clusters/{cluster}"
    topic = must(url, "GET", f"{base}/topics/v3-topic")
    expect(topic["kind"] == "KafkaTopic" and topic["partitions_count"] == 2 and topic["topic_name"] == "v3-topic", f"topic is {topic}")
    answer = ask(url, "POST", f"{base}/topics", {"topic_name": "v3-topic"}, "application/json")
    expect(answer.status_code == 400 and answer.json()["error_code"] == 40002, f"a topic made twice: {answer.status_code} {answer.text}")
    must(url, "PUT", f"{base}/topics/v3-topic/configs/retention.ms", {"value": "86400000"}, "application/json")
    expect(must(url, "GET", f"{base}/topics/v3-topic/configs/retention.ms")["value"] == "86400000", "a setting was not kept")
    must(url, "POST", f"{base}/topics/v3-topic/configs:alter", {"data": [{"name": "retention.ms", "operation": "DELETE"}]}, "application/json")
    must(url, "PATCH", f"{base}/topics/v3-topic", {"partitions_count": 3}, "application/json")
    expect(len(must(url, "GET", f"{base}/topics/v3-topic/partitions")["data"]) == 3, "not three partitions")
    entries = [{"id": str(n), "partition_id": 0, "value": {"type": "STRING", "data": f"text {n}"}} for n in range(5)]
    said = must(url, "POST", f"{base}/topics/v3-topic/records:batch", {"entries": entries}, "application/json", status=(207,))
    expect(len(said["successes"]) == 5 and not said["failures"], f"batch answered {said}")
    reader = Instance(url, "v3-group", "binary")
    reader.do("POST", "/subscription", {"topics": ["v3-topic"]})
    expect(sorted(base64.b64decode(r["value"]).decode() for r in reader.read_until(5)) == [f"text {n}" for n in range(5)], "other values were stored")
    reader.do("POST", "/offsets")
    groups = [group["consumer_group_id"] for group in must(url, "GET", f"{base}/consumer-groups")["data"]]
    expect("v3-group" in groups, f"groups are {groups}")
    lag = must(url, "GET", f"{base}/consumer-groups/v3-group/lag-summary")
    expect(lag["total_lag"] == 0, f"lag is {lag}")
    reader.do("DELETE")
    must(url, "DELETE", f"{base}/topics/v3-topic")
    expect(ask(url, "GET", f"{base}/topics/v3-topic").json()["error_code"] == 40403, "a deleted topic is there")
    return "topics, settings, partitions, batch, groups, lag"


def streamed(url):
    """Reports come one by one while the request is still open: each record is sent only when the one before was reported."""
    cluster = make_topic(url, "v3-stream")
    host, port = url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall((f"POST /v3/clusters/{cluster}/topics/v3-stream/records HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n").encode())
        answer = connection.makefile("rb")
        got = 0
        for number in range(50):
            body = json.dumps({"value": {"type": "JSON", "data": {"n": number}}}).encode()
            connection.sendall(b"%x\r\n%s\r\n" % (len(body), body))
            if number == 0:
                status = answer.readline()
                expect(b" 200 " in status, f"the stream was answered {status}")
                while answer.readline() not in (b"\r\n", b""):
                    pass
            text = b""
            while b"}" not in text or text.count(b"{") != text.count(b"}"):
                size = int(answer.readline(), 16)
                text += answer.read(size)
                answer.read(2)
            report = json.loads(text)
            expect(report["error_code"] == 200 and report["offset"] == number, f"report {number} is {report}")
            got += 1
        connection.sendall(b"0\r\n\r\n")
        expect(int(answer.readline() or b"-1", 16) == 0, "the answer did not end with the request")
    return f"{got} records, each reported before the next was sent"


def streamed_http2(url):
    """The same over HTTP/2 with a client that sends while it reads."""
    try:
        import httpx  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise Missing("the Python package httpx is not installed") from None
    cluster = make_topic(url, "v3-stream-2")
    lines = queue.Queue()

    def body():
        for number in range(20):
            yield json.dumps({"value": {"type": "JSON", "data": number}}).encode() + b"\n"

    with httpx.Client(http1=False, http2=True, timeout=20) as client:
        with client.stream("POST", f"{url}/v3/clusters/{cluster}/topics/v3-stream-2/records", content=body(), headers={"Content-Type": "application/json"}) as answer:
            expect(answer.http_version == "HTTP/2" and answer.status_code == 200, f"answered {answer.http_version} {answer.status_code}")
            decoder, text = json.JSONDecoder(), ""
            for piece in answer.iter_text():
                text += piece
                while text.strip():
                    try:
                        report, end = decoder.raw_decode(text.lstrip())
                    except json.JSONDecodeError:
                        break
                    lines.put(report)
                    text = text.lstrip()[end:]
    expect(lines.qsize() == 20 and all(lines.get()["offset"] == number for number in range(20)), "not twenty reports in order")
    return "20 records over HTTP/2"


def curl(url, *arguments, code=0):
    if not shutil.which("curl"):
        raise Missing("no curl on this machine")
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *map(str, arguments), url], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    expect(done.returncode == code, f"curl {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def curl_versions(url):
    make_topic(url, "rest-curl")
    body = json.dumps(record("curl"))
    for number, (flags, version) in enumerate(((("--http1.1",), "1.1"), (("--http2-prior-knowledge",), "2"), (("--http1.0",), "1"), (("--http1.1", "-H", "Transfer-Encoding: chunked"), "1.1"),
                                               (("--http1.1", "-H", "Expect: 100-continue"), "1.1"))):
        said = curl(url + "/topics/rest-curl", *flags, "-H", f"Content-Type: {JSON}", "--data-binary", body, "-w", "\n%{http_version} %{http_code}")
        text, told = said.rsplit("\n", 1)
        expect(json.loads(text)["offsets"][0]["offset"] == number and told.split()[1] == "200" and told.split()[0].startswith(version), f"curl {flags}: {said}")
    return "HTTP/1.1, 1.0, chunked, 100-continue, h2c by prior knowledge"


def curl_too_large(url):
    """An upload over http.max_body: curl shows the answer, whichever version it speaks and whether or not it asks before it sends."""
    with tempfile.NamedTemporaryFile() as body:
        body.truncate(30 << 20)
        for flags in (("--http1.1",), ("--http2-prior-knowledge",), ("--http2-prior-knowledge", "-H", "Expect:")):
            said = curl(url + "/topics/rest-curl", *flags, "-H", f"Content-Type: {JSON}", "--data-binary", f"@{body.name}", "-w", "\n%{http_code}")
            text, status = said.rsplit("\n", 1)
            expect(status == "413" and json.loads(text)["error_code"] == 413, f"curl {flags}: {said}")
    return "413 is shown"


def compressed(url):
    """Bodies packed with gzip, which Confluent's proxy refuses."""
    import gzip  # pylint: disable=import-outside-toplevel
    import requests  # pylint: disable=import-outside-toplevel
    make_topic(url, "rest-gzip")
    body = json.dumps({"records": [{"value": {"n": n, "text": "the same again and again"}} for n in range(1000)]}).encode()
    answer = requests.post(url + "/topics/rest-gzip", data=gzip.compress(body), headers={"Content-Type": JSON, "Content-Encoding": "gzip"}, timeout=30)
    expect(answer.status_code == 200 and len(answer.json()["offsets"]) == 1000, f"answered {answer.status_code} {answer.text[:200]}")
    bomb = requests.post(url + "/topics/rest-gzip", data=gzip.compress(bytes(200 << 20)), headers={"Content-Type": JSON, "Content-Encoding": "gzip"}, timeout=30)
    expect(bomb.status_code in (400, 413), f"200 MiB of zeros in a small body were answered {bomb.status_code}")
    return "1000 records in one gzip body; a bomb is refused"


def many_at_once(url):
    """Twenty threads post while one reads with a consumer; nothing is lost or doubled."""
    import requests  # pylint: disable=import-outside-toplevel
    make_topic(url, "rest-many", 4)
    failures = []

    def post(writer):
        session = requests.Session()
        for number in range(50):
            answer = session.post(url + "/topics/rest-many", data=json.dumps(record(writer * 1000 + number)), headers={"Content-Type": JSON}, timeout=30)
            if answer.status_code != 200:
                failures.append(answer.text)

    threads = [threading.Thread(target=post, args=(writer,)) for writer in range(20)]
    for thread in threads:
        thread.start()
    reader = Instance(url, "rest-many")
    reader.do("POST", "/subscription", {"topics": ["rest-many"]})
    got = reader.read_until(1000, 60)
    for thread in threads:
        thread.join()
    reader.do("DELETE")
    expect(not failures, f"{len(failures)} posts failed: {failures[:1]}")
    expect(sorted(r["value"] for r in got) == sorted(w * 1000 + n for w in range(20) for n in range(50)), f"{len(got)} records read, not the 1000 that were posted")
    return "20 writers, 1000 records"


def run(report, doors, peers):
    url = doors.url
    for name, check in (("table of answers", table), ("metadata", metadata), ("consumer instance", consumer), ("beyond the proxy", beyond), ("v3", version_3),
                        ("v3 records while the request is open", streamed), ("v3 records over HTTP/2", streamed_http2), ("curl, versions of HTTP", curl_versions),
                        ("curl, an upload that is too large", curl_too_large), ("packed bodies", compressed), ("writers and a reader", many_at_once)):
        report.check(f"Kafka REST: {name}", check, url)
    report.check("Kafka REST and Kafka's consumers in one group", mixed_group, url, doors, peers)
