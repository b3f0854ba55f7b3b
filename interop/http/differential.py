"""The same calls to kinesalite, whose author held it against AWS, and to the Kinesis door: status, headers and body must be equal.

What differs from run to run (accounts, times, iterators) is made equal first. What differs on purpose stands in differential.list with its
reason; a line there that no case needs any more is a failure too.

    differential.py URL URL     compares two endpoints, all differences in full
"""
import base64
import copy
import fnmatch
import http.client
import json
import pathlib
import re
import sys
import time
import urllib.parse

import http_peers
from check_report import expect

HERE = pathlib.Path(__file__).resolve().parent
STRING, INTEGER, BLOB, LIST, MAP, TIME, STRUCTURE = "String", "Integer", "Blob", "List", "Map", "Timestamp", "Structure"
# The operations that kinesalite has, with their members at its time.
SHAPES = {
    "AddTagsToStream": {"StreamName": STRING, "Tags": MAP},
    "CreateStream": {"StreamName": STRING, "ShardCount": INTEGER},
    "DecreaseStreamRetentionPeriod": {"StreamName": STRING, "RetentionPeriodHours": INTEGER},
    "DeleteStream": {"StreamName": STRING},
    "DescribeStream": {"StreamName": STRING, "Limit": INTEGER, "ExclusiveStartShardId": STRING},
    "DescribeStreamSummary": {"StreamName": STRING},
    "GetRecords": {"ShardIterator": STRING, "Limit": INTEGER},
    "GetShardIterator": {"StreamName": STRING, "ShardId": STRING, "ShardIteratorType": STRING, "StartingSequenceNumber": STRING, "Timestamp": TIME},
    "IncreaseStreamRetentionPeriod": {"StreamName": STRING, "RetentionPeriodHours": INTEGER},
    "ListShards": {"StreamName": STRING, "NextToken": STRING, "ExclusiveStartShardId": STRING, "MaxResults": INTEGER, "StreamCreationTimestamp": TIME},
    "ListStreams": {"Limit": INTEGER, "ExclusiveStartStreamName": STRING},
    "ListTagsForStream": {"StreamName": STRING, "Limit": INTEGER, "ExclusiveStartTagKey": STRING},
    "MergeShards": {"StreamName": STRING, "ShardToMerge": STRING, "AdjacentShardToMerge": STRING},
    "PutRecord": {"StreamName": STRING, "Data": BLOB, "PartitionKey": STRING, "ExplicitHashKey": STRING, "SequenceNumberForOrdering": STRING},
    "PutRecords": {"StreamName": STRING, "Records": LIST, "Records.0": STRUCTURE, "Records.0.Data": BLOB, "Records.0.PartitionKey": STRING, "Records.0.ExplicitHashKey": STRING},
    "RemoveTagsFromStream": {"StreamName": STRING, "TagKeys": LIST, "TagKeys.0": STRING},
    "SplitShard": {"StreamName": STRING, "ShardToSplit": STRING, "NewStartingHashKey": STRING},
}
WRONG = {
    STRING: (True, 23, 34.56, -2147483648, [], {}), INTEGER: ("23", True, [], {}), BLOB: (True, 23, [], {}, "23456", "=+/=", "+/+=", "YWJj!A==", "YQ==YQ=="),
    LIST: ("23", True, 23, 34.56, {}), MAP: ("23", True, 23, []), TIME: ("23", True, [], {}), STRUCTURE: ("23", True, 23, []),
}
# Members of answers that AWS has added since.
NEWER = {"StreamModeDetails", "StreamId", "WarmThroughput", "MaxRecordSizeInKiB", "ConsumerCount", "EncryptionType", "KeyId", "ChildShards", "StreamSummaries", "NextToken", "RecordDistributionStrategy"}
EMULATED = ("x-amzn-requestid", "x-amz-id-2", "content-type", "content-length", "access-control-allow-origin", "access-control-expose-headers", "access-control-max-age",
            "access-control-allow-headers", "access-control-allow-methods")
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "X-Amz-Date": "20260101T000000Z"}


