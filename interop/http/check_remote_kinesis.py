"""A Kinesis elsewhere, which is kinesalite: calls that the doors pass on to it, and streams of it that come into the log."""
import base64
import collections
import http.client
import json
import os
import random
import subprocess
import time

from check_boto import make, new_client, refused
from check_report import expect
from http_peers import AWS_ENVIRONMENT, Doors, KEY, Kinesalite

KINDS = ("pin", "geo", "user")


class Signing(Doors):
    """pinflow with credentials for the Kinesis elsewhere."""

    def start(self):
        before = dict(os.environ)
        os.environ.update(AWS_ENVIRONMENT)
        try:
            return super().start()
        finally:
            os.environ.clear()
            os.environ.update(before)


def plain(records):
    return [f"{record['PartitionKey']} {record['Data'].decode()}" for record in records]


def unpacked(records):
    """The same, with packed records taken apart by AWS's own library."""
    from aws_kinesis_agg.deaggregator import iter_deaggregate_records  # pylint: disable=import-outside-toplevel  # Of the environment of the checks.
    said = []
    for record in records:
        packed = {"kinesis": {"kinesisSchemaVersion": "1.0", "sequenceNumber": record["SequenceNumber"], "partitionKey": record["PartitionKey"], "approximateArrivalTimestamp": 0, "data": base64.b64encode(record["Data"]).decode()}}
        for one in iter_deaggregate_records([packed]):
            said.append(f"{one['kinesis']['partitionKey']} {base64.b64decode(one['kinesis']['data']).decode()}")
    return said


def all_records(client, stream, said=plain):
    """"key data" of all records of a stream, by shard."""
    found = collections.defaultdict(list)
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for _ in range(200):
            answer = client.get_records(ShardIterator=iterator)
            found[shard["ShardId"]] += said(answer["Records"])
            iterator = answer.get("NextShardIterator")
            if iterator is None or not answer["Records"]:
                break
    return dict(found)


