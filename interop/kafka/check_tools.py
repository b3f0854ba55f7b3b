"""Kafka's own command-line tools: topics, configs, console producer and consumer, consumer groups."""
import re

from check_report import expect, expect_line
from kafka_peers import NEWEST, VERSIONS, run_tool


class Tools:
    """The tools of one version, pointed at a broker."""

    def __init__(self, version, broker):
        self.version = version
        self.broker = broker

    def run(self, tool, *arguments, given="", timeout=90):
        return run_tool(self.version, tool, "--bootstrap-server", self.broker.bootstrap, *arguments, given=given, timeout=timeout)

    def must(self, tool, *arguments, given="", timeout=90):
        code, said = self.run(tool, *arguments, given=given, timeout=timeout)
        expect(code == 0 and "Exception" not in said, f"{tool} {' '.join(map(str, arguments))} ended with {code}:\n{said.strip()[-2000:]}")
        return said

    def create(self, topic, partitions, *more):
        return self.must("topics", "--create", "--topic", topic, "--partitions", partitions, *more)


def topics(tools):
    name = f"tools-{tools.version}"
    expect_line(tools.create(name, 3, "--config", "retention.ms=86400000"), f"^Created topic {name}\\.$")
    expect_line(tools.must("topics", "--list"), f"^{name}$")
    described = tools.must("topics", "--describe", "--topic", name)
    expect_line(described, rf"^Topic: {name}\s+TopicId: [\w-]{{22}}\s+PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: .*retention\.ms=86400000")
    for partition in range(3):
        expect_line(described, rf"^\s+Topic: {name}\s+Partition: {partition}\s+Leader: (\d+)\s+Replicas: \1\s+Isr: \1")
    tools.must("topics", "--alter", "--topic", name, "--partitions", 5)
    expect_line(tools.must("topics", "--describe", "--topic", name), r"PartitionCount: 5")
    code, said = tools.run("topics", "--alter", "--topic", name, "--partitions", 2)
    expect(code != 0, "fewer partitions than there are were accepted")
    expect_line(said, "partition")
    code, said = tools.run("topics", "--create", "--topic", name, "--partitions", 1)
    expect(code != 0, "a topic was created twice")
    expect_line(said, "already exists")
    code, said = tools.run("topics", "--create", "--topic", "no/name", "--partitions", 1)
    expect(code != 0, "a topic with a name that Kafka refuses was created")
    expect_line(tools.must("offsets", "--topic", name), rf"^{name}:4:0$")
    tools.must("topics", "--delete", "--topic", name)
    left = tools.must("topics", "--list").split()
    expect(name not in left, "a deleted topic is still listed")
    code, said = tools.run("topics", "--describe", "--topic", name)
    expect(code != 0, "a deleted topic is still described")
    return "created, listed, described, grown, deleted"


def configs(tools):
    name = f"configs-{tools.version}"
    tools.create(name, 1)
    entity = ("--entity-type", "topics", "--entity-name", name)
    tools.must("configs", "--alter", *entity, "--add-config", "retention.ms=3600000,cleanup.policy=compact")
    described = tools.must("configs", "--describe", *entity)
    expect_line(described, r"^\s*retention\.ms=3600000 .*DYNAMIC_TOPIC_CONFIG")
    expect_line(described, r"^\s*cleanup\.policy=compact ")
    every = tools.must("configs", "--describe", "--all", *entity)
    for key in ("segment.bytes", "max.message.bytes", "min.insync.replicas", "compression.type", "message.timestamp.type"):
        expect_line(every, rf"^\s*{key}=")
    tools.must("configs", "--alter", *entity, "--delete-config", "retention.ms")
    described = tools.must("configs", "--describe", *entity)
    expect("retention.ms=" not in described, f"a deleted setting is still there:\n{described}")
    code, _ = tools.run("configs", "--alter", *entity, "--add-config", "retention.ms=soon")
    expect(code != 0, "a retention.ms that is no number was accepted")
    code, _ = tools.run("configs", "--alter", *entity, "--add-config", "no.such.setting=1")
    expect(code != 0, "a setting that does not exist was accepted")
    brokers = tools.must("configs", "--describe", "--all", "--entity-type", "brokers", "--entity-name", broker_id(tools))
    expect_line(brokers, r"^\s*[a-z.]+=")
    tools.must("topics", "--delete", "--topic", name)
    return "set, described, removed, refused"


def broker_id(tools):
    return expect_line(tools.must("api-versions"), r"\(id: (\d+) ").group(1)


def cluster(tools):
    said = tools.must("api-versions")
    expect_line(said, r"Produce\(0\): .*usable")
    code, said = run_tool(tools.version, "cluster", "cluster-id", "--bootstrap-server", tools.broker.bootstrap)
    expect(code == 0, f"cluster cluster-id ended with {code}: {said}")
    expect_line(said, r"^Cluster ID: \S+")
    return "versions and cluster id"


