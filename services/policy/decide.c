/* Decisions: one for everything that is asked about, with its reason and what was looked at. */

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "policy.h"
#include "store/sql.h"

static bool is_id(const char *text)
{
    return text && rv_id_is(text);
}

/* What keeps a question from being decided on, or NULL. */
static const char *wrong_with(const struct policy_ask *ask)
{
    if (!is_id(ask->tenant_id) || !is_id(ask->project_id) || !is_id(ask->run_id))
        return "tenant_id, project_id and run_id are not all UUIDs";
    if (!*rv_enum_word(&subject_kind_enum, (int)ask->subject))
        return "subject is none of run, model, tool";
    if (ask->task_no < 0 || ask->call_no < 0 || ask->cost_microusd < 0)
        return "task_no, call_no or cost_microusd is below 0";
    return NULL;
}

static struct decision denied(const struct policy_ask *ask, const char *reason)
{
    return (struct decision){ .tenant_id = ask->tenant_id,
                              .subject = ask->subject,
                              .run_id = ask->run_id,
                              .task_no = ask->task_no,
                              .call_no = ask->call_no,
                              .effect = EFFECT_DENY,
                              .reason = reason };
}

static rv_result decide(struct rv_ctx *cx, const struct policy_set *set,
                        const struct policy_ask *ask, struct decision *decision)
{
    *decision = set->broken ? denied(ask, set->broken)
                            : policy_decide(cx, set->policies, set->n_policies, ask);
    decision->decision_id = rv_id_new(cx);
    return rv_json_write(cx, (struct rv_in){ &policy_facts_record, ask, 1 }, &decision->facts);
}

/* Those of @decisions that a human must agree to. */
static rv_result ask_for_some(struct rv_ctx *cx, struct policy_service *service,
                              const struct policy_ask *asks, struct decision *decisions, size_t n)
{
    struct policy_ask *open_asks = rv_new_array(cx, struct policy_ask, n);
    struct decision **open = rv_new_array(cx, struct decision *, n);
    size_t n_open = 0;

    for (size_t i = 0; i < n; i++)
        if (decisions[i].effect == EFFECT_REQUIRE_APPROVAL) {
            open_asks[n_open] = asks[i];
            open[n_open++] = &decisions[i];
        }
    return n_open ? ask_humans(cx, service, open_asks, open, n_open) : RV_OK;
}

struct tally {
    struct policy_service *service;
    int64_t counts[policy_metric_count];
};

static void count_now(struct rv_ctx *cx, void *arg)
{
    const struct tally *tally = arg;

    (void)cx;
    for (int i = 0; i < policy_metric_count; i++)
        rv_count(&tally->service->metrics[i], tally->counts[i]);
}

static void count(struct rv_ctx *cx, struct policy_service *service,
                  const struct decision *decisions, size_t n)
{
    struct tally *tally = rv_new(cx, struct tally);

    tally->service = service;
    for (size_t i = 0; i < n; i++)
        tally->counts[decisions[i].effect == EFFECT_ALLOW  ? POLICY_ALLOWED
                      : decisions[i].effect == EFFECT_DENY ? POLICY_DENIED
                                                           : POLICY_ASKED]++;
    rv_after(cx, count_now, tally);
}

/* Asks that can be decided on; the others are denied at once and leave no row. */
static size_t take_valid(const struct policy_ask *asks, struct decision *answers, size_t n,
                         struct policy_ask *valid, size_t *places)
{
    size_t n_valid = 0;

    for (size_t i = 0; i < n; i++) {
        const char *wrong = wrong_with(&asks[i]);

        if (wrong) {
            answers[i] = denied(&asks[i], wrong);
            continue;
        }
        places[n_valid] = i;
        valid[n_valid++] = asks[i];
    }
    return n_valid;
}

/*
 * A run is accepted by a commit of its own, which takes the verdict along to the disk. A call is
 * made as soon as we answer.
 */
static bool only_runs(const struct policy_ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (asks[i].subject != ABOUT_RUN)
            return false;
    return true;
}

RV_BATCH_HANDLER(on_policy_decide, struct policy_service *service, const struct policy_ask *asks,
                 struct decision *answers, size_t n)
{
    struct policy_ask *valid = rv_new_array(cx, struct policy_ask, n);
    struct decision *decisions = rv_new_array(cx, struct decision, n);
    struct policy_set **sets = rv_new_array(cx, struct policy_set *, n);
    size_t *places = rv_new_array(cx, size_t, n);
    size_t n_valid = take_valid(asks, answers, n, valid, places);

    if (n_valid == 0)
        return RV_OK;
    RV_TRY(cx, policy_sets_for(cx, service, valid, n_valid, sets));
    for (size_t i = 0; i < n_valid; i++)
        RV_TRY(cx, decide(cx, sets[i], &valid[i], &decisions[i]));
    RV_TRY(cx, ask_for_some(cx, service, valid, decisions, n_valid));
    RV_TRY(cx, rv_db_exec(cx, &SQL_DECISIONS_ADD, rv_in_many(decision, decisions, n_valid)));
    if (only_runs(valid, n_valid))
        rv_db_commit_async(cx);
    for (size_t i = 0; i < n_valid; i++)
        answers[places[i]] = decisions[i];
    count(cx, service, decisions, n_valid);
    return RV_OK;
}
