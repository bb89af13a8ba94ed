/* Definitions become plans, plans become runs; and what a client hears of that. */

#include "support/rv_test.h"

#include <pthread.h>
#include <signal.h>

#include "base/time.h"
#include "gateway_house.h"

/* -- definitions -- */

static void a_change_is_a_version_and_the_same_is_none(void **state)
{
    struct rv_ctx *cx = *state;
    const char *body =
        "{\"project\":\"demo\",\"name\":\"v\",\"spec\":{\"nodes\":[{\"node_id\":\"a\","
        "\"kind\":\"noop\"}]}}";
    struct said made = ask(cx, "POST", "/v1/workflows", body), said;
    const char *path = rv_printf(cx, "/v1/workflows/%s", text_at(&made, "workflow_id"));
    const char *change = "{\"spec\":{\"nodes\":[{\"node_id\":\"z\",\"kind\":\"noop\"}]}}";

    assert_int_equal(made.status, 201);
    assert_true(has_header(&made, "ETag: \"1\""));
    assert_int_equal(ask(cx, "POST", "/v1/workflows", body).status, 409);
    said = ask(cx, "POST", "/v1/workflows?upsert=true", body);
    assert_int_equal(said.status, 200);
    assert_true(has_header(&said, "ETag: \"1\""));
    said = ask_gateway(cx, port, admin, "PATCH", path, "If-Match: \"7\"\r\n", change);
    assert_int_equal(said.status, 412);
    said = ask_gateway(cx, port, admin, "PATCH", path, "If-Match: \"1\"\r\n", change);
    assert_int_equal(said.status, 200);
    assert_true(has_header(&said, "ETag: \"2\""));
    said = ask_gateway(cx, port, admin, "GET", path, "If-None-Match: \"2\"\r\n", NULL);
    assert_int_equal(said.status, 304);
    said = ask(cx, "GET", "/v1/workflows?project=demo&name=v", NULL);
    assert_string_equal(text_at(&said, "data[0].spec.nodes[0].node_id"), "z");
}

/* A plan names what its project has; a change of an agent makes another plan. */
static void a_run_is_planned_from_what_stands_now(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run = "{\"project\":\"demo\",\"workflow\":\"ask\"}";
    struct said first, said;

    make(cx, "/v1/workflows", "workflow_id",
         "{\"project\":\"demo\",\"name\":\"ask\",\"spec\":{\"limits\":{\"cost_microusd\":1},"
         "\"nodes\":["
         "{\"node_id\":\"a\",\"kind\":\"agent\",\"agent\":{\"agent\":\"helper\",\"prompt\":\"hi\"}}"
         "]}}");
    said = ask(cx, "POST", "/v1/runs", run);
    assert_int_equal(said.status, 400);
    assert_string_equal(text_at(&said, "error.details[0].message"),
                        "names agent \"helper\" that this project does not have");
    make(cx, "/v1/agents", "agent_id",
         "{\"project\":\"demo\",\"name\":\"helper\",\"spec\":{\"system_prompt\":\"be kind\"}}");
    first = ask(cx, "POST", "/v1/runs", run);
    assert_int_equal(first.status, 202);
    said = ask(cx, "POST", "/v1/runs", run);
    assert_string_equal(text_at(&said, "plan_id"), text_at(&first, "plan_id"));
    ask(cx, "POST", "/v1/agents?upsert=true",
        "{\"project\":\"demo\",\"name\":\"helper\",\"spec\":{\"system_prompt\":\"be short\"}}");
    said = ask(cx, "POST", "/v1/runs", run);
    assert_int_equal(said.status, 202);
    assert_string_not_equal(text_at(&said, "plan_id"), text_at(&first, "plan_id"));
    said = ask(cx, "POST", "/v1/runs",
               "{\"project\":\"demo\",\"agent\":\"helper\",\"input\":\"hello\","
               "\"limits\":{\"cost_microusd\":1}}");
    assert_int_equal(said.status, 202);
}

/* -- runs -- */

