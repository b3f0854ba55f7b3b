"""The AWS SDKs for JavaScript v3 and Java v2 against the Kinesis door, and the Kinesis Client Library on a stand-in for DynamoDB."""
import http_peers
from http_peers import Missing

KCL = ("3.5.1", "2.7.2")
NEWEST = KCL[0]


def javascript(endpoint, stream, *more, environment=None):
    return http_peers.javascript("kinesis.js", endpoint, stream, *more, environment=environment).result(90)


def java(endpoint, stream, environment=None, properties=()):
    return http_peers.java(NEWEST, "KinesisClientCheck", endpoint, stream, environment=environment, properties=properties).result(90)


def run(report, endpoint, label=""):
    report.check(f"AWS SDK for JavaScript v3, HTTP/2{label}", javascript, endpoint, "javascript-2")
    report.check(f"AWS SDK for JavaScript v3, HTTP/1.1{label}", javascript, endpoint, "javascript-1", "http1")
    report.check(f"AWS SDK for Java v2, CBOR, HTTP/1.1 and HTTP/2{label}", java, endpoint, "java-cbor")
    report.check(f"AWS SDK for Java v2, JSON{label}", java, endpoint, "java-json", None, ["-Daws.cborEnabled=false"])
