#!/usr/bin/env bash
# The long proofs, on the release: many kills of the process, many simulated power cuts, flipped bits and failing calls of the log. Prints a line for each.
# KILLS (200), POWER_CUTS (20000) and BIT_FLIPS (20000) set how many.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target pinflow crash_test lane_kill_test flood_test log_test -j "$(nproc)"
export PINFLOW_KILLS=${KILLS:-200} PINFLOW_LANE_KILLS=${KILLS:-200} PINFLOW_POWER_CUTS=${POWER_CUTS:-20000}
export PINFLOW_BIT_FLIPS=${BIT_FLIPS:-20000} PINFLOW_FAILING_CALLS=${FAILING_CALLS:-20000}
echo "== $PINFLOW_KILLS kills under load"
time build/release/tests/crash_test
echo "== $PINFLOW_LANE_KILLS kills of the stream lane, at its steps and at random"
time build/release/tests/lane_kill_test
echo "== floods of connections, drips and deaf readers"
time PINFLOW_FLOOD=full build/release/tests/flood_test
echo "== $PINFLOW_POWER_CUTS power cuts"
time build/release/src/log/log_test --gtest_filter='*Power*'
echo "== $PINFLOW_BIT_FLIPS flipped bits"
time build/release/src/log/log_test --gtest_filter='LogDamage.*'
echo "== every call of the disk fails once"
time build/release/src/log/log_test --gtest_filter='*AnyOneOperationFails'
