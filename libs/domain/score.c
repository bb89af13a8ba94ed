#include "domain/score.h"

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
