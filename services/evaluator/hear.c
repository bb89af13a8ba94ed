/* Completed runs: heard at least once, scored once. */

#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "evaluator.h"
#include "runtime/secret.h"
#include "store/sql.h"

/* What the event tells of the plan, so that most runs need no look into Postgres. */
struct completed {
    const char *plan_id;
    int64_t scorers;
};

/* clang-format off */
static const struct rv_field completed_fields[] = {
    RV_UUID(completed, plan_id, 0),
    RV_INT(completed, scorers, 0),
};
static RV_RECORD(completed, completed_fields);
/* clang-format on */

/* One batch at work. */
struct scoring {
    struct evaluator_service *service;
    struct evaluation *evaluations;
    size_t n_evaluations;
};

static bool is_id(const char *text)
{
    return text && rv_id_is(text);
}

static void skip(struct rv_ctx *cx, struct evaluator_service *service, const char *run_id)
{
    rv_error(cx, "a run cannot be scored", RV_F("run_id", run_id),
             RV_F("why", (const char *)cx->error.text));
    rv_count(&service->metrics[EVALUATOR_SKIPPED], 1);
    cx->error = (struct rv_error){ 0 };
}

/* Whether there is anything to score; an event that cannot be read never will be. */
static bool wants_scores(struct rv_ctx *cx, struct evaluator_service *service,
                         const struct event *event)
{
    struct completed completed = { 0 };

    if (!event->data)
        return false;
    if (rv_json_read(cx, event->data, strlen(event->data), RV_JSON_LENIENT,
                     rv_out(completed, &completed)) != RV_OK) {
        skip(cx, service, event->run_id);
        return false;
    }
    return completed.scorers > 0 && is_id(event->tenant_id) && is_id(event->run_id);
}

/* The same run and scorer always have the same id: heard again, it is the same evaluation. */
static const char *evaluation_id(struct rv_ctx *cx, const struct run *run, const char *scorer)
{
    const char *text = rv_printf(cx, "%s/%s/%s", run->tenant_id, run->run_id, scorer);
    uint8_t hash[RV_HASH_BYTES];
    const char *hex;

    rv_hash256(text, strlen(text), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x80); /* UUIDv8: of our own making */
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
    hex = rv_hex(cx, hash, 16);
    return rv_printf(cx, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static struct evaluation *room_for(struct rv_ctx *cx, struct scoring *scoring, size_t more)
{
    size_t n = scoring->n_evaluations;
    struct evaluation *larger = rv_new_array(cx, struct evaluation, n + more);

    memcpy(larger, scoring->evaluations, n * sizeof(*larger));
    scoring->evaluations = larger;
    return larger + n;
}

static rv_result score(struct rv_ctx *cx, struct scoring *scoring, const struct run *run)
{
    struct plan_key key = { run->tenant_id, run->plan_id };
    struct scorer *scorers;
    struct evaluation *next;
    json_t *facts;
    size_t n;

    RV_TRY(cx, scorers_of(cx, &scoring->service->scorers, &key, &scorers, &n));
    RV_TRY(cx, run_facts(cx, run, &facts));
    next = room_for(cx, scoring, n);
    for (size_t i = 0; i < n; i++) {
        next[i] = (struct evaluation){ .tenant_id = run->tenant_id,
                                       .evaluation_id = evaluation_id(cx, run, scorers[i].name),
                                       .project_id = run->project_id,
                                       .run_id = run->run_id };
        RV_TRY(cx, score_run(cx, &scorers[i], facts, &next[i]));
    }
    scoring->n_evaluations += n;
    return RV_OK;
}

static rv_result score_all(struct rv_ctx *cx, struct scoring *scoring, const struct event *events,
                           size_t n)
{
    struct plan_key *keys;
    const struct run *runs;
    struct rv_rows rows;

    RV_TRY(cx,
           rv_db_rows(cx, &SQL_EVALUATOR_RUNS, rv_in_many(event, events, n), &run_record, &rows));
    runs = rows.items;
    keys = rv_new_array(cx, struct plan_key, rows.n);
    for (size_t i = 0; i < rows.n; i++)
        keys[i] = (struct plan_key){ runs[i].tenant_id, runs[i].plan_id };
    RV_TRY(cx, scorers_load(cx, &scoring->service->scorers, keys, rows.n));
    for (size_t i = 0; i < rows.n; i++)
        if (score(cx, scoring, &runs[i]) != RV_OK)
            skip(cx, scoring->service, runs[i].run_id);
    return RV_OK;
}

RV_BATCH_HANDLER(on_run_completed, struct evaluator_service *service, const struct event *events,
                 void *nothing, size_t n)
{
    struct event *wanted = rv_new_array(cx, struct event, n);
    struct scoring scoring = { .service = service };
    size_t n_wanted = 0;

    for (size_t i = 0; i < n; i++)
        if (wants_scores(cx, service, &events[i]))
            wanted[n_wanted++] = events[i];
    if (n_wanted == 0)
        return RV_OK;
    scoring.evaluations = rv_new_array(cx, struct evaluation, 1);
    RV_TRY(cx, score_all(cx, &scoring, wanted, n_wanted));
    if (scoring.n_evaluations == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_exec(cx, &SQL_EVALUATIONS_ADD,
                          rv_in_many(evaluation, scoring.evaluations, scoring.n_evaluations)));
    return tell_scored(cx, service, scoring.evaluations, scoring.n_evaluations);
}