def console(tools):
    name = f"console-{tools.version}"
    tools.create(name, 2)
    sent = [f"k{n}:value number {n}" for n in range(500)]
    tools.must("console-producer", "--topic", name, "--property", "parse.key=true", "--property", "key.separator=:",
               "--compression-codec", "lz4", given="\n".join(sent) + "\n")
    said = tools.must("console-consumer", "--topic", name, "--from-beginning", "--max-messages", 500, "--timeout-ms", 20000,
                      "--property", "print.key=true", "--property", "key.separator=:")
    read = [line for line in said.split("\n") if line.startswith("k")]
    expect(sorted(read) == sorted(sent), f"{len(read)} lines read of {len(sent)} sent")
    _, tail = tools.run("console-consumer", "--topic", name, "--partition", 0, "--offset", "latest", "--timeout-ms", 1500)
    expect("value" not in tail, "a consumer from the end read old records")
    expect(sum(int(line.split(":")[2]) for line in tools.must("offsets", "--topic", name).split()) == 500, "offsets do not add up to what was sent")
    return "500 keyed lines"


def groups(tools):
    topic, group = f"groups-{tools.version}", f"group-{tools.version}"
    tools.create(topic, 2)
    tools.must("console-producer", "--topic", topic, given="".join(f"{n}\n" for n in range(300)))
    tools.must("console-consumer", "--topic", topic, "--group", group, "--from-beginning", "--max-messages", 300, "--timeout-ms", 20000)
    expect_line(tools.must("groups", "--list"), f"^{group}$")
    expect_line(tools.must("groups", "--list", "--state"), rf"^{group}\s.*Empty")

    def lag():
        said = tools.must("groups", "--describe", "--group", group)
        rows = [line.split() for line in said.split("\n") if line.startswith(group)]
        expect(len(rows) >= 1, f"no rows of the group in:\n{said}")
        return sum(int(row[3]) for row in rows), sum(int(row[5]) for row in rows)

    expect(lag() == (300, 0), f"committed and lag are {lag()}")
    expect_line(tools.must("groups", "--describe", "--group", group, "--state"), rf"^{group}\s.*Empty")
    reset = ("--reset-offsets", "--group", group, "--topic", topic)
    tools.must("groups", *reset, "--to-earliest", "--dry-run")
    expect(lag() == (300, 0), "a dry run moved offsets")
    tools.must("groups", *reset, "--to-earliest", "--execute")
    expect(lag() == (0, 300), f"after --to-earliest committed and lag are {lag()}")
    tools.must("groups", *reset, "--to-datetime", "2020-01-01T00:00:00.000", "--execute")
    expect(lag() == (0, 300), f"after --to-datetime committed and lag are {lag()}")
    tools.must("groups", *reset, "--to-latest", "--execute")
    tools.must("groups", *reset, "--shift-by", -50, "--execute")
    committed, behind = lag()
    expect(behind in (50, 100) and committed + behind == 300, f"after --shift-by -50 committed and lag are {lag()}")
    tools.must("groups", "--delete-offsets", "--group", group, "--topic", topic)
    tools.must("groups", "--delete", "--group", group)
    expect(group not in tools.must("groups", "--list").split(), "a deleted group is still listed")
    code, said = tools.run("groups", "--describe", "--group", "no-such-group")
    expect(re.search("does not exist|not found", said) or code != 0, f"a group that never was is described: {said}")
    tools.must("topics", "--delete", "--topic", topic)
    return "listed, described, reset, deleted"


def delete_records(tools, folder):
    topic = f"trim-{tools.version}"
    tools.create(topic, 1)
    tools.must("console-producer", "--topic", topic, given="".join(f"{n}\n" for n in range(100)))
    wish = folder / f"{topic}.json"
    wish.write_text('{"partitions":[{"topic":"%s","partition":0,"offset":60}],"version":1}' % topic)
    tools.must("delete-records", "--offset-json-file", wish)
    expect_line(tools.must("offsets", "--topic", topic, "--time", "earliest"), rf"^{topic}:0:60$")
    said = tools.must("console-consumer", "--topic", topic, "--from-beginning", "--max-messages", 40, "--timeout-ms", 20000)
    expect([line for line in said.split("\n") if line.isdigit()] == [str(n) for n in range(60, 100)], "other records than the last forty are left")
    return "the first 60 of 100"


def run(report, broker, folder, long):
    """The older tools write and read only, unless there is time: each call starts a Java."""
    for version in VERSIONS:
        tools = Tools(version, broker)
        for check in (topics, configs, cluster, console, groups) if long or version == NEWEST else (console,):
            report.check(f"Kafka {version} tools: {check.__name__}", check, tools)
        if long or version == NEWEST:
            report.check(f"Kafka {version} tools: delete-records", delete_records, tools, folder)
