#!/usr/bin/env bash
# Runs every fuzzer of build/fuzz for so many seconds. Usage: fuzz.sh SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
for fuzzer in $(find build/fuzz/src -type f -name '*_fuzz' -perm -u+x | sort); do
  name=$(basename "$fuzzer")
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  printf '%-28s' "$name"
  if output=$("$fuzzer" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=25 -print_final_stats=1 "$corpus" 2>&1); then
    printf '%s' "$output" | sed -n 's/^stat::number_of_executed_units: */ok, inputs tried: /p'
    echo
  else
    echo FAILED
    printf '%s\n' "$output" | tail -n 60
    exit 1
  fi
done
