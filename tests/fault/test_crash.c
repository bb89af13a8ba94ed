/*
 * Every service is killed at every failpoint on the path of a run (ARCHITECTURE §4), one after the
 * other, while runs come in: nothing accepted is lost, nothing is recorded twice, no number is
 * missing, no money is left behind. REEVE_CRASH_ONLY=<text> picks points whose name contains it.
 */

#include <signal.h>
#include <stdlib.h>

#include "base/time.h"
#include "invariants.h"
#include "load.h"
#include "support/rv_test.h"
#include "support/stack_process.h"

static struct world world;

/* What is left behind by the dead is found and asked again soon. */
static const char *const quick[] = { "REEVE_BUDGET_HOLD_TTL=3s", "REEVE_ASK_TIMEOUT=1s",
                                     "REEVE_GATEWAY_ASK_TIMEOUT=2s",
                                     "REEVE_EXECUTOR_ASK_TIMEOUT=1s", NULL };

static const struct point {
    enum world_part part;
    const char *name;
} points[] = {
    { WORLD_POLICY, "reeve.policy.decide.begin" },
    { WORLD_POLICY, "reeve.policy.decide.commit.before" },
    { WORLD_POLICY, "reeve.policy.decide.commit.after" },
    { WORLD_POLICY, "reeve.policy.decide.reply.after" },
    { WORLD_BUDGET, "reeve.budget.hold.begin" },
    { WORLD_BUDGET, "reeve.budget.hold.commit.before" },
    { WORLD_BUDGET, "reeve.budget.hold.commit.after" },
    { WORLD_BUDGET, "reeve.budget.hold.reply.after" },
    { WORLD_BUDGET, "reeve.budget.settle.begin" },
    { WORLD_BUDGET, "reeve.budget.settle.commit.before" },
    { WORLD_BUDGET, "reeve.budget.settle.commit.after" },
    { WORLD_SCHEDULER, "reeve.scheduler.run_create.begin" },
    { WORLD_SCHEDULER, "reeve.scheduler.run_create.commit.before" },
    { WORLD_SCHEDULER, "reeve.scheduler.run_create.commit.after" },
    { WORLD_SCHEDULER, "reeve.scheduler.run_create.reply.after" },
    { WORLD_SCHEDULER, "scheduler.announce.before" },
    { WORLD_SCHEDULER, "scheduler.announce.after" },
    { WORLD_SCHEDULER, "scheduler.grant.before" },
    { WORLD_SCHEDULER, "scheduler.grant.after" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_claim.begin" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_claim.commit.before" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_claim.commit.after" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_claim.reply.after" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_report.begin" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_report.commit.before" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_report.commit.after" },
    { WORLD_SCHEDULER, "reeve.scheduler.task_report.reply.after" },
    { WORLD_SCHEDULER, "tick.relay.begin" },
    { WORLD_SCHEDULER, "scheduler.relay.publish.before" },
    { WORLD_SCHEDULER, "scheduler.relay.publish.after" },
    { WORLD_SCHEDULER, "tick.relay.commit.before" },
    { WORLD_SCHEDULER, "tick.relay.commit.after" },
    { WORLD_SCHEDULER, "tick.sweep.commit.before" },
    { WORLD_EXECUTOR, "executor.offer.after" },
    { WORLD_EXECUTOR, "executor.claim.after" },
    { WORLD_EXECUTOR, "executor.step.before" },
    { WORLD_EXECUTOR, "executor.report.before" },
    { WORLD_EXECUTOR, "executor.report.after" },
    { WORLD_GATEWAY, "POST /v1/runs.begin" },
    { WORLD_GATEWAY, "POST /v1/runs.commit.before" },
    { WORLD_GATEWAY, "POST /v1/runs.commit.after" },
};

/* Of the steps that a report makes ready, one comes with its answer; the others are announced. */
static const char fan[] = "{\"project\":\"test\",\"name\":\"fan\",\"spec\":{\"nodes\":["
                          "{\"node_id\":\"a\",\"kind\":\"noop\"},"
                          "{\"node_id\":\"b\",\"kind\":\"noop\",\"needs\":[\"a\"]},"
                          "{\"node_id\":\"c\",\"kind\":\"noop\",\"needs\":[\"a\"]},"
                          "{\"node_id\":\"d\",\"kind\":\"noop\",\"needs\":[\"b\",\"c\"]}]}}";

static int open_world(void **state)
{
    static const struct world_options options = { .env = quick, .lease = "1s" };

    return world_start(&world, &options) && world_furnish(&world, 1000000000, 3) &&
                   world_make(&world, "/v1/workflows", fan)
               ? 0
               : -1;
}

static int close_world(void **state)
{
    world_stop(&world);
    return 0;
}

static bool waits_for_death(struct stack_service *service)
{
    int64_t deadline = rv_monotonic_ms() + 10000;

    while (rv_monotonic_ms() < deadline) {
        if (!stack_is_running(service->pid)) {
            service->pid = 0;
            return true;
        }
        rv_sleep_ms(5);
    }
    return false;
}

/* Arms one point, submits until the service has died there, starts it again and lets all end. */
static void survives(const struct point *point)
{
    struct stack_service *service = world.parts[point->part][0];
    struct rv_ctx cx;
    struct load load;
    const char *env[2] = { 0 };

    rv_ctx_init(&cx);
    env[0] = rv_printf(&cx, "REEVE_FAILPOINTS=%s:2=exit", point->name);
    assert_true(world_restart(&world, point->part, 0, env));
    assert_true(stack_service_wait_ready(service));
    assert_true(load_start(&load, &world, "fan", 3));
    if (!waits_for_death(service)) {
        load_stop(&load);
        fail_msg("%s was never reached", point->name);
    }
    assert_true(world_restart(&world, point->part, 0, NULL));
    assert_true(stack_service_wait_ready(service));
    load_stop(&load);
    assert_true(load.n_accepted > 0);
    if (!comes_to_rest(&world, 20000))
        fail_msg("after %s", point->name);
    assert_true(all_accepted_are_over(&load));
    load_free(&load);
    rv_ctx_release(&cx);
}

static void nothing_is_lost_or_done_twice_wherever_a_service_is_killed(void **state)
{
    const char *only = getenv("REEVE_CRASH_ONLY");

    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        if (only && !strstr(points[i].name, only))
            continue;
        print_message("  killed at %s\n", points[i].name);
        world.stack.failed = true; /* until this point is passed */
        survives(&points[i]);
        world.stack.failed = false;
    }
    assert_true(invariants_hold(world.stack.postgres_url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(nothing_is_lost_or_done_twice_wherever_a_service_is_killed),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}
