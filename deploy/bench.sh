#!/usr/bin/env bash
# Measures this broker, and beside it, in the same run, the peers whose drivers are found in PEERS (a folder with
# `redis_drv`, `js_raw`, `zmq_batch_drv`, `zmq_batchbroker` and `nats-server-new`; without it only this broker).
# Usage: [PEERS=DIR] [RUNS=3] [SECONDS_EACH=3] deploy/bench.sh
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}
seconds=${SECONDS_EACH:-3}
bench=.build/release/kerege-bench
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

# name window requests/s p50 p99
row() { printf '%s;%s;%s;%s;%s\n' "$@" | tee -a "$work/rows.csv" >&2; }

ours() { # name window flags
    local name=$1 window=$2
    shift 2
    "$bench" --window "$window" --seconds "$seconds" --json "$@" >"$work/out.json"
    row "$name" "$window" $(python3 -c '
import json,sys
r=json.load(open(sys.argv[1]))
print(round(r["requestsPerSecond"]),round(r["p50Microseconds"]),round(r["p99Microseconds"]))' "$work/out.json")
}

peer() { # name window driver arguments
    local name=$1 window=$2 driver=$3
    shift 3
    SECS=$seconds WARM=1 "$PEERS/$driver" "$name" 8000000 1024 "$window" "$@" >"$work/peer.csv" 2>/dev/null || {
        echo "$name at window $window gave no result" >&2
        return 0
    }
    row "$name" "$window" $(awk -F, '{printf "%.0f %.0f %.0f", $(NF-8), $(NF-7), $(NF-6)}' "$work/peer.csv")
}

port_open() { for _ in $(seq 80); do (echo >"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; }

peers() { # window
    [[ -n ${PEERS:-} ]] || return 0
    redis-server --port 7301 --bind 127.0.0.1 --dir "$work" --appendonly yes --appendfsync always --save "" >/dev/null &
    local pid=$!
    port_open 7301
    BROKER_PID=$pid peer "redis streams always" "$1" redis_drv 7301
    kill $pid; wait $pid 2>/dev/null || true
    printf 'host: 127.0.0.1\nport: 7211\njetstream { store_dir: "%s/js", max_file_store: 20G, max_memory_store: 1G }\n' "$work" >"$work/js.conf"
    "$PEERS/nats-server-new" -c "$work/js.conf" >/dev/null 2>&1 &
    pid=$!
    port_open 7211
    BROKER_PID=$pid peer "jetstream 2.15 default" "$1" js_raw 7211
    kill $pid; wait $pid 2>/dev/null || true
    rm -rf "$work/js" "$work"/appendonlydir
    "$PEERS/zmq_batchbroker" logsig tcp://127.0.0.1:7103 "$work/zlog" curve 2>/dev/null &
    pid=$!
    sleep 0.7
    BROKER_PID=$pid peer "C ceiling (signed, curve)" "$1" zmq_batch_drv tcp://127.0.0.1:7103 curve
    kill $pid; wait $pid 2>/dev/null || true
    rm -f "$work/zlog"
}

for _ in $(seq "$runs"); do
    for window in 1 64 512; do
        ours "kerege sealed, opaque" "$window" --opaque
        ours "kerege sealed, contracts" "$window"
        ours "kerege plain, opaque" "$window" --opaque --plain
        peers "$window"
    done
done

python3 - "$work/rows.csv" <<'PYTHON'
import collections, csv, statistics, sys
cells = collections.defaultdict(list)
for name, window, rate, p50, p99 in csv.reader(open(sys.argv[1]), delimiter=";"):
    cells[name, int(window)].append((float(rate), float(p50), float(p99)))
print(f"{'':28}" + "".join(f"{'W=' + str(w):>34}" for w in (1, 64, 512)))
print(f"{'median of runs':28}" + f"{'req/s (spread)   p50/p99 µs':>34}" * 3)
for name in dict.fromkeys(n for n, _ in cells):
    line = f"{name:28}"
    for window in (1, 64, 512):
        rows = cells.get((name, window))
        if not rows:
            line += f"{'no result':>34}"
            continue
        rate = statistics.median(r[0] for r in rows)
        spread = (max(r[0] for r in rows) - min(r[0] for r in rows)) / rate * 100 if rate else 0
        line += f"{rate:>12,.0f} ({spread:.0f} %) {statistics.median(r[1] for r in rows):>7,.0f}/{statistics.median(r[2] for r in rows):,.0f}".rjust(34)
    print(line)
PYTHON
