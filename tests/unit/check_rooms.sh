#!/bin/sh
# Every outside library has one room that may include it; prints and fails on any other.
cd "$(dirname "$0")/../.." || exit 2
bad=0
room() { # room <header> <the only folder or files that include it>
    out=$(grep -rlE "include [<\"]$1" libs services tools tests --include='*.[ch]' | grep -vE "^($2)" || true)
    [ -z "$out" ] || { echo "$1 belongs in $2, not in: $out"; bad=1; }
}
room 'jansson\.h'         'libs/runtime/json\.h'
room 'protobuf-c/'        'libs/runtime/record_pb[a-z_]*\.[ch]'
room 'reeve/v1/'          'libs/contract/subjects_[a-z]*\.c'
room 'libpq-fe\.h'        'libs/runtime/(db|record_pg)[a-z_]*\.[ch]|tests/unit/runtime/test_record_pg\.c'
room 'nats/nats\.h'       'libs/runtime/(bus|stream)[a-z_]*\.[ch]'
room 'curl/'              'libs/runtime/http_client[a-z_]*\.c'
room 'microhttpd\.h'      'libs/runtime/http_(server|guard)[a-z_]*\.[ch]'
room 'sodium\.h'          'libs/runtime/secret\.c'
room 'yaml\.h>'           'libs/runtime/yaml\.c'
room 'msgpack'            'libs/runtime/record_msgpack\.c'
room 'pcre2\.h'           'libs/cel/regex\.c'
exit $bad
