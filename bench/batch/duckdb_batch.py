"""The batch by hand in DuckDB, as somebody writes it who knows DuckDB and his data: no more than is needed for the same tables and answers. Says its times as
JSON. Run with the packages of requirements.txt.

    duckdb_batch.py OBJECTS OUT MEMORY
"""
import json
import pathlib
import sys
import time

import duckdb

PIN = ("{index: 'BIGINT', unique_id: 'VARCHAR', title: 'VARCHAR', description: 'VARCHAR', poster_name: 'VARCHAR', follower_count: 'VARCHAR', tag_list: 'VARCHAR', "
       "is_image_or_video: 'VARCHAR', image_src: 'VARCHAR', downloaded: 'INTEGER', save_location: 'VARCHAR', category: 'VARCHAR'}")
GEO = "{ind: 'BIGINT', timestamp: 'VARCHAR', latitude: 'DOUBLE', longitude: 'DOUBLE', country: 'VARCHAR'}"
USER = "{ind: 'BIGINT', first_name: 'VARCHAR', last_name: 'VARCHAR', age: 'INTEGER', date_joined: 'VARCHAR'}"
NAME = "CASE WHEN trim({0}) = '' THEN NULL ELSE {0} END AS {0}"
CLEAN = {
    "pin": (PIN, ", ".join(["index AS ind", NAME.format("unique_id"), "CASE WHEN title IN ('', 'No Title Data Available') THEN NULL ELSE title END AS title",
                            "CASE WHEN description IN ('', 'No description available Story format', 'No description available') THEN NULL ELSE description END AS description",
                            """CASE right(follower_count, 1) WHEN 'k' THEN CAST(TRY_CAST(left(follower_count, -1) AS DECIMAL(18, 6)) * 1000 AS BIGINT)
                               WHEN 'M' THEN CAST(TRY_CAST(left(follower_count, -1) AS DECIMAL(18, 6)) * 1000000 AS BIGINT) ELSE TRY_CAST(follower_count AS BIGINT) END AS follower_count""",
                            "CASE WHEN poster_name IN ('', 'User Info Error') THEN NULL ELSE poster_name END AS poster_name",
                            "CASE WHEN tag_list IN ('', 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e') THEN NULL ELSE tag_list END AS tag_list", NAME.format("is_image_or_video"),
                            "CASE WHEN image_src IN ('', 'Image src error.') THEN NULL ELSE image_src END AS image_src", "replace(save_location, 'Local save in ', '') AS save_location",
                            NAME.format("category")])),
    "geo": (GEO, f"ind, {NAME.format('country')}, [latitude, longitude] AS coordinates, TRY_CAST(timestamp AS TIMESTAMP) AS timestamp"),
    "user": (USER, "ind, concat_ws(' ', first_name, last_name) AS user_name, age, TRY_CAST(date_joined AS TIMESTAMP) AS date_joined"),
}
GROUP = "CASE WHEN age BETWEEN 18 AND 24 THEN '18-24' WHEN age BETWEEN 25 AND 35 THEN '25-35' WHEN age BETWEEN 36 AND 50 THEN '36-50' WHEN age > 50 THEN '50+' END AS age_group"


def top(group, condition="TRUE"):
    return f"""SELECT * FROM (SELECT {group}, category, category_count, count(*) OVER (PARTITION BY {group}, category_count) > 1 AS tied
                              FROM (SELECT {group}, category, count(*) AS category_count FROM posts WHERE {group} IS NOT NULL AND category IS NOT NULL AND {condition} GROUP BY ALL))
               QUALIFY row_number() OVER (PARTITION BY {group} ORDER BY category_count DESC, category) = 1 ORDER BY 1"""


def median(groups, condition):
    return f"SELECT {groups}, quantile_disc(follower_count, 0.5) AS median_follower_count FROM people WHERE {condition} GROUP BY ALL ORDER BY ALL"


