"""boto3 and the AWS command line against the Kinesis door: every operation, paginators, waiters, fan-out."""
import datetime
import hashlib
import threading
import time

from check_report import expect
from http_peers import AWS_ENVIRONMENT, KEY, Missing, REGION, SECRET

# Of the API's operations these are of queues and channels, which are other services under the same name; a Kinesis stream has none of them.
OTHER_SERVICES = ("Queue", "Channel", "UpdateStreamRecordDistributionStrategy")


def new_client(endpoint, key=KEY, secret=SECRET, verify=None, **config):
    try:
        import boto3  # pylint: disable=import-outside-toplevel
        import botocore.config  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise Missing("the Python package boto3 is not installed") from None
    settings = {"retries": {"max_attempts": 1}, "read_timeout": 20, "connect_timeout": 5, **config}
    return boto3.client("kinesis", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret, verify=verify,
                        config=botocore.config.Config(**settings))


class Counted:
    """A client that remembers which operations were called with success."""

    def __init__(self, client):
        self.client = client
        self.called = set()
        client.meta.events.register("after-call.kinesis.*", self._note)

    def _note(self, model, http_response, **_):
        if http_response.status_code == 200:
            self.called.add(model.name)

    def __getattr__(self, name):
        return getattr(self.client, name)


def refused(code, function, text="", **arguments):
    """Expects an error with this code, and a message that holds the text."""
    from botocore.exceptions import ClientError  # pylint: disable=import-outside-toplevel
    try:
        function(**arguments)
    except ClientError as failure:
        error = failure.response["Error"]
        expect(error["Code"] == code, f"{failure.operation_name} {str(arguments)[:100]}: code {error['Code']} ({error.get('Message')}), expected {code}")
        expect(text in error.get("Message", ""), f"{failure.operation_name}: the message '{error.get('Message')}' lacks '{text}'")
        return error
    expect(False, f"{str(arguments)[:100]} was accepted, expected {code}")
    return None


def make(client, name, shards):
    client.create_stream(StreamName=name, ShardCount=shards)
    client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return client.describe_stream(StreamName=name)["StreamDescription"]


def active(client, name, seconds=30):
    end = time.monotonic() + seconds
    while (description := client.describe_stream(StreamName=name)["StreamDescription"])["StreamStatus"] != "ACTIVE":
        expect(time.monotonic() < end, f"{name} is {description['StreamStatus']} after {seconds} s")
        time.sleep(0.05)
    return description


def read_shard(client, stream, shard, seconds=20, at_least=None, **start):
    """Reads from an iterator's type until `at_least` records, or until it has caught up or the shard ends; returns records and the last answer."""
    iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard, **(start or {"ShardIteratorType": "TRIM_HORIZON"}))["ShardIterator"]
    records, end = [], time.monotonic() + seconds
    while True:
        answer = client.get_records(ShardIterator=iterator, Limit=1000)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
        caught_up = not answer["Records"] and answer["MillisBehindLatest"] == 0
        if iterator is None or (len(records) >= at_least if at_least else caught_up):
            return records, answer
        expect(time.monotonic() < end, f"{len(records)} records of {stream}/{shard} in {seconds} s")


