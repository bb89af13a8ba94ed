/* Stories through the front door: the whole suite runs, and everything is said over HTTP. */

#include <signal.h>
#include <stdlib.h>

#include "base/time.h"
#include "fault/invariants.h"
#include "support/fake_llm.h"
#include "support/rv_test.h"
#include "support/world.h"

static struct world world;
static struct fake_llm *model;

/* Says: call lookup(tide); then, having read the page: an answer. */
static const struct fake_turn script[] = {
    { .tool = "lookup", .arguments = "{\"word\":\"tide\"}" },
    { .content = "A tide is a slow wave." },
};
static struct rv_http_client *client;

static int open_world(void **state)
{
    static const char *env[4];
    static char base[80];
    static struct world_options options = { .lease = "1s", .env = env };
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    model = fake_llm_start(0, script, 2);
    client = world_client();
    if (!model)
        return -1;
    snprintf(base, sizeof(base), "REEVE_LLM_BASE_URL=%s", fake_llm_url(model));
    env[0] = base;
    env[1] = "REEVE_LLM_API_KEY=sk-test-000000000000";
    env[2] = "REEVE_LLM_MODEL=fake-1";
    rv_ctx_release(&cx);
    return world_start(&world, &options) && world_furnish(&world, 5000000, 3) ? 0 : -1;
}

static int close_world(void **state)
{
    world_stop(&world);
    rv_http_client_free(client);
    fake_llm_stop(model);
    return 0;
}

/* -- verbs
 * ------------------------------------------------------------------------------------------ */

static json_t *post(struct rv_ctx *cx, const char *path, const char *body, int status)
{
    json_t *json;
    int got = world_call(cx, client, &world, 0, "POST", path, NULL, body, &json);

    if (got != status)
        fail_msg("POST %s: %d, not %d: %s", path, got, status, rv_json_text(cx, json));
    return json;
}

static json_t *get(struct rv_ctx *cx, const char *path, int status)
{
    json_t *json;
    int got = world_call(cx, client, &world, 0, "GET", path, NULL, NULL, &json);

    if (got != status)
        fail_msg("GET %s: %d, not %d: %s", path, got, status, rv_json_text(cx, json));
    return json;
}

static const char *text_at(json_t *json, const char *path)
{
    const char *text = json_string_value(rv_json_at(json, path));

    return text ? text : "";
}

static const char *submit(struct rv_ctx *cx, const char *kind, const char *name)
{
    json_t *run = post(cx, "/v1/runs",
                       rv_printf(cx, "{\"project\":\"test\",\"%s\":\"%s\"}", kind, name), 202);

    return rv_strdup(cx, text_at(run, "run_id"));
}

static json_t *run_when(struct rv_ctx *cx, const char *run_id, const char *state_or_phase)
{
    json_t *run = NULL;

    for (int i = 0; i < 400; i++, rv_sleep_ms(50)) {
        run = get(cx, rv_printf(cx, "/v1/runs/%s", run_id), 200);
        if (strcmp(text_at(run, "state"), state_or_phase) == 0 ||
            strcmp(text_at(run, "phase"), state_or_phase) == 0)
            return run;
    }
    fail_msg("run %s never became %s: %s", run_id, state_or_phase, rv_json_text(cx, run));
    return NULL;
}

static void define(struct rv_ctx *cx, const char *path, const char *name, const char *spec)
{
    post(cx, path,
         rv_printf(cx, "{\"project_id\":\"%s\",\"name\":\"%s\",\"spec\":%s}", world.project_id,
                   name, spec),
         201);
}

/* -- stories
 * ---------------------------------------------------------------------------------------- */

