#include "policy_talk.h"

#include "base/id.h"

struct policy put_policy(struct rv_ctx *cx, struct rv_bus *bus, const char *tenant_id,
                         const char *name, struct rule *rules, size_t n_rules)
{
    struct policy ask = {
        .tenant_id = tenant_id, .name = name, .rules = rules, .n_rules = n_rules
    };
    struct policy made = { 0 };

    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_POLICY_PUT, &ask, &made, ASK_MS));
    return made;
}

struct policy_ask about_run(struct rv_ctx *cx, const char *tenant_id)
{
    return (struct policy_ask){ .tenant_id = tenant_id,
                                .project_id = rv_id_new(cx),
                                .project = "demo",
                                .subject = ABOUT_RUN,
                                .run_id = rv_id_new(cx),
                                .workflow = "brief",
                                .cost_microusd = 1000,
                                .title = "run brief" };
}

struct decision decide(struct rv_ctx *cx, struct rv_bus *bus, const struct policy_ask *ask)
{
    struct decision answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_POLICY_DECIDE, ask, 1, &answer, ASK_MS));
    return answer;
}
