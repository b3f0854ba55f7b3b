"""A cluster of brokers of Apache Kafka on loopback, in KRaft mode, each also a controller."""
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kafka"))

import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position


class Member(kafka_peers.ApacheKafka):
    """One of a cluster: a broker where `ports` has one for it, a controller where `controllers` has one, by node number from 1."""

    def __init__(self, node, ports, controllers, folder, settings, jvm):
        self.node = node
        listeners = {name: f"{name}://127.0.0.1:{by_node[node]}" for name, by_node in (("PLAINTEXT", ports), ("CONTROLLER", controllers)) if node in by_node}
        roles = [role for role, by_node in (("broker", ports), ("controller", controllers)) if node in by_node]
        super().__init__(kafka_peers.NEWEST, folder, {
            "process.roles": ",".join(roles), "node.id": node, "listeners": ",".join(listeners.values()),
            "advertised.listeners": listeners.get("PLAINTEXT", listeners.get("CONTROLLER")),
            "controller.quorum.voters": ",".join(f"{number}@127.0.0.1:{port}" for number, port in controllers.items()),
            "offsets.topic.replication.factor": len(ports), "default.replication.factor": len(ports), "auto.create.topics.enable": "false",
            "broker.session.timeout.ms": 6000, "unclean.leader.election.enable": "false", "offsets.topic.num.partitions": 3, **settings,
        }, jvm=jvm)
        self.port = ports.get(node, controllers.get(node))

    def ready_line(self):
        return rf"\[KafkaRaftServer nodeId={self.node}\] Kafka Server started"


SMALL = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def start(folder, count=3, apart=False, settings=None, jvm=SMALL):
    """Starts so many brokers; gives them and their addresses. Each is a controller too, unless one more node is to be the only one, `apart`: then the others
    can die and there is still somebody who says who is in sync. That one is last. Raises RuntimeError where one does not start."""
    nodes = range(1, count + 1)
    ports = {node: kafka_peers.free_port() for node in nodes}
    controllers = {node: kafka_peers.free_port() for node in ([count + 1] if apart else nodes)}
    members = [Member(node, ports, controllers, folder / f"broker{node}", settings or {}, jvm) for node in sorted({*ports, *controllers})]
    failures = []

    def one(member):
        try:
            member.start()
        except (TimeoutError, OSError) as error:
            failures.append(f"node {member.node}: {error}")

    # None is ready before most of them are there.
    threads = [threading.Thread(target=one, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        stop(members)
        raise RuntimeError("; ".join(failures))
    return members, ",".join(f"127.0.0.1:{port}" for port in ports.values())


def stop(members):
    for member in members:
        if member.process and member.process.poll() is None:
            member.kill()
