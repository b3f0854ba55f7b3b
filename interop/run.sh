#!/usr/bin/env bash
# Holds pinflow against software that we did not write. Each check says what it compared; one that this machine cannot run is skipped
# with its reason. Exit code 1 if a check fails. With --long: the tables with Spark, longer days of the
# batch beside Spark, the DAG in Airflow, and the doors alone, with all that takes too long for every change.
set -uo pipefail
cd "$(dirname "$0")/.."
pinflow=$PWD/build/release/pinflow
work=$PWD/build/interop
long=()
if [ "${1:-}" = --long ]; then long=(--long); fi
rm -rf "$work/run"
mkdir -p "$work/run"
passed=0 failed=0 skipped=0

ok() { echo "ok       $1"; passed=$((passed + 1)); }
not_ok() { echo "FAILED   $1"; failed=$((failed + 1)); }
skip() { echo "skipped  $1: $2"; skipped=$((skipped + 1)); }

# Starts `pinflow up` with the given arguments; sets up_pid and up_url.
start_up() {
  "$pinflow" up --set http.port=0 --set kafka.port=0 "$@" >"$work/run/up.out" 2>"$work/run/up.err" &
  up_pid=$!
  up_url=
  # The banner is one write; tail ends with its first line that names an address, or with the process.
  up_url=$(timeout 60 tail -n +1 -f --pid=$up_pid "$work/run/up.out" 2>/dev/null | grep -m1 -o 'http://127.0.0.1:[0-9]*')
  [ -n "$up_url" ] || { cat "$work/run/up.err"; return 1; }
}
stop_up() { kill -TERM "$up_pid" && wait "$up_pid"; }

# Makes the Python environment of the checks; what is missing there skips the checks that need it.
python_packages() {
  if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv" >"$work/run/venv.log" 2>&1 || { echo "no Python venv here, see build/interop/run/venv.log"; return; }
  fi
  "$work/venv/bin/pip" install -q --disable-pip-version-check -r interop/requirements.txt >"$work/run/pip.log" 2>&1 ||
    echo "Python packages could not be installed, see build/interop/run/pip.log"
}

