#!/bin/sh
# Fetches the official JSON Schema test suite, which the source package of jsonschema carries in its folder json/, to
# .build-suite/json-schema-test-suite beside Package.swift. Does nothing when it is there.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
suite="$root/.build-suite/json-schema-test-suite"
version=4.26.0
[ -d "$suite/tests/draft2020-12" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
    --dest "$work" "jsonschema==$version" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "fetch-schema-suite: pip could not download jsonschema $version; the suite's tests will be NOT RUN" >&2
    exit 1
fi
# In the archive: jsonschema-4.26.0/json/tests/draft2020-12/*.json and jsonschema-4.26.0/json/remotes/.
tar -xzf "$work/jsonschema-$version.tar.gz" -C "$work" "jsonschema-$version/json"
mkdir -p "$(dirname "$suite")"
rm -rf "$suite"
mv "$work/jsonschema-$version/json" "$suite"