class Endpoint:
    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc
        self.state = {}
        self.connection = None

    def send(self, method, path, headers, body):
        """Returns status, headers and the bytes of the body."""
        for fresh in (False, True):
            if fresh or self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=20)
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            except (http.client.HTTPException, ConnectionError):
                if fresh:
                    raise
        return None

    def call(self, operation, body):
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}", **SIGNED}
        return self.send("POST", "/", headers, json.dumps(body).encode())


def nested(path, value):
    pieces = path.split(".")
    for piece in reversed(pieces):
        value = [value] if piece == "0" else {piece: value}
    return value


def types():
    for operation, members in SHAPES.items():
        for member, kind in members.items():
            for value in WRONG[kind]:
                yield f"types {operation} {member} {json.dumps(value)}", operation, nested(member, value)
        for body in ([], "x", 5, None):
            yield f"types {operation} body {json.dumps(body)}", operation, body


def good(operation):
    """Input that breaks no constraint."""
    values = {"StreamName": "diff-nobody", "ShardId": "shardId-0", "ShardIteratorType": "LATEST", "ShardIterator": "AAAA", "Data": "", "PartitionKey": "k", "ShardCount": 1,
              "RetentionPeriodHours": 48, "Tags": {"a": "b"}, "Records": [{"Data": "", "PartitionKey": "k"}], "TagKeys": ["a"], "ShardToMerge": "shardId-0", "AdjacentShardToMerge": "shardId-1",
              "ShardToSplit": "shardId-0", "NewStartingHashKey": "2"}
    return {member: values[member] for member in SHAPES[operation] if member in values and not (operation == "CreateStream" and member == "ShardCount")}


def constraints():
    long = "a" * 1025
    bad = {STRING: ("", long, "a;b", "ä"), INTEGER: (-1, 0, 10_001, 2_147_483_648, 1.9), LIST: ([],), MAP: ({},), BLOB: (), TIME: (), STRUCTURE: ({},)}
    for operation, members in SHAPES.items():
        if operation not in ("ListStreams", "ListShards"):
            yield f"constraints {operation} nothing", operation, {}
            yield f"constraints {operation} nulls", operation, {member: None for member in members if "." not in member}
        for member, kind in members.items():
            for value in bad[kind]:
                if operation == "CreateStream" and member == "ShardCount" and value in (1.9, 10_001):
                    continue
                if operation == "ListStreams" and member == "Limit" and value == 1.9:
                    continue
                yield f"constraints {operation} {member} {json.dumps(value)[:20]}", operation, {**good(operation), **nested(member, value)}
    yield "constraints GetShardIterator type", "GetShardIterator", {**good("GetShardIterator"), "ShardIteratorType": "hello"}
    yield "constraints GetShardIterator number", "GetShardIterator", {**good("GetShardIterator"), "StartingSequenceNumber": "-5"}
    yield "constraints PutRecord data", "PutRecord", {**good("PutRecord"), "Data": base64.b64encode(bytes(1_048_577)).decode()}
    yield "constraints PutRecord hash", "PutRecord", {**good("PutRecord"), "ExplicitHashKey": "9" * 40}
    yield "constraints PutRecord hash 00", "PutRecord", {**good("PutRecord"), "ExplicitHashKey": "00"}
    yield "constraints PutRecord key", "PutRecord", {**good("PutRecord"), "PartitionKey": "k" * 257}
    yield "constraints PutRecord ordering", "PutRecord", {**good("PutRecord"), "SequenceNumberForOrdering": "9" * 131}
    yield "constraints PutRecords 501", "PutRecords", {**good("PutRecords"), "Records": [{"Data": "", "PartitionKey": "k"}] * 501}
    yield "constraints PutRecords many", "PutRecords", {"StreamName": "", "Records": [{"Data": "", "PartitionKey": ""}, {"ExplicitHashKey": ""}] * 4}
    yield "constraints PutRecords data", "PutRecords", {**good("PutRecords"), "Records": [{"Data": base64.b64encode(bytes(1_048_577)).decode(), "PartitionKey": "k"}]}
    yield "constraints AddTagsToStream long key", "AddTagsToStream", {**good("AddTagsToStream"), "Tags": {"k" * 129: "v"}}
    yield "constraints AddTagsToStream long value", "AddTagsToStream", {**good("AddTagsToStream"), "Tags": {"k": "v" * 257}}
    yield "constraints AddTagsToStream characters", "AddTagsToStream", {**good("AddTagsToStream"), "Tags": {"a;b": "v"}}
    yield "constraints AddTagsToStream per cent", "AddTagsToStream", {**good("AddTagsToStream"), "Tags": {"a%b": "v"}}
    yield "constraints RemoveTagsFromStream empty key", "RemoveTagsFromStream", {**good("RemoveTagsFromStream"), "TagKeys": [""]}
    yield "constraints RemoveTagsFromStream characters", "RemoveTagsFromStream", {**good("RemoveTagsFromStream"), "TagKeys": ["a;b"]}
    yield "constraints ListShards nothing", "ListShards", {}
    yield "constraints ListShards both", "ListShards", {"StreamName": "diff-nobody", "NextToken": "AAAA"}
    for operation in SHAPES:
        if operation not in ("CreateStream", "ListStreams", "GetRecords"):
            yield f"constraints {operation} no such stream", operation, good(operation)


