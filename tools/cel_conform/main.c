/* cel-conform: reads cases as JSON lines, answers each with a line. See ask.h. */

#include <stdio.h>
#include <stdlib.h>

#include "ask.h"

int main(void)
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
    return 0;
}
