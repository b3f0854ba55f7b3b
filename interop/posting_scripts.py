#!/usr/bin/env python3
"""Posts as the two scripts of such projects do, with the requests package, through a stage prefix as an API gateway has it.

    posting_scripts.py URL

Exit code 0 if every answer is what those scripts expect.
"""

import datetime
import json
import sys

import requests


def topic_script(base):
    """One record a request, a new connection each, no Accept of its own; dates are turned to text first."""
    answers = []
    for kind, row in rows().items():
        body = json.dumps({"records": [{"value": row}]}, default=str)
        headers = {"Content-Type": "application/vnd.kafka.json.v2+json"}
        answers.append(requests.request("POST", f"{base}/topics/pinterest.{kind}", headers=headers, data=body, timeout=30))
    return answers


def stream_script(base):
    """The Kinesis shape with PUT; the partition key is the kind."""
    answers = []
    for kind, row in rows().items():
        body = json.dumps({"StreamName": f"streaming-pinterest-{kind}", "Data": row, "PartitionKey": kind}, default=str)
        headers = {"Content-Type": "application/json"}
        answers.append(requests.request("PUT", f"{base}/streams/streaming-pinterest-{kind}/record", headers=headers, data=body, timeout=30))
    return answers


def rows():
    when = datetime.datetime(2020, 8, 28, 3, 52, 47)
    return {
        "pin": {"index": 7, "unique_id": "00000000-0000-4000-8000-000000000007", "title": "Ein Gruß 😀", "follower_count": "1.5k",
                "poster_name": "Ann", "category": "art", "downloaded": 1},
        "geo": {"ind": 7, "timestamp": when, "latitude": -89.9787, "longitude": -173.293, "country": "Albania"},
        "user": {"ind": 7, "first_name": "Ann", "last_name": "Lee", "age": 20, "date_joined": when},
    }


def main():
    url = sys.argv[1]
    wrong = 0
    for base in (url, url + "/Production"):
        for answer in topic_script(base):
            offsets = answer.json().get("offsets", [{}])
            wrong += answer.status_code != 200 or offsets[0].get("error_code", 1) is not None
        for answer in stream_script(base):
            wrong += answer.status_code != 200 or not {"SequenceNumber", "ShardId"} <= set(answer.json())
    topics = requests.get(url + "/topics", timeout=30)
    wrong += topics.status_code != 200 or "pinterest.pin" not in topics.json()
    streams = requests.get(url + "/streams", timeout=30)
    wrong += streams.status_code != 200 or "streaming-pinterest-geo" not in streams.json()["StreamNames"]
    profiles = requests.get(url + "/live/profiles", params={"k": 10}, timeout=30)
    wrong += profiles.status_code != 200
    if wrong:
        print(f"{wrong} answers are not what the scripts expect", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
