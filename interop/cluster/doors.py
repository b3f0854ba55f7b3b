"""One request to a door of pinflow on this machine."""
import http.client
import json


def call(port, method, path, body=None, kind="application/vnd.kafka.json.v2+json"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body=json.dumps(body) if body is not None else None, headers={"Content-Type": kind} if body is not None else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()
