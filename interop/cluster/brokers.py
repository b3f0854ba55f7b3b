"""A cluster of brokers of Apache Kafka on loopback, in KRaft mode, each also a controller."""
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kafka"))

import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position


class Member(kafka_peers.ApacheKafka):
    """One of the brokers of a cluster; `ports` and `controllers` are those of all."""

    def __init__(self, number, ports, controllers, folder):
        self.number = number
        listeners = f"PLAINTEXT://127.0.0.1:{ports[number]},CONTROLLER://127.0.0.1:{controllers[number]}"
        super().__init__(kafka_peers.NEWEST, folder, {
            "node.id": number + 1, "listeners": listeners, "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports[number]}",
            "controller.quorum.voters": ",".join(f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(controllers)),
            "offsets.topic.replication.factor": len(ports), "default.replication.factor": len(ports), "auto.create.topics.enable": "false",
            "broker.session.timeout.ms": 6000, "unclean.leader.election.enable": "false", "offsets.topic.num.partitions": 3,
        }, jvm=("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))
        self.port = ports[number]

    def ready_line(self):
        return rf"\[KafkaRaftServer nodeId={self.number + 1}\] Kafka Server started"


def start(folder, count=3):
    """Starts so many brokers; gives them and their addresses. Raises RuntimeError where one does not start."""
    ports = [kafka_peers.free_port() for _ in range(count)]
    controllers = [kafka_peers.free_port() for _ in range(count)]
    members = [Member(i, ports, controllers, folder / f"broker{i + 1}") for i in range(count)]
    failures = []

    def one(member):
        try:
            member.start()
        except (TimeoutError, OSError) as error:
            failures.append(f"broker {member.number + 1}: {error}")

    # None is ready before most of them are there.
    threads = [threading.Thread(target=one, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        stop(members)
        raise RuntimeError("; ".join(failures))
    return members, ",".join(f"127.0.0.1:{port}" for port in ports)


def stop(members):
    for member in members:
        if member.process and member.process.poll() is None:
            member.kill()
