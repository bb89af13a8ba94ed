/* From a run to a number: what a scorer looks at, as texts or as values of an expression. */

#include <string.h>

#include "evaluator.h"
#include "runtime/cel_json.h"

enum { REASON_SIZE = 400, VALUES_MAX = 10000 };

/* JSON text of the run, or null: what is no JSON (it always is) cannot be looked into. */
static rv_result parsed(struct rv_ctx *cx, const char *text, const char *what, json_t **json)
{
    if (text)
        return rv_json_parse(cx, text, strlen(text), what, json);
    *json = rv_json_own(cx, json_null());
    return RV_OK;
}

static int64_t between(int64_t from_ms, int64_t to_ms)
{
    return from_ms && to_ms > from_ms ? to_ms - from_ms : 0;
}

static json_t *about_run(const struct run *run)
{
    json_t *about = json_object();

    json_object_set_new(about, "run_id", json_string(run->run_id));
    json_object_set_new(about, "name", json_string(run->name));
    json_object_set_new(about, "state",
                        json_string(rv_enum_word(&run_state_enum, (int)run->state)));
    json_object_set_new(about, "cost_microusd", json_integer(run->cost_microusd));
    json_object_set_new(about, "tokens_in", json_integer(run->tokens_in));
    json_object_set_new(about, "tokens_out", json_integer(run->tokens_out));
    json_object_set_new(about, "tokens", json_integer(run->tokens_in + run->tokens_out));
    json_object_set_new(about, "duration_ms",
                        json_integer(between(run->started_at_ms, run->ended_at_ms)));
    json_object_set_new(about, "waited_ms",
                        json_integer(between(run->created_at_ms, run->started_at_ms)));
    return about;
}

rv_result run_facts(struct rv_ctx *cx, const struct run *run, json_t **facts)
{
    json_t *output, *input;

    RV_TRY(cx, parsed(cx, run->output, "output", &output));
    RV_TRY(cx, parsed(cx, run->input, "input", &input));
    *facts = rv_json_own(cx, json_object());
    json_object_set(*facts, "output", output);
    json_object_set(*facts, "input", input);
    json_object_set_new(*facts, "run", about_run(run));
    return RV_OK;
}

/* A text as it is; everything else as its JSON. */
static const char *text_of(struct rv_ctx *cx, const json_t *json)
{
    return json_is_string(json) ? json_string_value(json) : rv_json_text(cx, json);
}

static struct match_value value_of(struct rv_ctx *cx, const json_t *json)
{
    size_t n = json_is_array(json) ? json_array_size(json) : json && !json_is_null(json);
    const char **texts;

    if (n > VALUES_MAX)
        n = VALUES_MAX;
    texts = rv_new_array(cx, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        texts[i] = text_of(cx, json_is_array(json) ? json_array_get(json, i) : json);
    return (struct match_value){ texts, n, json_is_array(json) };
}

static rv_result score_by_path(struct rv_ctx *cx, const struct scorer *scorer, json_t *facts,
                               struct score *score)
{
    const char *path = scorer->path && *scorer->path ? scorer->path : "output";
    char *reason = rv_new_array(cx, char, REASON_SIZE);
    json_t *seen = rv_json_at(facts, path), *wanted;

    RV_TRY(cx, parsed(cx, scorer->value, "value", &wanted));
    *score =
        seen ? scorer_score(scorer, value_of(cx, seen), value_of(cx, wanted), reason, REASON_SIZE)
             : (struct score){ .reason = rv_printf(cx, "there is nothing at %s", path) };
    return RV_OK;
}

/* Its variables are the roots of the facts. */
static struct score score_by_expression(struct rv_ctx *cx, const struct scorer *scorer,
                                        const json_t *facts)
{
    const struct cel_variable *sees = expression_sees(EXPRESSION_SCORER);
    struct cel_value values[SCORER_SEES];

    for (size_t i = 0; i < SCORER_SEES; i++)
        values[i] = rv_cel_json(cx, json_object_get(facts, sees[i].name));
    return scorer_evaluate(cx, scorer, values);
}

rv_result score_run(struct rv_ctx *cx, const struct scorer *scorer, json_t *facts,
                    struct evaluation *evaluation)
{
    struct score score;

    if (scorer->kind == SCORER_EXPRESSION)
        score = score_by_expression(cx, scorer, facts);
    else
        RV_TRY(cx, score_by_path(cx, scorer, facts, &score));
    evaluation->scorer = scorer->name;
    evaluation->kind = scorer->kind;
    evaluation->weight = scorer->weight > 0 ? scorer->weight : 1;
    evaluation->score = score.score;
    evaluation->passed = score.passed;
    evaluation->reason = score.reason;
    return RV_OK;
}