def rest(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body=json.dumps(body) if body is not None else None, headers={"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text or b"null")


def passed_on(program, folder):
    """boto3 and the REST resources through pinflow, against the same emulator asked directly."""
    emulator = Kinesalite(folder / "emulator").start()
    doors = Signing(program, folder / "doors", {"kinesis.forward_to": emulator.kinesis}).start()
    try:
        through, direct = new_client(doors.kinesis, key="AKIASOMEBODYELSE0001"), new_client(emulator.kinesis)
        make(through, "pins", 3)
        expect(direct.describe_stream(StreamName="pins")["StreamDescription"]["StreamStatus"] == "ACTIVE", "the stream is not in the emulator")
        for i in range(60):
            through.put_record(StreamName="pins", PartitionKey=f"key{i % 11}", Data=f"value {i}".encode())
        answer = through.put_records(StreamName="pins", Records=[{"PartitionKey": f"key{i % 11}", "Data": f"value {i}".encode()} for i in range(60, 160)])
        expect(answer["FailedRecordCount"] == 0 and len(answer["Records"]) == 100, f"PutRecords: {answer}")
        status, said = rest(doors.http_port, "PUT", "/streams/pins/record", {"StreamName": "pins", "Data": {"value": 160}, "PartitionKey": "rest"})
        expect(status == 200 and said["SequenceNumber"], f"PUT record: {status} {said}")
        there = all_records(direct, "pins")
        expect(sum(map(len, there.values())) == 161 and all_records(through, "pins") == there, "what lies in the emulator is not what came back")
        through.add_tags_to_stream(StreamName="pins", Tags={"a": "b"})
        expect(direct.list_tags_for_stream(StreamName="pins")["Tags"] == [{"Key": "a", "Value": "b"}], "the tag is not there")
        codes = []
        for client in (through, direct):
            codes.append([refused("ResourceNotFoundException", client.describe_stream, StreamName="none")["Message"],
                          refused("InvalidArgumentException", client.get_shard_iterator, StreamName="pins", ShardId="shardId-000000000000",
                                  ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber="12")["Message"],
                          refused("ResourceInUseException", client.create_stream, StreamName="pins", ShardCount=1)["Message"]])
        expect(codes[0] == codes[1], f"errors differ: {codes}")
        emulator.kill()
        error = refused("InternalFailure", through.put_record, StreamName="pins", PartitionKey="k", Data=b"x")
        expect("whether the call was carried out is not known" in error["Message"], f"without the emulator: {error}")
        refused("ServiceUnavailable", through.list_streams)
        return f"{sum(map(len, there.values()))} records, {KEY} signs for others"
    finally:
        doors.stop()
        emulator.stop()


def write(client, streams, chance, count, number):
    """Puts posts until `count` more are there, some packed as producer libraries do; gives the next number. Each key counts up."""
    from aws_kinesis_agg.aggregator import RecordAggregator  # pylint: disable=import-outside-toplevel  # Of the environment of the checks.
    end = number + count
    while number < end:
        kind, key = chance.choice(KINDS), f"key{number % 13}"
        together = min(chance.randint(2, 6) if chance.random() < 0.2 else 1, end - number)
        posts = [json.dumps({"index" if kind == "pin" else "ind": at, "title": f"post {at}"}).encode() for at in range(number, number + together)]
        if together > 1:
            packer = RecordAggregator()
            for post in posts:
                packer.add_user_record(key, post)
            posts = [packer.clear_and_get().get_contents()[2]]
        client.put_record(StreamName=streams[kind], PartitionKey=key, Data=posts[0])
        number += together
    return number


def reshape(client, stream):
    """Splits one open shard and merges two neighbours, as far as there are any."""
    description = client.describe_stream(StreamName=stream)["StreamDescription"]
    is_open = [shard for shard in description["Shards"] if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    wide = is_open[0]["HashKeyRange"]
    middle = (int(wide["StartingHashKey"]) + int(wide["EndingHashKey"])) // 2
    client.split_shard(StreamName=stream, ShardToSplit=is_open[0]["ShardId"], NewStartingHashKey=str(middle))
    client.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    by_start = sorted((shard for shard in client.describe_stream(StreamName=stream)["StreamDescription"]["Shards"]
                       if "EndingSequenceNumber" not in shard["SequenceNumberRange"]), key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
    client.merge_shards(StreamName=stream, ShardToMerge=by_start[-2]["ShardId"], AdjacentShardToMerge=by_start[-1]["ShardId"])
    client.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def in_log(doors, topic):
    """The records of a topic, by partition, as the doors give them to a Kinesis client."""
    return all_records(new_client(doors.kinesis), topic)


def read_from(program, folder, kills):
    """Streams of the emulator come into the log and the tables once each, over kills of pinflow and changes of shards."""
    chance = random.Random(os.getpid())
    emulator = Kinesalite(folder / "emulator").start()
    streams = {kind: f"streaming-pinterest-{kind}" for kind in KINDS}
    client = new_client(emulator.kinesis)
    doors = Signing(program, folder / "doors", {"kinesis.read_from": emulator.kinesis, "topics.partitions": 3, "sql.memory_limit": "256MiB"})
    try:
        for stream in streams.values():
            make(client, stream, 3)
        number = write(client, streams, chance, 150, 0)
        doors.start()
        for turn in range(kills):
            number = write(client, streams, chance, 60, number)
            if turn % 3 == 1:
                reshape(client, streams[chance.choice(KINDS)])
            time.sleep(chance.uniform(0, 0.7))
            doors.kill()
            doors.start()
        number = write(client, streams, chance, 50, number)
        sent = {kind: all_records(client, stream, unpacked) for kind, stream in streams.items()}
        wanted = {kind: collections.Counter(record for records in shards.values() for record in records) for kind, shards in sent.items()}
        expect(sum(sum(counts.values()) for counts in wanted.values()) == number, "the emulator lost records")
        deadline = time.monotonic() + 60
        while True:
            there = {kind: in_log(doors, stream) for kind, stream in streams.items()}
            got = {kind: collections.Counter(record for records in shards.values() for record in records) for kind, shards in there.items()}
            if got == wanted:
                break
            doubled = {kind: [record for record, times in counts.items() if times > 1] for kind, counts in got.items()}
            expect(not any(doubled.values()), f"there twice: {doubled}")
            expect(time.monotonic() < deadline, f"not there after a minute: {[list((wanted[kind] - got[kind]).items())[:3] for kind in KINDS]}")
            time.sleep(0.5)
        for kind in KINDS:
            for partition, records in there[kind].items():
                numbers = collections.defaultdict(list)
                for record in records:
                    key, data = record.split(" ", 1)
                    numbers[key].append(json.loads(data).get("index", json.loads(data).get("ind")))
                for key, values in numbers.items():
                    expect(values == sorted(values), f"{kind} {partition}: the records of {key} are out of order: {values}")
        while True:
            status, answer = rest(doors.http_port, "POST", "/sql", {"sql": " UNION ALL ".join(f"SELECT count(*) FROM pinterest_{kind}_table" for kind in KINDS)})
            if status == 200 and sum(int(row[0]) for row in answer["rows"]) == number:
                break
            expect(time.monotonic() < deadline, f"the tables have {answer}, not {number} rows")
            time.sleep(0.5)
        return f"{number} records, {kills} kills"
    finally:
        doors.stop()
        emulator.stop()


def checked_online(program, folder):
    """`config check --online` says whether the streams can be read, and which is missing."""
    emulator = Kinesalite(folder / "emulator").start()
    command = [str(program), "config", "check", "--online", "--data", str(folder / "data"), "--set", f"kinesis.read_from={emulator.kinesis}"]
    client = new_client(emulator.kinesis)
    try:
        for kind in KINDS[:2]:
            make(client, f"streaming-pinterest-{kind}", 1)
        partly = subprocess.run(command, env={**os.environ, **AWS_ENVIRONMENT}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        expect(partly.returncode == 3 and "streaming-pinterest-user" in partly.stdout, f"with two streams: {partly.returncode} {partly.stdout}")
        make(client, f"streaming-pinterest-{KINDS[2]}", 1)
        good = subprocess.run(command, env={**os.environ, **AWS_ENVIRONMENT}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        expect(good.returncode == 0 and "Kinesis      ok" in good.stdout, f"with kinesalite: {good.stdout}")
    finally:
        emulator.stop()
    bad = subprocess.run(command, env={**os.environ, **AWS_ENVIRONMENT}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    expect(bad.returncode == 3 and emulator.kinesis in bad.stdout, f"without kinesalite: {bad.returncode} {bad.stdout}")


def run(report, program, folder, long):
    report.check("Kinesis elsewhere: calls passed on to kinesalite", passed_on, program, folder / "passed-on")
    report.check("Kinesis elsewhere: streams of kinesalite into the log, pinflow killed", read_from, program, folder / "read-from", 30 if long else 5)
    report.check("Kinesis elsewhere: config check --online", checked_online, program, folder / "checked-online")
