#!/usr/bin/env python3
"""How `pinflow serve` logs in to a real Kafka: TLS with PLAIN, SCRAM, OAUTHBEARER and client certificates; what it says where it may not; and that it comes back when
credentials or the broker do, without burning a core meanwhile.

    logins.py [--program PROGRAM] [WORD ...]
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "interop" / "kafka"), str(HERE)]
import kafka_peers  # noqa: E402
from check_report import Report, Wrong, expect  # noqa: E402
from serve import Serve, until  # noqa: E402

USER, PASSWORD = "pinflow", "a-simple_Word1"
OLDER = kafka_peers.VERSIONS[0]
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
OAUTH_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(folder, name):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate)
    return key, certificate


def signed(folder, name, signer):
    """A key and a certificate for 127.0.0.1, of an authority."""
    key, request, certificate, names = (folder / f"{name}.{end}" for end in ("key", "csr", "pem", "ext"))
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", signer[1], "-CAkey", signer[0], "-CAcreateserial", "-days", "2", "-extfile", names, "-out", certificate)
    return key, certificate


class Guarded(kafka_peers.ApacheKafka):
    """A broker that asks who comes: by SASL over TLS on one port, by a certificate on another; the third is its own."""

    def __init__(self, folder, version=kafka_peers.NEWEST):
        folder.mkdir(parents=True)
        self.authority, self.stranger = authority(folder, "authority"), authority(folder, "stranger")
        key, certificate = signed(folder, "broker", self.authority)
        self.client = signed(folder, "client", self.authority)
        (folder / "keystore.pem").write_text(key.read_text() + certificate.read_text())
        own, self.sasl, self.mutual, controller = (kafka_peers.free_port() for _ in range(4))
        self.own = f"127.0.0.1:{own}"
        listeners = f"PLAINTEXT://127.0.0.1:{own},SASLTLS://127.0.0.1:{self.sasl},MUTUAL://127.0.0.1:{self.mutual}"
        escaped = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{escaped}";'
        super().__init__(version, folder, {key: str(value).replace("\\", "\\\\") for key, value in {
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}", "advertised.listeners": listeners, "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASLTLS:SASL_SSL,MUTUAL:SSL", "inter.broker.listener.name": "PLAINTEXT",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": folder / "keystore.pem", "ssl.truststore.type": "PEM", "ssl.truststore.location": self.authority[1],
            "listener.name.mutual.ssl.client.auth": "required", "listener.name.sasltls.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listener.name.sasltls.plain.sasl.jaas.config": plain, "listener.name.sasltls.scram-sha-256.sasl.jaas.config": SCRAM_MODULE,
            "listener.name.sasltls.scram-sha-512.sasl.jaas.config": SCRAM_MODULE, "listener.name.sasltls.oauthbearer.sasl.jaas.config": OAUTH_MODULE,
            # A login holds for two seconds, so that one taken back shows.
            "listener.name.sasltls.connections.max.reauth.ms": 2000, "auto.create.topics.enable": "false"}.items()}, jvm=("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))

    def scram(self, verb, *what):
        code, said = kafka_peers.run_tool(self.version, "configs", "--bootstrap-server", self.own, "--alter", verb, *what, "--entity-type", "users", "--entity-name", USER)
        expect(code == 0, f"kafka-configs {verb}: {said}")

    # One mechanism a call: Kafka alters a user's credentials once in a request.
    def add_scram(self):
        for mechanism in SCRAM:
            self.scram("--add-config", f"{mechanism}=[password={PASSWORD}]")

    def remove_scram(self):
        for mechanism in SCRAM:
            self.scram("--delete-config", mechanism)


class Logins:
    def __init__(self, program, folder, broker):
        self.program, self.folder, self.broker, self.count = program, folder, broker, 0

    def serve(self, mechanism, **more):
        self.count += 1
        settings = {"kafka_cluster.bootstrap_servers": f"127.0.0.1:{self.broker.mutual if mechanism is None else self.broker.sasl}",
                    "kafka_cluster.security_protocol": "ssl" if mechanism is None else "sasl_ssl", "kafka_cluster.ca_file": self.broker.authority[1]}
        if mechanism:
            settings |= {"kafka_cluster.sasl_mechanism": mechanism}
        if mechanism and mechanism != "OAUTHBEARER":
            settings |= {"kafka_cluster.username": USER, "password": PASSWORD}
        return Serve(self.program, self.folder / f"serve{self.count}", {**settings, **more})

    def gets_in(self, mechanism, **more):
        serve = self.serve(mechanism, **more)
        try:
            serve.start()
            status, code, message = serve.post()
            expect(status == 200 and code is None, f"a post was answered {status} {code} {message}")
            code, said = serve.config_check()
            expect(code == 0 and re.search(r"Kafka +ok", said), f"config check --online ended with {code}: {said}")
        finally:
            serve.stop()

    def is_kept_out(self, mechanism, reason, **more):
        """Says why, as a check and at a door."""
        serve = self.serve(mechanism, **more)
        begin = time.monotonic()
        code, said = serve.config_check()
        took = time.monotonic() - begin
        line = next((line for line in said.splitlines() if line.startswith("Kafka")), said)
        expect(code == 3 and re.search(reason, line, re.IGNORECASE), f"config check --online ended with {code}: {said}")
        return f"told in {took:.0f} s: {line[6:].strip()[:160]}"

    def gets_in_or_says_why(self):
        """Older librdkafka, such as Debian 12's, cannot log in to Kafka 4 by SCRAM; then the message says so."""
        try:
            self.gets_in("SCRAM-SHA-512")
            return "gets in"
        except Wrong:
            return self.is_kept_out("SCRAM-SHA-512", "SCRAM of librdkafka .* is refused by Kafka of version 4")

    def oauth(self):
        properties = self.folder / "oauth.properties"
        properties.write_text("enable.sasl.oauthbearer.unsecure.jwt=true\nsasl.oauthbearer.config=principal=pinflow\n")
        self.gets_in("OAUTHBEARER", **{"kafka_cluster.properties_file": properties})

    def comes_back(self):
        """Credentials taken back while it runs, then given again."""
        serve = self.serve("SCRAM-SHA-512")
        try:
            serve.start()
            expect(serve.post()[0] == 200, "the first post did not get through")
            self.broker.remove_scram()
            refused = until("a post is refused", 60, lambda: (lambda a: (a[0] != 200 or a[1] is not None, a))(serve.post()))
            expect(refused[0] in (500, 503), f"answered {refused}")  # 500: what was under way may be stored.
            before, begin = serve.cpu(), time.monotonic()
            time.sleep(5)  # Time to burn, if it did.
            burnt = (serve.cpu() - before) / (time.monotonic() - begin)
            expect(burnt < 0.2, f"{burnt:.2f} cores while it was kept out")
            self.broker.add_scram()
            until("a post gets through again", 60, lambda: (lambda a: (a[0] == 200 and a[1] is None, a))(serve.post()))
            return f"meanwhile {refused[0]} {refused[1] or ''} {refused[2][:120]!r}, {burnt:.2f} cores"
        finally:
            serve.stop()

    def broker_returns(self):
        serve = self.serve("PLAIN")
        try:
            serve.start()
            expect(serve.post()[0] == 200, "the first post did not get through")
            self.broker.kill()
            refused = until("a post is refused", 90, lambda: (lambda a: (a[0] != 200 or a[1] is not None, a))(serve.post()))
            before, begin = serve.cpu(), time.monotonic()
            time.sleep(5)  # Time to burn, if it did.
            burnt = (serve.cpu() - before) / (time.monotonic() - begin)
            expect(burnt < 0.2, f"{burnt:.2f} cores while the broker was down")
            self.broker.start()
            until("a post gets through again", 60, lambda: (lambda a: (a[0] == 200 and a[1] is None, a))(serve.post()))
            return f"meanwhile {refused[0]} {refused[1] or ''} {refused[2][:120]!r}, {burnt:.2f} cores"
        finally:
            serve.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/pinflow")
    arguments.add_argument("words", nargs="*")
    options = arguments.parse_args()
    folder = ROOT / "build" / "interop" / "run" / "logins"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report, broker = Report(options.words, folder), None
    try:
        kafka_peers.libs(kafka_peers.NEWEST)
        broker = Guarded(folder / "broker").start()
        broker.add_scram()
        logins = Logins(options.program.resolve(), folder, broker)
        report.check("Cluster: PLAIN over TLS", logins.gets_in, "PLAIN")
        report.check(f"Cluster: SCRAM before {kafka_peers.NEWEST}", logins.gets_in_or_says_why)
        report.check("Cluster: OAUTHBEARER over TLS", logins.oauth)
        certificate = {"kafka_cluster.certificate_file": broker.client[1], "kafka_cluster.key_file": broker.client[0]}
        report.check("Cluster: a client certificate", lambda: logins.gets_in(None, **certificate))
        report.check("Cluster: no client certificate where one is wanted", lambda: logins.is_kept_out(None, "certificate|ssl|handshake"))
        report.check("Cluster: a wrong password", lambda: logins.is_kept_out("PLAIN", "authentication.*check", password="wrong"))
        report.check("Cluster: brokers of another authority", lambda: logins.is_kept_out("PLAIN", "certificate", **{"kafka_cluster.ca_file": broker.stranger[1]}))
        report.check("Cluster: the broker dies and returns", logins.broker_returns)
        broker.stop()
        broker = Guarded(folder / "older", OLDER).start()
        broker.add_scram()
        logins = Logins(options.program.resolve(), folder / "serves", broker)
        for mechanism in SCRAM:
            report.check(f"Cluster: {mechanism} over TLS before {OLDER}", logins.gets_in, mechanism)
        report.check("Cluster: credentials taken back and given again", logins.comes_back)
    except kafka_peers.Missing as reason:
        report.skip("Cluster: logins", str(reason))
    finally:
        if broker:
            broker.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
