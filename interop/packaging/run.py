#!/usr/bin/env python3
"""Holds the files of packaging/docker and packaging/kubernetes against what will read them: Compose's own library, the types of the Kubernetes API, pinflow
itself for the settings in them, and the program for the list of libraries in the image. One line a check; exit code 1 if one fails.

    run.py --pinflow PROGRAM [WORD ...]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))

from check_report import Report, expect  # noqa: E402  pylint: disable=wrong-import-position
from kafka_peers import BUILD, Missing, ROOT  # noqa: E402  pylint: disable=wrong-import-position

PACKAGING = ROOT / "packaging"
COMPOSE = sorted((PACKAGING / "docker").glob("*.yaml"))
MANIFESTS = sorted((PACKAGING / "kubernetes").glob("*.yaml"))


def reader():
    """The program of this folder that reads the files with their owners' types."""
    program = BUILD / "packaging" / "packaging"
    if not shutil.which("go"):
        raise Missing("no Go on this machine")
    program.parent.mkdir(parents=True, exist_ok=True)
    with open(program.parent / "go.log", "wb") as log:
        if subprocess.run(["go", "build", "-o", str(program), "."], cwd=HERE, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=600, check=False).returncode != 0:
            raise Missing(f"Go could not build the reader, see {(program.parent / 'go.log').relative_to(ROOT)}")
    return program


def read(program, how, files):
    done = subprocess.run([str(program), how, *map(str, files)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    expect(done.returncode == 0, done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def settings_hold(pinflow, told, folder):
    """Each container's settings are settings of pinflow, with files in the place of those that secrets mount."""
    expect(told, "no container runs pinflow")
    for one in told:
        place = pathlib.Path(tempfile.mkdtemp(dir=folder))
        (place / "password").write_text("an example")
        (place / "ca.pem").write_text("")
        (place / "pinflow.toml").write_text(one["toml"].replace("/etc/pinflow-kafka/", f"{place}/"))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PINFLOW_")}
        environment |= {**one["environment"], "PINFLOW_CONFIG": str(place / "pinflow.toml"), "PINFLOW_DATA__FOLDER": str(place / "data")}
        done = subprocess.run([pinflow, "config", "check"], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        expect(done.returncode == 0, f"{pathlib.Path(one['file']).name}, {one['name']}: {done.stdout.strip()}")


def image_has_libraries(pinflow):
    """What the program is linked with is in packages that the image's last stage installs."""
    text = (PACKAGING / "docker" / "Dockerfile").read_text().rsplit("\nFROM ", 1)[1]
    installed = set(re.search(r"apt-get install (.*?)&&", text, re.S)[1].replace("\\", " ").split())
    needed = subprocess.run(["objdump", "-p", pinflow], text=True, stdout=subprocess.PIPE, check=True).stdout
    linked = subprocess.run(["ldd", pinflow], text=True, stdout=subprocess.PIPE, check=True).stdout
    missing = set()
    for library in re.findall(r"NEEDED\s+(\S+)", needed):
        path = re.search(rf"{re.escape(library)} => (\S+)", linked)
        if not path or "node_modules" in path[1]:
            continue
        owner = subprocess.run(["dpkg", "-S", os.path.basename(os.path.realpath(path[1]))], text=True, stdout=subprocess.PIPE, check=False).stdout
        packages = {line.split(":", 1)[0] for line in owner.splitlines()}
        if packages and not packages & (installed | {"libc6", "libgcc-s1"}):
            missing.add(f"{library} of {' or '.join(sorted(packages))}")
    expect(not missing, f"the image lacks {', '.join(sorted(missing))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", required=True)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    pinflow = str(pathlib.Path(options.pinflow).resolve())
    folder = BUILD / "run" / "packaging"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Report(options.words, folder)
    report.check("Packaging: the image has the libraries of the program", image_has_libraries, pinflow)
    try:
        program = reader()
    except Missing as reason:
        report.skip("Packaging: Compose files and manifests", str(reason))
    else:
        report.check("Packaging: Compose reads its files, pinflow their settings", lambda: settings_hold(pinflow, read(program, "compose", COMPOSE), folder))
        report.check("Packaging: the Kubernetes API reads the manifests, pinflow their settings", lambda: settings_hold(pinflow, read(program, "kubernetes", MANIFESTS), folder))
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