def streams(client):
    description = make(client, "boto-streams", 3)
    expect(description["StreamStatus"] == "ACTIVE" and len(description["Shards"]) == 3 and not description["HasMoreShards"], f"described as {description}")
    ranges = sorted((int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"])) for shard in description["Shards"])
    expect(ranges[0][0] == 0 and ranges[-1][1] == 2**128 - 1 and all(a[1] + 1 == b[0] for a, b in zip(ranges, ranges[1:])), f"hash ranges are {ranges}")
    expect(abs((datetime.datetime.now(datetime.timezone.utc) - description["StreamCreationTimestamp"]).total_seconds()) < 120, f"created at {description['StreamCreationTimestamp']}")
    summary = client.describe_stream_summary(StreamARN=description["StreamARN"])["StreamDescriptionSummary"]
    expect(summary["OpenShardCount"] == 3 and summary["ConsumerCount"] == 0 and summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}, f"summary is {summary}")
    expect(len(summary.get("StreamId", "")) == 24, "no StreamId, without which KCL 3 does not start")
    refused("ResourceInUseException", client.create_stream, "already exists", StreamName="boto-streams", ShardCount=1)
    refused("ResourceNotFoundException", client.describe_stream, "not found", StreamName="no-such-stream")
    pages = list(client.get_paginator("describe_stream").paginate(StreamName="boto-streams", PaginationConfig={"PageSize": 1}))
    expect(len(pages) == 3 and len({page["StreamDescription"]["Shards"][0]["ShardId"] for page in pages}) == 3, f"{len(pages)} pages of one shard")
    client.create_stream(StreamName="boto-on-demand", StreamModeDetails={"StreamMode": "ON_DEMAND"}, Tags={"team": "a"})
    expect(len(active(client, "boto-on-demand")["Shards"]) == 4, "an on-demand stream does not begin with four shards")
    expect(client.list_tags_for_stream(StreamName="boto-on-demand")["Tags"] == [{"Key": "team", "Value": "a"}], "tags of CreateStream are lost")
    for number in range(5):
        client.create_stream(StreamName=f"boto-list-{number}", ShardCount=1)
        active(client, f"boto-list-{number}")
    names = [name for page in client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2}) for name in page["StreamNames"]]
    expect(names == sorted(names) and {f"boto-list-{number}" for number in range(5)} <= set(names) and len(names) == len(set(names)), f"listed {names}")
    for number in range(5):
        client.delete_stream(StreamName=f"boto-list-{number}", EnforceConsumerDeletion=True)
    client.get_waiter("stream_not_exists").wait(StreamName="boto-list-4", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return f"{len(names)} streams made, waited for, listed by pages, deleted"


def records(client):
    stream = "boto-records"
    description = make(client, stream, 2)
    shards = sorted(shard["ShardId"] for shard in description["Shards"])
    begun = datetime.datetime.now(datetime.timezone.utc)
    sent = {}
    for number in range(20):
        data = bytes([number]) * (number * 7 % 50)
        said = client.put_record(StreamName=stream, Data=data, PartitionKey=f"key-{number}")
        hashed = int.from_bytes(hashlib.md5(f"key-{number}".encode()).digest(), "big")
        expect(said["ShardId"] == shards[hashed >= 2**127], f"key-{number} went to {said['ShardId']}")
        expect("EncryptionType" not in said and len(said["SequenceNumber"]) == 56, f"put_record answered {said}")
        sent[said["SequenceNumber"]] = (data, f"key-{number}", said["ShardId"])
    batch = [{"Data": f"record {number} Ä".encode(), "PartitionKey": f"p{number}", **({"ExplicitHashKey": str(2**128 - 1)} if number % 2 else {})} for number in range(500)]
    said = client.put_records(StreamARN=description["StreamARN"], Records=batch)
    expect(said["FailedRecordCount"] == 0 and len(said["Records"]) == 500, "not all of 500 were taken")
    for entry, done in zip(batch, said["Records"]):
        expect("ExplicitHashKey" not in entry or done["ShardId"] == shards[1], "an explicit hash key was not obeyed")
        sent[done["SequenceNumber"]] = (entry["Data"], entry["PartitionKey"], done["ShardId"])
    read, orders = {}, {}
    for shard in shards:
        got, last = read_shard(client, stream, shard)
        expect("ChildShards" not in last and last["MillisBehindLatest"] == 0, f"at the end of an open shard came {last}")
        orders[shard] = [record["SequenceNumber"] for record in got]
        expect(orders[shard] == sorted(orders[shard], key=int), f"{shard} is out of order")
        for record in got:
            expect(-5 < (record["ApproximateArrivalTimestamp"] - begun).total_seconds() < 60, f"arrived at {record['ApproximateArrivalTimestamp']}")
            read[record["SequenceNumber"]] = (record["Data"], record["PartitionKey"], shard)
    expect(read == sent, f"{len(read)} records read, {len(sent)} sent, {sum(read.get(k) == v for k, v in sent.items())} equal")
    order = orders[shards[1]]
    for kind, more, expected in (("AT_SEQUENCE_NUMBER", {"StartingSequenceNumber": order[10]}, order[10:]), ("AFTER_SEQUENCE_NUMBER", {"StartingSequenceNumber": order[10]}, order[11:]),
                                 ("AT_TIMESTAMP", {"Timestamp": begun - datetime.timedelta(seconds=5)}, order), ("LATEST", {}, [])):
        got, _ = read_shard(client, stream, shards[1], ShardIteratorType=kind, **more)
        expect([record["SequenceNumber"] for record in got] == expected, f"{kind} gave {len(got)} records, expected {len(expected)}")
    refused("ValidationException", client.put_record, "partitionKey", StreamName=stream, Data=b"x", PartitionKey="k" * 257)
    refused("InvalidArgumentException", client.put_record, "ExplicitHashKey", StreamName=stream, Data=b"x", PartitionKey="k", ExplicitHashKey=str(2**128))
    refused("InvalidArgumentException", client.get_records, "ShardIterator", ShardIterator="AAAA")
    return f"{len(sent)} records, six ways to begin"


def large(client):
    stream = "boto-large"
    make(client, stream, 1)
    data = bytes(range(256)) * 4096
    client.put_record(StreamName=stream, Data=data[:-1], PartitionKey="k")
    refused("ValidationException", client.put_record, "data", StreamName=stream, Data=data + b"x", PartitionKey="k")
    entries = [{"Data": data[:-4], "PartitionKey": f"k{number}"} for number in range(9)]
    said = client.put_records(StreamName=stream, Records=entries)
    expect(said["FailedRecordCount"] == 0, f"{said['FailedRecordCount']} of nine records of 1 MiB failed")
    refused("InvalidArgumentException", client.put_records, "exceeds", StreamName=stream, Records=[*entries, entries[0], {"Data": bytes(100), "PartitionKey": "k"}])
    got, _ = read_shard(client, stream, "shardId-000000000000", at_least=10)
    expect([len(record["Data"]) for record in got] == [len(data) - 1] + [len(data) - 4] * 9 and got[3]["Data"] == data[:-4], "large records came back changed")
    return "records of 1 MiB, requests of 9 MiB"


def resharding(client):
    stream = "boto-reshard"
    make(client, stream, 2)
    for number in range(40):
        client.put_record(StreamName=stream, Data=str(number).encode(), PartitionKey=f"k{number}")
    client.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    active(client, stream)
    client.merge_shards(StreamName=stream, ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001")
    active(client, stream)
    # Not by boto3's paginator, which repeats StreamName beside NextToken: AWS refuses that.
    shards, page = {}, {"StreamName": stream, "MaxResults": 2}
    while page:
        said = client.list_shards(**page)
        shards |= {shard["ShardId"][-1]: shard for shard in said["Shards"]}
        page = said.get("NextToken") and {"NextToken": said["NextToken"], "MaxResults": 2}
    expect(sorted(shards) == list("01234"), f"shards are {sorted(shards)}")
    expect(shards["4"]["ParentShardId"][-1] == "3" and shards["4"]["AdjacentParentShardId"][-1] == "1", f"the merged shard is {shards['4']}")
    expect([name for name in sorted(shards) if "EndingSequenceNumber" in shards[name]["SequenceNumberRange"]] == list("013"), "other shards than 0, 1 and 3 are closed")
    expect([shard["ShardId"][-1] for shard in client.list_shards(StreamName=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]] == list("24"), "AT_LATEST lists others than the open ones")
    got, last = read_shard(client, stream, "shardId-000000000000")
    expect("NextShardIterator" not in last and sorted(child["ShardId"][-1] for child in last["ChildShards"]) == ["2", "3"], f"the end of a split shard is {last}")
    expect(all(child["ParentShards"] == ["shardId-000000000000"] for child in last["ChildShards"]), f"children are {last['ChildShards']}")
    more, _ = read_shard(client, stream, "shardId-000000000001")
    expect(sorted(int(record["Data"]) for record in got + more) == list(range(40)), "records were lost by splitting")
    said = client.put_record(StreamName=stream, Data=b"after", PartitionKey="k", ExplicitHashKey="0")
    expect(said["ShardId"] == "shardId-000000000002", f"after the split hash 0 went to {said['ShardId']}")
    refused("InvalidArgumentException", client.split_shard, "already been merged or split", StreamName=stream, ShardToSplit="shardId-000000000000",
            NewStartingHashKey=str(2**125))
    said = client.update_shard_count(StreamName=stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    expect(said["CurrentShardCount"] == 2 and said["TargetShardCount"] == 4, f"update_shard_count answered {said}")
    active(client, stream)
    expect(client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["OpenShardCount"] == 4, "not four open shards")
    return "split, merged, scaled; ends and children told"


def administration(client):
    stream = "boto-admin"
    arn = make(client, stream, 1)["StreamARN"]
    client.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
    expect(active(client, stream)["RetentionPeriodHours"] == 48, "retention is not 48 hours")
    refused("InvalidArgumentException", client.increase_stream_retention_period, "", StreamName=stream, RetentionPeriodHours=30)
    client.decrease_stream_retention_period(StreamName=stream, RetentionPeriodHours=24)
    expect(active(client, stream)["RetentionPeriodHours"] == 24, "retention is not 24 hours")
    client.add_tags_to_stream(StreamName=stream, Tags={"a": "1", "b": "2", "c": ""})
    said = client.list_tags_for_stream(StreamName=stream, Limit=2)
    expect(said["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}] and said["HasMoreTags"], f"tags are {said}")
    client.remove_tags_from_stream(StreamName=stream, TagKeys=["a", "b"])
    client.tag_resource(ResourceARN=arn, Tags={"d": "4"})
    client.untag_resource(ResourceARN=arn, TagKeys=["c"])
    expect(client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "d", "Value": "4"}], "tags by ARN differ")
    said = client.enable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["IncomingBytes", "OutgoingBytes"])
    expect(sorted(said["DesiredShardLevelMetrics"]) == ["IncomingBytes", "OutgoingBytes"], f"monitoring: {said}")
    said = client.disable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["ALL"])
    expect(said["DesiredShardLevelMetrics"] == [], f"monitoring: {said}")
    client.start_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    active(client, stream)
    said = client.put_record(StreamName=stream, Data=b"x", PartitionKey="k")
    expect(said.get("EncryptionType") == "KMS", f"put_record of an encrypted stream answered {said}")
    client.stop_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    expect(active(client, stream)["EncryptionType"] == "NONE", "encryption was not stopped")
    limits = client.describe_limits()
    expect(limits["OpenShardCount"] >= 1 and limits["ShardLimit"] >= limits["OpenShardCount"], f"limits are {limits}")
    settings = client.describe_account_settings()
    expect("MinimumThroughputBillingCommitment" in settings, f"account settings are {settings}")
    client.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    client.update_account_settings(MinimumThroughputBillingCommitment={"Status": "DISABLED"})
    policy = '{"Version":"2012-10-17","Statement":[]}'
    client.put_resource_policy(ResourceARN=arn, Policy=policy)
    expect(client.get_resource_policy(ResourceARN=arn)["Policy"] == policy, "the policy came back changed")
    client.delete_resource_policy(ResourceARN=arn)
    client.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=2048)
    active(client, stream)
    client.put_record(StreamARN=arn, Data=bytes(2_000_000), PartitionKey="k")
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    active(client, stream)
    refused("ValidationException", client.update_shard_count, "On-Demand", StreamName=stream, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    client.update_stream_warm_throughput(StreamARN=arn, WarmThroughputMiBps=4)
    active(client, stream)
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "PROVISIONED"})
    active(client, stream)
    return "retention, tags, monitoring, encryption, limits, policy, mode, sizes"


