"""Every client writes, every client reads: compression, order, contents; kcat; hundreds of partitions."""
import re
import shutil
import subprocess

from check_report import expect, expect_line
from check_tools import Tools
from kafka_peers import Missing, NEWEST

EACH = 4000  # Records per client and codec.


def round_trip(broker, peers, codec):
    """All clients write one topic in turn, then each reads the whole of it."""
    topic = f"round-trip-{codec}"
    Tools(NEWEST, broker).create(topic, 3)
    writers = [peer for peer in peers if codec in peer.codecs]
    size = 700
    for turn, peer in enumerate(writers):
        expect(peer.run("produce", broker, topic, turn * EACH, EACH, size, compression_type=codec) == EACH, f"{peer.name} did not get all acknowledged")
    for peer in writers:
        peer.run("consume", broker, topic, EACH * len(writers))
    return f"{EACH * len(writers)} records written by {len(writers)} clients, read by each"


def sizes(broker, peers):
    """Empty-ish, odd and large values, and one batch just below the broker's limit."""
    topic = "sizes"
    Tools(NEWEST, broker).create(topic, 2)
    first = 0
    for peer in peers:
        for count, size in ((50, 1), (20, 65_537), (4, 900_000)):
            peer.run("produce", broker, topic, first, count, size)
            first += count
    for peer in peers:
        peer.run("consume", broker, topic, first)
    return f"{first} records up to 900,000 bytes"


def too_large(broker, peers):
    """A record above max.message.bytes is refused by name, and what came before and comes after it is kept."""
    topic = "too-large"
    Tools(NEWEST, broker).create(topic, 1, "--config", "max.message.bytes=20000")
    for turn, peer in enumerate(peers):
        peer.run("produce", broker, topic, turn, 1, 100)
        try:
            peer.run("produce", broker, topic, 99, 1, 60_000, compression_type="none")
        except RuntimeError as refused:
            expect(re.search("RecordTooLarge|MSG_SIZE_TOO_LARGE|larger than", str(refused)), f"{refused}")
        else:
            expect(False, f"{peer.name} got a record above max.message.bytes acknowledged")
    peers[0].run("consume", broker, topic, len(peers))
    return "refused by name"


def idempotent(broker, peers):
    topic = "idempotent"
    Tools(NEWEST, broker).create(topic, 4)
    first = 0
    for peer in peers:
        peer.run("produce", broker, topic, first, EACH, 100, enable_idempotence="true")
        first += EACH
    peers[0].run("consume", broker, topic, first)
    return f"{first} records of {len(peers)} clients"


def wide(broker, peers):
    """Three topics of a hundred partitions, each written and read by another client."""
    tools = Tools(NEWEST, broker)
    for number in range(3):
        tools.create(f"wide-{number}", 100)
    described = tools.must("topics", "--describe")
    expect(len(re.findall(r"^\s+Topic: wide-\d\s+Partition: \d+\s+Leader: \d+", described, re.MULTILINE)) == 300, "not 300 partitions with a leader")
    for number in range(3):
        peers[(number + 1) % len(peers)].run("produce", broker, f"wide-{number}", 0, 10_000, 50)
    for number in range(3):
        peers[(number + 2) % len(peers)].run("consume", broker, f"wide-{number}", 10_000)
    return "30,000 records over 300 partitions"


def kcat(broker, *arguments, given=""):
    if not shutil.which("kcat"):
        raise Missing("no kcat on this machine")
    done = subprocess.run(["kcat", "-b", broker.bootstrap, *map(str, arguments)], input=given, text=True, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    expect(done.returncode == 0, f"kcat {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def kcat_round_trip(broker):
    topic = "kcat"
    sent = []
    for number, codec in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
        lines = [f"k{number * 1000 + n}:value {n} of {codec}, value {n} of {codec}" for n in range(1000)]
        sent += lines
        kcat(broker, "-P", "-t", topic, "-p", 0, "-z", codec, "-K:", "-H", f"codec={codec}", given="\n".join(lines) + "\n")
    read = kcat(broker, "-C", "-t", topic, "-p", 0, "-o", "beginning", "-e", "-q", "-f", "%o %h %k:%s\n").strip().split("\n")
    expect(len(read) == len(sent), f"{len(read)} records read of {len(sent)} sent")
    for offset, (line, value) in enumerate(zip(read, sent)):
        codec = value.rsplit(" ", 1)[1]
        expect(line == f"{offset} codec={codec} {value}", f"offset {offset}: read '{line}', sent '{value}'")
    tail = kcat(broker, "-C", "-t", topic, "-p", 0, "-o", -10, "-e", "-q", "-f", "%o\n").split()
    expect(tail == [str(n) for n in range(len(sent) - 10, len(sent))], f"the last ten are {tail}")
    expect_line(kcat(broker, "-Q", "-t", f"{topic}:0:0"), rf"^{topic} \[0\] offset 0$")
    expect_line(kcat(broker, "-L", "-t", topic), rf'^ *topic "{topic}" with \d+ partitions:')
    grouped = kcat(broker, "-G", "kcat-group", "-e", "-q", "-X", "auto.offset.reset=earliest", "-f", "%k:%s\n", topic)
    expect(sorted(grouped.strip().split("\n")) == sorted(sent), "a kcat group read other records")
    return f"{len(sent)} records, five codecs, headers, group"


def kcat_compresses(broker, folder):
    """The broker's version ranges must not make an old librdkafka send uncompressed in silence."""
    log = folder / "kcat-codec.log"
    with open(log, "w", encoding="utf-8") as out:
        kcat_says = subprocess.run(["kcat", "-b", broker.bootstrap, "-P", "-t", "kcat-codec", "-z", "zstd", "-d", "msg,feature"], input="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 200,
                                   text=True, stderr=out, stdout=out, timeout=60) if shutil.which("kcat") else None
    if kcat_says is None:
        raise Missing("no kcat on this machine")
    said = log.read_text()
    expect("not compressing batch" not in said, "librdkafka sends uncompressed: it misses a feature of the broker")
    return ""


def run(report, broker, peers, folder):
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        report.check(f"All clients: {codec}", round_trip, broker, peers, codec)
    report.check("All clients: sizes", sizes, broker, peers)
    report.check("All clients: idempotent producer", idempotent, broker, peers)
    report.check("All clients: record above the limit", too_large, broker, peers)
    report.check("All clients: three topics, 300 partitions", wide, broker, peers)
    report.check("kcat: write and read", kcat_round_trip, broker)
    report.check("kcat: compresses", kcat_compresses, broker, folder)