static void a_run_is_accepted_done_and_its_events_are_a_whole_story(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = submit(cx, "workflow", "chain");
    json_t *run = run_when(cx, run_id, "completed");
    json_t *events = get(cx, rv_printf(cx, "/v1/runs/%s/events", run_id), 200);
    json_t *tasks = get(cx, rv_printf(cx, "/v1/runs/%s/tasks", run_id), 200);

    assert_int_equal(json_integer_value(json_object_get(run, "tasks_open")), 0);
    assert_int_equal(json_array_size(json_object_get(events, "data")), 9);
    assert_string_equal(text_at(events, "data[0].type"), "run.created");
    assert_string_equal(text_at(events, "data[8].type"), "run.completed");
    assert_int_equal(json_array_size(json_object_get(tasks, "data")), 3);
}

static void waiting_for_a_run_answers_when_it_is_over(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *run =
        post(cx, "/v1/runs?wait=20s", "{\"project\":\"test\",\"workflow\":\"chain\"}", 200);

    assert_string_equal(text_at(run, "state"), "completed");
}

static void policy_denies_budget_refuses_and_both_say_why(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *no;

    define(cx, "/v1/workflows", "forbidden-one",
           "{\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\"}]}");
    no = post(cx, "/v1/runs", "{\"project\":\"test\",\"workflow\":\"forbidden-one\"}", 403);
    assert_string_equal(text_at(no, "error.code"), "denied");
    assert_non_null(strstr(rv_json_text(cx, no), "forbidden here"));
    no = post(
        cx, "/v1/runs",
        "{\"project\":\"test\",\"workflow\":\"chain\",\"limits\":{\"cost_microusd\":900000000}}",
        402);
    assert_string_equal(text_at(no, "error.code"), "over_budget");
    assert_non_null(strstr(rv_json_text(cx, no), "left_microusd"));
}

static void a_parked_run_goes_on_once_a_human_approves(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id;
    json_t *run;

    define(cx, "/v1/workflows", "careful-one",
           "{\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\"}]}");
    run_id = submit(cx, "workflow", "careful-one");
    run = run_when(cx, run_id, "awaiting_approval");
    post(cx, rv_printf(cx, "/v1/approvals/%s/approve", text_at(run, "approval_id")), "{}", 200);
    run_when(cx, run_id, "completed");
    post(cx, rv_printf(cx, "/v1/approvals/%s/reject", text_at(run, "approval_id")), "{}", 409);
}

static void a_cancelled_run_is_cancelled_and_cannot_be_twice(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = submit(cx, "workflow", "careful-one");

    run_when(cx, run_id, "awaiting_approval");
    post(cx, rv_printf(cx, "/v1/runs/%s/cancel", run_id), "{\"reason\":\"enough\"}", 200);
    run_when(cx, run_id, "cancelled");
}

static void a_step_that_fails_fails_the_run_and_names_itself(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *run;

    define(cx, "/v1/workflows", "wrong",
           "{\"nodes\":[{\"node_id\":\"look\",\"kind\":\"map\",\"map\":{\"value\":\"${{ "
           "input.nothing }}\"}}]}");
    run = run_when(cx, submit(cx, "workflow", "wrong"), "failed");
    assert_non_null(strstr(rv_json_text(cx, json_object_get(run, "error")), "look"));
}

static void mapped_values_flow_from_step_to_step(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *run;

    define(cx, "/v1/workflows", "flow",
           "{\"nodes\":[{\"node_id\":\"one\",\"kind\":\"map\",\"map\":{\"value\":{\"words\":[\"a\","
           "\"b\"],\"said\":\"${{ input.who }} says\"}}},"
           "{\"node_id\":\"two\",\"kind\":\"map\",\"needs\":[\"one\"],\"map\":{\"value\":\"${{ "
           "steps.one.output }}\","
           "\"checks\":[{\"name\":\"two words\",\"condition\":"
           "\"size(steps.one.output.words) <= 2\"}]}}]}");
    run = post(cx, "/v1/runs?wait=20s",
               "{\"project\":\"test\",\"workflow\":\"flow\",\"input\":{\"who\":\"Ann\"}}", 200);
    assert_string_equal(text_at(run, "output.said"), "Ann says");
    assert_string_equal(text_at(run, "output.words[1]"), "b");
}

/* -- agents
 * ----------------------------------------------------------------------------------------- */

