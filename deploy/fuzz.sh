#!/usr/bin/env bash
# Fuzzes one reader with the toolchain's libFuzzer, which keeps every input that reaches new code.
# Usage: deploy/fuzz.sh wire|contract [SECONDS, 60] [MORE OPTIONS OF libFuzzer]
#
# Inputs that were kept, and those that crash (crash-…, timeout-…), lie in .build/fuzz/NAME. Run one again:
#   .build/fuzz/NAME/fuzz FILE
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:?wire or contract}
seconds=${2:-60}
shift; shift || true
folder=.build/fuzz/$name
mkdir -p "$folder/inputs"

case $name in
wire) sources=(Sources/BusProtocol deploy/fuzz/WireTarget.swift) more=() ;;
contract)
    sources=(Sources/BusContracts deploy/fuzz/ContractTarget.swift)
    more=(-I Sources/CPCRE2 -lpcre2-8)
    ;;
*) echo "unknown reader '$name': wire or contract" >&2; exit 2 ;;
esac

mapfile -t files < <(find "${sources[@]}" -name '*.swift')
swiftc -sanitize=fuzzer -O -enforce-exclusivity=checked -swift-version 6 -parse-as-library -package-name kerege \
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
    -enable-upcoming-feature MemberImportVisibility -enable-upcoming-feature NonisolatedNonsendingByDefault \
    -module-name Fuzz "${more[@]}" "${files[@]}" -o "$folder/fuzz"

python3 - "$name" "$folder/inputs" <<'PY'
# Valid inputs to grow from.
import json, pathlib, sys
name, place = sys.argv[1], pathlib.Path(sys.argv[2])
def put(key, data): (place / f"seed-{key}").write_bytes(data)
if name == "wire":
    for file in ("frames", "headers", "lenient"):
        for number, vector in enumerate(json.load(open(f"Schemas/vectors/{file}.json"))["vectors"]):
            data = b"".join(bytes.fromhex(t.split("*")[0]) * int((t.split("*") + ["1"])[1]) for t in vector["hex"].split())
            if len(data) <= 8192: put(f"{file}-{number}", data)
else:
    for path in sorted(pathlib.Path("Schemas/contracts").glob("*.json")):
        contract = json.loads(path.read_text())
        for part in ("request", "reply", "event"):
            for number, example in enumerate(contract.get("examples", [])):
                if part in contract and part in example:
                    schema = dict(contract[part])
                    if "$defs" in contract: schema["$defs"] = contract["$defs"]
                    put(f"{path.stem}-{part}-{number}", json.dumps(schema).encode() + b"\0" + json.dumps(example[part]).encode())
PY
exec "$folder/fuzz" -artifact_prefix="$folder/" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    "$@" "$folder/inputs"
