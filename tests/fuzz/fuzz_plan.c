/* Any bytes are a workflow or refused with every path; what is found right has an order in which
 * every step comes after what it needs, and stays right when it is written and read again. */

#include <stdlib.h>
#include <string.h>

#include "domain/plan.h"
#include "runtime/codec.h"

static void must(bool true_)
{
    if (!true_)
        abort();
}

static rv_result read_checked(struct rv_ctx *cx, const char *text, size_t len,
                              struct workflow_spec *spec)
{
    RV_TRY(cx, rv_json_read(cx, text, len, RV_JSON_CLIENT, rv_out(workflow_spec, spec)));
    workflow_check(cx, spec);
    return rv_refuse(cx);
}

static void look_at_order(struct rv_ctx *cx, const struct workflow_spec *spec)
{
    struct dag *dag = dag_new(cx, spec->nodes, spec->n_nodes);
    const struct dag_order *order;

    must(dag && dag->n == spec->n_nodes && dag->n_roots > 0 && dag->n_ends > 0);
    must(!dag_cycle(cx, dag, spec->nodes));
    order = dag_order_new(cx, dag);
    for (size_t i = 0; i < dag->n; i++) {
        must(!dag_precedes(order, (int64_t)i, (int64_t)i));
        for (size_t a = 0; a < dag->nodes[i].n_after; a++) {
            int64_t after = dag->nodes[i].after[a];

            must(dag_precedes(order, (int64_t)i, after) && !dag_precedes(order, after, (int64_t)i));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct workflow_spec spec, again;
    const char *text;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    if (read_checked(&cx, (const char *)bytes, len, &spec) == RV_OK) {
        look_at_order(&cx, &spec);
        must(rv_json_write(&cx, rv_in(workflow_spec, &spec), &text) == RV_OK);
        must(read_checked(&cx, text, strlen(text), &again) == RV_OK);
    } else {
        must(cx.error.status == RV_INVALID && cx.error.n_details > 0 && cx.error.text[0]);
        for (unsigned i = 0; i < cx.error.n_details; i++)
            must(cx.error.details[i].path && cx.error.details[i].message[0]);
    }
    rv_ctx_release(&cx);
    return 0;
}
