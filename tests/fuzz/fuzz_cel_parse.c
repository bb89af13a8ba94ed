/* Any bytes are an expression or refused with a place and words; what is read and printed is read
 * again as the same tree. The same for templates. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cel/ast.h"
#include "cel/cel.h"

static void must(bool true_)
{
    if (!true_)
        abort();
}

typedef rv_result parse(struct rv_ctx *cx, const struct cel_source *source, struct cel_expr **out);

static void check_refusal(struct rv_ctx *cx)
{
    must(cx->error.status == RV_INVALID && cx->error.text[0] && cx->error.n_details == 1);
    rv_ctx_reset(cx);
}

static void read_and_print(struct rv_ctx *cx, parse *read, const char *text, size_t len)
{
    struct cel_source source = { text, len };
    struct rv_buf printed = { 0 }, again = { 0 };
    struct cel_expr *expr;

    if (read(cx, &source, &expr) != RV_OK) {
        check_refusal(cx);
        return;
    }
    cel_print(&printed, expr);
    read = expr->kind == EXPR_JOIN ? cel_parse_template : cel_parse;
    source = (struct cel_source){ printed.data, printed.len };
    if (read(cx, &source, &expr) == RV_OK) {
        cel_print(&again, expr);
        must(printed.len == again.len && memcmp(printed.data, again.data, again.len) == 0);
    } else {
        must(printed.len > CEL_SOURCE_MAX); /* escapes may make it longer */
    }
    rv_buf_release(&printed);
    rv_buf_release(&again);
    rv_ctx_reset(cx);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    read_and_print(&cx, cel_parse, (const char *)bytes, len);
    read_and_print(&cx, cel_parse_template, (const char *)bytes, len);
    rv_ctx_release(&cx);
    return 0;
}
