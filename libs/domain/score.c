#include "domain/score.h"

#include <math.h>
#include <stdio.h>

RV_ENUM_DEFINE(scorer_kind, SCORER_KINDS)

/* clang-format off */
static const struct rv_field scorer_fields[] = {
    RV_TEXT(scorer, name, RV_REQUIRED),
    RV_ENUM(scorer, kind, scorer_kind, RV_REQUIRED),
    RV_TEXT(scorer, path, RV_UNSET),
    RV_JSON(scorer, value, RV_UNSET),
    RV_TEXT(scorer, min, RV_UNSET),
    RV_TEXT(scorer, max, RV_UNSET),
    RV_DOUBLE(scorer, weight, RV_UNSET),
    RV_TEXT(scorer, expression, RV_UNSET),
};
RV_RECORD(scorer, scorer_fields);

static const struct rv_field evaluation_fields[] = {
    RV_UUID(evaluation, tenant_id, 0),
    RV_UUID(evaluation, evaluation_id, 0),
    RV_UUID(evaluation, project_id, 0),
    RV_UUID(evaluation, run_id, 0),
    RV_TEXT(evaluation, scorer, 0),
    RV_ENUM(evaluation, kind, scorer_kind, 0),
    RV_DOUBLE(evaluation, score, 0),
    RV_DOUBLE(evaluation, weight, 0),
    RV_BOOL(evaluation, passed, 0),
    RV_TEXT(evaluation, reason, 0),
    RV_INT(evaluation, created_at_ms, 0),
};
RV_RECORD(evaluation, evaluation_fields);
/* clang-format on */

static bool within_bounds(const struct scorer *scorer, struct match_value seen, char *why,
                          size_t why_size)
{
    struct match_value min = { &scorer->min, scorer->min != NULL, false };
    struct match_value max = { &scorer->max, scorer->max != NULL, false };

    if (!scorer->min && !scorer->max) {
        snprintf(why, why_size, "there is no bound to keep");
        return false;
    }
    return (!scorer->min || match_holds(MATCH_AT_LEAST, seen, min, why, why_size)) &&
           (!scorer->max || match_holds(MATCH_AT_MOST, seen, max, why, why_size));
}

/* Of a list, a regex must match every element's text: the first alone would hide the others. */
static bool scorer_passes(const struct scorer *scorer, struct match_value seen,
                          struct match_value wanted, char *why, size_t why_size)
{
    if (scorer->kind == SCORER_BOUNDS)
        return within_bounds(scorer, seen, why, why_size);
    if (scorer->kind == SCORER_EQUALS)
        return match_holds(MATCH_EQUALS, seen, wanted, why, why_size);
    if (wanted.n == 0 || (scorer->kind == SCORER_CONTAINS && !*wanted.texts[0])) {
        snprintf(why, why_size, "there is nothing to compare with");
        return false;
    }
    if (scorer->kind == SCORER_CONTAINS)
        return match_holds(MATCH_CONTAINS, seen, wanted, why, why_size);
    for (size_t i = 0; i < seen.n; i++)
        if (!match_holds(MATCH_REGEX, (struct match_value){ &seen.texts[i], 1, false }, wanted, why,
                         why_size))
            return false;
    if (seen.n == 0)
        snprintf(why, why_size, "there is nothing to look at");
    return seen.n > 0;
}

struct score scorer_score(const struct scorer *scorer, struct match_value seen,
                          struct match_value wanted, char *reason, size_t reason_size)
{
    bool passed;

    reason[0] = '\0';
    passed = scorer_passes(scorer, seen, wanted, reason, reason_size);
    if (passed)
        snprintf(reason, reason_size, "holds");
    return (struct score){ .score = passed ? 1 : 0, .passed = passed, .reason = reason };
}

static struct score number_score(struct rv_ctx *cx, double number)
{
    if (isnan(number)) /* has a sign when printed, here and there */
        return (struct score){ .reason = "gives NaN, not from 0 to 1" };
    if (number < 0 || number > 1)
        return (struct score){ .reason = rv_printf(cx, "gives %g, not from 0 to 1", number) };
    return (struct score){ .score = number,
                           .passed = number >= SCORE_PASSES,
                           .reason = rv_printf(cx, "gives %g", number) };
}

static struct score value_score(struct rv_ctx *cx, const struct cel_program *program,
                                struct cel_value value)
{
    switch (value.kind) {
    case CEL_BOOL:
        return (struct score){ .score = value.truth ? 1 : 0,
                               .passed = value.truth,
                               .reason = value.truth ? "holds" : "does not hold" };
    case CEL_INT:
        return number_score(cx, (double)value.whole);
    case CEL_UINT:
        return number_score(cx, (double)value.natural);
    case CEL_DOUBLE:
        return number_score(cx, value.number);
    case CEL_ERROR:
        return (struct score){ .reason = cel_error_text(cx, program, value) };
    default:
        return (struct score){ .reason = rv_printf(cx, "gives %s where bool or a number is wanted",
                                                   cel_kind_name(value.kind)) };
    }
}

struct score scorer_evaluate(struct rv_ctx *cx, const struct scorer *scorer,
                             const struct cel_value sees[SCORER_SEES])
{
    const char *text = scorer->expression ? scorer->expression : "";
    const struct cel_program *program;
    struct rv_error kept = cx->error;
    struct score score;

    if (expression_compile(cx, EXPRESSION_SCORER, EXPRESSION_SCORE, text, &program) == RV_OK)
        return value_score(cx, program, cel_eval(cx, program, sees));
    score = (struct score){ .reason = rv_strdup(cx, cx->error.text) };
    cx->error = kept;
    return score;
}
