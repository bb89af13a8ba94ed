/* cel-conform: reads cases as JSON lines, answers each with a line. ask.h says all keys. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

static const char help[] =
    "cel-conform < cases.jsonl: answers each line, a JSON object, with a line\n"
    "  {\"name\", \"expr\"}         what to call it, and what to evaluate\n"
    "  container               \"a.b\": where names are looked up first\n"
    "  disable_check           true: types are found when it runs\n"
    "  check_only              true: answers the type, runs nothing\n"
    "  template                true: expr is a text with ${{ expressions }}\n"
    "  type_env                [{\"name\", \"type\"}], or with \"ident\" around the type, or\n"
    "                          \"function\": {\"overloads\": [{\"params\", \"result\", "
    "\"instance\"}]}\n"
    "  bindings                {name: value}, in the JSON form of cel.expr.Value\n"
    "A type is the JSON form of cel.expr.Type, or text: \"map(string, int)\". Answers:\n"
    "  {\"name\", \"value\", \"type\"}, {\"name\", \"error\"} or {\"name\", \"unsupported\"}\n";

static void answer_all(void)
{
    struct rv_zones *zones = rv_zones_new(NULL);
    char *line = NULL;
    size_t room = 0;
    struct rv_ctx cx;
    ssize_t len;

    rv_ctx_init(&cx);
    while ((len = getline(&line, &room, stdin)) > 0) {
        json_t *ask = json_loadb(line, (size_t)len, JSON_ALLOW_NUL, NULL);
        json_t *answer = json_is_object(ask) ? ask_answer(&cx, zones, ask)
                                             : json_pack("{s:s}", "error", "no JSON object");

        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(answer);
        json_decref(ask);
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    rv_zones_free(zones);
    free(line);
}

int main(int argc, char **argv)
{
    bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;

    if (argc > 1) {
        fputs(help, asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    answer_all();
    return 0;
}
