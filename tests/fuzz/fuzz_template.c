/* Templates of any text: the pieces are the whole in order, and nothing is looked at behind it. */

#define _GNU_SOURCE /* memmem */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/template.h"

struct walk {
    const char *text, *at, *end;
    size_t pieces, expressions;
};

/* The same bytes without a terminator, so that a step too far is seen. */
static void look_into(const struct template_part *part)
{
    char *alone = malloc(part->len ? part->len : 1);
    const char *node_id = NULL;
    size_t len = 0;

    memcpy(alone, part->text, part->len);
    template_path_ok(alone, part->len);
    if (template_step(alone, part->len, &node_id, &len) &&
        (len == 0 || node_id < alone || node_id + len > alone + part->len))
        abort();
    free(alone);
}

static bool visit(void *arg, const struct template_part *part)
{
    struct walk *walk = arg;

    if (part->text < walk->at || part->text + part->len > walk->end)
        abort();
    if (!part->expression && (part->len == 0 || memmem(part->text, part->len, "${{", 3)))
        abort();
    walk->at = part->text + part->len;
    walk->pieces++;
    walk->expressions += part->expression;
    if (part->expression)
        look_into(part);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1);
    struct template_part one;
    struct walk walk;
    bool whole;

    memcpy(text, bytes, len);
    text[len] = '\0';
    walk = (struct walk){ text, text, text + strlen(text), 0, 0 };
    whole = template_each(text, visit, &walk);
    if (template_is_one(text, &one) && (!whole || walk.pieces != 1 || walk.expressions != 1))
        abort();
    if (whole && walk.expressions == 0 && strstr(text, "${{"))
        abort();
    free(text);
    return 0;
}
