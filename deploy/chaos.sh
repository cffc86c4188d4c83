#!/usr/bin/env bash
# Does every class of faults to the bus, one after the other, and closes with the table of docs/RELIABILITY.md.
#
# Processes of a debug build, which can die at named steps; virtual time and broken promises in a release build with mutants, none of
# which is active but while they are looked for. Results stay in .build/chaos.
# Usage: deploy/chaos.sh [OPTIONS OF kerege-chaos campaign, such as --long or --seed N]
set -uo pipefail
cd "$(dirname "$0")/.."
results=.build/chaos
processes=(broker-kill agent-kill pause reconnect partition disk-full sync-error read-only damage fuzz)
status=0
begin=$SECONDS
mkdir -p "$results"
rm -f "$results"/*.json

echo 'building; the first time takes about twelve minutes' >&2
swift build --build-tests -q || exit 1
KEREGE_MUTANTS=1 swift build -c release -q --product kerege-chaos --scratch-path .build/mutants || exit 1

.build/mutants/release/kerege-chaos campaign simulation --output "$results/simulation.json" "$@" || status=1
.build/debug/kerege-chaos campaign "${processes[@]}" --output "$results/processes.json" "$@" || status=1
.build/mutants/release/kerege-chaos mutants || status=1
echo
.build/debug/kerege-chaos table "$results/simulation.json" "$results/processes.json" || status=1
echo
echo "$(((SECONDS - begin) / 60)) minutes; $( ((status == 0)) && echo 'no promise was broken' || echo 'a promise was broken')"
exit $status
