"""TLS and credentials, as foreign clients see them: ALPN, new certificates without a restart, client certificates, bearer tokens, Basic, signatures."""
import functools
import json
import re
import signal
import socket
import ssl
import subprocess
import time

import check_boto
import check_sdks
import http_peers
from check_kafka_rest import JSON, curl, record
from check_report import expect
from http_peers import KEY, SECRET

OTHER_KEY, OTHER_SECRET = "AKIAPINFLOWINTEROP02", "another/secret0123456789"


def served(doors, certificates):
    """Returns the serial number of the certificate that new connections are shown, and the protocol that ALPN chose."""
    context = ssl.create_default_context(cafile=str(certificates.authority))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", doors.http_port), timeout=10) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
        return tls.getpeercert()["serialNumber"], tls.selected_alpn_protocol(), tls.version()


def protocols(doors, certificates, token):
    trust = ("--cacert", certificates.authority, "-H", f"Authorization: Bearer {token}")
    said = []
    for flags, version in ((("--http2",), "2"), (("--http1.1",), "1.1"), (("--http2", "--tls-max", "1.2"), "2"), (("--http1.1", "--tlsv1.3"), "1.1")):
        told = curl(doors.url + "/topics", *flags, *trust, "-o", "/dev/null", "-w", "%{http_version} %{http_code} %{ssl_verify_result}")
        expect(told == f"{version} 200 0", f"curl {' '.join(flags)} over TLS: {told}")
        said.append(version)
    curl(doors.url + "/topics", "--http1.1", code=60)  # Without the authority curl trusts nobody.
    curl(doors.url + "/topics", "--cacert", certificates.authority, "--tls-max", "1.1", code=35)
    expect(served(doors, certificates)[1:] == ("h2", "TLSv1.3"), f"Python's ssl got {served(doors, certificates)[1:]}")
    return "h2 and http/1.1 by ALPN, TLS 1.2 and 1.3, 1.1 refused"


