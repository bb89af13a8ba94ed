/* Any bytes as JSON: what is found in it is a template, and nothing is looked at behind its end. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/template.h"

static void look(void *arg, const char *text)
{
    *(size_t *)arg += strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1);
    struct rv_ctx cx;
    size_t found = 0;

    memcpy(text, bytes, len);
    text[len] = '\0';
    rv_ctx_init(&cx);
    template_each_in_json(&cx, text, look, &found);
    if (found > strlen(text))
        abort(); /* an escape is never shorter than what it stands for */
    rv_ctx_release(&cx);
    free(text);
    return 0;
}
