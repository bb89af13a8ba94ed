/*
 * What a run survives besides a killed service: NATS wiped, Postgres restarted, an executor frozen
 * past its lease, two of everything at once.
 */

#include <signal.h>
#include <stdlib.h>

#include "base/time.h"
#include "invariants.h"
#include "load.h"
#include "support/rv_test.h"

static struct world world;

/* What is left behind by the dead is found and asked again soon. */
static const char *const quick[] = { "REEVE_BUDGET_HOLD_TTL=3s", "REEVE_ASK_TIMEOUT=1s",
                                     "REEVE_GATEWAY_ASK_TIMEOUT=2s",
                                     "REEVE_EXECUTOR_ASK_TIMEOUT=1s", NULL };

static int open_one_of_each(void **state)
{
    static const struct world_options options = { .env = quick, .lease = "1s" };

    return world_start(&world, &options) && world_furnish(&world, 1000000000, 3) ? 0 : -1;
}

static int open_two_of_each(void **state)
{
    static const struct world_options options = { .env = quick, .lease = "1s", .replicas = 2 };

    return world_start(&world, &options) && world_furnish(&world, 1000000000, 3) ? 0 : -1;
}

static int close_world(void **state)
{
    world_stop(&world);
    return 0;
}

static void ends_well(struct load *load, int64_t ms)
{
    load_stop(load);
    world.stack.failed = true;
    assert_true(load->n_accepted > 0);
    assert_true(comes_to_rest(&world, ms));
    assert_true(all_accepted_are_over(load));
    assert_true(invariants_hold(world.stack.postgres_url));
    world.stack.failed = false;
    load_free(load);
}

static void nats_may_be_wiped_under_load(void **state)
{
    struct load load;

    assert_true(load_start(&load, &world, "chain", 4));
    rv_sleep_ms(300);
    assert_true(stack_nats_restart(&world.stack, true));
    rv_sleep_ms(2500);
    ends_well(&load, 30000);
    assert_true(load_some(&world, "chain", 5)); /* and goes on */
    assert_true(comes_to_rest(&world, 15000));
}

static void postgres_may_be_restarted_under_load(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_client *client = world_client();
    struct load load;
    json_t *json;
    int status;

    assert_true(load_start(&load, &world, "chain", 4));
    rv_sleep_ms(300);
    assert_true(stack_postgres_stop(&world.stack, SIGQUIT));
    status = world_call(cx, client, &world, 0, "POST", "/v1/runs", NULL,
                        "{\"project\":\"test\",\"workflow\":\"chain\"}", &json);
    assert_int_equal(status, 503); /* refused at once and in words, nothing taken */
    assert_non_null(json_object_get(json, "error"));
    rv_sleep_ms(500);
    assert_true(stack_postgres_start(&world.stack));
    rv_sleep_ms(1500);
    ends_well(&load, 30000);
    assert_true(load.n_errors > 0);
    rv_http_client_free(client);
}

/*
 * Verdicts, holds and settlements of runs do not wait for the disk. Without the process that takes
 * them there, only what somebody else's commit takes along survives a crash: all that was accepted.
 */
static void what_is_not_on_disk_is_taken_along_by_what_is_built_on_it(void **state)
{
    const char *url = world.stack.postgres_url;
    pid_t writer = (pid_t)count_of(url, "SELECT pid AS checked FROM pg_stat_activity "
                                        "WHERE backend_type = 'walwriter'");
    struct load load;

    assert_true(writer > 1);
    assert_int_equal(kill(writer, SIGSTOP), 0);
    assert_true(load_start(&load, &world, "chain", 4));
    rv_sleep_ms(1500);
    assert_int_equal(kill(writer, SIGKILL), 0); /* Postgres takes it for a crash, and recovers */
    rv_sleep_ms(1500);
    ends_well(&load, 30000);
}

/* In the middle of whatever it does, which has to be something. */
static void freeze_at_work(struct stack_service *executor, const char *url)
{
    for (int i = 0; i < 200; i++) {
        assert_true(stack_service_signal(executor, SIGSTOP));
        rv_sleep_ms(50); /* what it said before is taken by then */
        if (count_of(url, "SELECT count(*) AS checked FROM tasks WHERE state IN ('claimed', "
                          "'in_progress')") > 0)
            return;
        assert_true(stack_service_signal(executor, SIGCONT));
        rv_sleep_ms(30);
    }
    fail_msg("the executor is never seen at work");
}

static void what_a_frozen_executor_says_late_changes_nothing(void **state)
{
    struct stack_service *frozen = world.parts[WORLD_EXECUTOR][0];
    const char *url = world.stack.postgres_url;
    struct stack_service *other;
    struct load load;
    long lost;

    assert_true(load_start(&load, &world, "chain", 4));
    freeze_at_work(frozen, url);
    other = stack_service_start(&world.stack, "executor", frozen->env);
    assert_non_null(other);
    rv_sleep_ms(3000); /* three leases */
    lost =
        count_of(url, "SELECT count(*) AS checked FROM events WHERE type = 'task.lease_expired'");
    assert_true(stack_service_signal(frozen, SIGCONT));
    rv_sleep_ms(1000);
    ends_well(&load, 30000);
    assert_true(lost > 0); /* it did hold something */
    assert_true(stack_service_signal(other, SIGTERM));
}

static void two_of_every_service_work_side_by_side(void **state)
{
    struct load load;

    assert_true(load_start(&load, &world, "chain", 6));
    rv_sleep_ms(2000);
    ends_well(&load, 20000);
}

static void of_two_of_every_service_one_may_be_killed(void **state)
{
    struct load load;

    assert_true(load_start(&load, &world, "chain", 6));
    for (int part = 0; part < WORLD_GATEWAY; part++) {
        rv_sleep_ms(300);
        assert_true(world_restart(&world, (enum world_part)part, part % 2, NULL));
    }
    rv_sleep_ms(500);
    ends_well(&load, 30000);
}

int main(void)
{
    const struct CMUnitTest one[] = {
        RV_TEST(nats_may_be_wiped_under_load),
        RV_TEST(postgres_may_be_restarted_under_load),
        RV_TEST(what_is_not_on_disk_is_taken_along_by_what_is_built_on_it),
        RV_TEST(what_a_frozen_executor_says_late_changes_nothing),
    };
    const struct CMUnitTest two[] = {
        RV_TEST(two_of_every_service_work_side_by_side),
        RV_TEST(of_two_of_every_service_one_may_be_killed),
    };
    int failed = cmocka_run_group_tests(one, open_one_of_each, close_world);

    return failed + cmocka_run_group_tests(two, open_two_of_each, close_world);
}
