"""schemathesis reads /openapi.json and holds the answers to it: no 500, no status, type or body that the file does not tell."""
import re
import shutil
import subprocess
import sys

from check_report import expect
from http_peers import BUILD, Missing

# What a tool that asks at random must not do here: end the run's own topics, hold a subscription open, fill the disk.
LEFT_OUT = ("/v3/clusters/{cluster_id}/topics/{topic_name}/records$", "^/live/events$")


def described(doors, examples):
    program = shutil.which("schemathesis", path=str(BUILD / "venv/bin")) or shutil.which("schemathesis")
    if not program:
        raise Missing("the Python package schemathesis is not installed")
    left_out = [word for pattern in LEFT_OUT for word in ("--exclude-path-regex", pattern)]
    done = subprocess.run([sys.executable, program, "run", doors.url + "/openapi.json", "--url", doors.url, "--max-examples", str(examples), "--seed", "7", "--phases", "coverage,fuzzing",
                           "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance", "--exclude-method", "DELETE",
                           "--request-timeout", "10", "--no-color", *left_out], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900,
                          cwd=doors.folder)  # It keeps what it finds in its folder.
    (doors.folder / "schemathesis.log").write_text(done.stdout)
    failed = re.findall(r"^_+ (.*?) _+$", done.stdout, re.MULTILINE)
    expect(done.returncode == 0, f"{len(failed)} operations fail: {'; '.join(failed)[:600]} ... see {doors.folder}/schemathesis.log")
    tested = re.search(r"Operations:\s+Selected: (\d+).*\n\s+Tested: (\d+)", done.stdout) or re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    return f"{tested.group(0).split('Tested: ')[-1] if tested else '?'} operations"


def run(report, doors, long):
    report.check("schemathesis on /openapi.json", described, doors, 100 if long else 5)
