"""What the checks of the HTTP doors talk to and with: pinflow with its doors, kinesalite, packages of npm, jars of Maven.

Every peer is fetched into build/interop once; what this machine cannot have raises Missing, whose text is the reason that a skipped
check prints.
"""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))

import kafka_peers  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Lines, Missing, ROOT, free_port  # noqa: E402  pylint: disable=wrong-import-position

KEY, SECRET = "AKIAPINFLOWINTEROP01", "interop/secret+of/no+value0123456789abcd"
REGION = "us-east-1"
# Signing is always done by the clients; nothing is read from a user's own AWS folders.
AWS_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
                   "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "2"}


class Doors(kafka_peers.Pinflow):
    """`pinflow up` with its Kafka, HTTP and Kinesis ports; settings are given as --set name=value."""

    def __init__(self, program, folder, settings=None):
        self.http_port = free_port()
        self.kinesis_port = free_port()
        super().__init__(program, folder, {"http.port": self.http_port, "kinesis.port": self.kinesis_port, **(settings or {})})
        scheme = "https" if "http.tls_certificate" in self.settings else "http"
        self.url = f"{scheme}://127.0.0.1:{self.http_port}"
        self.kinesis = f"{scheme}://127.0.0.1:{self.kinesis_port}"


class Kinesalite(kafka_peers.Broker):
    """kinesalite in memory, answering at once: its delays are for looks only."""
    name = "kinesalite"

    def __init__(self, folder, path=None):
        super().__init__(folder)
        self.kinesis = f"http://127.0.0.1:{self.port}"
        self.path = path

    def command(self):
        where = ["--path", str(self.path)] if self.path else []
        return ["node", str(node_modules() / "kinesalite/cli.js"), "--port", str(self.port), *where, "--shardLimit", "500", "--createStreamMs", "50", "--deleteStreamMs", "50", "--updateStreamMs", "50"]

    def ready_line(self):
        return "Listening at"


def node_modules():
    """kinesalite's only package with a script is optional: without it, it keeps all in memory."""
    return kafka_peers.npm_packages(HERE, "npm-http")


@functools.cache
def java_client(version):
    """Returns the class path of clients/*.java beside the Kinesis Client Library of this version and the AWS SDK that it brings."""
    folder = BUILD / f"kcl-{version}"
    pom = HERE / "pom.xml"
    sources = sorted((HERE / "clients").glob("*.java"))
    wanted = pom.read_bytes() + b"".join(source.read_bytes() for source in sources)
    mark = folder / "complete"
    if not mark.exists() or mark.read_bytes() != wanted:
        if not shutil.which("mvn") or not shutil.which("javac"):
            raise Missing("no Maven or no javac on this machine")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with open(folder / "mvn.log", "wb") as log:
            if subprocess.run(["mvn", "-q", "-B", "-f", str(pom), f"-Dkcl.version={version}", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'libs'}",
                               "-DincludeScope=runtime"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=900).returncode != 0:
                raise Missing(f"Maven could not fetch the Kinesis Client Library {version}, see {folder.relative_to(ROOT)}/mvn.log")
        done = subprocess.run(["javac", "-nowarn", "-cp", f"{folder / 'libs'}/*", "-d", str(folder / "classes"), *map(str, sources)], text=True, timeout=240,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"javac: {done.stdout}")
        mark.write_bytes(wanted)
    return f"{folder / 'classes'}:{folder / 'libs'}/*"


class Program:
    """A client program to its end or until it is stopped; it prints lines, the last of which is `done ...` or `failed ...`."""

    def __init__(self, command, environment=None, log=None):
        with open(log or os.devnull, "wb") as errors:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                                            env={**os.environ, **AWS_ENVIRONMENT, **(environment or {})})
        self.lines = Lines(self.process.stdout)

    def result(self, seconds=120):
        """Returns what stands behind `done`; raises RuntimeError with what failed."""
        try:
            match = self.lines.wait(r"^(done|failed)\b ?(.*)", seconds)
        except TimeoutError as late:
            raise RuntimeError(f"{self.process.args[0]}: {late}") from None
        finally:
            self.stop()
        if match.group(1) == "failed":
            raise RuntimeError(match.group(2))
        return match.group(2)

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def javascript(script, *arguments, environment=None):
    return Program(["node", HERE / "clients" / script, *arguments], {"NODE_PATH": str(node_modules()), "PINFLOW_NODE_MODULES": str(node_modules()), **(environment or {})})


def java(version, main, *arguments, environment=None, properties=(), log=None):
    level = "warn" if log else "error"
    return Program(["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx512m", *properties, f"-Dorg.slf4j.simpleLogger.defaultLogLevel={level}",
                    "-cp", java_client(version), main, *arguments], environment, log)


class Certificates:
    """An authority of this run with a server's and a client's certificate, in PEM files."""

    def __init__(self, folder):
        if not shutil.which("openssl"):
            raise Missing("no openssl on this machine")
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = folder / "authority.pem"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj", "/CN=Interop authority", "-keyout", folder / "authority.key",
                      "-out", self.authority)
        self.server = self.issue("server", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.client = self.issue("client", "/CN=interop-client", "extendedKeyUsage=clientAuth")

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stdout[-500:]}")

    def issue(self, name, subject, extension):
        """Makes NAME.pem and NAME.key, over those that are there; returns both paths."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(extension + "\n")
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout", f"{key}.new", "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", self.folder / "authority.key", "-CAcreateserial", "-days", 2, "-extfile", extensions,
                      "-out", f"{certificate}.new")
        os.replace(f"{key}.new", key)
        os.replace(f"{certificate}.new", certificate)
        return certificate, key
