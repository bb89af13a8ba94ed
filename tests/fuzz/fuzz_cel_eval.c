/* An expression gives the same whether its constants were worked out before or not, and whether it
 * was checked or not; it never spends more than it may, nor takes memory that it does not pay. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cel/cel.h"

enum { COST_MAX = 20000, BYTES_MAX = 64 * 1024 * 1024 };

static void must(bool true_)
{
    if (!true_)
        abort();
}

static const struct cel_variable variables[] = { { "a", NULL }, { "b", NULL }, { 0 } };
static const char spent[] = "the expression costs more than it may";

/* The value as JSON; NULL when it is refused, or spends what it may, or is too large. */
static const char *shown(struct rv_ctx *cx, const char *text, size_t len, bool unfolded,
                         bool unchecked)
{
    struct cel_env env = {
        .variables = variables, .cost_max = COST_MAX, .unfolded = unfolded, .unchecked = unchecked
    };
    struct cel_value values[] = { cel_int(3), cel_text("text") }, value;
    const struct cel_program *program;
    int64_t cost;
    auto_buf json = { 0 };

    if (cel_compile(cx, &env, text, len, &program) != RV_OK)
        return NULL;
    value = cel_eval_cost(cx, program, values, &cost);
    must(cost <= COST_MAX);
    must(rv_arena_bytes(cx->arena) < BYTES_MAX);
    if (value.kind == CEL_ERROR)
        return strcmp(value.error->text, spent) == 0 ? NULL : "error";
    return cel_json(cx, value, 10000, &json) ? rv_strndup(cx, json.data, json.len) : NULL;
}

static void must_agree(const char *one, const char *other)
{
    must(!one || !other || strcmp(one, other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *text = (const char *)bytes, *folded, *unfolded;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    folded = shown(&cx, text, len, false, false);
    unfolded = shown(&cx, text, len, true, false);
    must_agree(folded, unfolded);
    must_agree(folded, shown(&cx, text, len, false, true));
    rv_ctx_release(&cx);
    return 0;
}