static void furnish_agent(struct rv_ctx *cx)
{
    define(cx, "/v1/tools", "lookup",
           rv_printf(cx,
                     "{\"description\":\"looks a word up\",\"effect\":\"read\","
                     "\"parameters\":{\"type\":\"object\",\"properties\":{\"word\":{\"type\":"
                     "\"string\"}},\"required\":[\"word\"]},"
                     "\"http\":{\"url\":\"http://127.0.0.1:%d/tool/{word}\"}}",
                     fake_llm_port(model)));
    define(cx, "/v1/agents", "reader",
           "{\"system_prompt\":\"You answer "
           "briefly.\",\"tools\":[\"lookup\"],\"max_output_tokens\":200,"
           "\"limits\":{\"cost_microusd\":500000,\"tokens\":100000}}");
    define(cx, "/v1/workflows", "ask",
           "{\"nodes\":[{\"node_id\":\"answer\",\"kind\":\"agent\",\"agent\":{\"agent\":\"reader\","
           "\"prompt\":\"What is ${{ input.word }}?\"}}],"
           "\"limits\":{\"cost_microusd\":500000,\"tokens\":100000},"
           "\"scorers\":[{\"name\":\"says "
           "it\",\"kind\":\"contains\",\"path\":\"output.text\",\"value\":\"tide\"},"
           "{\"name\":\"cheap\",\"kind\":\"bounds\",\"path\":\"run.cost_microusd\",\"max\":"
           "\"500000\"}]}");
}

static size_t asked_before;

/* The script from its beginning; the page that the tool reads takes @slow_ms. */
static void tell_the_story_again(int64_t slow_ms)
{
    fake_llm_script(model, script, 2);
    fake_llm_page(model, "/tool/tide", 200, "tide: a slow wave");
    fake_llm_slow_page(model, "/tool/tide", slow_ms);
    asked_before = fake_llm_asked(model);
}

static size_t model_calls(void)
{
    return fake_llm_asked(model) - asked_before;
}

static void an_agent_calls_a_model_and_a_tool_under_governance_and_is_scored(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *run, *steps, *scores, *money;
    const char *run_id;

    furnish_agent(cx);
    tell_the_story_again(0);
    run = post(cx, "/v1/runs?wait=30s",
               "{\"project\":\"test\",\"workflow\":\"ask\",\"input\":{\"word\":\"tide\"}}", 200);
    assert_string_equal(text_at(run, "state"), "completed");
    assert_string_equal(text_at(run, "output.text"), "A tide is a slow wave.");
    assert_true(json_integer_value(json_object_get(run, "cost_microusd")) > 0);
    assert_int_equal(model_calls(), 2);
    run_id = text_at(run, "run_id");
    steps = get(cx, rv_printf(cx, "/v1/runs/%s/steps", run_id), 200);
    assert_int_equal(json_array_size(json_object_get(steps, "data")), 3); /* llm, tool, llm */
    assert_string_equal(text_at(steps, "data[1].name"), "lookup");
    assert_true(*text_at(steps, "data[1].decision_id"));
    money = get(cx, rv_printf(cx, "/v1/runs/%s/budget", run_id), 200);
    assert_true(json_array_size(json_object_get(money, "usage")) >= 2);
    for (int i = 0; i < 100; i++, rv_sleep_ms(50)) {
        scores = get(cx, rv_printf(cx, "/v1/runs/%s/evaluations", run_id), 200);
        if (json_array_size(json_object_get(scores, "data")) == 2)
            break;
    }
    assert_int_equal(json_array_size(json_object_get(scores, "data")), 2);
    assert_true(json_is_true(rv_json_at(scores, "data[0].passed")));
    assert_true(json_is_true(rv_json_at(scores, "data[1].passed")));
}

