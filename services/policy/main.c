#include "contract/subjects.h"
#include "policy.h"

enum { EXPIRE_MS = 2000, SCHEMA = 10 };

RV_SETTINGS_TABLE(policy_settings, policy_config, POLICY_SETTINGS)

static struct rv_metric metrics[] = { POLICY_METRICS(RV_METRIC_ROW_){ .name = NULL } };

static struct policy_service policy = {
    .metrics = metrics,
    .cache = { .lock = PTHREAD_MUTEX_INITIALIZER },
};

/* clang-format off */
static const struct rv_handler handlers[] = {
    { &SUBJ_POLICY_DECIDE,   .handle_many = on_policy_decide, .stale = true },
    { &SUBJ_POLICY_PUT,      .handle = on_policy_put },
    { &SUBJ_APPROVAL_DECIDE, .handle = on_approval_decide },
    { 0 },
};
static const struct rv_tick ticks[] = {
    { "expire", tick_expire, EXPIRE_MS },
    { 0 },
};
/* clang-format on */

static enum rv_status open_policy(struct rv_ctx *cx, void *state, struct rv_runtime *runtime)
{
    struct policy_service *service = state;

    (void)cx;
    service->bus = runtime->bus;
    return RV_OK;
}

static void close_policy(void *state)
{
    struct policy_service *service = state;

    policy_cache_release(&service->cache);
}

static const struct rv_service service = {
    .name = "policy",
    .doc = "decides what may happen, and keeps the questions to humans",
    .settings = policy_settings,
    .config = &policy.config,
    .handlers = handlers,
    .ticks = ticks,
    .metrics = metrics,
    .db_role = "reeve_policy",
    .schema = SCHEMA,
    .open = open_policy,
    .close = close_policy,
    .state = &policy,
};

int main(int argc, char **argv)
{
    return rv_service_main(argc, argv, &service);
}
