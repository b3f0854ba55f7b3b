"""The broker dies by SIGKILL under producers and comes back on its address: nothing lost, nothing doubled, order kept."""
from check_report import expect
from check_tools import Tools
from kafka_peers import NEWEST

RECORDS = 60_000
KILLS = 3


def producer_through_kills(broker, peer):
    slug = peer.name.replace(" ", "-")
    topic = f"restart-{slug}"
    Tools(NEWEST, broker).create(topic, 3)
    # Small batches, so that many are in flight at each kill.
    client = peer.start("produce", broker, topic, 0, RECORDS, 200, enable_idempotence="true", batch_size="2000", compression_type="none",
                        **({"linger_ms": "1", "delivery_timeout_ms": "180000", "request_timeout_ms": "5000", "reconnect_backoff_max_ms": "500"}))
    try:
        for _ in range(KILLS):
            client.wait(r"^progress", 60)
            client.wait(r"^progress", 60)
            broker.kill()
            broker.start()
        told = client.wait(r"^(done|failed) ?(.*)$", 180)
        expect(told.group(1) == "done" and int(told.group(2)) == RECORDS, f"the producer ended with: {told.group(0)}")
    finally:
        client.kill()
    peer.run("consume", broker, topic, RECORDS)
    return f"{RECORDS} records, {KILLS} kills"


def group_through_kill(broker, peer):
    """A member lives through the restart, and the committed offsets do."""
    slug = peer.name.replace(" ", "-")
    topic, group = f"restart-group-{slug}", f"restart-group-{slug}"
    tools = Tools(NEWEST, broker)
    tools.create(topic, 3)
    peer.run("produce", broker, topic, 0, 300, 50)
    member = peer.start("member", broker, topic, group, session_timeout_ms="10000", heartbeat_interval_ms="1000")
    try:
        while len(member.records()) < 300:
            member.wait("^committed", 30)
        broker.kill()
        broker.start()
        peer.run("produce", broker, topic, 300, 300, 50)
        while len(member.records()) < 600:
            member.wait("^committed", 60)
        member.stop()
    finally:
        member.kill()
    expect(len(member.records()) == 600, f"{len(member.records())} records read of 600: committed ones were read again")
    said = tools.must("groups", "--describe", "--group", group)
    rows = [line.split() for line in said.split("\n") if line.startswith(group)]
    expect(sum(int(row[3]) for row in rows) == 600, f"committed offsets are not the ends:\n{said}")
    return "a member and its offsets lived through it"


def run(report, broker, peers):
    for peer in peers:
        name = f"{peer.name}: broker killed under an idempotent producer"
        if not broker.kill:
            report.skip(name, "needs a broker that this script may kill")
            continue
        if peer.static:  # KafkaJS gives up after five tries and drops its sequence with them.
            report.check(name, producer_through_kills, broker, peer)
        report.check(f"{peer.name}: broker killed under a group", group_through_kill, broker, peer)
