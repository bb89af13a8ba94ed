#!/usr/bin/env bash
# Holds proto/README.md to what the tables of libs/contract say is said on the bus.
set -uo pipefail
doc=${1:?the built program subjects_doc}
cd "$(dirname "$0")/../.." || exit 2

if ! diff -u proto/README.md <("$doc"); then
    echo "proto/README.md is not what libs/contract says; write it anew: $doc >proto/README.md"
    echo "[  FAILED  ] 1 test(s)"
    exit 1
fi
echo "[  PASSED  ] 1 test(s)."
