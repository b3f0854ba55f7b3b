"""The librdkafka client of the checks (confluent-kafka). What it takes and prints is told in README.md."""
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

FILL = b"the quick brown fox jumps over the lazy dog; "


def value(n, size):
    """The value of record n: "v<n>;" and a filling that depends on n, of size bytes in all (or as long as the number needs)."""
    head = b"v%d;" % n
    start = (len(head) + n) % len(FILL)
    return head + (FILL * (size // len(FILL) + 3))[start:start + max(0, size - len(head))]


def number(data):
    return int(data[1:data.index(b";")])


def say(line):
    print(line, flush=True)


def produce(bootstrap, topic, first, count, size, settings):
    acked = 0
    failure = []

    def delivered(error, _):
        nonlocal acked
        if error:
            failure.append(error)
            return
        acked += 1
        if acked % max(1, count // 20) == 0:
            say(f"progress {acked}")

    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    partitions = len(producer.list_topics(topic, 30).topics[topic].partitions)
    for n in range(first, first + count):
        while True:
            try:
                producer.produce(topic, value(n, size), b"k%d" % n, n % partitions, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        if n % 256 == 0:
            producer.poll(0)
        if failure:
            break
    producer.flush(120)
    if failure:
        raise RuntimeError(failure[0])
    if acked != count:
        raise RuntimeError(f"{acked} acknowledged of {count}")
    say(f"done {acked}")


def consume(bootstrap, topic, expected, settings):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "not-used", "enable.auto.commit": False, **settings})
    partitions = sorted(consumer.list_topics(topic, 30).topics[topic].partitions)
    begin, ends, last = {}, {}, {}
    for p in partitions:
        begin[p], ends[p] = consumer.get_watermark_offsets(TopicPartition(topic, p), 30)
    consumer.assign([TopicPartition(topic, p, begin[p]) for p in partitions])
    expected_offsets = dict(begin)
    count, total = 0, sum(ends[p] - begin[p] for p in partitions)
    while count < total:
        messages = consumer.consume(min(1000, total - count), 30)  # It waits until it has so many.
        if not messages:
            raise RuntimeError(f"nothing to read for 30 s after {count} of {total}")
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            p, n = message.partition(), number(message.value())
            where = f"at partition {p} offset {message.offset()}"
            if message.offset() != expected_offsets[p]:
                raise RuntimeError(f"not offset {expected_offsets[p]} {where}")
            if n <= last.get(p, -1):
                raise RuntimeError(f"record {n} after {last[p]} {where}")
            if n % len(partitions) != p or message.key() != b"k%d" % n or message.value() != value(n, len(message.value())):
                raise RuntimeError(f"another key or value than was sent {where}")
            expected_offsets[p] += 1
            last[p] = n
            count += 1
    consumer.close()
    if expected >= 0 and count != expected:
        raise RuntimeError(f"{count} records instead of {expected}")
    say(f"done {count}")


def member(bootstrap, topic, group, settings):
    asked = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), asked.set()), daemon=True).start()
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", **settings})
    held = set()
    together = settings.get("partition.assignment.strategy") == "cooperative-sticky"

    def assigned(_, partitions):
        held.update(p.partition for p in partitions) if together else (held.clear(), held.update(p.partition for p in partitions))
        say("assigned " + " ".join(map(str, sorted(held))))

    def revoked(_, partitions):
        held.difference_update(p.partition for p in partitions)
        say(f"revoked {len(partitions)}")

    consumer.subscribe([topic], on_assign=assigned, on_revoke=revoked)
    while not asked.is_set():
        messages = [m for m in consumer.consume(1000, 0.1) if not m.error()]
        for message in messages:
            say(f"read {message.partition()} {message.offset()} {number(message.value())}")
        if messages:
            try:
                consumer.commit(asynchronous=False)
                say("committed")
            except KafkaException as error:
                if error.args[0].code() != KafkaError._NO_OFFSET:
                    say(f"not committed: {error.args[0].name()}")
    consumer.close()
    say("left")


def main(arguments):
    command, bootstrap, topic = arguments[:3]
    numbers = {"produce": 3, "consume": 1, "member": 0}[command]
    plain = 3 + numbers + (command == "member")
    settings = dict(pair.split("=", 1) for pair in arguments[plain:])
    try:
        if command == "produce":
            produce(bootstrap, topic, *map(int, arguments[3:6]), settings)
        elif command == "consume":
            consume(bootstrap, topic, int(arguments[3]), settings)
        else:
            member(bootstrap, topic, arguments[3], settings)
    except Exception as failure:  # pylint: disable=broad-except
        say(f"failed {failure!r}")
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
