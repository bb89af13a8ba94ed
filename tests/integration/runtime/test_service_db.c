#include "support/rv_test.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/service.h"
#include "support/stack.h"
#include "support/stack_process.h"
#include "unit/runtime/sample.h"

/*
 * A service with a Postgres, and its health. This program is also the service: with --serve it
 * becomes reeve-test, with --old one that needs a schema nobody has.
 */

static struct rv_subject keep = { "reeve.test.keep", RV_BATCH, { 0 }, { 0 } };

/* clang-format off */
static const struct rv_sql sql_keep = {
    "keep", "INSERT INTO kept (name) VALUES ($1)", { { "name", RV_SQL_ONE } }, 1, 0 };
static const struct rv_sql sql_count = {
    "count", "SELECT 'kept' AS name, count(*) AS count FROM kept", { { "", RV_SQL_ONE } }, 0, 1 };
static const struct rv_sql sql_sleep = {
    "sleep", "SELECT 'slept' AS name, 1::bigint AS count FROM pg_sleep(0.4)", { { "", RV_SQL_ONE } }, 0, 2 };
/* clang-format on */

rv_batch_fn on_keep;

/* Keeps each name once; says how many there are. */
RV_BATCH_HANDLER(on_keep, void *service, const struct sample *asks, struct sample *answers,
                 size_t n)
{
    struct sample found;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(asks[i].name, "sleep") == 0)
            RV_TRY(cx, rv_db_one(cx, &sql_sleep, rv_nothing, rv_out(sample, &found)));
        else if (strcmp(asks[i].name, "count") != 0)
            RV_TRY(cx, rv_db_exec(cx, &sql_keep, rv_in(sample, &asks[i])));
    }
    RV_TRY(cx, rv_db_one(cx, &sql_count, rv_nothing, rv_out(sample, &found)));
    for (size_t i = 0; i < n; i++)
        answers[i] = found;
    return RV_OK;
}

static int serve(int argc, char **argv, int64_t schema)
{
    static const struct rv_handler handlers[] = { { .subject = &keep, .handle_many = on_keep },
                                                  { 0 } };
    const struct rv_service service = {
        .name = "test",
        .doc = "keeps",
        .handlers = handlers,
        .db_role = "test",
        .schema = schema,
    };

    return rv_service_main(argc, argv, &service);
}

/* From here on: the test. */

enum { ASK_MS = 8000 };

static struct stack stack;
static struct rv_bus *bus;
static struct rv_ctx setup;
static pid_t service;
static char self[512], log_path[128], listen_env[64];
static int health_port;

static pid_t spawn(const char *flag)
{
    const char *argv[] = { self, flag, NULL };
    const char *env[] = { "REEVE_PG_ROLES=false", listen_env, NULL };

    return stack_spawn(&(struct stack_program){ .argv = argv, .env = env, .log = log_path });
}

static bool health_becomes(const char *path, int wanted)
{
    for (int i = 0; i < 1000; i++) {
        if (stack_http_get(health_port, path) == wanted)
            return true;
        rv_sleep_ms(10);
    }
    return false;
}

static bool make_table(void)
{
    struct rv_db_options options = { .url = stack.postgres_url, .name = "setup", RV_DB_DEFAULTS };
    bool made = rv_db_open(&setup, &options) == RV_OK &&
                rv_db_script(&setup, "CREATE TABLE kept (name text PRIMARY KEY)") == RV_OK;

    rv_db_close(&setup);
    return made;
}

static int start(void **state)
{
    struct rv_bus_options options = { .name = "test_service_db" };

    rv_ctx_init(&setup);
    if (!stack_start(&stack, STACK_NATS | STACK_POSTGRES) || !make_table())
        return -1;
    health_port = stack_free_port();
    snprintf(listen_env, sizeof(listen_env), "REEVE_HEALTH_LISTEN=127.0.0.1:%d", health_port);
    snprintf(log_path, sizeof(log_path), "%s/test.log", stack.home);
    options.url = stack.nats_url;
    service = spawn("--serve");
    return rv_bus_open(&setup, &options, &bus) == RV_OK && health_becomes("/readyz", 200) ? 0 : -1;
}

static int stop(void **state)
{
    stack_end(&service, SIGTERM, 15000);
    rv_bus_close(bus);
    if (getenv("SHOW_LOG")) {
        char command[200];

        snprintf(command, sizeof(command), "tail -50 %s >&2", log_path);
        if (system(command) != 0)
            fputs("no log\n", stderr);
    }
    stack_stop(&stack);
    rv_ctx_release(&setup);
    return 0;
}

static enum rv_status ask(struct rv_ctx *cx, const char *name, int64_t *count)
{
    struct sample one = { .name = name }, got = { 0 };
    enum rv_status status = rv_bus_ask_many(cx, bus, &keep, &one, 1, &got, ASK_MS);

    *count = got.count;
    return status;
}

/* Our own connection may come back later than the service's. */
static int64_t count(struct rv_ctx *cx)
{
    int64_t n;

    for (int i = 0; i < 500 && !rv_bus_connected(bus); i++)
        rv_sleep_ms(10);
    assert_ok(cx, ask(cx, "count", &n));
    return n;
}