def protocol():
    """(name, method, path, headers, body) of requests as such."""
    json_type, cbor, target = "application/x-amz-json-1.1", "application/x-amz-cbor-1.1", "Kinesis_20131202.DescribeStreamSummary"
    plain = {"Content-Type": json_type, "X-Amz-Target": target, **SIGNED}
    for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
        yield f"protocol {method}", method, "/", dict(plain), b"{}" if method == "PUT" else None
    yield "protocol preflight", "OPTIONS", "/", {"Origin": "https://page.example", "Access-Control-Request-Headers": "a,b", "Access-Control-Request-Method": "POST"}, None
    yield "protocol with an origin", "POST", "/", {**plain, "Origin": "https://page.example"}, b"{}"
    for content in (json_type, json_type + "; charset=utf-8", cbor, "application/json", "text/plain", "application/x-amz-json-1.0", None):
        for told in (target, "Kinesis_20131202.Nothing", "Kinesis_20131202.", "DynamoDB_20120810.ListTables", None):
            for body in (b"{}", b"", b"{", b"[]", b"hello"):
                headers = {key: value for key, value in {**SIGNED, "Content-Type": content, "X-Amz-Target": told}.items() if value is not None}
                if content == cbor and body:
                    body = {b"{}": b"\xa0", b"{": b"\xbf", b"[]": b"\x80", b"hello": b"\x65hello"}[body]
                yield f"protocol {content} {told} {body!r}", "POST", "/", headers, body
    for left_out in ("Credential", "Signature", "SignedHeaders"):
        value = re.sub(rf"{left_out}=[^,]*(, )?", "", SIGNED["Authorization"]).rstrip(", ")
        yield f"protocol without {left_out}", "POST", "/", {**plain, "Authorization": value}, b"{}"
    yield "protocol without a date", "POST", "/", {key: value for key, value in plain.items() if key != "X-Amz-Date"}, b"{}"
    yield "protocol without all", "POST", "/", {"Content-Type": json_type, "X-Amz-Target": target, "Authorization": "AWS4-HMAC-SHA256 X"}, b"{}"
    yield "protocol unsigned", "POST", "/", {"Content-Type": json_type, "X-Amz-Target": target}, b"{}"
    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/d/e&X-Amz-Signature=00&X-Amz-SignedHeaders=host&X-Amz-Date=20260101T000000Z"
    unsigned = {"Content-Type": json_type, "X-Amz-Target": target}
    yield "protocol signed by query", "POST", "/?" + query, unsigned, b"{}"
    yield "protocol signed twice", "POST", "/?" + query, plain, b"{}"
    for pair in query.split("&")[1:]:
        yield f"protocol query without {pair.split('=')[0]}", "POST", "/?" + query.replace("&" + pair, ""), unsigned, b"{}"


