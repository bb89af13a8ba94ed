#!/usr/bin/env bash
# Holds the README's settings to what the services say of themselves (--help), and the README's
# commands to what `reeve help` lists. `test_readme.sh <bin> --write` writes the settings anew.
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
        echo "README.md: $2"
    fi
}

# What a service says, as "NAME|default|what".
settings_of() {
    "$bin/reeve-$1" --help | sed -nE 's/^  (REEVE_[A-Z0-9_]+) +([^ ]+) +(.*)$/\1|\2|\3/p'
}

common() {
    local service first=1 all
    for service in $services; do
        if [ $first = 1 ]; then
            all=$(settings_of "$service" | sort)
            first=0
        else
            all=$(comm -12 <(echo "$all") <(settings_of "$service" | sort))
        fi
    done
    settings_of gateway | grep -xF -f <(echo "$all")
}

own() { settings_of "$1" | grep -vxF -f <(common); }

rows() {
    awk -F'|' '{ doc = $3; for (i = 4; i <= NF; i++) doc = doc "\\|" $i
                 shown = $2 == "\"\"" ? "" : "`" $2 "`"
                 printf "| `%s` | %s | %s |\n", $1, shown, doc }'
}

table() {
    local service
    printf '| every service | default | |\n|---|---|---|\n'
    common | rows
    for service in $services; do
        [ -n "$(own "$service")" ] || continue
        printf '\n| %s | default | |\n|---|---|---|\n' "$service"
        own "$service" | rows
    done
}

between() { awk '/^<!-- settings -->$/ { on = 1; next } /^<!-- \/settings -->$/ { on = 0 } on' README.md; }

write() {
    local fresh
    fresh=$(mktemp)
    table >"$fresh"
    awk -v fresh="$fresh" '
        /^<!-- settings -->$/ { print; while ((getline line < fresh) > 0) print line; off = 1; next }
        /^<!-- \/settings -->$/ { off = 0 }
        !off' README.md >"$fresh.readme"
    cat "$fresh.readme" >README.md
    rm -f "$fresh" "$fresh.readme"
}

if [ "${2:-}" = --write ]; then
    write
    exit
fi

for service in $services; do
    [ -n "$(settings_of "$service")" ]
    verdict $? "reeve-$service --help lists no settings"
done
difference=$(diff <(between) <(table))
verdict $? "the settings are not those of --help (tests/contract/test_readme.sh $bin --write mends it):
$difference"

# Every command in the README's code is one that there is, and every one there is is in the README.
commands=$("$bin/reeve" help | sed -nE 's/^  ([a-z]+( [a-z]+)?) .*/\1/p' | sed -E 's/ +$//')
while read -r command; do
    grep -qE "\`?reeve $command" README.md
    verdict $? "says nothing of \"reeve $command\""
done <<<"$commands"

while read -r file; do
    [ -e "$file" ]
    verdict $? "speaks of $file, which is not there"
done < <(grep -oE '\]\([a-zA-Z][a-zA-Z0-9_./-]*\)' README.md | tr -d '()]' | grep -v '^http')

echo "[  PASSED  ] $passed test(s)."
[ $failed = 0 ] || { echo "[  FAILED  ] $failed test(s), listed above"; exit 1; }