static void the_same_key_gets_the_same_answer(void **state)
{
    struct rv_ctx *cx = *state;
    static const struct {
        const char *key, *body;
        int status;
        bool replayed;
    } rows[] = {
        { "\"k-1\"", "{\"project\":\"demo\",\"workflow\":\"two\",\"input\":{\"b\":2,\"a\":1}}", 202,
          false },
        { "\"k-1\"", "{\"project\":\"demo\",\"workflow\":\"two\",\"input\":{\"b\":2,\"a\":1}}", 202,
          true },
        { "k-1", "{\"project\":\"demo\",\"workflow\":\"two\",\"input\":{\"b\":2,\"a\":1}}", 202,
          true },
        { "k-1", "{\"project\":\"demo\",\"workflow\":\"two\"}", 409, false },
        { "k-2", "{\"project\":\"demo\",\"workflow\":\"two\"}", 202, false },
        { "k-3", "{\"project\":\"demo\",\"workflow\":\"forbidden\"}", 403, false },
        { "k-3", "{\"project\":\"demo\",\"workflow\":\"forbidden\"}", 403, true },
        { "\"\"", "{\"project\":\"demo\",\"workflow\":\"two\"}", 400, false },
    };
    const char *first = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct said said =
            ask_gateway(cx, port, admin, "POST", "/v1/runs",
                        rv_printf(cx, "Idempotency-Key: %s\r\n", rows[i].key), rows[i].body);

        if (said.status != rows[i].status)
            fail_msg("row %zu: %d %s", i, said.status, said.body);
        assert_int_equal(has_header(&said, "Idempotency-Replayed: true"), rows[i].replayed);
        if (i == 0)
            first = said.body;
        if (rows[i].replayed && said.status == 202)
            assert_string_equal(said.body, first);
    }
}

