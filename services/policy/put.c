/* Making and changing policies: every change is a version, kept for ever. */

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "policy.h"
#include "store/sql.h"

static rv_result check(struct rv_ctx *cx, const struct policy *ask)
{
    if (!ask->tenant_id)
        rv_wrong(cx, "tenant_id", "is missing");
    policy_check(cx, ask);
    return rv_record_check(cx, rv_in(policy, ask));
}

/* The one thing of which there cannot be two. */
static const char name_is_taken[] = "a policy with this name is there already";

static rv_result change(struct rv_ctx *cx, const struct policy *ask, const struct policy *was,
                        struct policy *answer)
{
    struct policy set = *ask;

    if (ask->rev && ask->rev != was->version)
        return rv_fail(cx, RV_STALE, "policy %s is at version %lld", was->name,
                       (long long)was->version);
    if (ask->project_id && (!was->project_id || !rv_text_same(ask->project_id, was->project_id)))
        return rv_fail(cx, RV_CONFLICT, "policy %s belongs elsewhere and cannot be moved",
                       was->name);
    set.policy_id = was->policy_id;
    if (!set.state)
        set.state = was->state;
    return rv_reword(cx,
                     rv_db_one(cx, &SQL_POLICY_SET, rv_in(policy, &set), rv_out(policy, answer)),
                     RV_CONFLICT, name_is_taken);
}

static rv_result create(struct rv_ctx *cx, const struct policy *ask, struct policy *answer)
{
    struct policy add = *ask;

    if (ask->policy_id)
        return rv_fail(cx, RV_NOT_FOUND, "no policy %s", ask->policy_id);
    if (ask->rev)
        return rv_fail(cx, RV_STALE, "there is no policy %s yet", ask->name);
    add.policy_id = rv_id_new(cx);
    if (!add.state)
        add.state = POLICY_ENABLED;
    return rv_reword(cx,
                     rv_db_one(cx, &SQL_POLICY_ADD, rv_in(policy, &add), rv_out(policy, answer)),
                     RV_CONFLICT, name_is_taken);
}

RV_HANDLER(on_policy_put, struct policy_service *service, const struct policy *ask,
           struct policy *answer)
{
    struct rv_rows found;

    RV_TRY(cx, check(cx, ask));
    RV_TRY(cx, rv_db_exec(cx, &SQL_POLICY_EPOCH_RAISE, rv_in(policy, ask)));
    RV_TRY(cx, rv_db_rows(cx, &SQL_POLICY_FIND, rv_in(policy, ask), &policy_record, &found));
    if (found.n)
        RV_TRY(cx, change(cx, ask, found.items, answer));
    else
        RV_TRY(cx, create(cx, ask, answer));
    RV_TRY(cx, rv_db_exec(cx, &SQL_POLICY_VERSION_ADD, rv_in(policy, answer)));
    rv_info(cx, "policy put", RV_F("policy_id", answer->policy_id),
            RV_F("version", answer->version), RV_F("n_rules", (int64_t)answer->n_rules));
    return RV_OK;
}
