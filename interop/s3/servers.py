"""S3 servers that we did not write, started on loopback: S3Proxy by Maven, versitygw by Go. Both verify the signature of every call."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kafka"))

from kafka_peers import BUILD, Broker, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position

S3PROXY = "3.0.0"
VERSITYGW = "v1.8.0"
KEY, SECRET, BUCKET = "pinflow-interop", "no/secret+of/value", "interop"
ENVIRONMENT = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
               "no_proxy": "127.0.0.1"}


def s3proxy_jar():
    folder = BUILD / "s3proxy"
    jar = folder / f"s3proxy-{S3PROXY}-jar-with-dependencies.jar"
    if jar.exists():
        return jar
    if not shutil.which("mvn") or not shutil.which("java"):
        raise Missing("no Maven or no Java on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "mvn.log", "wb") as log:
        code = subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=org.gaul:s3proxy:{S3PROXY}:jar:jar-with-dependencies", f"-DoutputDirectory={folder}"],
                              stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=600).returncode
    if code != 0 or not jar.exists():
        raise Missing(f"Maven could not fetch S3Proxy {S3PROXY}, see {folder.relative_to(ROOT)}/mvn.log")
    return jar


class S3Proxy(Broker):
    """S3Proxy over a folder: it checks the signature of every call."""
    name = f"S3Proxy {S3PROXY}"

    def __init__(self, folder):
        super().__init__(folder)
        self.jar = s3proxy_jar()
        self.data = self.folder / "data"
        (self.data / BUCKET).mkdir(parents=True)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.properties = self.folder / "s3proxy.properties"
        self.properties.write_text("\n".join(f"{key}={value}" for key, value in {
            "s3proxy.endpoint": self.endpoint, "s3proxy.authorization": "aws-v4", "s3proxy.identity": KEY, "s3proxy.credential": SECRET,
            "jclouds.provider": "filesystem-nio2", "jclouds.filesystem.basedir": self.data}.items()))

    def command(self):
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-jar", str(self.jar), "--properties", str(self.properties)]

    def ready_line(self):
        return "Started Server"


def versitygw_program():
    folder = BUILD / "versitygw"
    program = folder / f"versitygw-{VERSITYGW}"
    if program.exists():
        return program
    if not shutil.which("go"):
        raise Missing("no Go on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "go.log", "wb") as log:
        code = subprocess.run(["go", "install", f"github.com/versity/versitygw/cmd/versitygw@{VERSITYGW}"], env={**os.environ, "GOBIN": str(folder)}, cwd=folder,
                              stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=900).returncode
    if code != 0 or not (folder / "versitygw").exists():
        raise Missing(f"Go could not install versitygw {VERSITYGW}, see {folder.relative_to(ROOT)}/go.log")
    (folder / "versitygw").rename(program)
    return program


class Versity(Broker):
    """versitygw over a folder: it checks signatures, and a conditional put is one step also for callers at the same moment."""
    name = f"versitygw {VERSITYGW}"

    def __init__(self, folder):
        super().__init__(folder)
        self.program = versitygw_program()
        self.data = self.folder / "data"
        (self.data / BUCKET).mkdir(parents=True)
        try:
            os.setxattr(self.data, "user.pinflow", b"1")
        except OSError as refused:
            raise Missing(f"versitygw needs a file system with attributes of users: {refused}") from None
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def command(self):
        return [str(self.program), "--access", KEY, "--secret", SECRET, "--port", f"127.0.0.1:{self.port}", "--keep-alive", "posix", str(self.data)]

    def ready_line(self):
        return rf"127\.0\.0\.1:{self.port}"
