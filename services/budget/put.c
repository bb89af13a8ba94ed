/* Making and changing budgets. */

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "budget.h"
#include "store/sql.h"

static rv_result check(struct rv_ctx *cx, const struct budget *ask)
{
    if (!ask->tenant_id)
        rv_wrong(cx, "tenant_id", "is missing");
    if (ask->name && !rv_text_is_name(ask->name))
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
    if (ask->limit_microusd < 0 || ask->limit_microusd > BUDGET_AMOUNT_MAX)
        rv_wrong(cx, "limit_microusd", "is below 0 or above 1,000,000,000,000,000");
    if (ask->limit_tokens < 0 || ask->limit_tokens > BUDGET_AMOUNT_MAX)
        rv_wrong(cx, "limit_tokens", "is below 0 or above 1,000,000,000,000,000");
    return rv_record_check(cx, rv_in(budget, ask));
}

static rv_result check_limit(struct rv_ctx *cx, const char *what, int64_t limit, int64_t held,
                             int64_t spent)
{
    if (limit == 0 || limit >= held + spent)
        return RV_OK;
    return rv_fail(cx, RV_CONFLICT, "%s %lld is below what is held and spent: %lld and %lld", what,
                   (long long)limit, (long long)held, (long long)spent);
}

/* The one thing of which there cannot be two. */
static const char name_is_taken[] = "a budget with this name is there already";

static rv_result change(struct rv_ctx *cx, const struct budget *ask, const struct budget *was,
                        struct budget *answer)
{
    struct budget set = *ask;

    if (ask->rev && ask->rev != was->rev)
        return rv_fail(cx, RV_STALE, "budget %s is at rev %lld", was->name, (long long)was->rev);
    if (ask->project_id && (!was->project_id || !rv_text_same(ask->project_id, was->project_id)))
        return rv_fail(cx, RV_CONFLICT, "budget %s belongs elsewhere and cannot be moved",
                       was->name);
    RV_TRY(cx, check_limit(cx, "limit_microusd", ask->limit_microusd, was->held_microusd,
                           was->spent_microusd));
    RV_TRY(cx,
           check_limit(cx, "limit_tokens", ask->limit_tokens, was->held_tokens, was->spent_tokens));
    set.budget_id = was->budget_id;
    if (!set.state)
        set.state = was->state;
    return rv_reword(cx,
                     rv_db_one(cx, &SQL_BUDGET_SET, rv_in(budget, &set), rv_out(budget, answer)),
                     RV_CONFLICT, name_is_taken);
}

static rv_result create(struct rv_ctx *cx, const struct budget *ask, struct budget *answer)
{
    struct budget add = *ask;

    if (ask->budget_id)
        return rv_fail(cx, RV_NOT_FOUND, "no budget %s", ask->budget_id);
    if (ask->rev)
        return rv_fail(cx, RV_STALE, "there is no budget %s yet", ask->name);
    add.budget_id = rv_id_new(cx);
    if (!add.state)
        add.state = BUDGET_ACTIVE;
    return rv_reword(cx,
                     rv_db_one(cx, &SQL_BUDGET_ADD, rv_in(budget, &add), rv_out(budget, answer)),
                     RV_CONFLICT, name_is_taken);
}

RV_HANDLER(on_budget_put, struct budget_service *service, const struct budget *ask,
           struct budget *answer)
{
    struct rv_rows found;

    RV_TRY(cx, check(cx, ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_BUDGET_FIND, rv_in(budget, ask), &budget_record, &found));
    if (found.n)
        RV_TRY(cx, change(cx, ask, found.items, answer));
    else
        RV_TRY(cx, create(cx, ask, answer));
    rv_info(cx, "budget put", RV_F("budget_id", answer->budget_id),
            RV_F("limit_microusd", answer->limit_microusd),
            RV_F("limit_tokens", answer->limit_tokens), RV_F("rev", answer->rev));
    return RV_OK;
}
