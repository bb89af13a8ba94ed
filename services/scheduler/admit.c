#include "admit.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "store/sql.h"

void admission_init(struct admission *admission, struct rv_ctx *cx,
                    struct scheduler_service *service, const struct run_ask *asks,
                    struct run_answer *answers, size_t n)
{
    *admission = (struct admission){
        .cx = cx, .service = service, .asks = asks, .answers = answers, .n = n
    };
    admission->plans = rv_new_array(cx, struct known_plan, n);
    admission->open = rv_new_array(cx, size_t, n);
    admission->twins = rv_new_array(cx, size_t, n);
    admission->made = rv_new_array(cx, const struct run *, n);
    for (size_t i = 0; i < n; i++)
        answers[i] = (struct run_answer){ .run_id = asks[i].run_id };
}

static void refuse(struct admission *admission, size_t i, const char *reason)
{
    admission->answers[i].verdict = ADMIT_INVALID;
    admission->answers[i].reason = reason;
}

static bool ids_are_good(const struct run_ask *ask)
{
    const char *ids[] = { ask->tenant_id, ask->run_id, ask->project_id, ask->plan_id };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (!ids[i] || !rv_id_is(ids[i]))
            return false;
    return true;
}

rv_result admission_find_plans(struct admission *admission)
{
    struct plan_key *keys = rv_new_array(admission->cx, struct plan_key, admission->n);
    struct known_plan *known = rv_new_array(admission->cx, struct known_plan, admission->n);
    size_t n = 0;

    for (size_t i = 0; i < admission->n; i++)
        if (ids_are_good(&admission->asks[i]))
            keys[n++] =
                (struct plan_key){ admission->asks[i].tenant_id, admission->asks[i].plan_id, NULL };
        else
            refuse(admission, i, "an id is missing or not a UUID");
    RV_TRY(admission->cx,
           plan_cache_find(admission->cx, admission->service->plans, keys, n, known));
    for (size_t i = 0, k = 0; i < admission->n; i++) {
        if (admission->answers[i].verdict)
            continue;
        admission->plans[i] = known[k++];
        if (!admission->plans[i].plan)
            refuse(admission, i, "there is no such plan");
    }
    return RV_OK;
}

/* -- made before ------------------------------------------------------------------------------ */

static bool same_run(const struct run_ask *ask, const struct run *run)
{
    return rv_text_same(ask->run_id, run->run_id) && rv_text_same(ask->tenant_id, run->tenant_id);
}

static bool same_key(const struct run_ask *ask, const struct run *run)
{
    return ask->idempotency_key && rv_text_same(ask->idempotency_key, run->idempotency_key) &&
           rv_text_same(ask->tenant_id, run->tenant_id) &&
           rv_text_same(ask->project_id, run->project_id);
}

/* Says again what was said to the first of its kind. */
static void repeat(struct run_answer *answer, const struct run_ask *ask, const struct run *run)
{
    bool same_body = !ask->idempotency_key || rv_text_same(ask->request_hash, run->request_hash) ||
                     strcmp(ask->run_id, run->run_id) == 0;

    *answer = (struct run_answer){ .verdict = same_body ? ADMIT_REPEATED : ADMIT_CONFLICT,
                                   .run_id = run->run_id,
                                   .decision_id = run->decision_id,
                                   .approval_id = run->approval_id,
                                   .reason = run->error };
}

rv_result admission_find_known(struct admission *admission, bool also_by_id)
{
    struct run_ask *keyed = rv_new_array(admission->cx, struct run_ask, admission->n);
    struct rv_rows rows;
    size_t n = 0;

    for (size_t i = 0; i < admission->n; i++)
        if (!admission->answers[i].verdict && (also_by_id || admission->asks[i].idempotency_key))
            keyed[n++] = admission->asks[i];
    if (n == 0)
        return RV_OK;
    RV_TRY(admission->cx, rv_db_rows(admission->cx, &SQL_RUNS_KNOWN, rv_in_many(run_ask, keyed, n),
                                     &run_record, &rows));
    for (size_t r = 0; r < rows.n; r++)
        for (size_t i = 0; i < admission->n; i++) {
            const struct run *run = &((struct run *)rows.items)[r];

            if (admission->answers[i].verdict != ADMIT_REPEATED &&
                (same_key(&admission->asks[i], run) || same_run(&admission->asks[i], run)))
                repeat(&admission->answers[i], &admission->asks[i], run);
        }
    return RV_OK;
}

/* -- twins: two asks for one run in a batch --------------------------------------------------- */

/* An ask above in this batch that will make the run of @i too; @i when there is none. */
static size_t twin_of(const struct admission *admission, size_t i)
{
    const struct run_ask *ask = &admission->asks[i];

    for (size_t k = 0; k < admission->n_open; k++) {
        const struct run_ask *other = &admission->asks[admission->open[k]];
        const struct run first = { .tenant_id = other->tenant_id,
                                   .run_id = other->run_id,
                                   .project_id = other->project_id,
                                   .idempotency_key = other->idempotency_key };

        if (same_key(ask, &first) || same_run(ask, &first))
            return admission->open[k];
    }
    return i;
}

void admission_find_open(struct admission *admission)
{
    for (size_t i = 0; i < admission->n; i++) {
        admission->twins[i] = i;
        if (admission->answers[i].verdict)
            continue;
        admission->twins[i] = twin_of(admission, i);
        if (admission->twins[i] == i)
            admission->open[admission->n_open++] = i;
    }
}

/* Of two with one key in a batch the second is answered as it would be a moment later. */
void admission_answer_twins(struct admission *admission)
{
    for (size_t i = 0; i < admission->n; i++) {
        size_t twin = admission->twins[i];

        if (twin == i || admission->answers[i].verdict)
            continue;
        if (admission->made[twin])
            repeat(&admission->answers[i], &admission->asks[i], admission->made[twin]);
        else
            admission->answers[i] = admission->answers[twin];
    }
}
