"""Live metrics of every door: against each other, against a `serve` that begins anew, and against SQL over the tables of the streams."""
import json
import re
import time
import urllib.request

from check_report import expect
from doors import call

KINDS = ("pin", "geo", "user")
STREAM = "streaming-pinterest-"
FIRSTS = " ".join(f"{', ' if number else 'WITH'} {kind}s AS (SELECT *, epoch_ms(arrived_at) AS ms FROM pinterest_{kind}_table QUALIFY row_number() OVER (PARTITION BY ind ORDER BY source_offset) = 1)"
                  for number, kind in enumerate(KINDS))


def ask(port, path):
    status, answer = call(port, "GET", path)
    expect(status == 200, f"{path} answered {status}: {answer}")
    return answer


def metric(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return int(re.search(rf"^{re.escape(name)} (\d+)$", answer.read().decode(), re.MULTILINE).group(1))


def milliseconds(text):
    date, part = text.rstrip("Z").split(".")
    return int(time.mktime(time.strptime(date + "UTC", "%Y-%m-%dT%H:%M:%S%Z")) - time.timezone) * 1000 + int(part)


def told(port):
    """What of the answers stays as it is while nobody posts."""
    profiles = ask(port, "/live/profiles?by=posts&k=1000")
    names = {"categories": "category", "countries": "country", "age-groups": "age_group"}
    answers = {path: {item[name]: item["posts"] for item in ask(port, f"/live/{path}" + ("?k=1000" if path != "age-groups" else ""))["items"]} for path, name in names.items()}
    answers["profiles"] = {item["profile"]: {key: item[key] for key in ("posts", "followers", "first_post", "last_post", "country", "age_group")} for item in profiles["items"]}
    answers["positions"] = {(at["topic"], at["partition"]): (at["next_offset"], at["late"], at["too_late"]) for at in profiles["positions"]}
    answers["posts"], answers["repeats"] = profiles["posts"], metric(port, 'pinflow_live_passed_over_total{why="repeat"}')
    return answers


def await_end(port, ends):
    """Until the answers have all of the streams."""
    deadline = time.monotonic() + 120
    while True:
        positions = {(at["topic"], at["partition"]): at for at in ask(port, "/live/minutes?minutes=1")["positions"]}
        behind = [(key, at) for key, end in ends.items() if (at := positions.get(key, {})).get("next_offset") != end or "error" in at]
        if not behind:
            return
        expect(time.monotonic() < deadline, f"live metrics of port {port} are behind: {json.dumps(behind, default=str)[:600]}, want {[ends[key] for key, at in behind][:5]}")
        time.sleep(0.2)


def by_sql(rows, ends):
    """The same from the tables, where of the records of a post the first counts."""
    def counted(sql):
        return {row[0]: int(row[1]) for row in rows(f"{FIRSTS} {sql}")}

    where_joined = "FROM pins JOIN geos USING (ind) WHERE country IS NOT NULL GROUP BY ALL"
    ages = "CASE WHEN age BETWEEN 18 AND 24 THEN '18-24' WHEN age BETWEEN 25 AND 35 THEN '25-35' WHEN age BETWEEN 36 AND 50 THEN '36-50' WHEN age > 50 THEN '50+' END"
    profiles = rows(f"{FIRSTS} SELECT poster_name, count(*), min(ms), max(ms) FROM pins WHERE poster_name IS NOT NULL GROUP BY ALL")
    posts = int(rows(f"{FIRSTS} SELECT count(*) FROM pins")[0][0])
    firsts = sum(int(rows(f"{FIRSTS} SELECT count(*) FROM {kind}s")[0][0]) for kind in KINDS)
    return {"categories": counted("SELECT category, count(*) FROM pins WHERE category IS NOT NULL GROUP BY ALL"),
            "countries": counted(f"SELECT country, count(*) {where_joined}"),
            "age-groups": counted(f"SELECT {ages} AS ages, count(*) FROM pins JOIN users USING (ind) WHERE ages IS NOT NULL GROUP BY ALL"),
            "profiles": {row[0]: tuple(int(value) for value in row[1:]) for row in profiles},
            "posts": posts, "repeats": sum(ends.values()) - firsts}


def hold(ports, rows, ends):
    """`rows` answers SQL; `ends` are the end offsets of the streams by topic and partition. Gives what was held in words."""
    for port in ports:
        await_end(port, ends)
    first, *others = [told(port) for port in ports]
    for port, other in zip(ports[1:], others):
        wrong = {key: (first[key], other[key]) for key in first if first[key] != other[key]}
        expect(not wrong, f"port {port} answers otherwise than {ports[0]}: {str(wrong)[:1500]}")
    first["profiles"] = {name: (item["posts"], milliseconds(item["first_post"]), milliseconds(item["last_post"])) for name, item in first["profiles"].items()}
    for key, wanted in by_sql(rows, ends).items():
        expect(first[key] == wanted, f"live {key}: {str(first[key])[:700]}, SQL says {str(wanted)[:700]}")
    return f"live metrics of {len(ports)} doors equal, {len(first['profiles'])} profiles as by SQL"