/* What is asked for may stand in the query: another query is another request, but for the wait. */
static void the_same_key_with_another_query_is_a_conflict(void **state)
{
    struct rv_ctx *cx = *state;
    static const struct {
        const char *path;
        int status;
    } rows[] = {
        { "/v1/runs?workflow=two&project=demo", 202 },
        { "/v1/runs?project=demo&workflow=two", 202 },
        { "/v1/runs?project=demo&workflow=two&wait=1ms", 202 },
        { "/v1/runs?workflow=careful&project=demo", 409 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct said said = ask_gateway(cx, port, admin, "POST", rows[i].path,
                                       "Idempotency-Key: asked-by-query\r\n", "{}");

        if (said.status != rows[i].status)
            fail_msg("row %zu: %d %s", i, said.status, said.body);
    }
}

/* One of many: the first repeats a run, whose answer cannot be read; the others make new ones. */
static void *ask_one_of_many(void *arg)
{
    const char *key = *(const size_t *)arg == 0 ? "Idempotency-Key: first\r\n" : NULL;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    for (int i = 0; i < 5; i++) {
        struct said said = ask_gateway(&cx, port, admin, "POST", "/v1/runs?wait=20ms", key,
                                       "{\"project\":\"demo\",\"workflow\":\"two\"}");

        if (said.status != (key ? 403 : 202))
            *(size_t *)arg = 1000;
    }
    rv_ctx_release(&cx);
    return NULL;
}

static void a_failed_repeat_makes_nobody_run_twice(void **state)
{
    enum { MANY = 24 };
    struct rv_ctx *cx = *state;
    pthread_t threads[MANY];
    size_t numbers[MANY];
    int64_t before;

    ask_gateway(cx, port, admin, "POST", "/v1/runs", "Idempotency-Key: first\r\n",
                "{\"project\":\"demo\",\"workflow\":\"two\"}");
    before = number("SELECT count(*) AS value FROM runs");
    run_sql("REVOKE SELECT ON decisions FROM reeve_gateway");
    for (size_t i = 0; i < MANY; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, ask_one_of_many, &numbers[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        pthread_join(threads[i], NULL);
    run_sql("GRANT SELECT ON decisions TO reeve_gateway");
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(numbers[i], i);
    assert_int_equal(number("SELECT count(*) AS value FROM runs") - before, 5 * (MANY - 1));
}

static void a_page_of_steps_is_bounded_in_bytes(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = new_run(cx), *cursor = "0";
    size_t n = 0, pages = 0;

    run_sql(
        rv_printf(cx,
                  "INSERT INTO run_steps (tenant_id, run_id, task_no, call_no, fence, kind, name,"
                  " blob_hash, request, response, ok, decision_id, hold_id, started_at, took_ms)"
                  " SELECT '" TENANT_DEFAULT "', '%s', 1, n, 1, 'llm', 'x', 'h',"
                  " to_jsonb(repeat('a', 500000)), to_jsonb(repeat('b', 500000)), true,"
                  " gen_random_uuid(), gen_random_uuid(), now(), 1 FROM generate_series(1, 12) n",
                  run_id));
    for (; cursor && pages < 12; pages++) {
        struct said said =
            ask(cx, "GET", rv_printf(cx, "/v1/runs/%s/steps?limit=1000&cursor=%s", run_id, cursor),
                NULL);

        assert_int_equal(said.status, 200);
        n += json_array_size(rv_json_at(said.json, "data"));
        cursor = text_at(&said, "next_cursor");
        assert_int_equal(json_is_true(rv_json_at(said.json, "has_more")), cursor != NULL);
        assert_true(strlen(said.body) < 6 * 1024 * 1024);
    }
    assert_int_equal(n, 12);
    assert_int_equal(pages, 3);
    for (int i = 0; i < 2; i++) {
        struct said said =
            ask(cx, "GET", rv_printf(cx, "/v1/runs/%s/tasks?limit=1&cursor=%d", run_id, i), NULL);

        assert_int_equal(json_array_size(rv_json_at(said.json, "data")), 1);
        assert_int_equal(json_is_true(rv_json_at(said.json, "has_more")), i == 0);
    }
}

static void a_denied_run_says_who_denies_it(void **state)
{
    struct rv_ctx *cx = *state;
    struct said said =
        ask(cx, "POST", "/v1/runs", "{\"project\":\"demo\",\"workflow\":\"forbidden\"}");
    const char *path;

    assert_int_equal(said.status, 403);
    assert_string_equal(text_at(&said, "error.message"), "not here");
    assert_string_equal(text_at(&said, "error.decision.rule"), "never");
    path = rv_printf(cx, "/v1/runs/%s", text_at(&said, "error.run_id"));
    said = ask(cx, "GET", path, NULL);
    assert_string_equal(text_at(&said, "phase"), "rejected");
    said = ask(cx, "POST", rv_printf(cx, "%s/cancel", path), "{}");
    assert_int_equal(said.status, 409);
    assert_string_equal(text_at(&said, "error.reason"), "invalid_state_transition");
    assert_string_equal(text_at(&said, "error.current_state"), "failed");
}

static void a_run_over_budget_says_what_is_left(void **state)
{
    struct rv_ctx *cx = *state;
    struct said said =
        ask(cx, "POST", "/v1/runs",
            "{\"project\":\"demo\",\"workflow\":\"two\",\"limits\":{\"cost_microusd\":"
            "900000}}");

    assert_int_equal(said.status, 402);
    assert_string_equal(text_at(&said, "error.budget"), "purse");
    assert_true(json_integer_value(rv_json_at(said.json, "error.left_microusd")) > 0);
}

static void a_run_is_cancelled_once_and_waited_for(void **state)
{
    struct rv_ctx *cx = *state;
    struct said run = ask(cx, "POST", "/v1/runs", "{\"project\":\"demo\",\"workflow\":\"two\"}");
    const char *path = rv_printf(cx, "/v1/runs/%s", text_at(&run, "run_id"));
    struct said said = ask(cx, "POST", rv_printf(cx, "%s/cancel", path), "{\"reason\":\"enough\"}");

    assert_int_equal(said.status, 200);
    assert_string_equal(text_at(&said, "state"), "cancelled");
    said = ask(cx, "POST", "/v1/runs?wait=200ms", "{\"project\":\"demo\",\"workflow\":\"two\"}");
    assert_int_equal(said.status, 202); /* there is no executor here */
    assert_string_equal(text_at(&said, "state"), "pending");
    said = ask(cx, "GET", "/v1/runs?state=cancelled&limit=1", NULL);
    assert_string_equal(text_at(&said, "data[0].state"), "cancelled");
}

static void a_careful_run_waits_for_a_human(void **state)
{
    struct rv_ctx *cx = *state;
    struct said run =
        ask(cx, "POST", "/v1/runs", "{\"project\":\"demo\",\"workflow\":\"careful\"}");
    const char *run_id = text_at(&run, "run_id"), *path;
    struct said said;

    assert_int_equal(run.status, 202);
    assert_string_equal(text_at(&run, "phase"), "awaiting_approval");
    said = ask(cx, "GET", rv_printf(cx, "/v1/approvals?state=pending&run_id=%s", run_id), NULL);
    assert_string_equal(text_at(&said, "data[0].run_id"), run_id);
    path = rv_printf(cx, "/v1/approvals/%s", text_at(&said, "data[0].approval_id"));
    said = ask_gateway(cx, port, bound, "POST", rv_printf(cx, "%s/approve", path), NULL, "{}");
    assert_int_equal(said.status, 404);
    said = ask(cx, "POST", rv_printf(cx, "%s/approve", path), "{\"feedback\":\"go\"}");
    assert_int_equal(said.status, 200);
    assert_string_equal(text_at(&said, "state"), "approved");
    assert_int_equal(ask(cx, "POST", rv_printf(cx, "%s/reject", path), "{}").status, 409);
    for (int i = 0; i < 100 && strcmp(text_at(&run, "phase"), "queued") != 0; i++) {
        usleep(50000);
        run = ask(cx, "GET", rv_printf(cx, "/v1/runs/%s", run_id), NULL);
    }
    assert_string_equal(text_at(&run, "phase"), "queued");
}

/* Cancels the run of the key "waiting" as soon as it is there. */
static void *cancel_soon(void *arg)
{
    struct rv_ctx cx;
    int64_t found = 0;

    (void)arg;
    rv_ctx_init(&cx);
    for (int i = 0; i < 200 && !found; i++) {
        usleep(20000);
        found = number("SELECT count(*) AS value FROM runs WHERE idempotency_key = 'waiting'");
    }
    usleep(100000);
    for (struct said said = ask(&cx, "GET", "/v1/runs?state=pending&limit=1", NULL); found;
         found = 0)
        ask(&cx, "POST", rv_printf(&cx, "/v1/runs/%s/cancel", text_at(&said, "data[0].run_id")),
            "{}");
    rv_ctx_release(&cx);
    return NULL;
}

static void a_run_that_ends_is_told_to_whoever_waits(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t start_ms = rv_monotonic_ms();
    struct said said;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    said = ask_gateway(cx, port, admin, "POST", "/v1/runs?wait=15s", "Idempotency-Key: waiting\r\n",
                       "{\"project\":\"demo\",\"workflow\":\"two\"}");
    pthread_join(thread, NULL);
    assert_int_equal(said.status, 200);
    assert_string_equal(text_at(&said, "state"), "cancelled");
    assert_true(rv_monotonic_ms() - start_ms < 12000);
}

/* -- when others are away -- */

static void without_the_scheduler_nothing_is_accepted(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *scheduler = &stack.services[HOUSE_SCHEDULER];
    int64_t runs = number("SELECT count(*) AS value FROM runs");
    struct said said;

    assert_true(stack_service_signal(scheduler, SIGTERM));
    said = ask(cx, "POST", "/v1/runs", "{\"project\":\"demo\",\"workflow\":\"two\"}");
    assert_int_equal(said.status, 503);
    assert_true(has_header(&said, "Retry-After: "));
    assert_null(strstr(said.body, "reeve.scheduler"));
    assert_int_equal(ask(cx, "GET", "/v1/runs", NULL).status, 200);
    assert_int_equal(number("SELECT count(*) AS value FROM runs"), runs);
    assert_true(stack_service_restart(&stack, scheduler));
    assert_true(stack_service_wait_ready(scheduler));
    new_run(cx);
}

static void waits_out_a_postgres_that_starts_again(void **state)
{
    struct rv_ctx *cx = *state;
    struct said said = { 0 };

    assert_true(stack_postgres_stop(&stack, SIGINT));
    said = ask(cx, "GET", "/v1/runs", NULL);
    assert_int_equal(said.status, 503);
    assert_true(has_header(&said, "Retry-After: "));
    assert_true(stack_postgres_start(&stack));
    for (int i = 0; i < 100 && said.status != 200; i++) {
        said = ask(cx, "GET", "/v1/runs", NULL);
        usleep(50000);
    }
    assert_int_equal(said.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_change_is_a_version_and_the_same_is_none),
        RV_TEST(a_run_is_planned_from_what_stands_now),
        RV_TEST(the_same_key_gets_the_same_answer),
        RV_TEST(the_same_key_with_another_query_is_a_conflict),
        RV_TEST(a_failed_repeat_makes_nobody_run_twice),
        RV_TEST(a_page_of_steps_is_bounded_in_bytes),
        RV_TEST(a_denied_run_says_who_denies_it),
        RV_TEST(a_run_over_budget_says_what_is_left),
        RV_TEST(a_run_is_cancelled_once_and_waited_for),
        RV_TEST(a_careful_run_waits_for_a_human),
        RV_TEST(a_run_that_ends_is_told_to_whoever_waits),
        RV_TEST(without_the_scheduler_nothing_is_accepted),
        RV_TEST(waits_out_a_postgres_that_starts_again),
    };

    return cmocka_run_group_tests(tests, house_start, house_stop);
}
