"""The REST resources that API gateways map onto Kinesis, as the public posting scripts use them; what comes in can be read by Kafka's and Kinesis' clients."""
import json
import pathlib
import subprocess
import sys

import check_boto
import http_peers
from check_report import expect

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "posting_scripts.py"


def scripts(url):
    """The two posting scripts in Python's requests, with and without a stage prefix."""
    done = subprocess.run([sys.executable, str(SCRIPTS), url], text=True, capture_output=True, timeout=120)
    expect(done.returncode == 0, done.stderr.strip()[-500:])
    return "posts and puts, with and without a stage"


def resources(doors):
    """Every method of the mapping, and what lies in the stream then, read with boto3 and with Kafka's consumer."""
    import confluent_kafka  # pylint: disable=import-outside-toplevel
    import requests  # pylint: disable=import-outside-toplevel
    url = doors.url + "/Production/streams"

    def ask(method, path="", body=None, status=200, headers=None, **params):
        answer = requests.request(method, url + path, json=body, headers=headers, params=params, timeout=30)
        expect(answer.status_code == status, f"{method} /streams{path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    ask("POST", "/rest-streams", {"ShardCount": 1})
    kinesis = check_boto.new_client(doors.kinesis)
    check_boto.active(kinesis, "rest-streams")
    expect("rest-streams" in ask("GET")["StreamNames"], "a new stream is not listed")
    expect(ask("GET", "/rest-streams")["StreamDescription"]["StreamName"] == "rest-streams", "a stream is described otherwise")
    row = {"index": 1, "title": "Ein Gruß 😀", "n": None}
    said = ask("PUT", "/rest-streams/record", {"StreamName": "ignored", "Data": row, "PartitionKey": "pin"})
    expect({"SequenceNumber", "ShardId"} == set(said), f"a put answered {said}")
    ask("PUT", "/rest-streams/record", {"Data": "some data", "PartitionKey": "pin"})
    said = ask("PUT", "/rest-streams/records", {"records": [{"data": '{"foo": "bar"}', "partition-key": "a"}, {"data": {"x": [1]}, "partition-key": "b"}, {"Data": "c", "PartitionKey": "c"}]})
    expect(said["FailedRecordCount"] == 0 and len(said["Records"]) == 3, f"a put of three answered {said}")
    iterator = ask("GET", "/rest-streams/sharditerator", **{"shard-id": said["Records"][0]["ShardId"]})["ShardIterator"]
    got = ask("GET", "/rest-streams/records", headers={"Shard-Iterator": iterator})["Records"]
    expect(len(got) == 5, f"{len(got)} records read back")
    stored = [(record["PartitionKey"], record["Data"]) for record in check_boto.read_shard(kinesis, "rest-streams", said["Records"][0]["ShardId"])[0]]
    expect(json.loads(stored[0][1]) == row and [key for key, _ in stored] == ["pin", "pin", "a", "b", "c"], f"stored is {stored}")
    expect([data for _, data in stored[1:3]] == [b'"some data"', b'{"foo": "bar"}'] and json.loads(stored[3][1]) == {"x": [1]}, f"stored is {stored}")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": doors.bootstrap, "group.id": "streams", "auto.offset.reset": "earliest"})
    consumer.subscribe(["rest-streams"])
    read = []
    while len(read) < 5:
        messages = consumer.consume(5 - len(read), 20)
        expect(messages, f"Kafka's consumer read {len(read)} records of 5")
        read += [(message.key().decode(), message.value()) for message in messages]
    consumer.close()
    expect(read == stored, f"Kafka's consumer read {read}")
    ask("GET", "/no-such-stream", status=400)
    ask("PUT", "/rest-streams/record", {"Data": 1}, status=400)
    ask("DELETE", "/rest-streams")
    return "all methods; the same records by Kinesis and by Kafka"


def through_every_door(doors):
    """What was put by Kinesis is read by Kafka's consumer with its key, and the other way round."""
    import confluent_kafka  # pylint: disable=import-outside-toplevel
    kinesis = check_boto.new_client(doors.kinesis)
    check_boto.make(kinesis, "every-door", 1)
    kinesis.put_record(StreamName="every-door", Data=b"\x00\xffbytes", PartitionKey="from kinesis ä")
    producer = confluent_kafka.Producer({"bootstrap.servers": doors.bootstrap})
    producer.produce("every-door", b"from kafka", b"kafka key", 0)
    expect(producer.flush(20) == 0, "Kafka's producer was not acknowledged")
    got, _ = check_boto.read_shard(kinesis, "every-door", "shardId-000000000000", at_least=2)
    expect([(record["PartitionKey"], record["Data"]) for record in got] == [("from kinesis ä", b"\x00\xffbytes"), ("kafka key", b"from kafka")], f"Kinesis read {got}")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": doors.bootstrap, "group.id": "every-door"})
    consumer.assign([confluent_kafka.TopicPartition("every-door", 0, 0)])
    messages = consumer.consume(2, 20)
    consumer.close()
    expect([(message.key(), message.value()) for message in messages] == [("from kinesis ä".encode(), b"\x00\xffbytes"), (b"kafka key", b"from kafka")], "Kafka read other records")
    arrived = [int(record["ApproximateArrivalTimestamp"].timestamp() * 1000) for record in got]
    expect(all(abs(message.timestamp()[1] - time) < 1000 for message, time in zip(messages, arrived)), "the times differ")
    return "one log, both protocols"


def gateway_status(program, folder):
    """The gateway's habit of answering 200 whatever Kinesis says."""
    import requests  # pylint: disable=import-outside-toplevel
    doors = http_peers.Doors(program, folder / "gateway", {"streams.apigw_status": "true"}).start()
    try:
        answer = requests.put(f"{doors.url}/Production/streams/no-such-stream/record", json={"Data": 1, "PartitionKey": "k"}, timeout=30)
        expect(answer.status_code == 200 and answer.json()["__type"] == "ResourceNotFoundException", f"answered {answer.status_code} {answer.text}")
        answer = requests.delete(f"{doors.url}/streams/no-such-stream", timeout=30)
        expect(answer.status_code == 400, f"DELETE, which the tutorial maps, answered {answer.status_code} {answer.text}")
    finally:
        doors.stop()
    return "errors in the body of a 200, as the tutorial's gateway answers"


def run(report, program, doors, folder):
    report.check("REST streams: posting scripts", scripts, doors.url)
    report.check("REST streams: all methods", resources, doors)
    report.check("Kinesis and Kafka: one log", through_every_door, doors)
    report.check("REST streams: a gateway's status", gateway_status, program, folder)
