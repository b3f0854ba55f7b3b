#!/usr/bin/env python3
"""Measures pinflow's batch lane beside PySpark and beside hand-written SQL in DuckDB: the same sunk objects, one machine, one after the other, tables and
answers compared before times. Then a day's run behind a short and a long history, and objects of one record each. See README.md.

    batch_bench.py [--pinflow PROGRAM] [--small] [--sizes N,N,N] [--only sides,day,tiny] [--folder DIR] [--table FILE] [--json FILE]
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from sides import DuckDB, HERE, Missing, Pinflow, ROOT, Spark, duckdb_python, measured  # noqa: E402  pylint: disable=wrong-import-position

TABLES = {
    "batch_pin": "ind unique_id title description follower_count poster_name tag_list is_image_or_video image_src save_location category",
    "batch_geo": "ind country coordinates timestamp",
    "batch_user": "ind user_name age date_joined",
    "batch_posts": ("ind unique_id title description follower_count poster_name tag_list is_image_or_video image_src save_location category country coordinates timestamp "
                    "user_name age age_group date_joined"),
    "batch_people": "user_name age age_group date_joined poster_name follower_count country post_count",
}
GOALS = {11_154: 50, 1_000_000: 10, 10_000_000: 8}  # Times as fast as PySpark.
LIMIT = 1.2  # Times as slow as hand-written SQL, at most.
EACH, RESENT = 10_000, 0.02


def rounds(size):
    """How often each side does it: pinflow and DuckDB, Spark when warm."""
    return (5, 2) if size <= 100_000 else (3, 1) if size <= 2_000_000 else (1, 0)


def make(options, folder, posts, *more, seed=1):
    """Objects of so many synthetic posts in a data folder."""
    source = folder / "source.duckdb"
    source.unlink(missing_ok=True)
    measured([options.pinflow, "source", "create", "--posts", posts, "--seed", seed, "--url", source, "--quiet"])
    said, _ = measured([duckdb_python(), HERE / "make_objects.py", source, folder / "data" / "objects", *more])
    source.unlink()
    return json.loads(said)


def told_of(side):
    """What a side's tables hold."""
    wanted = [{"table": name, "files": side.files(name), "columns": columns.split()} for name, columns in TABLES.items()]
    done = subprocess.run([str(duckdb_python()), str(HERE / "same_rows.py")], input=json.dumps(wanted), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the tables of {side.name} could not be read: {done.stderr.strip()[-800:]}")
    return {told["table"]: told for told in map(json.loads, done.stdout.splitlines())}


def outcome(side):
    """What a side's last run came to; its tables may go afterwards."""
    return {"name": side.name, "answers": side.answers(), "tables": told_of(side)}


def compare(outcomes, posts):
    """Returns what differs: answers, and rows and columns of tables."""
    first, wrong = outcomes[0], []
    answers, tables = first["answers"], first["tables"]
    if tables["batch_posts"]["rows"] != posts:
        wrong.append(f"{tables['batch_posts']['rows']} posts, not {posts}")
    for other in outcomes[1:]:
        theirs, name_of = other["answers"], other["name"]
        wrong += [f"{name}: not the answer of {name_of}" for name in answers if json.dumps(theirs.get(name)) != json.dumps(answers[name])]
        wrong += [f"{len(theirs)} answers of {name_of}"] if set(theirs) != set(answers) else []
        for name, told in other["tables"].items():
            wrong += [f"{name}: {told['rows']} rows of {name_of}, not {tables[name]['rows']}"] if told["rows"] != tables[name]["rows"] else []
            wrong += [f"{name}.{column}: not as {name_of} has it" for column, total in told["columns"].items() if total != tables[name]["columns"][column]]
    print("\n".join(f"FAILED: {line}" for line in wrong) or f"equal: {len(answers)} answers, {len(TABLES)} tables, every column of {posts:,} posts", flush=True)
    return wrong


def said(side, what, told):
    print(f"{side.name}, {what}: {told['whole']:.2f} s (clean and model {told['clean']:.2f}, questions {told['ask']:.2f}), {told['cpu']:.1f} s CPU, {told['peak']:,.0f} MiB", flush=True)
    return told


def size_of(options, posts, results):
    """All sides at one size; leaves pinflow's tables for the day that follows."""
    folder = options.folder / str(posts)
    (folder / "data").mkdir(parents=True)
    begin = time.monotonic()
    made = make(options, folder, posts, "--each", EACH, "--resent", RESENT)
    print(f"{posts:,} posts: {made['objects']} objects, {made['bytes'] / 1e6:,.0f} MB, made in {time.monotonic() - begin:.0f} s", flush=True)
    pinflow, duckdb = Pinflow(options, folder / "data"), DuckDB(options, folder / "data", folder / "duckdb")
    often, warm = rounds(posts)
    ours, limit, theirs = [], [], []
    for _ in range(often):
        limit.append(said(duckdb, "a process", duckdb.run()))
        pinflow.forget()
        ours.append(said(pinflow, "a process", pinflow.run()))
    outcomes, spark = [outcome(pinflow), outcome(duckdb)], None
    shutil.rmtree(duckdb.out)
    try:
        if not options.no_spark:
            spark = Spark(options, folder / "data", folder / "spark")
            for number in range(1 + warm):
                theirs.append(said(spark, "warm" if number else "cold, a process", spark.run()))
            outcomes.append(outcome(spark))
    except Missing as reason:
        print(f"skipped  PySpark: {reason}", flush=True)
    finally:
        if spark:
            spark.stop()
            shutil.rmtree(spark.out, ignore_errors=True)
    wrong = compare(outcomes, posts)
    results.append({"posts": posts, "bytes": made["bytes"], "pinflow": ours, "duckdb": limit, "spark": theirs, "wrong": wrong})


def day_of(options, posts, day, results):
    """A run that finds a day's new posts behind what was loaded before."""
    folder = options.folder / str(posts)
    pinflow = Pinflow(options, folder / "data")
    if not (folder / "data" / "tables").exists():
        (folder / "data").mkdir(parents=True)
        make(options, folder, posts, "--each", EACH, "--resent", RESENT)
        pinflow.run()
    times = []
    for number in range(3):
        make(options, folder, day, "--each", EACH, "--shift", (number + 1) * 100_000_000, "--after", seed=number + 7)
        times.append(pinflow.run())
    rows = told_of(pinflow)["batch_posts"]["rows"]
    wrong = [] if rows == posts + 3 * day else [f"{rows} posts after three days, not {posts + 3 * day}"]
    results.append({"history": posts, "day": day, "pinflow": times, "wrong": wrong})
    print(f"a day of {day:,} posts behind {posts:,}: {', '.join(format(told['whole'], '.2f') for told in times)} s" + "".join(f"; FAILED: {line}" for line in wrong), flush=True)


def tiny(options, objects, results):
    """The same records in objects of one each and in large ones."""
    posts = objects // 3
    told = {"objects": posts * 3}
    answers = []
    for name, each in (("large", EACH), ("one record each", 1)):
        folder = options.folder / f"tiny-{each}"
        (folder / "data").mkdir(parents=True)
        make(options, folder, posts, "--each", EACH)
        if each == 1:
            split(folder / "data" / "objects")
        pinflow = Pinflow(options, folder / "data")
        told[name] = []
        for _ in range(2):
            pinflow.forget()
            told[name].append(said(pinflow, f"{posts:,} posts, objects {name}", pinflow.run()))
        answers.append(pinflow.answers())
        shutil.rmtree(folder)
    told["wrong"] = [] if answers[0] == answers[1] else ["objects of one record each give other answers"]
    results.append(told)


def split(objects):
    for path in list(objects.rglob("*.json")):
        topic, partition, first = path.stem.split("+")
        lines = path.read_bytes().splitlines(keepends=True)
        path.unlink()
        for number, line in enumerate(lines):
            (path.parent / f"{topic}+{partition}+{int(first) + number:010}.json").write_bytes(line)


def median(runs, name):
    return statistics.median(told[name] for told in runs)


def verdict(reached, goal, at_most=False):
    return f"{reached:.1f} (goal {goal}{' at most' if at_most else ''}: {'reached' if (reached <= goal if at_most else reached >= goal) else 'missed'})"


def sides_table(results):
    lines = ["| clean, model and ten questions; medians | pinflow | DuckDB by hand | PySpark cold | PySpark warm |", "|---|---|---|---|---|"]
    for told in results:
        ours, limit, cold, warm = told["pinflow"], told["duckdb"], told["spark"][:1], told["spark"][1:]
        for label, name in (("whole, s", "whole"), ("B1 clean and model, s", "clean"), ("B2 ten questions, s", "ask"), ("CPU, s", "cpu"), ("peak memory, MiB", "peak")):
            cells = [f"{median(runs, name):,.4g}" if runs else "-" for runs in (ours, limit, cold, warm)]
            lines.append(f"| {told['posts']:,} posts: {label} | " + " | ".join(cells) + " |")
        whole = median(ours, "whole")
        goal = GOALS.get(told["posts"], "-")
        ratios = ["1", verdict(whole / median(limit, "whole"), LIMIT, True)]
        for runs in (cold, warm):
            ratios.append("-" if not runs else verdict(median(runs, "whole") / whole, goal) if goal != "-" else f"{median(runs, 'whole') / whole:.1f}")
        lines.append(f"| {told['posts']:,} posts: pinflow's time by the limit's; PySpark's by pinflow's | " + " | ".join(ratios) + " |")
    return lines


def day_table(results):
    lines = ["| a day's run | whole, s | CPU, s | peak memory, MiB |", "|---|---|---|---|"]
    for told in results:
        lines.append(f"| {told['day']:,} new posts behind {told['history']:,} | " + " | ".join(f"{median(told['pinflow'], name):,.3g}" for name in ("whole", "cpu", "peak")) + " |")
    if len(results) == 2:
        lines.append(f"| {results[1]['history'] // results[0]['history']} times the history (goal: grows with the day, not with history) | "
                     + " | ".join(f"{median(results[1]['pinflow'], name) / median(results[0]['pinflow'], name):.2f} times" for name in ("whole", "cpu", "peak")) + " |")
    return lines


def tiny_table(results):
    lines = ["| the same records | whole, s | CPU, s | peak memory, MiB |", "|---|---|---|---|"]
    for told in results:
        for name in ("large", "one record each"):
            what = f"in {told['objects']:,} objects of one" if name != "large" else f"in objects of {EACH:,}"
            lines.append(f"| {what} | " + " | ".join(f"{median(told[name], column):,.3g}" for column in ("whole", "cpu", "peak")) + " |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinflow", default=str(ROOT / "build" / "release" / "pinflow"))
    parser.add_argument("--small", action="store_true", help="11,154 and 111,540 posts, 10 thousand objects of one record")
    parser.add_argument("--sizes", default="", help="numbers of posts; 11154,1000000,10000000")
    parser.add_argument("--only", default="sides,day,tiny")
    parser.add_argument("--no-spark", action="store_true")
    parser.add_argument("--tiny", type=int, default=0, help="objects of one record; 100,000")
    parser.add_argument("--memory", default="4GiB", help="of the engine, in pinflow and by hand")
    parser.add_argument("--heap", default="4g", help="of Spark")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "bench-batch")
    parser.add_argument("--table", help="writes the tables as Markdown")
    parser.add_argument("--json", help="writes all figures")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    sizes = [int(size) for size in (options.sizes or ("11154,111540" if options.small else "11154,1000000,10000000")).split(",")]
    only = options.only.split(",")
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    told = {"sides": [], "day": [], "tiny": []}
    try:
        duckdb_python()
        if "tiny" in only:
            tiny(options, options.tiny or (10_000 if options.small else 100_000), told["tiny"])
        for size in sizes:
            if "sides" in only:
                size_of(options, size, told["sides"])
            if "day" in only and size in sizes[-2:]:
                day_of(options, size, max(100, sizes[-1] // 100), told["day"])
            shutil.rmtree(options.folder / str(size), ignore_errors=True)
    except Missing as reason:
        print(f"skipped  the batch beside others: {reason}")
        return 0
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    lines = [*(sides_table(told["sides"]) if told["sides"] else []), "", *(day_table(told["day"]) if told["day"] else []), "", *(tiny_table(told["tiny"]) if told["tiny"] else [])]
    text = "\n".join(lines).strip() + "\n"
    print("\n" + text)
    if options.table:
        pathlib.Path(options.table).write_text(text, encoding="utf-8")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 1 if any(result["wrong"] for results in told.values() for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
