#!/usr/bin/env bash
# Holds compose/ and k8s/ to the programs: every REEVE_ name in them is a setting of a service, a
# stream, or a variable of the CLI, and the ConfigMap's values are ones that every service can read.
set -uo pipefail
bin=${1:?the folder of the built programs}
cd "$(dirname "$0")/../.." || exit 2
services="gateway scheduler policy budget evaluator executor"
passed=0
failed=0

verdict() { # verdict <0 or not> <what>
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$2"
    fi
}

names() { grep -ohE '\bREEVE_[A-Z][A-Z0-9_]*' "$@" | sort -u; }

settings=$(for service in $services; do "$bin/reeve-$service" --help; done | names)
[ -n "$settings" ]
verdict $? "the services say no settings"
streams=$("$bin/subjects_doc" | names)
commands=$(names tools/reeve/*.c)

# The demo's script has variables of its own.
mapfile -t files < <(find compose k8s -type f ! -name '*.sh' ! -path '*/demo/texts/*')
while read -r name; do
    grep -qxF -e "$name" <<<"$settings
$streams
$commands"
    verdict $? "$name is no setting, in $(grep -lw "$name" "${files[@]}" | tr '\n' ' ')"
done < <(names "${files[@]}")

mapfile -t values < <(sed -nE 's/^  (REEVE_[A-Z0-9_]+): *"?([^"]*)"?$/\1=\2/p' k8s/base/configmap.yaml)
for service in $services; do
    words=$(env -i "${values[@]}" "$bin/reeve-$service" --print-config 2>&1)
    verdict $? "reeve-$service cannot read k8s/base/configmap.yaml: $words"
    grep -qx "REEVE_HEALTH_LISTEN=0.0.0.0:9000" <<<"$words"
    verdict $? "reeve-$service has another health port than the manifests: $words"
done

echo "[  PASSED  ] $passed test(s)."
[ $failed = 0 ] || { echo "[  FAILED  ] $failed test(s), listed above"; exit 1; }
