#!/usr/bin/env bash
# Does every class of faults to the bus, one after the other, and closes with the table of docs/RELIABILITY.md.
#
# The programs are a release build that can die at named steps and break promises when told to (KEREGE_MUTANTS=1); damage and fuzz are
# tests, and run in the debug build. Results stay in .build/chaos.
# Usage: deploy/chaos.sh [OPTIONS OF kerege-chaos campaign, such as --long or --seed N]
set -uo pipefail
cd "$(dirname "$0")/.."
results=.build/chaos
programs=.build/mutants/release
processes=(simulation broker-kill agent-kill pause reconnect partition disk-full sync-error read-only)
status=0
begin=$SECONDS
mkdir -p "$results"
rm -f "$results"/*.json

echo 'building; the first time takes about twelve minutes' >&2
swift build --build-tests -q || exit 1
for product in kerege-chaos kerege-broker kerege-agent; do
    KEREGE_MUTANTS=1 swift build -c release -q --product "$product" --scratch-path .build/mutants || exit 1
done

"$programs/kerege-chaos" campaign "${processes[@]}" --output "$results/processes.json" "$@" || status=1
.build/debug/kerege-chaos campaign damage fuzz --output "$results/readers.json" "$@" || status=1
echo 'promises broken on purpose:'
"$programs/kerege-chaos" mutants || status=1
echo
"$programs/kerege-chaos" table "$results/processes.json" "$results/readers.json" || status=1
echo
echo "$(((SECONDS - begin) / 60)) minutes; $( ((status == 0)) && echo 'no promise was broken' || echo 'a promise was broken')"
exit $status
