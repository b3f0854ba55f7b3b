"""Cleaning, model and all ten questions in PySpark's DataFrames, written from the rules (the tasks' texts and the README of sql/), not from the SQL files.
Where Spark offers several ways, another one than in the SQL files is taken.
"""
from pyspark.sql import Window, functions as F

# Characters that show nothing.
BLANK = "".join(map(chr, [9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF]))
NOTHING = {"title": ["No Title Data Available"], "description": ["No description available", "No description available Story format"], "poster_name": ["User Info Error"],
           "tag_list": [",".join("No Tags Available")], "image_src": ["Image src error."]}
GROUPS = ((18, 24, "18-24"), (25, 35, "25-35"), (36, 50, "36-50"), (51, 10**9, "50+"))
CLOCK = (r"^\s*(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?)?\s*$")


def text(name, without=()):
    value = F.col(name)
    something = F.length(F.translate(value, BLANK, "")) > 0
    for nothing in without:
        something &= value != nothing
    return F.when(something, value)


def followers(name):
    shape = r"^\s*(?:(\d{1,9})|(\d{1,3}(?:,\d{3}){1,2}))(\.\d{1,9})?\s?([kKmMbB]?)\s*$"
    part = lambda group: F.regexp_extract(name, shape, group)  # noqa: E731
    digits = F.regexp_replace(F.concat(part(1), part(2)), ",", "")
    zeros = F.when(F.lower(part(4)) == "k", 3).when(F.lower(part(4)) == "m", 6).when(F.lower(part(4)) == "b", 9).otherwise(0)
    # The point moves to the right by so many places: what is left behind it must be zeros.
    places = F.rpad(F.substring(part(3), 2, 9), 9, "0")
    moved = F.concat(digits, F.substring(places, F.lit(1), zeros))
    left = F.substring(places, zeros + 1, F.lit(9))
    long = F.col(name).rlike(r"^\d{10,12}$")
    return F.when(long, F.col(name).try_cast("bigint")).when((digits != "") & (F.translate(left, "0", "") == ""), moved.try_cast("bigint"))


def moment(name):
    part = lambda group: F.regexp_extract(name, CLOCK, group)  # noqa: E731
    whole = lambda group: F.coalesce(part(group).try_cast("int"), F.lit(0))  # noqa: E731
    seconds = (whole(6) * 1_000_000 + F.rpad(part(7), 6, "0").try_cast("int")).cast("decimal(16,6)") / 1_000_000
    made = F.try_make_timestamp(whole(1), whole(2), whole(3), whole(4), whole(5), seconds.cast("decimal(16,6)"))
    zone = part(8)
    minutes = F.coalesce(F.substring(zone, 2, 2).try_cast("int"), F.lit(0)) * 60 + F.coalesce(F.right(zone, F.lit(2)).try_cast("int"), F.lit(0)) * (F.length(zone) > 3).cast("int")
    east = F.when(zone.startswith("-"), -minutes).when(zone.startswith("+"), minutes).otherwise(0)
    return F.when(part(1) != "", F.timestamp_micros(F.unix_micros(made) - east * F.lit(60_000_000).cast("bigint")))


def clean(raw):
    pin = raw["pin"].select(
        F.col("index").alias("ind"), text("unique_id").alias("unique_id"), *(text(name, NOTHING[name]).alias(name) for name in ("title", "description")),
        followers("follower_count").alias("follower_count"), *(text(name, NOTHING[name]).alias(name) for name in ("poster_name", "tag_list")), text("is_image_or_video").alias("is_image_or_video"),
        text("image_src", NOTHING["image_src"]).alias("image_src"), F.regexp_replace("save_location", r"\ALocal save in ", "").alias("save_location"), text("category").alias("category"),
        "source_partition", "source_offset").withColumn("save_location", text("save_location"))
    both = F.col("latitude").isNotNull() & F.col("longitude").isNotNull()
    geo = raw["geo"].select("ind", text("country").alias("country"), F.when(both, F.array("latitude", "longitude")).alias("coordinates"), moment("timestamp").alias("timestamp"),
                            "source_partition", "source_offset")
    names = F.array_compact(F.array(text("first_name"), text("last_name")))
    user = raw["user"].select("ind", F.when(F.size(names) > 0, F.array_join(names, " ")).alias("user_name"), "age", moment("date_joined").alias("date_joined"), "source_partition", "source_offset")
    return {"pin": pin, "geo": geo, "user": user}