def subscribe(client, consumer, shard, **start):
    return client.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=start or {"Type": "TRIM_HORIZON"})["EventStream"]


def fan_out(client):
    stream = "boto-fan-out"
    arn = make(client, stream, 1)["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="first")["Consumer"]["ConsumerARN"]
    client.register_stream_consumer(StreamARN=arn, ConsumerName="second")
    refused("ResourceInUseException", client.register_stream_consumer, "", StreamARN=arn, ConsumerName="first")
    end = time.monotonic() + 20
    while (status := client.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"]) != "ACTIVE":
        expect(time.monotonic() < end, f"the consumer is {status} after 20 s")
        time.sleep(0.05)
    names = [one["ConsumerName"] for page in client.get_paginator("list_stream_consumers").paginate(StreamARN=arn, PaginationConfig={"PageSize": 1}) for one in page["Consumers"]]
    expect(sorted(names) == ["first", "second"], f"consumers are {names}")
    client.put_record(StreamName=stream, Data=b"0", PartitionKey="k")
    events = subscribe(client, consumer, "shardId-000000000000")

    def put():
        for number in range(1, 200):
            client.put_record(StreamName=stream, Data=str(number).encode(), PartitionKey="k")

    writer = threading.Thread(target=put)
    writer.start()
    read, continued, waits = [], None, []
    for event in events:
        event = event["SubscribeToShardEvent"]
        now = datetime.datetime.now(datetime.timezone.utc)
        waits += [(now - record["ApproximateArrivalTimestamp"]).total_seconds() for record in event["Records"][-1:]]
        read += [int(record["Data"]) for record in event["Records"]]
        continued = event["ContinuationSequenceNumber"]
        if len(read) >= 200:
            break
    writer.join()
    expect(read == list(range(200)), f"pushed were {len(read)} records, the first out of order at {next((i for i, n in enumerate(read) if i != n), None)}")
    events.close()
    client.put_record(StreamName=stream, Data=b"200", PartitionKey="k")
    expect(continued.isdigit(), f"ContinuationSequenceNumber is {continued}")
    refused("ResourceNotFoundException", client.subscribe_to_shard, "", ConsumerARN=consumer, ShardId="shardId-000000000009", StartingPosition={"Type": "LATEST"})
    # The end of a shard: its last event names the children.
    second = client.describe_stream_consumer(StreamARN=arn, ConsumerName="second")["ConsumerDescription"]["ConsumerARN"]
    client.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    active(client, stream)
    count, last = 0, {}
    for event in subscribe(client, second, "shardId-000000000000"):
        last = event["SubscribeToShardEvent"]
        count += len(last["Records"])
    expect(count == 201, f"{count} records up to the end of the shard")
    expect(sorted(child["ShardId"][-1] for child in last.get("ChildShards", [])) == ["1", "2"] and not last.get("ContinuationSequenceNumber"), f"the last event is {last}")
    client.deregister_stream_consumer(StreamARN=arn, ConsumerName="second")
    client.deregister_stream_consumer(ConsumerARN=consumer)
    return f"200 records pushed, the slowest event after {max(waits) * 1000:.0f} ms"


def one_subscriber(client):
    stream = "boto-one"
    arn = make(client, stream, 1)["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="one")["Consumer"]["ConsumerARN"]
    while client.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
        time.sleep(0.05)
    first = iter(subscribe(client, consumer, "shardId-000000000000"))
    refused("ResourceInUseException", client.subscribe_to_shard, "", ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition={"Type": "LATEST"})
    waits = []
    for _ in range(2):
        begin = time.monotonic()
        next(first)
        waits.append(time.monotonic() - begin)
    expect(max(waits) < 7, f"an idle subscription was silent for {max(waits):.1f} s; the Java SDK gives up after 10")
    return f"idle events within {max(waits):.1f} s"


def all_called(counted):
    wanted = {name for name in counted.client.meta.service_model.operation_names if not any(word in name for word in OTHER_SERVICES)}
    expect(wanted <= counted.called, f"never answered 200: {sorted(wanted - counted.called)}")
    return f"{len(wanted)} operations answered"


def signatures(endpoint, verify=None):
    """Only the right key with the right secret is taken."""
    import botocore  # pylint: disable=import-outside-toplevel
    new_client(endpoint, verify=verify).list_streams()
    refused("InvalidSignatureException", new_client(endpoint, secret="not the secret", verify=verify).list_streams)
    refused("UnrecognizedClientException", new_client(endpoint, key="AKIANOBODYKNOWSTHIS1", verify=verify).list_streams)
    refused("MissingAuthenticationTokenException", new_client(endpoint, signature_version=botocore.UNSIGNED, verify=verify).list_streams)
    make(new_client(endpoint, verify=verify), "boto-signed", 1)
    expect(new_client(endpoint, verify=verify).put_record(StreamName="boto-signed", Data=bytes(range(256)), PartitionKey="ä")["ShardId"], "a signed record was not taken")
    return "right, wrong secret, unknown key, none"


def rights(endpoint, verify, key, secret):
    """A key that may read reads, and is refused when it writes."""
    client = new_client(endpoint, key, secret, verify=verify)
    got, _ = read_shard(client, "boto-signed", "shardId-000000000000")
    expect([record["Data"] for record in got] == [bytes(range(256))], f"{len(got)} records read")
    refused("AccessDeniedException", client.put_record, StreamName="boto-signed", Data=b"x", PartitionKey="k")
    refused("AccessDeniedException", client.create_stream, StreamName="boto-not-mine", ShardCount=1)
    return "reads, does not write"


def command_line(endpoint, folder):
    """The AWS command line itself, once around."""
    import contextlib  # pylint: disable=import-outside-toplevel
    import io  # pylint: disable=import-outside-toplevel
    import json  # pylint: disable=import-outside-toplevel
    import os  # pylint: disable=import-outside-toplevel
    try:
        from awscli.clidriver import create_clidriver  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise Missing("the Python package awscli is not installed") from None
    os.environ.update(AWS_ENVIRONMENT)

    def aws(command, *arguments, code=0):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            got = create_clidriver().main(["--endpoint-url", endpoint, "--output", "json", "kinesis", command, *arguments])
        expect(got == code, f"aws kinesis {command} ended with {got}: {err.getvalue().strip()[-400:]}")
        return json.loads(out.getvalue()) if out.getvalue().strip() else err.getvalue()

    payload = folder / "payload.bin"
    payload.write_bytes(bytes(range(256)))
    aws("create-stream", "--stream-name", "cli", "--shard-count", "2")
    aws("wait", "stream-exists", "--stream-name", "cli")
    expect(len(aws("describe-stream", "--stream-name", "cli")["StreamDescription"]["Shards"]) == 2, "describe-stream shows other than two shards")
    shard = aws("put-record", "--stream-name", "cli", "--partition-key", "k", "--data", f"fileb://{payload}")["ShardId"]
    entries = json.dumps([{"Data": "hello", "PartitionKey": "k"}, {"Data": "", "PartitionKey": "k"}])
    expect(aws("put-records", "--stream-name", "cli", "--records", entries)["FailedRecordCount"] == 0, "put-records failed")
    iterator = aws("get-shard-iterator", "--stream-name", "cli", "--shard-id", shard, "--shard-iterator-type", "TRIM_HORIZON")["ShardIterator"]
    got = aws("get-records", "--shard-iterator", iterator)["Records"]
    import base64  # pylint: disable=import-outside-toplevel
    expect([base64.b64decode(record["Data"]) for record in got] == [bytes(range(256)), b"hello", b""], f"get-records gave {got}")
    expect(aws("list-shards", "--stream-name", "cli", "--max-items", "1")["NextToken"], "list-shards gave no token")
    expect("cli" in aws("list-streams")["StreamNames"], "list-streams lacks the stream")
    said = aws("describe-stream-summary", "--stream-name", "nobody", code=255)
    expect("ResourceNotFoundException" in said, f"an unknown stream gave: {said}")
    aws("delete-stream", "--stream-name", "cli")
    aws("wait", "stream-not-exists", "--stream-name", "cli")
    return "stream made, written, read, paged, deleted"


def run(report, endpoint, folder, label="", verify=None):
    counted = Counted(new_client(endpoint, verify=verify))
    for name, check in (("streams", streams), ("records", records), ("large records", large), ("resharding", resharding), ("administration", administration), ("fan-out", fan_out),
                        ("one subscriber a consumer", one_subscriber)):
        report.check(f"boto3{label}: {name}", check, counted)
    report.check(f"boto3{label}: all operations", all_called, counted)
    if verify is None:
        report.check(f"AWS command line{label}", command_line, endpoint, folder)
