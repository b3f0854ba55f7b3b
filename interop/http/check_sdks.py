"""The AWS SDKs for JavaScript v3 and Java v2 against the Kinesis door, and the Kinesis Client Library with dynalite in DynamoDB's place."""
import hashlib
import time

import check_boto
import http_peers
import kafka_peers
from check_report import expect

LIBRARY = ("3.5.1", "2.7.2")  # Of the Kinesis Client Library; the first brings the SDK that is checked.
NEWEST = LIBRARY[0]


def javascript(endpoint, stream, *more, environment=None):
    return http_peers.javascript("kinesis.js", endpoint, stream, *more, environment=environment).result(90)


def java(endpoint, stream, environment=None, properties=()):
    return http_peers.java(NEWEST, "KinesisClientCheck", endpoint, stream, environment=environment, properties=properties).result(90)


class Dynalite(kafka_peers.Broker):
    """Keeps the leases of the Kinesis Client Library, as DynamoDB does."""

    def command(self):
        return ["node", str(http_peers.node_modules() / "dynalite/cli.js"), "--port", str(self.port), "--createTableMs", "1", "--deleteTableMs", "1", "--updateTableMs", "1"]

    def ready_line(self):
        return "istening at"

    def make_lease_table(self, name):
        """Makes the table with the index over owners, which version 3 of the library adds to a table of its own: that is the one call of it that dynalite does not know."""
        import boto3  # pylint: disable=import-outside-toplevel
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{self.port}", region_name=http_peers.REGION, aws_access_key_id=http_peers.KEY,
                              aws_secret_access_key=http_peers.SECRET)

        def key(name, kind):
            return {"AttributeName": name, "KeyType": kind}

        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[key("leaseKey", "HASH")],
                            AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in ("leaseKey", "leaseOwner")],
                            GlobalSecondaryIndexes=[{"IndexName": "LeaseOwnerToLeaseKeyIndex", "KeySchema": [key("leaseOwner", "HASH"), key("leaseKey", "RANGE")],
                                                     "Projection": {"ProjectionType": "KEYS_ONLY"}}])


def aggregated(texts):
    """Returns one record that holds many, as the Kinesis Producer Library makes it: magic, protocol buffer, MD5."""

    def field(number, content):
        length, head = len(content), bytes([number << 3 | 2])
        while length >= 128:
            head, length = head + bytes([length & 127 | 128]), length >> 7
        return head + bytes([length]) + content

    message = field(1, b"key") + b"".join(field(3, b"\x08\x00" + field(3, text)) for text in texts)
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


def library(endpoint, version, how, folder):
    """An application reads a stream through a split; plain and aggregated records; a second worker takes over where the first was killed."""
    client = check_boto.new_client(endpoint)
    stream = f"kcl-{version}-{how}"
    check_boto.make(client, stream, 2)
    packed = aggregated([f"packed {n}".encode() for n in range(50)])
    client.put_record(StreamName=stream, Data=packed, PartitionKey="key")
    leases = Dynalite(folder / stream).start()
    programs = []

    def worker():
        programs.append(http_peers.java(version, "LibraryCheck", endpoint, f"http://127.0.0.1:{leases.port}", stream, stream, how,
                                        log=leases.folder / f"worker-{len(programs) + 1}.log"))
        return programs[-1].lines

    def put(first, count):
        for begin in range(first, first + count, 100):
            said = client.put_records(StreamName=stream, Records=[{"Data": f"record {n}".encode(), "PartitionKey": f"k{n}"} for n in range(begin, begin + 100)])
            expect(said["FailedRecordCount"] == 0, "records were refused")

    def until(lines, count, seconds=90):
        end = time.monotonic() + seconds
        while int(lines.wait(r"^records (\d+)", max(1, end - time.monotonic())).group(1)) < count:
            pass

    try:
        if not version.startswith("2."):
            leases.make_lease_table(stream)
        put(0, 300)
        lines = worker()
        until(lines, 350)
        client.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
        check_boto.active(client, stream)
        put(300, 300)
        until(lines, 650)
        expect(any(line.startswith("ended shardId-000000000000") for line in lines.all), "the end of the split shard was not processed")
        expect({f"started shardId-00000000000{n}" for n in range(4)} <= set(lines.all), "not every shard was started")
        repeated = max(int(line.split()[3]) for line in lines.all if line.startswith("records"))
        expect(repeated == 0, f"{repeated} records were given twice")
        programs[0].process.kill()
        put(600, 100)
        lines = worker()
        until(lines, 100)
        return "700 records and 50 aggregated ones, through a split and the death of the worker"
    finally:
        for program in programs:
            program.process.kill()
            program.process.wait()
        leases.stop()


def run(report, endpoint, label=""):
    report.check(f"AWS SDK for JavaScript v3, HTTP/2{label}", javascript, endpoint, "javascript-2")
    report.check(f"AWS SDK for JavaScript v3, HTTP/1.1{label}", javascript, endpoint, "javascript-1", "http1")
    report.check(f"AWS SDK for Java v2, CBOR, HTTP/1.1 and HTTP/2{label}", java, endpoint, "java-cbor")
    report.check(f"AWS SDK for Java v2, JSON{label}", java, endpoint, "java-json", None, ["-Daws.cborEnabled=false"])


def run_library(report, endpoint, folder, long):
    report.check(f"Kinesis Client Library {NEWEST}, enhanced fan-out", library, endpoint, NEWEST, "fanout", folder)
    if long:
        report.check(f"Kinesis Client Library {NEWEST}, polling", library, endpoint, NEWEST, "polling", folder)
        report.check(f"Kinesis Client Library {LIBRARY[1]}, enhanced fan-out", library, endpoint, LIBRARY[1], "fanout", folder)
        report.check(f"Kinesis Client Library {LIBRARY[1]}, polling", library, endpoint, LIBRARY[1], "polling", folder)
