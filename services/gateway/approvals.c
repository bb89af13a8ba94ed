/* /v1/approvals: questions to humans, kept by the policy service. */

#include "asks.h"
#include "contract/subjects.h"
#include "routes.h"
#include "store/sql.h"

RV_HANDLER(route_approval_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_APPROVALS, ask_in(approval_page, &ask), &approval_record,
                          &rows));
    *page = page_of(cx, &approval_record, rows, ask.limit, "approval_id");
    return RV_OK;
}

static rv_result read_one(struct rv_ctx *cx, const struct ask *ask, struct approval *approval)
{
    return rv_db_one(cx, &SQL_GATEWAY_APPROVAL_GET, ask_in(approval_ref_ask, ask),
                     rv_out(approval, approval));
}

RV_HANDLER(route_approval_get, struct call *call, const struct ask *ask, struct approval *approval)
{
    return read_one(cx, ask, approval);
}

static rv_result decide(struct rv_ctx *cx, struct call *call, const struct ask *ask,
                        enum approval_event verb, struct approval *approval)
{
    struct approval_verb word = { .tenant_id = ask->tenant_id,
                                  .approval_id = ask->id,
                                  .verb = verb,
                                  .feedback = ask->feedback,
                                  .decided_by = call->caller->key_id,
                                  .role = rv_enum_word(&role_enum, (int)call->caller->role) };

    RV_TRY(cx, read_one(cx, ask, approval));
    return call_ask(cx, call, &SUBJ_APPROVAL_DECIDE, &word, approval);
}

RV_HANDLER(route_approval_approve, struct call *call, const struct ask *ask,
           struct approval *approval)
{
    return decide(cx, call, ask, APPROVAL_APPROVE, approval);
}

RV_HANDLER(route_approval_reject, struct call *call, const struct ask *ask,
           struct approval *approval)
{
    return decide(cx, call, ask, APPROVAL_REJECT, approval);
}
