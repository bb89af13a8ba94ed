/* Any expression over variables of all types has a type or is refused with a place and words; what
 * it gives is then of that type, and what it costs is not more than its facts tell. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cel/cel.h"

enum { VARIABLES = 8, WEIGHT_MAX = 1000 };

static void must(bool true_)
{
    if (!true_)
        abort();
}

static const char *const types[VARIABLES] = {
    "int",    "string", "list(int)", "map(string, list(int))", "optional_type(int)",
    "double", "bool",   "dyn",
};
static const char *const names[VARIABLES + 1] = { "i", "s", "l", "m", "o", "d", "b", "x", NULL };

static void fill(struct rv_ctx *cx, struct cel_value values[VARIABLES])
{
    static const struct cel_value items[] = { { .kind = CEL_INT, .whole = 1 },
                                              { .kind = CEL_INT, .whole = -7 } };
    struct cel_pair *pair = rv_new(cx, struct cel_pair);
    struct cel_value again, list = cel_list_of(cx, items, 2);

    *pair = (struct cel_pair){ cel_text("k"), list };
    values[0] = cel_int(42);
    values[1] = cel_text("a text");
    values[2] = list;
    values[3] = cel_map_of(cx, pair, 1, &again);
    values[4] = cel_optional(cx, cel_int(5));
    values[5] = cel_double(2.5);
    values[6] = cel_bool(true);
    values[7] = cel_uint(3);
}

static bool fits(const struct cel_type *type, struct cel_value value)
{
    if (type->kind == CEL_T_WRAPPER)
        return value.kind == CEL_NULL || fits(type->params[0], value);
    return type->kind == CEL_T_DYN || value.kind == CEL_NULL ||
           type->kind == cel_type_of(value)->kind;
}

static void evaluate(struct rv_ctx *cx, const struct cel_program *program)
{
    struct cel_value values[VARIABLES], value;
    struct cel_facts facts;
    int64_t cost;

    fill(cx, values);
    value = cel_eval_cost(cx, program, values, &cost);
    must(value.kind == CEL_ERROR ? value.error->text[0] != '\0'
                                 : fits(cel_result_type(program), value));
    cel_facts(cx, program, WEIGHT_MAX, &facts);
    must(cost <= facts.cost_most);
    must(facts.truth.kind != CEL_BOOL || value.kind == CEL_ERROR ||
         facts.truth.truth == value.truth);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct cel_variable variables[VARIABLES + 1] = { 0 };
    struct cel_env env = { .variables = variables, .cost_max = 50000 };
    const struct cel_program *program;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    for (size_t i = 0; i < VARIABLES; i++)
        variables[i] = (struct cel_variable){ names[i], cel_type_parse(&cx, types[i]) };
    if (cel_compile(&cx, &env, (const char *)bytes, len, &program) == RV_OK)
        evaluate(&cx, program);
    else
        must(cx.error.status == RV_INVALID && cx.error.text[0] && cx.error.n_details == 1);
    rv_ctx_release(&cx);
    return 0;
}