# Foreign readers of the tables of a running pinflow; in the long run Spark too, which also rewrites them.
delta_tables() {
  local python=$work/venv/bin/python
  "$python" -c 'import deltalake, pyarrow' 2>/dev/null || { skip "Delta tables" "the packages deltalake and pyarrow could not be installed"; return; }
  counted "$python" interop/delta/run.py --pinflow "$pinflow" "${long[@]}"
  [ ${#long[@]} -eq 0 ] || counted "$python" interop/delta/growing.py --pinflow "$pinflow"
}

# Answers of the batch lane beside Spark's, and the two lanes beside each other.
batch_answers() {
  local python=$work/venv/bin/python
  "$python" -c 'import deltalake, pyarrow, confluent_kafka' 2>/dev/null || { skip "Batch answers" "the packages deltalake, pyarrow and confluent-kafka could not be installed"; return; }
  counted "$python" interop/batch/run.py --pinflow "$pinflow" "${long[@]}"
  counted "$python" interop/batch/on_spark.py --pinflow "$pinflow"
  [ ${#long[@]} -eq 0 ] || counted "$python" interop/batch/on_spark_s3.py --pinflow "$pinflow"
}

# The batch where the disk has no room.
full_disk() { counted python3 interop/batch/full_disk.py --pinflow "$pinflow"; }

# The DAG that we ship, in a real Airflow.
airflow_dag() {
  local python=$work/venv/bin/python
  [ -x "$python" ] || python=python3
  counted "$python" interop/airflow/run.py --pinflow "$pinflow"
}

# Objects and tables in S3 servers.
s3_stores() {
  local python=$work/venv/bin/python
  [ -x "$python" ] || python=python3
  counted "$python" interop/s3/run.py --pinflow "$pinflow" "${long[@]}"
}

# As on RDS: the server asks for TLS, and the client checks who it is.
mariadb_encrypted() {
  local name="Source tables in MariaDB by TLS" port=$1 home=$2
  records_of() { "$pinflow" emulate --to console --burst --order in-order --connections 1 --source "mysql://secure@$1" --data "$work/run/maria" --quiet; }
  local checked
  checked=$(records_of "localhost:$port/pins?ssl-ca=$home/authority.pem" 2>"$home/checked.err" | wc -l)
  local encrypted
  encrypted=$(records_of "127.0.0.1:$port/pins?ssl-mode=required" 2>"$home/encrypted.err" | wc -l)
  if [ "$checked" -ge 6000 ] && [ "$encrypted" -eq "$checked" ] &&
    ! records_of "localhost:$port/pins?ssl-ca=$home/stranger.pem" >/dev/null 2>"$home/stranger.err" &&
    ! records_of "127.0.0.1:$port/pins?ssl-ca=$home/authority.pem" >/dev/null 2>"$home/other-host.err" &&
    ! records_of "localhost:$port/pins" >/dev/null 2>"$home/clear.err" &&
    grep -q 'ssl-ca' "$home/stranger.err" && grep -q 'ssl-ca' "$home/other-host.err" && grep -q 'ssl-mode' "$home/clear.err"; then
    ok "$name: $checked records; another authority, another host and no TLS are refused in words"
  else
    not_ok "$name: $checked and $encrypted records"
    cat "$home"/{checked,encrypted,stranger,other-host,clear}.err
  fi
}

# The rows that the emulator posts are the same from a DuckDB file and from a MariaDB server.
mariadb_source() {
  local name="Source tables in MariaDB"
  command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null || { skip "$name" "no mariadbd on this machine"; return; }
  local home=$work/run/mariadb user=mysql
  mkdir -p "$home/data"
  id mysql >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ] && chown -R mysql "$home" || user=$(id -un)
  chmod 755 "$work" "$work/run" "$home"
  # Where the folder cannot be reached as that user, the server runs as the one who calls.
  su -s /bin/sh -c "test -w '$home/data'" "$user" 2>/dev/null || { user=$(id -un); chown -R "$user" "$home" 2>/dev/null; }
  mariadb-install-db --no-defaults --user="$user" --datadir="$home/data" --auth-root-authentication-method=normal --skip-test-db >"$home/install.log" 2>&1 ||
    { skip "$name" "mariadb-install-db failed, see build/interop/run/mariadb/install.log"; return; }
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  : >"$home/server.log"
  # An authority, the server's certificate, and another authority that signed nothing.
  for one in authority stranger; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$one" -keyout "$home/$one.key" -out "$home/$one.pem" >>"$home/openssl.log" 2>&1
  done
  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$home/server.key" -out "$home/server.csr" >>"$home/openssl.log" 2>&1
  openssl x509 -req -in "$home/server.csr" -CA "$home/authority.pem" -CAkey "$home/authority.key" -CAcreateserial -days 2 \
    -extfile <(echo subjectAltName=DNS:localhost) -out "$home/server.pem" >>"$home/openssl.log" 2>&1
  chmod 644 "$home/server.key"
  mariadbd --no-defaults --user="$user" --datadir="$home/data" --socket="$home/socket" --port="$port" --bind-address=127.0.0.1 \
    --ssl-ca="$home/authority.pem" --ssl-cert="$home/server.pem" --ssl-key="$home/server.key" \
    --pid-file="$home/pid" >"$home/server.log" 2>&1 &
  local server=$!
  timeout 60 sh -c "tail -n +1 -f --pid=$server '$home/server.log' | grep -m1 -q 'ready for connections'"
  mariadb --no-defaults -h 127.0.0.1 -P "$port" -u root -e "CREATE DATABASE pins; CREATE USER 'pinflow'@'%' IDENTIFIED BY 'a b/c'; GRANT ALL ON pins.* TO 'pinflow'@'%'; CREATE USER 'secure'@'%' IDENTIFIED BY 'a b/c' REQUIRE SSL; GRANT ALL ON pins.* TO 'secure'@'%';" ||
    { not_ok "$name: server did not start"; tail "$home/server.log"; kill $server; return; }
  local url=mysql://pinflow@127.0.0.1:$port/pins
  export PINFLOW_SOURCE_PASSWORD='a b/c'
  "$pinflow" source create --posts 2000 --url "$url" --data "$work/run/maria" --quiet >/dev/null &&
    "$pinflow" source create --posts 2000 --data "$work/run/maria" --quiet >/dev/null &&
    "$pinflow" emulate --to console --burst --order in-order --connections 1 --source "$url" --data "$work/run/maria" --quiet >"$work/run/maria.txt" 2>/dev/null &&
    "$pinflow" emulate --to console --burst --order in-order --connections 1 --data "$work/run/maria" --quiet >"$work/run/duck.txt" 2>/dev/null
  local code=$?
  mariadb_encrypted "$port" "$home"
  kill $server
  wait $server
  if [ $code -eq 0 ] && [ "$(wc -l <"$work/run/duck.txt")" -ge 6000 ] && cmp -s "$work/run/duck.txt" "$work/run/maria.txt"; then
    ok "$name: $(wc -l <"$work/run/duck.txt") records equal to those of the DuckDB file"
  else
    not_ok "$name"
    diff "$work/run/duck.txt" "$work/run/maria.txt" | head -n 10
  fi
}

# The two posting scripts of such projects, in the Python client that they use.
posting_script() {
  local name="Posting scripts with Python's requests"
  local python=$work/venv/bin/python
  "$python" -c 'import requests' 2>/dev/null || { skip "$name" "the package requests could not be installed"; return; }
  start_up --data "$work/run/scripts" || { not_ok "$name"; return; }
  if "$python" interop/posting_scripts.py "$up_url"; then ok "$name"; else not_ok "$name"; fi
  stop_up || not_ok "$name: pinflow up ended badly"
}

# Runs a script that prints lines of the same form, and its counts at the end.
counted() {
  local counts
  "$@" | tee "$work/run/counted.txt" | grep -vE '^[0-9]+ passed, '
  counts=$(grep -E '^[0-9]+ passed, ' "$work/run/counted.txt" || echo "0 passed, 1 failed, 0 skipped")
  passed=$((passed + $(grep -oE '[0-9]+ passed' <<<"$counts" | cut -d' ' -f1)))
  failed=$((failed + $(grep -oE '[0-9]+ failed' <<<"$counts" | cut -d' ' -f1)))
  skipped=$((skipped + $(grep -oE '[0-9]+ skipped' <<<"$counts" | cut -d' ' -f1)))
}

# Kafka's clients and tools, and librdkafka's suite, against the Kafka door.
kafka_door() {
  local quick=(--quick)
  if [ ${#long[@]} -gt 0 ]; then quick=(); fi
  local python=$work/venv/bin/python
  "$python" -c 'import confluent_kafka' 2>/dev/null || { skip "Kafka door" "the package confluent-kafka could not be installed"; return; }
  # Both wait more than they compute, so they run beside each other.
  "$python" interop/kafka/librdkafka_suite.py "${quick[@]}" --pinflow "$pinflow" >"$work/run/librdkafka_suite.txt" 2>&1 &
  local suite=$!
  counted "$python" interop/kafka/run.py --pinflow "$pinflow" "${long[@]}"
  wait $suite
  counted cat "$work/run/librdkafka_suite.txt"
}

# Clients and tools of Kinesis and of Kafka's REST proxies against the HTTP doors.
http_doors() {
  local python=$work/venv/bin/python
  "$python" -c 'import requests' 2>/dev/null || { skip "HTTP doors" "the package requests could not be installed"; return; }
  local how=(--quick)
  if [ ${#long[@]} -gt 0 ]; then how=(--long); fi
  counted "$python" interop/http/run.py --pinflow "$pinflow" "${how[@]}"
}

# Our tables of the Kafka protocol against Kafka's own message classes; our commands against a Kafka and against our own door.
kafka_wire() {
  cmake --build build/release --target print_samples >"$work/run/print_samples.log" 2>&1 || { not_ok "print_samples does not build"; return; }
  counted interop/kafka_wire/run.py build/release/src/kafka_wire/print_samples
  counted interop/kafka_wire/check_commands.py "$pinflow"
  counted interop/kafka_wire/check_commands.py "$pinflow" --own
}

# The log on a cluster of three brokers of Apache Kafka.
kafka_cluster() {
  cmake --build build/release --target kafka_cluster_test >"$work/run/kafka_cluster_test.log" 2>&1 || { not_ok "kafka_cluster_test does not build"; return; }
  counted python3 interop/cluster/run.py
  counted python3 interop/cluster/end_to_end.py --program "$pinflow"
  counted python3 interop/cluster/logins.py --program "$pinflow"
  counted python3 interop/cluster/refusals.py --program "$pinflow"
}

# From one machine to Kafka and S3, with kills.
migration() {
  local more=()
  if [ ${#long[@]} -ne 0 ]; then more=(--brokers 3 --kills 12 --migration-kills 25); fi
  counted python3 interop/cluster/migrate.py --program "$pinflow" "${more[@]}"
}

# From the doors to the batch's answers, with kills; kafka_cluster does the same over Kafka.
end_to_end() { counted python3 interop/cluster/end_to_end.py --program "$pinflow" embedded; }

# Containers: what reads the files of packaging/ elsewhere.
packaging() { counted python3 interop/packaging/run.py --pinflow "$pinflow"; }

python_packages
packaging
full_disk
delta_tables
s3_stores
if [ ${#long[@]} -eq 0 ]; then
  mariadb_source
  posting_script
  kafka_wire
  end_to_end
  migration
else
  batch_answers  # Spark is a download of half a gigabyte.
  airflow_dag
  kafka_cluster
  migration
fi
kafka_door
http_doors
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