def reload(doors, certificates, token):
    """A new certificate is served without a restart, and a connection that is open lives on."""
    before, _, _ = served(doors, certificates)
    context = ssl.create_default_context(cafile=str(certificates.authority))
    with socket.create_connection(("127.0.0.1", doors.http_port), timeout=10) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as old:
        ask = f"GET /topics HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        old.sendall(ask)
        expect(b" 200 " in old.recv(65536).split(b"\r\n")[0], "the first request failed")
        certificates.issue("server", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        doors.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while served(doors, certificates)[0] == before:
            expect(time.monotonic() < end, "ten seconds after SIGHUP the old certificate is served")
        old.sendall(ask)
        expect(b" 200 " in old.recv(65536).split(b"\r\n")[0], "the open connection did not live on")
    return "served at once, the open connection lives on"


def client_certificate(doors, certificates):
    """A certificate of the known authority says who asks."""
    key = ("--cert", certificates.client[0], "--key", certificates.client[1])
    told = curl(doors.url + "/topics", "--cacert", certificates.authority, "-o", "/dev/null", "-w", "%{http_code}", *key)
    expect(told == "200", f"with a client certificate: {told}")
    told = curl(doors.url + "/topics", "--cacert", certificates.authority, "-o", "/dev/null", "-w", "%{http_code}")
    expect(told == "401", f"without: {told}")
    return "its bearer may, others may not"


def make_token(program, doors, name, *grants):
    done = subprocess.run([program, "tokens", "create", name, "--data", doors.folder / "data", *(word for grant in grants for word in ("--grant", grant))], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    expect(done.returncode == 0, f"pinflow tokens create: {done.stderr.strip()[-300:]}")
    return done.stdout.split()[-1]


def tokens(program, doors, certificates, admin):
    import requests  # pylint: disable=import-outside-toplevel

    def session(token=None, basic=None):
        made = requests.Session()
        made.trust_env = False  # Else REQUESTS_CA_BUNDLE of the machine counts instead of ours.
        made.verify = str(certificates.authority)
        made.headers["Content-Type"] = JSON
        if token:
            made.headers["Authorization"] = f"Bearer {token}"
        made.auth = basic
        return made

    def post(who, topic):
        return who.post(f"{doors.url}/topics/{topic}", data=json.dumps(record(1)), timeout=30)

    token = make_token(program, doors, "shop", "produce:shop.*")
    boss = session(admin)
    cluster = boss.get(doors.url + "/v3/clusters", timeout=30).json()["data"][0]["cluster_id"]
    for topic in ("shop.clicks", "bills"):
        made = boss.post(f"{doors.url}/v3/clusters/{cluster}/topics", data=json.dumps({"topic_name": topic}), headers={"Content-Type": "application/json"}, timeout=30)
        expect(made.status_code == 201, f"the admin's token made a topic: {made.status_code} {made.text}")
    for name, who, topic, status, code in (("bearer", session(token), "shop.clicks", 200, None), ("Basic", session(basic=("any", token)), "shop.clicks", 200, None),
                                           ("another topic", session(token), "bills", 403, 40301), ("none", session(), "shop.clicks", 401, 40101),
                                           ("wrong", session(token[:-1] + ("0" if token[-1] != "0" else "1")), "shop.clicks", 401, 40101)):
        answer = post(who, topic)
        expect(answer.status_code == status and answer.json().get("error_code") == code, f"{name}: {answer.status_code} {answer.text[:200]}")
    expect({"Bearer", "Basic"} <= set(re.findall(r"\b(Bearer|Basic)\b", post(session(), "bills").headers.get("WWW-Authenticate", ""))), "WWW-Authenticate names not both schemes")
    done = subprocess.run([program, "tokens", "revoke", "shop", "--data", doors.folder / "data"], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, f"pinflow tokens revoke: {done.stderr}")
    end = time.monotonic() + 5
    while post(session(token), "shop.clicks").status_code != 401:
        expect(time.monotonic() < end, "five seconds after it was taken back the token is good")
        time.sleep(0.1)
    return "bearer, Basic, another topic 403, none and wrong 401, taken back"


def run(report, program, folder, long):
    certificates = http_peers.Certificates(folder / "certificates")
    keys = folder / "access-keys"
    keys.write_text(f"{KEY} {SECRET} interop admin\n{OTHER_KEY} {OTHER_SECRET} reader consume:*,query\n")
    keys.chmod(0o600)
    doors = http_peers.Doors(program, folder / "closed", {
        "http.authentication": "token", "http.tls_certificate": certificates.server[0], "http.tls_key": certificates.server[1], "http.tls_client_ca": certificates.authority,
        "kinesis.verify_signatures": "true", "kinesis.access_keys": keys})
    trust = {"SSL_CERT_FILE": str(certificates.authority), "NODE_EXTRA_CA_CERTS": str(certificates.authority)}
    store = folder / "certificates/trust.p12"
    subprocess.run(["keytool", "-importcert", "-noprompt", "-file", str(certificates.authority), "-alias", "a", "-keystore", str(store), "-storepass", "interop", "-storetype", "PKCS12"],
                   check=False, capture_output=True)
    java_trust = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=interop"]
    doors.start()
    try:
        token = (doors.folder / "data/state/access/admin-token").read_text().strip()
        report.check("TLS: protocols", protocols, doors, certificates, token)
        report.check("TLS: a new certificate", reload, doors, certificates, token)
        report.check("TLS: client certificate", client_certificate, doors, certificates)
        report.check("Tokens: bearer and Basic", tokens, program, doors, certificates, token)
        report.check("boto3, signatures verified, TLS", check_boto.signatures, doors.kinesis, str(certificates.authority))
        report.check("boto3, signatures verified: what a key may", check_boto.rights, doors.kinesis, str(certificates.authority), OTHER_KEY, OTHER_SECRET)
        report.check("AWS SDK for JavaScript v3, HTTP/2, TLS, signatures verified", functools.partial(check_sdks.javascript, environment=trust), doors.kinesis, "javascript-tls")
        report.check("AWS SDK for Java v2, CBOR, TLS, signatures verified", check_sdks.java, doors.kinesis, "java-tls", None, java_trust)
        if long:
            check_boto.run(report, doors.kinesis, folder, " (signatures verified, TLS)", str(certificates.authority))
    finally:
        doors.stop()
