#!/usr/bin/env bash
# The command line and its supervisor, as people use them: everything is started, killed, asked
# and stopped in a folder of its own. test_reeve.sh <folder of the built programs>
set -uo pipefail
bin=$(cd "${1:?the folder of the built programs}" && pwd) || exit 2
home=$(mktemp -d /tmp/reeve-e2e.XXXXXX) || exit 2
export REEVE_DATA=$home
unset REEVE_URL REEVE_API_KEY
passed=0
failed=0

reeve() { "$bin/reeve" "$@" 2>>"$home/said"; }

finish() {
    reeve down
    [ $failed = 0 ] || { cat "$home/said"; tail -n 5 "$home"/logs/*.log; }
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT TERM

verdict() { # verdict <what> <0 or not>
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

check() { # check <what> <command…>
    local what=$1
    shift
    "$@"
    verdict "$what" $?
}

exits() { # exits <code> <what> <command…>
    local code=$1 what=$2 got
    shift 2
    "$@" >/dev/null
    got=$?
    [ $got = "$code" ]
    verdict "$what (exit $got)" $?
}

until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

process_of() { reeve ps | awk -v name="$1" '$1 == name { print $3 }'; }
health_of() { reeve ps | awk -v name="$1" '$1 == name { print $5 }'; }
is_ready() { # by hand, so that nothing but bash is needed
    local at line
    at=$(health_of "$1")
    exec 9<>"/dev/tcp/${at%:*}/${at#*:}" || return 1
    printf 'GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&9
    read -r line <&9
    exec 9>&-
    [[ $line == *" 200 "* ]]
} 2>/dev/null
came_back() { # came_back <name> <its old process>
    local now
    now=$(process_of "$1")
    [ -n "$now" ] && [ "$now" != 0 ] && [ "$now" != "$2" ] && kill -0 "$now" 2>/dev/null
}

# -- without a server
check "an expression needs no server" test "$(reeve cel eval '1 + 2')" = 3
exits 3 "what is no expression is refused" reeve cel eval '1 +'
check "with line and column" grep -q '^reeve cel eval: 1:4: ' "$home/said"
exits 1 "and what has no value fails" reeve cel eval '1 / 0'
exits 2 "half a command is misuse" reeve cel

# -- the supervisor
exits 4 "ps says that nothing runs" reeve ps
exits 0 "everything starts" reeve up --detach --port 0 --executors 2
check "the key is for its owner only" test "$(stat -c %a "$home/admin.key")" = 600
check "nine programs run" test "$(reeve ps | grep -c running)" = 9
exits 3 "a second supervisor is refused" reeve up --detach --port 0
key=$(cat "$home/admin.key")
port=$(sed -n 's/^http=//p' "$home/ports")
exits 0 "the folder's key opens its gateway" reeve run list --url "http://127.0.0.1:$port/"
exits 3 "and goes nowhere else" reeve run list --url "http://localhost:$port"

mkdir "$home/programs.new" # as on a full disk: the list of what runs cannot be written
kill -9 "$(process_of policy)"
sleep 2
check "policy comes back when nobody can be told" until_true 20 is_ready policy
check "and is started once" test "$(grep -c "^$home/programs: " "$home/logs/up.log")" = 2
rmdir "$home/programs.new"

for name in executor-1 budget policy evaluator scheduler gateway nats postgres; do
    old=$(process_of $name)
    kill -9 "$old"
    check "$name comes back after SIGKILL" until_true 20 came_back $name "$old"
done
for name in budget policy scheduler evaluator executor-1 executor-2 gateway; do
    check "$name is ready again" until_true 30 is_ready $name
done

# -- documents
cat >"$home/bad.yaml" <<'END'
kind: project
name: shop
---
kind: workflow
project: shop
name: w
spec:
  nodes:
    - { node_id: a, kind: noop, needs: [b] }
END
exits 3 "a document with a mistake is refused" reeve apply -f "$home/bad.yaml"
check "with line and column" grep -q 'bad.yaml:9:41: spec.nodes\[0\].needs\[0\]' "$home/said"
cat >"$home/good.yaml" <<'END'
kind: workflow
project: shop
name: w
spec:
  nodes:
    - { node_id: a, kind: map, map: { value: "${{ input.x }}" } }
---
kind: workflow
project: shop
name: broken
spec:
  nodes:
    - { node_id: a, kind: map, map: { value: 1, checks: [{ name: no, condition: '"a" == "b"' }] } }
---
kind: workflow
project: shop
name: waits
spec:
  nodes:
    - { node_id: a, kind: noop }
---
kind: policy
project: shop
name: ask
spec:
  rules:
    - { rule: ask, match: { subject: run, workflow: waits }, effect: require_approval }
---
kind: project
name: shop
END
check "a dry run changes nothing" test "$(reeve apply -f "$home/good.yaml" --dry-run --json | grep -o 'would be created' | wc -l)" = 5
check "nor did the file that was refused: documents are created" test "$(reeve apply -f "$home/good.yaml" --json | grep -o '"created"' | wc -l)" = 5
check "and then unchanged" test "$(reeve apply -f - --json <"$home/good.yaml" | grep -o '"unchanged"' | wc -l)" = 5
sed -i 's/input.x/input.y/' "$home/good.yaml"
check "and updated when they change" test "$(reeve apply -f "$home/good.yaml" --json | grep -o '"updated"' | wc -l)" = 1

# -- runs
exits 0 "a run runs" reeve run submit w -p shop --input '{"y":[1,"two"]}' --watch
check "its output keeps its type" test "$(reeve run submit w -p shop --input '{"y":[1,"two"]}' --wait 20s --get output)" = '[1,"two"]'
exits 5 "a run that fails says so" reeve run submit broken -p shop --watch
run=$(reeve run submit waits -p shop --get run_id)
exits 0 "a parked run can be cancelled" reeve run cancel "$run" --reason test
exits 6 "and whoever watches it hears that" reeve run watch "$run"
run=$(reeve run submit waits -p shop --get run_id)
exits 0 "an approval can be rejected" reeve approval reject "$(reeve approval list --run "$run" --get '[0].approval_id')"
exits 6 "which ends its run" reeve run watch "$run"
exits 6 "whoever watches it in JSON hears that too" reeve run watch "$run" --json
check "the journal of events has no gap" test "$(reeve run events "$run" --get '[0].run_seq')" = 1
exits 3 "an unknown workflow is refused" reeve run submit nobody -p shop
exits 3 "an unknown run is refused" reeve run get 01999999-9999-7999-8999-999999999999
exits 2 "bad input is misuse" reeve run submit w -p shop --input '{'
exits 2 "an unknown option is misuse" reeve run list --nonsense
exits 2 "an unknown command is misuse" reeve walk

# -- keys
check "a new key can be made without anybody" test "$(reeve key new | grep -c '^rv_')" = 1
check "and is another each time" test "$(reeve key new)" != "$(reeve key new)"
made=$(reeve key create reader --role viewer --get key)
REEVE_API_KEY=$made exits 0 "a new key reads" reeve run list -p shop
REEVE_API_KEY=$made exits 3 "and does not write" reeve run submit w -p shop
exits 0 "keys can be revoked" reeve key revoke "$(echo "$made" | cut -d_ -f2)"
revoked() { ! REEVE_API_KEY=$made reeve run list -p shop; }
check "and then read no more" until_true 15 revoked >/dev/null
REEVE_API_KEY=rv_nobody exits 3 "what is no key is refused" reeve run list

# -- the end
supervisor=$(cat "$home/lock")
children=$(reeve ps | awk 'NR > 1 { print $3 }')
kill -9 "$supervisor"
nobody_left() { local pid; for pid in $children; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }
check "nothing outlives a killed supervisor" until_true 30 nobody_left
exits 0 "it starts again on the same folder" reeve up --detach --port 0
check "with the same key" test "$(cat "$home/admin.key")" = "$key"
check "and knows what it knew" test "$(reeve run list -p shop --state completed --json | grep -o '"run_id"' | wc -l)" = 2
exits 0 "and stops" reeve down
exits 4 "for good" reeve ps

mkdir "$home/slow"
printf '#!/bin/sh\nexec sleep 100\n' >"$home/slow/postgres"
chmod -R a+rx "$home/slow"
set -m # else what runs in the background would not hear SIGINT
REEVE_PG_BINDIR=$home/slow "$bin/reeve" up --port 0 >>"$home/said" 2>&1 &
waiting=$!
set +m
sleep 2
check "it waits for Postgres" kill -TERM $waiting
SECONDS=0
wait $waiting
check "but not when it is told to stop" test $SECONDS -lt 15

echo "[  PASSED  ] $passed test(s)."
[ $failed = 0 ] || { echo "[  FAILED  ] $failed test(s), listed above"; exit 1; }
