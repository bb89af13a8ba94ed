/* Approvals: one answer each, by whoever may give it, within its time. */

#include "base/log.h"
#include "contract/subjects.h"
#include "domain/work.h"
#include "policy.h"
#include "store/sql.h"

struct news {
    struct policy_service *service;
    const struct approval_ref *refs;
    size_t n;
};

/* Nothing depends on it: the scheduler looks for decided approvals by itself too. */
static void tell_now(struct rv_ctx *cx, void *arg)
{
    const struct news *news = arg;

    if (rv_bus_tell(cx, news->service->bus, &SUBJ_APPROVAL_DECIDED, news->refs, news->n) != RV_OK)
        rv_log_failure(cx, "news was not told", SUBJ_APPROVAL_DECIDED.name);
    cx->error = (struct rv_error){ 0 };
}

void tell_decided(struct rv_ctx *cx, struct policy_service *service, const void *refs, size_t n)
{
    struct news *news = rv_new(cx, struct news);

    *news = (struct news){ service, refs, n };
    if (n)
        rv_after(cx, tell_now, news);
}

static rv_result check(struct rv_ctx *cx, const struct approval_verb *ask)
{
    if (!ask->tenant_id)
        rv_wrong(cx, "tenant_id", "is missing");
    if (!ask->approval_id)
        rv_wrong(cx, "approval_id", "is missing");
    if (!ask->decided_by)
        rv_wrong(cx, "decided_by", "is missing");
    if (!rv_fsm_step(&approval_machine, APPROVAL_PENDING, (int)ask->verb) ||
        ask->verb == APPROVAL_EXPIRE)
        rv_wrong(cx, "verb", "is none of approve, reject, request_changes, block, cancel");
    return rv_record_check(cx, rv_in(approval_verb, ask));
}

static rv_result too_late(struct rv_ctx *cx, const struct approval *was)
{
    if (was->state == APPROVAL_PENDING)
        return rv_fail(cx, RV_CONFLICT, "already expired");
    if (was->decided_by)
        return rv_fail(cx, RV_CONFLICT, "already %s by %s",
                       rv_enum_word(&approval_state_enum, (int)was->state), was->decided_by);
    return rv_fail(cx, RV_CONFLICT, "already %s",
                   rv_enum_word(&approval_state_enum, (int)was->state));
}

/* The arrow from where it is; a decided one has none. */
static rv_result move(struct rv_ctx *cx, const struct approval_verb *ask,
                      const struct approval *was, struct approval *answer)
{
    const struct rv_fsm_step *step =
        rv_fsm_step(&approval_machine, (int)was->state, (int)ask->verb);
    struct approval to = *was;
    struct rv_rows moved;

    if (!step)
        return too_late(cx, was);
    to.state = (enum approval_state)step->to;
    to.decided_by = ask->decided_by;
    to.feedback = ask->feedback;
    RV_TRY(cx, rv_db_rows(cx, &SQL_APPROVAL_MOVE, rv_in(approval, &to), &approval_record, &moved));
    if (moved.n == 0)
        return too_late(cx, was);
    *answer = *(const struct approval *)moved.items;
    return RV_OK;
}

RV_HANDLER(on_approval_decide, struct policy_service *service, const struct approval_verb *ask,
           struct approval *answer)
{
    struct approval_ref *ref = rv_new(cx, struct approval_ref);
    struct approval was;

    RV_TRY(cx, check(cx, ask));
    RV_TRY(cx,
           rv_db_one(cx, &SQL_APPROVAL_FIND, rv_in(approval_verb, ask), rv_out(approval, &was)));
    if (!approval_may_decide(&was, ask->role))
        return rv_fail(cx, RV_DENIED, "this approval is for %s to decide",
                       was.approver_role ? was.approver_role : "an operator");
    RV_TRY(cx, move(cx, ask, &was, answer));
    *ref = (struct approval_ref){ answer->tenant_id, answer->approval_id };
    tell_decided(cx, service, ref, 1);
    rv_info(cx, "approval decided", RV_F("approval_id", answer->approval_id),
            RV_F("run_id", answer->run_id),
            RV_F("state", rv_enum_word(&approval_state_enum, (int)answer->state)),
            RV_F("decided_by", answer->decided_by));
    return RV_OK;
}

enum { EXPIRE_MAX = 200 }; /* as the statement says */

enum rv_status tick_expire(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct policy_service *service = state;
    struct rv_rows refs;

    RV_TRY(cx, rv_db_rows(cx, &SQL_APPROVALS_EXPIRE, rv_nothing, &approval_ref_record, &refs));
    tell_decided(cx, service, refs.items, refs.n);
    next->again = refs.n == EXPIRE_MAX;
    return RV_OK;
}
