"""Apache Spark with Delta Lake as a peer: PySpark from PyPI in a Python environment of its own, its jars from Maven, both pinned."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "kafka"), str(HERE.parent / "http")]

from kafka_peers import BUILD, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position

# What PySpark's own folder of jars holds already.
THERE = "scala-library,spark-tags_2.13,hadoop-client-api,hadoop-client-runtime,slf4j-api,jsr305"


def run(command, log, what):
    with open(log, "ab") as out:
        try:
            code = subprocess.run([str(word) for word in command], stdout=out, stderr=out, stdin=subprocess.DEVNULL, timeout=1200, check=False).returncode
        except subprocess.TimeoutExpired:
            code = -1
    if code != 0:
        raise Missing(f"{what}, see {log.relative_to(ROOT)}")


def install():
    """Makes build/interop/spark when it is missing or when what it should hold changed; takes some minutes."""
    folder = BUILD / "spark"
    wanted = (HERE / "requirements-spark.txt").read_bytes() + (HERE / "pom.xml").read_bytes()
    mark = folder / "complete"
    if mark.exists() and mark.read_bytes() == wanted:
        return folder
    if not shutil.which("mvn") or not shutil.which("java"):
        raise Missing("no Maven or no Java on this machine")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder / "install.log"
    run([sys.executable, "-m", "venv", folder / "venv"], log, "no Python environment could be made")
    run([folder / "venv/bin/pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / "requirements-spark.txt"], log, "PySpark could not be installed from PyPI")
    run(["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}", "-DincludeScope=runtime",
         f"-DexcludeArtifactIds={THERE}"], log, "Maven could not fetch Delta Lake's jars")
    mark.write_bytes(wanted)
    return folder


def s3_jars():
    """The jars by which Spark reaches S3; they are large, so whoever needs none of S3 does not fetch them."""
    folder = BUILD / "spark-s3"
    wanted = (HERE / "pom-s3.xml").read_bytes()
    mark = folder / "complete"
    if not mark.exists() or mark.read_bytes() != wanted:
        if not shutil.which("mvn"):
            raise Missing("no Maven on this machine")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run(["mvn", "-q", "-B", "-f", HERE / "pom-s3.xml", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}", "-DincludeScope=runtime",
             f"-DexcludeArtifactIds={THERE}"], folder / "install.log", "Maven could not fetch hadoop-aws and the AWS SDK")
        mark.write_bytes(wanted)
    return sorted(map(str, (folder / "jars").glob("*.jar")))


def spark():
    """Returns the Python program that runs PySpark, and the environment that it wants."""
    folder = install()
    jars = sorted(map(str, (folder / "jars").glob("*.jar")))
    delta = next(match.group(1) for jar in jars if (match := re.search(r"delta-spark_[\d.]+_2\.13-([\d.]+)\.jar", jar)))
    environment = {name: value for name, value in os.environ.items() if name not in ("SPARK_HOME", "SPARK_CONF_DIR", "PYTHONPATH")}
    environment.update({"PINFLOW_SPARK_JARS": ",".join(jars), "PINFLOW_DELTA_SPARK": delta, "PYSPARK_PYTHON": str(folder / "venv/bin/python")})
    version = re.search(r"^pyspark==(.+)$", (HERE / "requirements-spark.txt").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    return types.SimpleNamespace(python=str(folder / "venv/bin/python"), environment=environment, spark_version=version, delta_version=delta)
