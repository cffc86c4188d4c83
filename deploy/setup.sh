#!/usr/bin/env bash
# Installs the Debian packages the build and the tests need, quietly and only those that are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

need=(libzmq3-dev libsodium-dev libssl-dev libpcre2-dev libsqlite3-dev pkg-config libfaketime python3 iproute2)
missing=()
for package in "${need[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
    echo "installing ${missing[*]}" >&2
    as_root=()
    if ((EUID)); then as_root=(sudo); fi
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq >/dev/null
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || {
    echo "Swift 6.3 is needed: install a toolchain and put it on PATH" >&2
    exit 1
}
