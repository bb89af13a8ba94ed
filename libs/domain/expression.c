#include "domain/expression.h"

#include <pthread.h>
#include <string.h>

#include "domain/policy.h"

RV_ENUM_DEFINE(expression_place, EXPRESSION_PLACES)

static const struct cel_type a_text = { .kind = CEL_T_STRING }, a_number = { .kind = CEL_T_INT },
                             truth = { .kind = CEL_T_BOOL }, anything = { .kind = CEL_T_DYN };
static const struct cel_type texts = { .kind = CEL_T_LIST, .params = { &a_text } };
static const struct cel_type by_name = { .kind = CEL_T_MAP, .params = { &a_text, &anything } };

/* clang-format off */
static const struct cel_variable step_sees[] = {
    [STEP_SEES_INPUT] = { "input", &anything },
    [STEP_SEES_STEPS] = { "steps", &by_name },
    [STEP_SEES_RUN]   = { "run",   &by_name },
    { 0 },
};
static const struct cel_variable rule_sees[] = {
    { "subject",       &a_text },
    { "project",       &a_text },
    { "workflow",      &a_text },
    { "agents",        &texts },
    { "tools",         &texts },
    { "models",        &texts },
    { "tool_effect",   &a_text },
    { "cost_microusd", &a_number },
    { 0 },
};
static const struct cel_variable scorer_sees[] = {
    [SCORER_SEES_OUTPUT] = { "output", &anything },
    [SCORER_SEES_INPUT]  = { "input",  &anything },
    [SCORER_SEES_RUN]    = { "run",    &by_name },
    { 0 },
};

static const struct {
    const struct cel_variable *sees;
    int64_t cost_max;
} places[] = {
    [EXPRESSION_STEP]   = { step_sees,   CEL_COST_MAX },
    [EXPRESSION_RULE]   = { rule_sees,   RULE_COST_MAX },
    [EXPRESSION_SCORER] = { scorer_sees, SCORER_COST_MAX },
};
/* clang-format on */

_Static_assert(sizeof(rule_sees) / sizeof(rule_sees[0]) == RULE_SEES + 1,
               "a rule sees as many things as it says");

/* A score is a bool or a number; no one type of the checker says that. */
static bool may_score(const struct cel_type *type)
{
    return type->kind == CEL_T_DYN || type->kind == CEL_T_BOOL || type->kind == CEL_T_INT ||
           type->kind == CEL_T_UINT || type->kind == CEL_T_DOUBLE;
}

static struct rv_zones *zones;

static void make_zones(void)
{
    zones = rv_zones_new(NULL);
}

/* Those of the machine, for as long as the process lives: a zone is read when it is first named. */
static struct rv_zones *all_zones(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_zones);
    return zones;
}

rv_result expression_compile(struct rv_ctx *cx, enum expression_place place,
                             enum expression_kind kind, const char *text,
                             const struct cel_program **program)
{
    struct cel_env *env = rv_new(cx, struct cel_env); /* lives as long as the program */

    *env = (struct cel_env){ .variables = places[place].sees,
                             .functions = expression_functions,
                             .zones = all_zones(),
                             .strict = true,
                             .cost_max = places[place].cost_max,
                             .result = kind == EXPRESSION_CONDITION ? &truth : NULL };
    if (kind == EXPRESSION_TEMPLATE)
        return cel_compile_template(cx, env, text, strlen(text), program);
    RV_TRY(cx, cel_compile(cx, env, text, strlen(text), program));
    if (kind == EXPRESSION_SCORE && !may_score(cel_result_type(*program)))
        return rv_fail(cx, RV_INVALID,
                       "1:1: the expression gives %s where bool or a number is wanted",
                       cel_type_text(cx, cel_result_type(*program)));
    return RV_OK;
}

void expression_check(struct rv_ctx *cx, enum expression_place place, enum expression_kind kind,
                      const char *path, const char *text)
{
    const struct cel_program *program;
    struct rv_ctx scratch;

    rv_ctx_init(&scratch);
    if (text && expression_compile(&scratch, place, kind, text, &program) != RV_OK)
        rv_wrong(cx, path, "%s", scratch.error.text);
    rv_ctx_release(&scratch);
}

void expression_rule_values(struct rv_ctx *cx, const void *ask, struct cel_value values[RULE_SEES])
{
    for (size_t i = 0; i < RULE_SEES; i++) {
        values[i] =
            cel_record_field(cx, rv_record_field(&policy_ask_record, rule_sees[i].name), ask);
        if (values[i].kind == CEL_NULL)
            values[i] = cel_string("", 0);
    }
}

const struct cel_variable *expression_sees(enum expression_place place)
{
    return places[place].sees;
}