def latest(rows):
    """Of repeats the one latest in the log."""
    columns = [F.col(name) for name in rows.columns if name != "ind"]
    last = rows.groupBy("ind").agg(F.max(F.struct("source_offset", "source_partition", F.struct(*columns).alias("row"))).alias("last"))
    return last.select("ind", "last.row.*")


def grouped(age):
    group = F.lit(None).cast("string")
    for low, high, name in GROUPS:
        group = F.when(age.between(low, high), name).otherwise(group)
    return group


def model(rows):
    bare = {kind: frame.drop("source_partition", "source_offset") for kind, frame in rows.items()}
    posts = bare["pin"].join(bare["geo"], "ind", "left").join(bare["user"], "ind", "left").withColumn("age_group", grouped(F.col("age")))
    seen = bare["user"].filter("NOT (user_name IS NULL AND age IS NULL AND date_joined IS NULL)").join(bare["pin"].withColumn("posted", F.lit(1)), "ind", "left").join(bare["geo"], "ind", "left")
    who = [F.col(name) for name in ("user_name", "age", "date_joined")]
    newest = Window.partitionBy(*who).orderBy(F.col("timestamp").desc_nulls_last(), F.col("ind").desc()).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    for name in ("poster_name", "follower_count", "country"):
        seen = seen.withColumn(f"person_{name}", F.first(name, ignorenulls=True).over(newest))
    people = seen.groupBy(*who).agg(*(F.first(f"person_{name}").alias(name) for name in ("poster_name", "follower_count", "country")), F.count("posted").alias("post_count"))
    return posts, people.withColumn("age_group", grouped(F.col("age")))


def top(rows, group, order, columns):
    """The first of each group; `order` is a count, of equals the alphabetically first."""
    count, name = order
    best = rows.groupBy(group).agg(F.max(count).alias(count))
    equal = rows.join(best, [group, count])
    first = equal.groupBy(group, count).agg(F.min(name).alias(name), (F.count("*") > 1).alias("tied"))
    return first.select(*columns).orderBy(group)


def counted(posts, group):
    return posts.filter(F.col(group).isNotNull() & F.col("category").isNotNull()).groupBy(group, "category").agg(F.count("*").alias("category_count"))


def median(people, *group):
    """The lower median: of an even number the lower of the two in the middle. Null where nobody's count is known."""
    known = people.groupBy(*group).agg(F.sort_array(F.collect_list("follower_count")).alias("counts"))
    middle = F.expr("try_element_at(counts, CAST((size(counts) + 1) DIV 2 AS INT))")
    return known.select(*group, F.when(F.size("counts") > 0, middle).alias("median_follower_count")).orderBy(*group)


def answers(posts, people):
    posts = posts.withColumn("post_year", F.year("timestamp"))
    within = posts.filter(F.col("post_year").isin(list(range(2018, 2023))))
    joined = people.withColumn("post_year", F.year("date_joined"))
    joined = joined.filter((F.col("post_year") >= 2015) & (F.col("post_year") < 2021))
    known = people.filter(F.col("country").isNotNull() & F.col("poster_name").isNotNull() & F.col("follower_count").isNotNull())
    most = known.filter(F.col("follower_count") == (known.agg(F.max("follower_count")).first()[0] or 0))
    category = ("category_count", "category")
    return {
        "category_by_country": top(counted(posts, "country"), "country", category, ("country", "category", "category_count", "tied")),
        "category_by_year": top(counted(within, "post_year"), "post_year", category, ("post_year", "category", "category_count", "tied")),
        "category_by_age_group": top(counted(posts, "age_group"), "age_group", category, ("age_group", "category", "category_count", "tied")),
        "posts_by_category_and_year": counted(within, "post_year").select("post_year", "category", "category_count").orderBy("post_year", F.desc("category_count"), "category"),
        "most_followed_by_country": top(known, "country", ("follower_count", "poster_name"), ("country", "poster_name", "follower_count", "tied")),
        "country_of_most_followed": most.groupBy("follower_count").agg(F.min("country").alias("country"), (F.countDistinct("country") > 1).alias("tied")).select("country", "follower_count", "tied"),
        "median_followers_by_age_group": median(people.filter("age_group IS NOT NULL"), "age_group"),
        "users_joined_by_year": joined.groupBy("post_year").agg(F.count("*").alias("number_users_joined")).orderBy("post_year"),
        "median_followers_by_joining_year": median(joined, "post_year"),
        "median_followers_by_joining_year_and_age_group": median(joined.filter("age_group IS NOT NULL"), "age_group", "post_year"),
    }
