"""pinflow's own SQL files (sql/) on Spark, as sql/README.md says: the prelude, then a view of each file."""
import pathlib
import re

SQL = pathlib.Path(__file__).resolve().parents[2] / "sql"


def statements(path):
    """The statements of a file, without its comments."""
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--"))
    return [statement for statement in re.split(r";\s*(?:\n|$)", text) if statement.strip()]


def prelude(spark):
    for statement in statements(SQL / "prelude/spark.sql"):
        spark.sql(statement)


def frames(spark, folder, prefix=""):
    """The SELECT of each file of a folder, by the file's name."""
    return {path.stem: spark.sql(statements(path)[0]) for path in sorted((SQL / folder).glob(f"{prefix}*.sql"))}


def model(spark, keep):
    """Cleans the views raw_<kind> and makes the model's; `keep` is given each frame of the model and returns what its view reads."""
    for name, frame in frames(spark, "clean").items():
        frame.createOrReplaceTempView(f"clean_{name}")
    made = {}
    for prefix in ("latest_", "p"):
        for name, frame in frames(spark, "model", prefix).items():
            made[name] = keep(name, frame)
            made[name].createOrReplaceTempView(name)
    return made