static void a_killed_executor_repeats_no_finished_model_call(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id;
    json_t *run, *steps = NULL;

    tell_the_story_again(1500);
    run = post(cx, "/v1/runs",
               "{\"project\":\"test\",\"workflow\":\"ask\",\"input\":{\"word\":\"tide\"}}", 202);
    run_id = text_at(run, "run_id");
    for (int i = 0; i < 200; i++, rv_sleep_ms(20)) { /* the first model call is in the journal */
        steps = get(cx, rv_printf(cx, "/v1/runs/%s/steps", run_id), 200);
        if (json_array_size(json_object_get(steps, "data")) >= 1)
            break;
    }
    assert_int_equal(json_array_size(json_object_get(steps, "data")), 1);
    assert_true(
        world_restart(&world, WORLD_EXECUTOR, 0, NULL)); /* in the middle of the tool call */
    run = run_when(cx, run_id, "completed");
    assert_string_equal(text_at(run, "output.text"), "A tide is a slow wave.");
    assert_int_equal(model_calls(), 2); /* not three */
    steps = get(cx, rv_printf(cx, "/v1/runs/%s/tasks", run_id), 200);
    assert_int_equal(json_integer_value(rv_json_at(steps, "data[0].attempt")), 2);
}

static void a_tool_call_that_needs_approval_waits_and_goes_on_from_its_journal(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *run, *tasks = NULL;
    const char *run_id;

    assert_true(world_make(
        &world, "/v1/policies",
        "{\"name\":\"ask-tools\",\"rules\":[{\"rule\":\"ask\",\"effect\":\"require_approval\","
        "\"match\":{\"subject\":\"tool\",\"tool\":\"lookup\"}}]}"));
    tell_the_story_again(0);
    run = post(cx, "/v1/runs",
               "{\"project\":\"test\",\"workflow\":\"ask\",\"input\":{\"word\":\"tide\"}}", 202);
    run_id = text_at(run, "run_id");
    for (int i = 0; i < 200; i++, rv_sleep_ms(50)) {
        tasks = get(cx, rv_printf(cx, "/v1/runs/%s/tasks", run_id), 200);
        if (strcmp(text_at(tasks, "data[0].state"), "awaiting_approval") == 0)
            break;
    }
    assert_string_equal(text_at(tasks, "data[0].state"), "awaiting_approval");
    post(cx, rv_printf(cx, "/v1/approvals/%s/approve", text_at(tasks, "data[0].approval_id")), "{}",
         200);
    run_when(cx, run_id, "completed");
    assert_int_equal(model_calls(), 2); /* the first one was in the journal */
}

static void no_secret_is_in_any_log(void **state)
{
    struct rv_ctx *cx = *state;
    const char *command = rv_printf(cx, "grep -l -e '%s' -e sk-test-000000000000 %s/*.log",
                                    strrchr(world.key, '_') + 1, world.stack.home);

    assert_int_not_equal(system(command), 0); /* grep finds nothing */
}

static void afterwards_everything_adds_up(void **state)
{
    for (int i = 0; i < 200 && holds_open(world.stack.postgres_url) > 0; i++)
        rv_sleep_ms(50);
    rv_sleep_ms(500);
    assert_true(invariants_hold(world.stack.postgres_url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_run_is_accepted_done_and_its_events_are_a_whole_story),
        RV_TEST(waiting_for_a_run_answers_when_it_is_over),
        RV_TEST(policy_denies_budget_refuses_and_both_say_why),
        RV_TEST(a_parked_run_goes_on_once_a_human_approves),
        RV_TEST(a_cancelled_run_is_cancelled_and_cannot_be_twice),
        RV_TEST(a_step_that_fails_fails_the_run_and_names_itself),
        RV_TEST(mapped_values_flow_from_step_to_step),
        RV_TEST(an_agent_calls_a_model_and_a_tool_under_governance_and_is_scored),
        RV_TEST(a_killed_executor_repeats_no_finished_model_call),
        RV_TEST(a_tool_call_that_needs_approval_waits_and_goes_on_from_its_journal),
        RV_TEST(no_secret_is_in_any_log),
        RV_TEST(afterwards_everything_adds_up),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}
