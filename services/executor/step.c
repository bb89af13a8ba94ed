#include "executor/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "runtime/failpoint.h"

enum { STEP_TIMEOUT_MS = 300000, LOOK_MS = 50 };

/* About half a second: pure steps are done where reports are told. */
enum { STEP_COST_MAX = 4 * 1000 * 1000 };

/* clang-format off */
static const struct {
    enum step_kind kind;
    step_fn *run;
    bool pure; /* bounded, and touches nothing outside */
} steps[] = {
    { STEP_NOOP,  step_noop,  true  },
    { STEP_MAP,   step_map,   true  },
    { STEP_HTTP,  step_http,  false },
    { STEP_LLM,   step_llm,   false },
    { STEP_AGENT, step_agent, false },
};

/* What a status is called when nobody has said more. */
static const struct {
    enum rv_status status;
    const char *code;
    bool retryable;
} codes[] = {
    { RV_UNPROCESSABLE, "expression_failed", false },
    { RV_TIMEOUT,       "timeout",           true  },
    { RV_UNAVAILABLE,   "unavailable",       true  },
    { RV_BUSY,          "busy",              true  },
    { RV_NOT_FOUND,     "not_found",         false },
    { RV_TOO_LARGE,     "too_large",         false },
    { RV_INVALID,       "invalid",           false },
};
/* clang-format on */

bool step_is_pure(enum step_kind kind)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].kind == kind)
            return steps[i].pure;
    return false;
}

static step_fn *find_step(enum step_kind kind)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].kind == kind)
            return steps[i].run;
    return NULL;
}