def sequence():
    """(name, operation, input from the side's state, what to keep of the answer): streams as they live."""
    name = {"StreamName": "diff-life"}
    yield "life create", "CreateStream", {**name, "ShardCount": 3}, None
    yield "life active", "wait", name, None
    yield "life create again", "CreateStream", {**name, "ShardCount": 3}, None
    yield "life describe", "DescribeStream", name, lambda state, said: state.update(shards=said["StreamDescription"]["Shards"])
    yield "life summary", "DescribeStreamSummary", name, None
    yield "life describe one", "DescribeStream", {**name, "Limit": 1}, None
    yield "life describe from", "DescribeStream", {**name, "ExclusiveStartShardId": "shardId-000000000000"}, None
    yield "life list", "ListStreams", {"Limit": 1, "ExclusiveStartStreamName": "diff-lif"}, None
    yield "life shards", "ListShards", name, None
    yield "life shards by one", "ListShards", {**name, "MaxResults": 1}, None
    yield "life shards from", "ListShards", {**name, "ExclusiveStartShardId": "shardId-000000000001"}, None
    keep = lambda label: lambda state, said: state.update({label: said["SequenceNumber"]})  # noqa: E731
    for key in ("a", "b", "e", "f", "ä", "€😀"):
        yield f"life put {key}", "PutRecord", {**name, "PartitionKey": key, "Data": base64.b64encode(key.encode()).decode()}, keep(f"put-{key}")
    for hashed in ("0", str(2**127), str(2**128 - 1), str(2**128)):
        yield f"life put at {hashed}", "PutRecord", {**name, "PartitionKey": "k", "Data": "", "ExplicitHashKey": hashed}, None
    yield "life put ordered", "PutRecord", lambda state: {**name, "PartitionKey": "a", "Data": "", "SequenceNumberForOrdering": state["put-a"]}, None
    yield "life put ordered by garbage", "PutRecord", {**name, "PartitionKey": "a", "Data": "", "SequenceNumberForOrdering": "5"}, None
    records = [{"PartitionKey": f"p{n}", "Data": base64.b64encode(b"%d" % n).decode()} for n in range(30)]
    yield "life puts", "PutRecords", {**name, "Records": records}, None
    yield "life puts with a bad hash", "PutRecords", {**name, "Records": [records[0], {**records[1], "ExplicitHashKey": str(2**128)}]}, None
    for shard in range(3):
        for kind in ("TRIM_HORIZON", "LATEST"):
            iterator = {**name, "ShardId": f"shardId-00000000000{shard}", "ShardIteratorType": kind}
            yield f"life iterator {shard} {kind}", "GetShardIterator", iterator, lambda state, said: state.update(iterator=said["ShardIterator"])
            yield f"life records {shard} {kind}", "GetRecords", lambda state: {"ShardIterator": state["iterator"]}, None
    yield "life iterator at", "GetShardIterator", lambda state: {**name, "ShardId": "shardId-0", "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": state["put-a"]}, \
        lambda state, said: state.update(iterator=said["ShardIterator"])
    yield "life records at", "GetRecords", lambda state: {"ShardIterator": state["iterator"], "Limit": 2}, lambda state, said: state.update(iterator=said["NextShardIterator"])
    yield "life records next", "GetRecords", lambda state: {"ShardIterator": state["iterator"], "Limit": 2}, None
    yield "life iterator after", "GetShardIterator", lambda state: {**name, "ShardId": "shardId-0", "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": state["put-a"]}, \
        lambda state, said: state.update(iterator=said["ShardIterator"])
    yield "life records after", "GetRecords", lambda state: {"ShardIterator": state["iterator"], "Limit": 1}, None
    yield "life iterator at a time", "GetShardIterator", {**name, "ShardId": "shardId-0", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": time.time() - 3600}, \
        lambda state, said: state.update(iterator=said["ShardIterator"])
    yield "life records at a time", "GetRecords", lambda state: {"ShardIterator": state["iterator"]}, None
    for label, more in (("wrong shard", {"ShardId": "shardId-000000000001", "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": "put-a"}),
                        ("no number", {"ShardId": "shardId-0", "ShardIteratorType": "AT_SEQUENCE_NUMBER"}), ("a number too much", {"ShardId": "shardId-0", "ShardIteratorType": "LATEST", "StartingSequenceNumber": "put-a"}),
                        ("zero", {"ShardId": "shardId-0", "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": "0"}),
                        ("garbage", {"ShardId": "shardId-0", "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": "12345"}), ("no time", {"ShardId": "shardId-0", "ShardIteratorType": "AT_TIMESTAMP"}),
                        ("the future", {"ShardId": "shardId-0", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 4_000_000_000}), ("no shard", {"ShardId": "shardId-5", "ShardIteratorType": "LATEST"}),
                        ("odd shard", {"ShardId": "5", "ShardIteratorType": "LATEST"}), ("another form", {"ShardId": "a-00002", "ShardIteratorType": "LATEST"}),
                        ("a shard too far", {"ShardId": "shardId-2147483648", "ShardIteratorType": "LATEST"})):
        yield f"life iterator: {label}", "GetShardIterator", lambda state, more=more: {**name, **more, **({"StartingSequenceNumber": state[more["StartingSequenceNumber"]]} if more.get("StartingSequenceNumber", "") in state else {})}, None
    for text in ("AAAA", "", "AAAAAAAAAAHsW8zCWf9164uy8Epue6WS3w6wmj4a4USt+CNvMd6uXQ+HL5vAJMznqqgb/iYKW2+BFiUXdO/iGkMpPm4YUqHDGBkgBqvyzHd5p2k0FPbHhHtDIMPVmfXz09Q9FJk0eXYy=", "not base64"):
        yield f"life records: {text[:10]}", "GetRecords", {"ShardIterator": text}, None
    yield "life tags none", "ListTagsForStream", name, None
    yield "life tags add", "AddTagsToStream", {**name, "Tags": {f"key{n}": f"value{n}" for n in range(9)} | {"ä+-=._:/@ ": ""}}, None
    yield "life tags list", "ListTagsForStream", name, None
    yield "life tags page", "ListTagsForStream", {**name, "Limit": 3, "ExclusiveStartTagKey": "key2"}, None
    yield "life tags remove", "RemoveTagsFromStream", {**name, "TagKeys": ["key1", "nobody"]}, None
    yield "life tags list again", "ListTagsForStream", name, None
    for operation, hours in (("Increase", 48), ("Increase", 24), ("Increase", 23), ("Increase", 48), ("Increase", 30), ("Decrease", 72), ("Decrease", 23), ("Decrease", 24), ("Decrease", 24)):
        yield f"life retention {operation} {hours}", f"{operation}StreamRetentionPeriod", {**name, "RetentionPeriodHours": hours}, None
        yield "life retention settled", "wait", name, None
    for label, shard, start in (("outside", "shardId-0", str(2**127)), ("at its start", "shardId-0", "0"), ("one behind", "shardId-0", "1"), ("no shard", "shardId-7", "5"), ("odd", "7", "5")):
        yield f"life split {label}", "SplitShard", {**name, "ShardToSplit": shard, "NewStartingHashKey": start}, None
    yield "life merge no neighbours", "MergeShards", {**name, "ShardToMerge": "shardId-0", "AdjacentShardToMerge": "shardId-2"}, None
    yield "life merge backwards", "MergeShards", {**name, "ShardToMerge": "shardId-1", "AdjacentShardToMerge": "shardId-0"}, None
    yield "life split", "SplitShard", {**name, "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": str(2**100)}, None
    yield "life split settled", "wait", name, None
    yield "life merge", "MergeShards", {**name, "ShardToMerge": "shardId-1", "AdjacentShardToMerge": "shardId-2"}, None
    yield "life merge settled", "wait", name, None
    yield "life describe after", "DescribeStream", name, None
    # kinesalite has shards begin a second after they are there, in whole seconds; in that second their first record may get the number with which they begin.
    yield "life later", "wait two seconds", name, None
    for key in ("a", "b", "e"):
        yield f"life put after {key}", "PutRecord", {**name, "PartitionKey": key, "Data": ""}, None
    yield "life iterator closed", "GetShardIterator", {**name, "ShardId": "shardId-0", "ShardIteratorType": "TRIM_HORIZON"}, lambda state, said: state.update(iterator=said["ShardIterator"])
    yield "life records closed", "GetRecords", lambda state: {"ShardIterator": state["iterator"]}, None
    yield "life delete", "DeleteStream", name, None
    yield "life gone", "wait", name, None
    yield "life describe gone", "DescribeStream", name, None
    yield "life records gone", "GetRecords", lambda state: {"ShardIterator": state["iterator"]}, None
    yield "life limit", "CreateStream", {**name, "ShardCount": 100_000}, None


def settled(endpoint, body):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        status, _, said = endpoint.call("DescribeStream", body)
        if status != 200 or json.loads(said)["StreamDescription"]["StreamStatus"] == "ACTIVE":
            return 0, {}, b"{}"
        time.sleep(0.02)
    return 0, {}, b'"never settled"'


def from_cbor(data, at=0):
    """Returns the value at a place of CBOR bytes, and the place behind it; of what errors and names need."""
    kind, small = data[at] >> 5, data[at] & 31
    at += 1
    if kind == 7:
        return {20: False, 21: True, 22: None}[small], at
    if small == 31:
        number = None
    elif small >= 24:
        width = 1 << (small - 24)
        number, at = int.from_bytes(data[at:at + width], "big"), at + width
    else:
        number = small
    if kind in (0, 1):
        return number if kind == 0 else -1 - number, at
    if kind in (2, 3):
        content = data[at:at + number]
        return content.decode() if kind == 3 else {"bytes": content.hex()}, at + number
    if kind == 6:
        return from_cbor(data, at)
    values = []
    while len(values) < number * (kind - 3) if number is not None else data[at] != 0xff:
        value, at = from_cbor(data, at)
        values.append(value)
    at += number is None
    return (values if kind == 4 else dict(zip(values[::2], values[1::2]))), at


class Plain:
    """Makes what differs from run to run equal: numbers of records get names in order of appearance."""

    def __init__(self):
        self.numbers = {}

    def text(self, text):
        text = re.sub(r"\b49\d{54}\b", lambda found: self.numbers.setdefault(found.group(0), f"N{len(self.numbers)}"), text)
        text = re.sub(r"under account \d{12}", "under account A", text)
        text = re.sub(r"arn:aws:kinesis:([a-z0-9-]+):\d{12}:", r"arn:aws:kinesis:\1:A:", text)
        text = re.sub(r"currentTimestampInMillis: \d+", "currentTimestampInMillis: T", text)
        text = re.sub(r"for the account: \d+. Limit: \d+", "for the account: S. Limit: S", text)
        match = re.match(r"(\d+ validation errors? detected: )(.*)$", text, re.DOTALL)
        if match:
            text = match.group(1) + "; ".join(sorted(re.split(r"; (?=Value )", match.group(2))))
        return text

    def value(self, value, name=""):
        if isinstance(value, dict):
            return {key: self.value(one, key) for key, one in sorted(value.items()) if key not in NEWER or value.get("__type")}
        if isinstance(value, list):
            return [self.value(one, name) for one in value]
        if name in ("ShardIterator", "NextShardIterator"):
            return "I"
        if name == "MillisBehindLatest":
            return value >= 0  # kinesalite always says 0.
        if name in ("StreamCreationTimestamp", "ApproximateArrivalTimestamp"):
            return "T" if abs(value - time.time()) < 600 else value
        return self.text(value) if isinstance(value, str) else value

    def answer(self, answer, full):
        status, headers, body = answer
        try:
            said = self.value(from_cbor(body)[0] if "cbor" in headers.get("content-type", "") and body else json.loads(body))
        except (ValueError, UnicodeDecodeError):
            said = body.decode(errors="backslashreplace")
        shown = {name: headers[name] for name in EMULATED if name in headers} if full else {"content-type": headers.get("content-type")}
        for name in ("x-amzn-requestid", "x-amz-id-2"):
            if name in shown:
                shown[name] = "there"
        shown.pop("content-length", None)
        return {"status": status, "headers": shown, "body": said}


def compare(reference, ours):
    """Returns the number of cases by kind, and (case, what the reference said, what we said) of those that differ."""
    counts, different = {}, []

    def one(case, full, answers, plains):
        counts[case.split(" ")[0]] = counts.get(case.split(" ")[0], 0) + 1
        theirs, mine = (plain.answer(answer, full) for plain, answer in zip(plains, answers))
        if theirs != mine:
            different.append((case, theirs, mine))

    sides = (reference, ours)
    for case, method, path, headers, body in protocol():
        one(case, True, [side.send(method, path, headers, body) for side in sides], (Plain(), Plain()))
    for case, operation, body in (*types(), *constraints()):
        one(case, False, [side.call(operation, body) for side in sides], (Plain(), Plain()))
    plains = (Plain(), Plain())
    for case, operation, body, keep in sequence():
        answers = []
        if operation == "wait two seconds":
            time.sleep(2.1)
            continue
        for side in sides:
            given = body(side.state) if callable(body) else copy.deepcopy(body)
            answers.append(settled(side, given) if operation == "wait" else side.call(operation, given))
            if keep and answers[-1][0] == 200:
                keep(side.state, json.loads(answers[-1][2]))
        one(case, False, answers, plains)
    return counts, different


def read_list():
    """Returns [(pattern of cases, reason)]."""
    lines = [line for line in (HERE / "differential.list").read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(part.strip() for part in line.split(" -- ", 1)) for line in lines]


def judged(doors, folder):
    emulator = http_peers.Kinesalite(folder / "kinesalite").start()
    try:
        counts, different = compare(Endpoint(emulator.kinesis), Endpoint(doors.kinesis))
    finally:
        emulator.stop()
    wanted, used, wrong = read_list(), set(), []
    for case, theirs, mine in different:
        patterns = [pattern for pattern, _ in wanted if fnmatch.fnmatchcase(case, pattern)]
        used.update(patterns)
        if not patterns:
            wrong.append(f"{case}\n      kinesalite {json.dumps(theirs)[:600]}\n      pinflow    {json.dumps(mine)[:600]}")
    (folder / "differences.txt").write_text("\n".join(wrong) + "\n", encoding="utf-8")
    total = sum(counts.values())
    expect(not wrong, f"{len(wrong)} of {total} answers differ, see {folder}/differences.txt:\n    " + "\n    ".join(wrong[:5]))
    idle = [pattern for pattern, _ in wanted if pattern not in used]
    expect(not idle, f"differential.list names differences that are none: {idle}")
    return f"{total} calls ({', '.join(f'{count} {kind}' for kind, count in counts.items())}), {len(different)} differ on purpose"


def run(report, doors, folder):
    report.check("Kinesis beside kinesalite: the same calls", judged, doors, folder)


if __name__ == "__main__":
    for name, first, second in compare(Endpoint(sys.argv[1]), Endpoint(sys.argv[2]))[1]:
        print(f"{name}\n  {json.dumps(first)}\n  {json.dumps(second)}")
