"""The day's batch of pinflow as an Airflow DAG: for those who have Airflow already and do not want pinflow's own schedule beside it.

Put this file into the folder of DAGs. The worker runs the program `pinflow` (another by the variable PINFLOW), which takes its settings as always:
pinflow.toml in the working folder, PINFLOW_CONFIG, or variables such as PINFLOW_DATA__FOLDER. Airflow 2.7 or newer, or 3.
"""
import csv
import datetime
import io
import json
import os
import pathlib
import subprocess

try:
    from airflow.sdk import dag, get_current_context, task
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # Airflow 2, and 3 before it had exceptions there.
    from airflow.exceptions import AirflowFailException
    try:
        from airflow.sdk import dag, get_current_context, task
    except ImportError:
        from airflow.decorators import dag, task
        from airflow.operators.python import get_current_context

# Exit codes of pinflow after which another try would end the same: usage, configuration, a data check that stops, damaged storage.
FINAL = {2: "wrong usage", 3: "wrong configuration", 4: "a data check failed", 6: "damaged storage"}


def pinflow(*arguments):
    """Runs pinflow to its end; what it says goes to the task's log. Returns its standard output."""
    done = subprocess.run([os.environ.get("PINFLOW", "pinflow"), *arguments, "--quiet"], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    print(done.stderr or done.stdout[:4000])
    if done.returncode in FINAL:
        raise AirflowFailException(f"pinflow {' '.join(arguments)}: {FINAL[done.returncode]}: {done.stderr.strip()[-1000:]}")
    if done.returncode != 0:
        raise RuntimeError(f"pinflow {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
    return done.stdout


@dag(
    dag_id="pinflow_daily",
    description="Loads what was posted since the last run, cleans, models, checks and answers the questions",
    schedule="@daily",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,  # A run loads all that is new, so missed days need no runs of their own.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": datetime.timedelta(minutes=5)},
    tags=["pinflow"],
)
def pinflow_daily():
    @task
    def batch():
        """Everything up to the answers; all its results change at once, at its end. Safe to run again."""
        pinflow("batch", "run")

    @task
    def check_tables():
        """Holds logs and files of all tables against Delta's specification."""
        pinflow("tables", "check")

    @task
    def answers():
        """Counts the rows of each answer; with PINFLOW_ANSWERS, writes each as CSV into a folder of the day below it."""
        told = json.loads(pinflow("question", "all", "--format", "json"))
        if target := os.environ.get("PINFLOW_ANSWERS"):
            context = get_current_context()
            day = context.get("logical_date") or context["dag_run"].run_after  # A manual run may have no date of its own.
            folder = pathlib.Path(target) / day.strftime("%Y-%m-%d")
            folder.mkdir(parents=True, exist_ok=True)
            for name in told:
                text = pinflow("question", name, "--format", "csv")
                rows = sum(1 for _ in csv.reader(io.StringIO(text))) - 1
                if rows != len(told[name]):
                    raise RuntimeError(f"{name} has {rows} rows as CSV and {len(told[name])} as JSON: another run changed it meanwhile")
                partial = folder / f".{name}.csv"
                partial.write_text(text, encoding="utf-8")
                partial.replace(folder / f"{name}.csv")
        return {name: len(rows) for name, rows in told.items()}

    batch() >> [check_tables(), answers()]


pinflow_daily()