rv_result step_fails(struct rv_ctx *cx, struct work *work, const char *code, bool retryable,
                     const char *format, ...)
{
    char text[sizeof(cx->error.text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    work->code = code;
    work->retryable = retryable;
    return rv_fail(cx, RV_INTERNAL, "%s", text);
}

/* No text is null; one that cannot be read is not: the step would go on with nothing. */
static rv_result parse(struct rv_ctx *cx, struct work *work, const char *what, const char *text,
                       json_t **json)
{
    *json = json_null();
    if (!text || rv_json_parse(cx, text, strlen(text), what, json) == RV_OK)
        return RV_OK;
    return step_fails(cx, work, rv_printf(cx, "%s_unreadable", what), false, "%s",
                      rv_strdup(cx, cx->error.text));
}

static bool was_skipped(const struct task_claimed *claimed, const char *node_id)
{
    for (size_t i = 0; i < claimed->n_skipped; i++)
        if (strcmp(claimed->skipped[i], node_id) == 0)
            return true;
    return false;
}

rv_result step_facts(struct rv_ctx *cx, struct work *work)
{
    const struct task_claimed *claimed = &work->job->claimed;
    json_t *steps_json, *input, *outputs, *output;
    const char *node_id;

    if (work->expr.facts)
        return RV_OK;
    RV_TRY(cx, parse(cx, work, "input", claimed->input, &input));
    RV_TRY(cx, parse(cx, work, "outputs", claimed->outputs, &outputs));
    steps_json = json_object();
    json_object_foreach(outputs, node_id, output)
    {
        json_t *step = json_object();

        json_object_set(step, "output", output);
        json_object_set_new(step, "skipped", json_boolean(was_skipped(claimed, node_id)));
        json_object_set_new(steps_json, node_id, step);
    }
    work->expr.node_id = work->node->node_id;
    work->expr.cost_left = &work->cost_left;
    work->expr.facts =
        rv_json_own(cx, json_pack("{s:O, s:o, s:{s:s, s:s?}}", "input", input, "steps", steps_json,
                                  "run", "run_id", claimed->run_id, "name", work->plan->name));
    if (!work->expr.facts)
        return rv_fail(cx, RV_INTERNAL, "the facts of the step cannot be put together");
    return RV_OK;
}

bool step_is_over(void *arg)
{
    const struct work *work = arg;

    return job_stopped(work->job) != JOB_GOES_ON;
}

rv_result step_wait(struct rv_ctx *cx, struct work *work, int64_t ms)
{
    int64_t until_ms = rv_monotonic_ms() + ms;

    for (;;) {
        int64_t now_ms = rv_monotonic_ms();

        if (step_is_over(work))
            return rv_fail(cx, RV_TIMEOUT, "the step was stopped");
        if (cx->deadline_ms > 0 && now_ms >= cx->deadline_ms)
            return rv_fail(cx, RV_TIMEOUT, "the step took too long");
        if (now_ms >= until_ms)
            return RV_OK;
        rv_sleep_ms(until_ms - now_ms < LOOK_MS ? until_ms - now_ms : LOOK_MS);
    }
}

rv_result step_may_act(struct rv_ctx *cx, struct work *work)
{
    RV_TRY(cx, step_wait(cx, work, 0));
    while (!job_is_fresh(work->job))
        RV_TRY(cx, step_wait(cx, work, LOOK_MS));
    return RV_OK;
}

static void write_failure(struct rv_ctx *cx, const struct work *work, struct job *job,
                          enum rv_status status)
{
    const char *code = work->code ? work->code : rv_status_text(status);
    bool retryable = work->code ? work->retryable : rv_status_retry(status);

    for (size_t i = 0; !work->code && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].status == status) {
            code = codes[i].code;
            retryable = codes[i].retryable;
        }
    job_fails(job, code, retryable, cx->error.text);
    job->retry_after_ms = work->retry_after_ms;
}

static void write_outcome(struct rv_ctx *cx, const struct work *work, enum rv_status status)
{
    struct job *job = work->job;
    enum job_stop why = job_stopped(job);

    if (status == RV_OK) {
        job_completes(job, work->output);
        job->outcome = work->skipped ? OUTCOME_SKIPPED : job->outcome;
    } else if (why == JOB_CANCELLED) {
        job->outcome = OUTCOME_CANCELLED;
    } else if (why == JOB_HANDED_BACK || why == JOB_LOST) {
        job->outcome = OUTCOME_HANDED_BACK;
    } else if (work->approval_id) {
        job->outcome = OUTCOME_NEEDS_APPROVAL;
        snprintf(job->approval_id, sizeof(job->approval_id), "%s", work->approval_id);
    } else {
        write_failure(cx, work, job, status);
    }
}

/* Whether any of the steps before it leads here: it was done, and the condition of its edge holds.
 */
static rv_result is_reached(struct rv_ctx *cx, struct work *work, bool *reached)
{
    const struct node *node = work->node;

    *reached = node->n_needs == 0;
    for (size_t i = 0; i < node->n_needs && !*reached; i++)
        if (!was_skipped(&work->job->claimed, node->needs[i]))
            RV_TRY(cx, expr_holds(cx, &work->expr, rv_printf(cx, "edge from %s", node->needs[i]),
                                  node_edge_condition(node, node->needs[i]), reached));
    return RV_OK;
}

/* Whether the step is to be done at all; most say nothing about it. */
static rv_result is_wanted(struct rv_ctx *cx, struct work *work, bool *wanted)
{
    const struct node *node = work->node;

    *wanted = true;
    if (!node->condition && node->n_edges == 0 && work->job->claimed.n_skipped == 0)
        return RV_OK;
    RV_TRY(cx, step_facts(cx, work));
    RV_TRY(cx, is_reached(cx, work, wanted));
    if (*wanted)
        RV_TRY(cx, expr_holds(cx, &work->expr, "condition", node->condition, wanted));
    return RV_OK;
}

static rv_result run_step(struct rv_ctx *cx, struct work *work)
{
    step_fn *run = find_step(work->node->kind);
    bool wanted;

    RV_TRY(cx, rv_failpoint(cx, "executor.step.before"));
    RV_TRY(cx, is_wanted(cx, work, &wanted));
    work->skipped = !wanted;
    if (!wanted)
        return RV_OK;
    return run ? run(cx, work)
               : step_fails(cx, work, "unknown_step", false, "this executor is too old");
}

void step_do(struct rv_ctx *cx, struct executor *executor, struct slot *slot, struct job *job)
{
    struct work work = {
        .executor = executor,
        .job = job,
        .slot = slot,
        .plan = job->pinned->plan,
        .node = job->node,
        .cost_left = STEP_COST_MAX,
    };
    int64_t timeout_ms = work.node->timeout_ms > 0 ? work.node->timeout_ms : STEP_TIMEOUT_MS;

    cx->deadline_ms = rv_monotonic_ms() + timeout_ms;
    write_outcome(cx, &work, run_step(cx, &work));
    cx->deadline_ms = 0;
}
