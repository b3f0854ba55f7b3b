"""Consumer groups as clients live them: members join, leave, die; static members; cooperative hand-over; offset reset."""
from check_report import expect
from check_tools import Tools
from kafka_peers import NEWEST, Lines

PARTITIONS = 6
SESSION = {"session_timeout_ms": "6000", "heartbeat_interval_ms": "1000"}


def last_word(member):
    """Returns the partitions that a member said last that it holds, or None before its first word."""
    said = [line for line in list(member.lines.all) if line.startswith("assigned")]
    return {int(number) for number in said[-1].split()[1:]} if said else None


class Members:
    """The members of one group; awaits the moments at which what they hold is the whole topic, shared fairly."""

    def __init__(self, peer, broker, topic, group, **settings):
        self.start_one = lambda **more: peer.start("member", broker, topic, group, **{**SESSION, **settings, **more})
        self.running = []
        self.all = []

    def join(self, **more):
        member = self.start_one(**more)
        self.running.append(member)
        self.all.append(member)
        return member

    def settle(self, seconds=40):
        """Waits until the last words of the running members make a fair division of all partitions."""
        fair = {PARTITIONS // len(self.running), -(-PARTITIONS // len(self.running))}

        def divided():
            said = [last_word(member) for member in self.running]
            if None in said or sorted(p for parts in said for p in parts) != list(range(PARTITIONS)):
                return False
            return all(len(parts) in fair for parts in said)

        # Waiting for one of them to speak would be wrong: who has a part already may have said all it will ever say.
        if not Lines.wait_for(divided, seconds):
            said = "; ".join(" | ".join(line for line in member.lines.all[-12:] if not line.startswith("read ")) for member in self.running)
            raise TimeoutError(f"no fair division within {seconds} s; last lines of each member: {said}")
        for member in self.running:
            member.held = last_word(member)

    def leave(self, member):
        self.running.remove(member)
        member.stop()

    def die(self, member):
        self.running.remove(member)
        member.kill()

    def end(self):
        for member in self.running:
            member.kill()


def wait_for_records(members, count, seconds=40):
    """Waits until the running and past members together have read that many different records."""
    reader = 0
    while len({record for member in members.all for record in member.records()}) < count:
        # Any member may be the next to speak; each wait ends with its next commit.
        member = members.running[reader % len(members.running)]
        reader += 1
        try:
            member.wait(r"^committed", seconds if len(members.running) == 1 else 1)
        except TimeoutError:
            expect(reader < seconds * len(members.running), f"not all of {count} records were read")


def join_leave_die(broker, peer):
    slug = peer.name.replace(" ", "-")
    topic, group = f"group-{slug}", f"group-{slug}"
    tools = Tools(NEWEST, broker)
    tools.create(topic, PARTITIONS)
    members = Members(peer, broker, topic, group)
    try:
        members.join()
        members.settle()
        peer.run("produce", broker, topic, 0, 600, 50)
        wait_for_records(members, 600)
        members.join()
        members.settle()
        last = members.join()
        members.settle()
        peer.run("produce", broker, topic, 600, 600, 50)
        wait_for_records(members, 1200)
        members.leave(members.running[1])
        members.settle()
        members.die(last)
        members.settle()
        peer.run("produce", broker, topic, 1200, 600, 50)
        wait_for_records(members, 1800)
        members.leave(members.running[0])
    finally:
        members.end()
    read = [record for member in members.all for record in member.records()]
    expect({number for _, _, number in read} == set(range(1800)), "not every record was read")
    said = tools.must("groups", "--describe", "--group", group)
    rows = [line.split() for line in said.split("\n") if line.startswith(group)]
    expect(sum(int(row[3]) for row in rows) == 1800 and sum(int(row[5]) for row in rows) == 0, f"committed offsets are not the ends:\n{said}")
    doubles = len(read) - 1800
    expect(doubles == 0, f"{doubles} committed records were read again")
    return "3 members, one left, one killed; 1800 records read once"


def static_member(broker, peer):
    slug = peer.name.replace(" ", "-")
    topic, group = f"static-{slug}", f"static-{slug}"
    Tools(NEWEST, broker).create(topic, PARTITIONS)
    members = Members(peer, broker, topic, group, session_timeout_ms="20000")
    try:
        stays = members.join(group_instance_id="one")
        members.settle()
        restarted = members.join(group_instance_id="two")
        members.settle()
        before = (stays.held, restarted.held)
        heard = len(stays.lines.all)
        members.die(restarted)
        again = members.join(group_instance_id="two")
        again.wait("^assigned", 15)
        again.held = last_word(again)
        expect(again.held == before[1], f"the member that came back holds {again.held}, before {before[1]}")
        peer.run("produce", broker, topic, 0, 120, 20)
        wait_for_records(members, 120)
        said = [line for line in stays.lines.all[heard:] if line.startswith(("assigned", "revoked", "lost"))]
        expect(not said, f"the other member was rebalanced: {said}")
    finally:
        members.end()
    return "a killed member came back to its partitions, the other was not disturbed"


def cooperative(broker, peer):
    slug = peer.name.replace(" ", "-")
    topic, group = f"cooperative-{slug}", f"cooperative-{slug}"
    Tools(NEWEST, broker).create(topic, PARTITIONS)
    settings = {key.replace(".", "_"): value for key, value in peer.cooperative.items()}
    members = Members(peer, broker, topic, group, **settings)
    try:
        first = members.join()
        members.settle()
        members.join()
        members.settle()
        members.join()
        members.settle()
        taken = sum(int(line.split()[1]) for line in first.lines.all if line.startswith("revoked"))
        expect(taken == 4, f"the first member gave {taken} partitions away instead of 4")
        members.leave(members.running[2])
        members.settle()
    finally:
        members.end()
    return "3 members, only the partitions that move were revoked"


def reset(broker, peer):
    """auto.offset.reset of a new group, and an offset past the end."""
    slug = peer.name.replace(" ", "-")
    topic = f"reset-{slug}"
    tools = Tools(NEWEST, broker)
    tools.create(topic, PARTITIONS)
    peer.run("produce", broker, topic, 0, 60, 20)
    members = Members(peer, broker, topic, f"{topic}-new")
    try:
        members.join()
        wait_for_records(members, 60)
        members.leave(members.running[0])
        tools.must("groups", "--reset-offsets", "--group", f"{topic}-new", "--topic", topic, "--shift-by", -3, "--execute")
        members.join()
        again = members.running[0]
        for _ in range(200):
            if len(again.records()) >= 18:
                break
            again.wait("^committed", 30)
        expect(len(again.records()) == 18, f"{len(again.records())} records after a reset by 3 on each of 6 partitions")
    finally:
        members.end()
    return "from the earliest, then shifted back by 3 a partition"


def run(report, broker, peers):
    for peer in peers:
        report.check(f"{peer.name}: group with members joining, leaving, dying", join_leave_die, broker, peer)
        if peer.static:
            report.check(f"{peer.name}: static member", static_member, broker, peer)
        if peer.cooperative:
            report.check(f"{peer.name}: cooperative group", cooperative, broker, peer)
        report.check(f"{peer.name}: offset reset", reset, broker, peer)