JOINED = "post_year BETWEEN 2015 AND 2020"
KNOWN = "country IS NOT NULL AND poster_name IS NOT NULL AND follower_count IS NOT NULL"
QUESTIONS = {
    "category_by_country": top("country"),
    "category_by_year": top("post_year", "post_year BETWEEN 2018 AND 2022"),
    "category_by_age_group": top("age_group"),
    "posts_by_category_and_year": """SELECT post_year, category, count(*) AS category_count FROM posts WHERE post_year BETWEEN 2018 AND 2022 AND category IS NOT NULL
                                     GROUP BY ALL ORDER BY post_year, category_count DESC, category""",
    "most_followed_by_country": f"""SELECT country, poster_name, follower_count, count(*) OVER (PARTITION BY country, follower_count) > 1 AS tied FROM people WHERE {KNOWN}
                                    QUALIFY row_number() OVER (PARTITION BY country ORDER BY follower_count DESC, poster_name) = 1 ORDER BY country""",
    "country_of_most_followed": f"""SELECT min(country) AS country, follower_count, count(DISTINCT country) > 1 AS tied FROM people
                                    WHERE {KNOWN} AND follower_count = (SELECT max(follower_count) FROM people WHERE {KNOWN}) GROUP BY ALL""",
    "median_followers_by_age_group": median("age_group", "age_group IS NOT NULL"),
    "users_joined_by_year": f"SELECT post_year, count(*) AS number_users_joined FROM people WHERE {JOINED} GROUP BY ALL ORDER BY ALL",
    "median_followers_by_joining_year": median("post_year", JOINED),
    "median_followers_by_joining_year_and_age_group": median("age_group, post_year", f"age_group IS NOT NULL AND {JOINED}"),
}


def run(objects, out, memory):
    out.mkdir(parents=True, exist_ok=True)
    engine = duckdb.connect(config={"threads": 2, "memory_limit": memory, "temp_directory": str(out / "spill"), "preserve_insertion_order": False})
    begin = time.monotonic()
    for kind, (columns, select) in CLEAN.items():
        engine.execute(f"""CREATE TABLE latest_{kind} AS SELECT {select}, filename AS place
                           FROM read_json('{objects}/topics/pinterest.{kind}/*/*.json', format = 'newline_delimited', columns = {columns}, filename = true)""")
        # Few posts were sent again: only these are put in order.
        engine.execute(f"""DELETE FROM latest_{kind} WHERE rowid IN (
                             SELECT rowid FROM latest_{kind} WHERE ind IN (SELECT ind FROM latest_{kind} GROUP BY ind HAVING count(*) > 1)
                             QUALIFY row_number() OVER (PARTITION BY ind ORDER BY place DESC, rowid DESC) > 1)""")
        engine.execute(f"COPY (SELECT * EXCLUDE (place) FROM latest_{kind}) TO '{out}/batch_{kind}.parquet' (COMPRESSION snappy)")
    engine.execute(f"""COPY (SELECT pin.* EXCLUDE (place), country, coordinates, timestamp, user_name, age, {GROUP}, date_joined
                             FROM latest_pin AS pin LEFT JOIN latest_geo USING (ind) LEFT JOIN latest_user USING (ind)) TO '{out}/batch_posts.parquet' (COMPRESSION snappy)""")
    at = "(coalesce(timestamp, '0001-01-01'::TIMESTAMP), ind)"
    engine.execute(f"""CREATE TABLE people AS SELECT user_name, age, {GROUP}, date_joined, max_by(poster_name, {at}) FILTER (poster_name IS NOT NULL) AS poster_name,
                         max_by(follower_count, {at}) FILTER (follower_count IS NOT NULL) AS follower_count, max_by(country, {at}) FILTER (country IS NOT NULL) AS country, count(pin.ind) AS post_count
                       FROM latest_user LEFT JOIN (SELECT ind, poster_name, follower_count FROM latest_pin) AS pin USING (ind) LEFT JOIN (SELECT ind, country, timestamp FROM latest_geo) USING (ind)
                       GROUP BY user_name, age, date_joined""")
    engine.execute(f"COPY people TO '{out}/batch_people.parquet' (COMPRESSION snappy)")
    engine.execute(f"""CREATE VIEW posts AS SELECT *, year(timestamp) AS post_year FROM '{out}/batch_posts.parquet';
                       ALTER TABLE people ADD COLUMN post_year BIGINT; UPDATE people SET post_year = year(date_joined)""")
    modelled = time.monotonic()
    answers = {}
    for name, question in QUESTIONS.items():
        engine.execute(f"COPY ({question}) TO '{out}/question_{name}.parquet' (COMPRESSION snappy)")
        answers[name] = [list(row) for row in engine.execute(f"FROM '{out}/question_{name}.parquet'").fetchall()]
    return {"clean": modelled - begin, "ask": time.monotonic() - modelled, "answers": answers}


if __name__ == "__main__":
    print(json.dumps(run(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])))