static void what_is_answered_is_committed(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t before = count(cx), n;

    assert_ok(cx, ask(cx, "a", &n));
    assert_int_equal(n, before + 1);
    assert_int_equal(ask(cx, "a", &n), RV_CONFLICT);
    assert_int_equal(count(cx), before + 1);
}

static void one_that_breaks_a_rule_does_not_roll_back_its_neighbours(void **state)
{
    struct rv_ctx *cx = *state;
    const char *names[] = { "b", "b", "c", "d" };
    struct sample slow = { .name = "sleep" }, got;
    int64_t before = count(cx);
    struct rv_pending *first, *pending[4];
    int failed = 0;

    assert_ok(cx, rv_bus_begin(cx, bus, &keep, &slow, 1, ASK_MS, &first));
    rv_sleep_ms(100);
    for (int i = 0; i < 4; i++) {
        struct sample one = { .name = names[i] };

        assert_ok(cx, rv_bus_begin(cx, bus, &keep, &one, 1, ASK_MS, &pending[i]));
    }
    assert_ok(cx, rv_bus_await(cx, first, &got));
    for (int i = 0; i < 4; i++) {
        enum rv_status status = rv_bus_await(cx, pending[i], &got);

        assert_true(status == RV_OK || (i == 1 && status == RV_CONFLICT));
        failed += status != RV_OK;
    }
    assert_int_equal(failed, 1);
    assert_int_equal(count(cx), before + 3);
}

static void says_how_it_is(void **state)
{
    assert_int_equal(stack_http_get(health_port, "/healthz"), 200);
    assert_int_equal(stack_http_get(health_port, "/readyz"), 200);
    assert_int_equal(stack_http_get(health_port, "/metrics"), 200);
    assert_int_equal(stack_http_get(health_port, "/"), 404);
}

static void is_not_ready_without_postgres_and_comes_back(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t before = count(cx), n;

    assert_true(stack_postgres_stop(&stack, SIGQUIT));
    assert_true(health_becomes("/readyz", 503));
    assert_int_equal(stack_http_get(health_port, "/healthz"), 200);
    assert_int_equal(ask(cx, "e", &n), RV_UNAVAILABLE);
    assert_true(stack_postgres_start(&stack));
    assert_true(health_becomes("/readyz", 200));
    assert_int_equal(count(cx), before);
    assert_ok(cx, ask(cx, "e", &n));
    assert_int_equal(n, before + 1);
}

static void is_not_ready_without_nats_and_comes_back(void **state)
{
    struct rv_ctx *cx = *state;

    stack_nats_stop(&stack);
    assert_true(health_becomes("/readyz", 503));
    assert_true(stack_nats_start(&stack));
    assert_true(health_becomes("/readyz", 200));
    assert_true(count(cx) >= 0);
}

static void waits_for_both_to_come_up(void **state)
{
    struct rv_ctx *cx = *state;

    stack_end(&service, SIGTERM, 15000);
    stack_nats_stop(&stack);
    assert_true(stack_postgres_stop(&stack, SIGINT));
    service = spawn("--serve");
    assert_true(health_becomes("/healthz", 200));
    assert_true(health_becomes("/readyz", 503));
    assert_true(stack_postgres_start(&stack));
    assert_true(stack_nats_start(&stack));
    assert_true(health_becomes("/readyz", 200));
    assert_true(count(cx) >= 0);
}

static void exits_3_when_the_schema_is_too_old(void **state)
{
    char command[800], text[4096] = "";
    FILE *out;

    snprintf(command, sizeof(command), "REEVE_PG_ROLES=false %s --old 2>&1", self);
    out = popen(command, "r");
    assert_true(fread(text, 1, sizeof(text) - 1, out) > 0);
    assert_int_equal(WEXITSTATUS(pclose(out)), 3);
    assert_non_null(strstr(text, "run `reeve migrate up`"));
}

static void is_told_to_end_while_it_waits(void **state)
{
    pid_t waiting;
    int how = -1;

    assert_true(stack_postgres_stop(&stack, SIGINT));
    stack_end(&service, SIGTERM, 15000);
    waiting = spawn("--serve");
    assert_true(health_becomes("/healthz", 200));
    kill(waiting, SIGTERM);
    assert_int_equal(waitpid(waiting, &how, 0), waiting);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(what_is_answered_is_committed),
        RV_TEST(one_that_breaks_a_rule_does_not_roll_back_its_neighbours),
        RV_TEST(says_how_it_is),
        RV_TEST(is_not_ready_without_postgres_and_comes_back),
        RV_TEST(is_not_ready_without_nats_and_comes_back),
        RV_TEST(waits_for_both_to_come_up),
        RV_TEST(exits_3_when_the_schema_is_too_old),
        RV_TEST(is_told_to_end_while_it_waits),
    };

    keep.in = keep.out = SAMPLE;
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return serve(argc - 1, argv + 1, 0);
    if (argc > 1 && strcmp(argv[1], "--old") == 0)
        return serve(argc - 1, argv + 1, 99999);
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
        return 1;
    return cmocka_run_group_tests(tests, start, stop);
}
