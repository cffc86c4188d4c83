#!/usr/bin/env bash
# Runs every test in three rounds, and closes with one line that counts them all.
#
# Rounds, because the suites that compute for seconds (the schema suite, the registers) would keep the threads from those that
# wait for sockets and processes, and what is tested there are deadlines: those run one after the other.
# Usage: Tests/run.sh [MORE OPTIONS OF swift test]; with --filter NAME only one round is run.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
sockets='ZeroMQTests|BusBrokerTests|BusAgentTests|BusConsoleTests'
status=0

round() {
    swift test --skip-build -q "$@" 2>&1 | tee -a "$log" | grep -vE '^◇|^[0-9T:+-]+ (info|notice|warning|error) kerege'
    ((PIPESTATUS[0] == 0)) || status=1
}

if [[ " $* " == *" --filter "* ]]; then
    round "$@"
else
    round --skip "$sockets|MeshTests" "$@"
    round --filter "$sockets" --no-parallel "$@"
    round --filter MeshTests --no-parallel "$@"
fi
grep -E 'NOT RUN' "$log" | sort -u || true
total=$(grep -oE 'Test run with [0-9]+ tests?' "$log" | grep -oE '[0-9]+' | awk '{n += $1} END {print n + 0}')
failed=$(grep -cE '^✘ Test .* failed after' "$log" || true)
if ((status != 0 && failed == 0)); then failed=1; fi
echo "$((total - failed)) passed, $failed failed"
exit $status
