#!/usr/bin/env bash
# Does every class of faults to the bus, one after the other, and closes with the table of docs/RELIABILITY.md.
#
# Everything is a release build that can die at named steps and break promises when told to (KEREGE_MUTANTS=1), tests included: damage
# and fuzz are tests. Results stay in .build/chaos.
# Usage: deploy/chaos.sh [OPTIONS OF kerege-chaos campaign, such as --long or --seed N]
set -uo pipefail
cd "$(dirname "$0")/.."
results=.build/chaos
programs=.build/mutants/release
status=0
begin=$SECONDS
mkdir -p "$results"
rm -f "$results"/*.json

echo 'building; the first time takes about twelve minutes' >&2
KEREGE_MUTANTS=1 swift build -c release -q --build-tests -Xswiftc -enable-testing --scratch-path .build/mutants || exit 1

"$programs/kerege-chaos" campaign --output "$results/campaigns.json" "$@" || status=1
echo 'promises broken on purpose:'
"$programs/kerege-chaos" mutants || status=1
echo
"$programs/kerege-chaos" table "$results/campaigns.json" || status=1
echo
echo "$(((SECONDS - begin) / 60)) minutes; $( ((status == 0)) && echo 'no promise was broken' || echo 'a promise was broken')"
exit $status
