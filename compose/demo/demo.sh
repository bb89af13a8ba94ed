#!/usr/bin/env bash
# The demo: a governed, durable agent run from end to end, then what happens when policy, budget,
# a human or a crash steps in. Everything lives in one folder under /tmp and on loopback, and is
# gone afterwards (REEVE_DEMO_KEEP=1 keeps it). Ends with 0 only if everything was seen.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
reeve=${REEVE:-$here/../../build/bin/reeve}
[ -x "$reeve" ] || { echo "$reeve is not there: tools/dev build makes it" >&2; exit 2; }

home=$(mktemp -d /tmp/reeve-demo.XXXXXX) || exit 2
export REEVE_DATA=$home
unset REEVE_URL REEVE_API_KEY # only this demo's own
missed=0
files_pid=

finish() {
    [ -z "$files_pid" ] || kill "$files_pid" 2>/dev/null
    "$reeve" down 2>/dev/null
    if [ -n "${REEVE_DEMO_KEEP:-}" ]; then echo "kept: $home"; else rm -rf "$home"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

title() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
seen() { printf '   seen: %s\n' "$*"; }
not_seen() { printf '   NOT SEEN: %s\n' "$*"; missed=$((missed + 1)); }

# expect <what> <command…>: what must be true
expect() {
    local what=$1
    shift
    if "$@"; then seen "$what"; else not_seen "$what"; fi
}

# until_true <seconds> <command…>
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

same() { [ "$1" = "$2" ]; }
above() { [ "$1" -gt "$2" ] 2>/dev/null; }
state_of() { "$reeve" run get "$1" --get state; }
is_state() { same "$(state_of "$1")" "$2"; }
money() { "$reeve" budget show demo -p demo --get "$1"; }
model_calls() { "$reeve" run steps "$1" --json | grep -o '"kind":"llm"' | wc -l; }

title "Starting Postgres, nats-server and the six services in $home"
coproc FILES { exec "$reeve" files "$here/texts" --listen 127.0.0.1:0; }
files_pid=${FILES_PID:?}
read -r files <&"${FILES[0]}" || { echo "the file server does not start" >&2; exit 1; }
export REEVE_HTTP_ALLOW=${files#http://}
export REEVE_LEASE=${REEVE_LEASE:-3s}
"$reeve" up --detach --port 0 || exit 1
echo "   model: ${REEVE_LLM_BASE_URL:-sim, the built-in one}; texts at $files"

title "What is to run: compose/demo/brief.yaml and stories.yaml"
"$reeve" apply -f "$here/brief.yaml" || exit 1
"$reeve" apply -f "$here/stories.yaml" || exit 1
expect "applying the same again changes nothing" \
    same "$("$reeve" apply -f "$here/brief.yaml" --json | grep -o unchanged | wc -l)" 7

title "The budget before"
"$reeve" budget show -p demo
spent_before=$(money spent_microusd)

title "The main job: read a text, let an agent write a brief, check it twice, join"
input=$(printf '{"files":"%s","name":"voyager.txt","question":"Which volcanoes, rings, winds and storms did the Voyager probes see at the planets?"}' "$files")
run=$("$reeve" run submit brief -p demo --input "$input" --key "demo-$$" --get run_id) || exit 1
"$reeve" run watch "$run"
expect "the run completed" is_state "$run" completed
expect "the same idempotency key makes no second run" \
    same "$("$reeve" run submit brief -p demo --input "$input" --key "demo-$$" --get run_id)" "$run"

title "The brief"
"$reeve" run get "$run" --get output.brief
"$reeve" run get "$run" --get output.quotes
expect "every quote was found in the text" same "$("$reeve" run get "$run" --get output.checked)" true

title "What each step did: how long it waited and ran, what it cost"
"$reeve" run tasks "$run"
title "Its journal: every model call and every tool call"
"$reeve" run steps "$run"
expect "the agent called a model and tools" above "$(model_calls "$run")" 1
title "What policy said"
"$reeve" run decision "$run"
expect "a policy decision stands before the run" \
    same "$("$reeve" run decision "$run" --get effect)" allow

title "The budget after"
"$reeve" budget show -p demo
cost=$("$reeve" run get "$run" --get cost_microusd)
settled() { same "$(money held_microusd)" 0; }
expect "nothing is held any more" until_true 20 settled
expect "what was spent is what the run cost: $cost micro-dollars" \
    same "$(($(money spent_microusd) - spent_before))" "$cost"

title "What the evaluator says"
scored() { same "$("$reeve" run scores "$run" --json | grep -o '"passed":true' | wc -l)" 4; }
expect "four scorers, all passed" until_true 20 scored
"$reeve" run scores "$run"

title "A run that policy denies"
"$reeve" run submit forbidden-cleanup -p demo
expect "it was refused (exit code 3)" same $? 3

title "A run that wants more than the budget has left"
"$reeve" run submit brief -p demo --input "$input" --limits '{"cost_microusd":5000000}'
expect "it was refused (exit code 3)" same $? 3
expect "and spent nothing" same "$(($(money spent_microusd) - spent_before))" "$cost"

title "A run that waits for a human"
careful=$("$reeve" run submit careful-note -p demo --input '{"note":"all is well"}' --get run_id)
parked() { same "$("$reeve" run get "$careful" --get phase)" awaiting_approval; }
expect "it is parked" until_true 10 parked
"$reeve" approval list -p demo
approval=$("$reeve" approval list --run "$careful" --get '[0].approval_id')
"$reeve" approval approve "$approval" --reason "looks fine"
expect "approved, it ran to its end" until_true 20 is_state "$careful" completed

title "An executor killed with SIGKILL in the middle of an agent's run"
slow=$("$reeve" run submit slow-brief -p demo --input "$input" --get run_id)
"$reeve" run watch "$slow" &
watcher=$!
recorded() { above "$(model_calls "$slow")" 0; }
expect "its first model call is recorded, the slow tool is at work" until_true 30 recorded
victim=$("$reeve" ps | awk '$1 == "executor-1" { print $3 }')
before=$(model_calls "$slow")
echo "   kill -9 $victim   ($before model call recorded so far)"
kill -9 "$victim"
expect "the run finished after all" until_true 60 is_state "$slow" completed
wait "$watcher"
"$reeve" run tasks "$slow"
"$reeve" run steps "$slow"
expect "it took a second attempt" above "$("$reeve" run tasks "$slow" --get '[0].attempt')" 1
generations=$("$reeve" run events "$slow" --json | grep -o '"llm.generation_finished"' | wc -l)
paid=$("$reeve" run budget "$slow" --json | grep -o '"provider"' | wc -l)
expect "as many generations as journal entries, none made twice: $generations" \
    same "$generations" "$(model_calls "$slow")"
expect "each of them was paid once" same "$paid" "$(model_calls "$slow")"
back() { "$reeve" ps | awk -v dead="$victim" '$1 == "executor-1" && $3 != dead' | grep -q running; }
expect "the executor runs again" until_true 20 back

if [ $missed -gt 0 ]; then
    title "$missed things were not seen; the logs:"
    tail -n 5 "$home"/logs/*.log
    exit 1
fi
title "All of it was seen"
