#include "executor/openai_wire.h"

#include "base/time.h"
#include "support/fake_llm.h"
#include "support/rv_test.h"

static struct fake_llm *fake;
static struct rv_http_client *http;
static struct rv_buf streamed;

static void on_delta(void *arg, const char *kind, const char *text, size_t len, int64_t index)
{
    if (strcmp(kind, "text") == 0)
        rv_buf_add(&streamed, text, len);
}

static const struct llm_message hello[] = { { .role = "system", .content = "Be \"kind\"." },
                                            { .role = "user", .content = "Hello" } };
static const struct llm_request request = {
    .model = "fake", .messages = hello, .n_messages = 2, .max_output_tokens = 100
};

static enum rv_status ask(struct rv_ctx *cx, const struct fake_turn *script, size_t n,
                          struct llm_answer *answer, struct llm_failure *failure)
{
    struct llm_conn conn = {
        .http = http, .base_url = fake_llm_url(fake), .api_key = "k", .on_delta = on_delta
    };

    rv_buf_clear(&streamed);
    fake_llm_script(fake, script, n);
    return provider_openai.complete(cx, &conn, &request, answer, failure);
}

static void puts_text_together_however_it_is_cut(void **state)
{
    struct rv_ctx *cx = *state;

    for (size_t piece = 1; piece < 40; piece += 6) {
        struct fake_turn turn = { .content = "Grüße aus \"dem\" Süden, \n and on.",
                                  .piece = piece };
        struct llm_failure failure;
        struct llm_answer answer;

        assert_ok(cx, ask(cx, &turn, 1, &answer, &failure));
        assert_string_equal(answer.content, turn.content);
        assert_string_equal(streamed.data, turn.content);
        assert_string_equal(answer.finish_reason, "stop");
        assert_int_equal(answer.tokens_in, 50);
        assert_int_equal(answer.tokens_cached, 20);
        assert_int_equal(answer.tokens_out, 9);
        assert_false(answer.estimated);
    }
    assert_true(fake_llm_was_told(fake, "\"max_completion_tokens\":100"));
    assert_true(fake_llm_was_told(fake, "Be \\\"kind\\\"."));
}

static void puts_tool_calls_together(void **state)
{
    struct fake_turn turn = {
        .tool = "add", .arguments = "{\"a\":1,\"b\":[2,3]}", .piece = 5, .twice = true
    };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;

    assert_ok(cx, ask(cx, &turn, 1, &answer, &failure));
    assert_int_equal(answer.n_tool_calls, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(answer.tool_calls[i].name, "add");
        assert_string_equal(answer.tool_calls[i].arguments, turn.arguments);
    }
    assert_string_not_equal(answer.tool_calls[0].id, answer.tool_calls[1].id);
    assert_string_equal(answer.finish_reason, "tool_calls");
}

static void reads_an_answer_that_does_not_stream(void **state)
{
    struct fake_turn turns[] = { { .content = "whole", .whole = true },
                                 { .tool = "t", .arguments = "{}", .whole = true } };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;

    assert_ok(cx, ask(cx, &turns[0], 1, &answer, &failure));
    assert_string_equal(answer.content, "whole");
    assert_ok(cx, ask(cx, &turns[1], 1, &answer, &failure));
    assert_int_equal(answer.n_tool_calls, 1);
}

static void counts_by_bytes_when_nobody_else_does(void **state)
{
    struct fake_turn turn = { .content = "12345678", .uncounted = true };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;

    assert_ok(cx, ask(cx, &turn, 1, &answer, &failure));
    assert_true(answer.estimated);
    assert_int_equal(answer.tokens_out, 2);
    assert_true(answer.tokens_in > 0);
}

static void tries_again_after_a_busy_answer(void **state)
{
    struct fake_turn turns[] = { { .status = 429, .retry_after = "1" },
                                 { .status = 500 },
                                 { .content = "third" } };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;
    int64_t start_ms = rv_monotonic_ms();

    assert_ok(cx, ask(cx, turns, 3, &answer, &failure));
    assert_string_equal(answer.content, "third");
    assert_int_equal(fake_llm_asked(fake), 3);
    assert_true(rv_monotonic_ms() - start_ms >= 1000);
}

static void does_not_wait_beyond_the_deadline(void **state)
{
    struct fake_turn turn = { .status = 429, .retry_after = "60" };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;
    enum rv_status status;

    cx->deadline_ms = rv_monotonic_ms() + 3000;
    status = ask(cx, &turn, 1, &answer, &failure);
    cx->deadline_ms = 0;
    assert_int_not_equal(status, RV_OK);
    assert_string_equal(failure.code, "llm_busy");
    assert_true(failure.retryable);
    assert_int_equal(failure.retry_after_ms, 60000);
    assert_int_equal(fake_llm_asked(fake), 1);
}

static void falls_back_to_the_old_name_of_the_limit(void **state)
{
    struct fake_turn turns[] = {
        { .status = 400,
          .body = "{\"error\":{\"message\":\"Unrecognized argument: "
                  "max_completion_tokens\",\"type\":\"invalid_request_error\"}}" },
        { .content = "fine" },
    };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;

    assert_ok(cx, ask(cx, turns, 2, &answer, &failure));
    assert_true(fake_llm_was_told(fake, "\"max_tokens\":100"));
}

static void says_what_kind_of_failure_it_is(void **state)
{
    static const struct {
        struct fake_turn turn;
        const char *code;
        bool retryable, spent;
        size_t asked;
    } rows[] = {
        { { .status = 401 }, "llm_unauthenticated", false, false, 1 },
        { { .status = 402, .body = "no" }, "provider_quota", false, false, 1 },
        { { .status = 429, .body = "{\"error\":{\"code\":\"insufficient_quota\"}}" },
          "provider_quota",
          false,
          false,
          1 },
        { { .status = 400, .body = "{\"error\":{\"code\":\"context_length_exceeded\"}}" },
          "context_too_long",
          false,
          false,
          1 },
        { { .content = "a long text that will be cut off", .cut_after = 400 },
          "llm_cut",
          true,
          true,
          1 },
        { { .body = "data: {\"choices\":[{\"delta\":{\"content\":\"so\"}}]}\n\n"
                    "data: {\"error\":{\"message\":\"overloaded\",\"code\":502}}\n\n" },
          "llm_unavailable",
          true,
          true,
          1 },
        { { .body = "data: {\"choices\":[{\"delta\":{\"content\":\"so\"}}]}\n\ndata: {{{\n\n" },
          "llm_garbled",
          true,
          true,
          1 },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct llm_failure failure;
        struct llm_answer answer;

        assert_int_not_equal(ask(cx, &rows[i].turn, 1, &answer, &failure), RV_OK);
        assert_string_equal(failure.code, rows[i].code);
        assert_int_equal(failure.retryable, rows[i].retryable);
        assert_int_equal(failure.spent, rows[i].spent);
        assert_int_equal(fake_llm_asked(fake), rows[i].asked);
    }
}

static void fails_when_nobody_is_there(void **state)
{
    struct llm_conn conn = { .http = http, .base_url = "http://127.0.0.1:1/v1" };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;

    assert_int_not_equal(provider_openai.complete(cx, &conn, &request, &answer, &failure), RV_OK);
    assert_string_equal(failure.code, "llm_unavailable");
    assert_false(failure.spent);
}

static bool over_soon(void *arg)
{
    return rv_monotonic_ms() > *(int64_t *)arg;
}

static void stops_when_it_is_told(void **state)
{
    struct fake_turn turn = { .content = "one two three four five six",
                              .slow_ms = 200,
                              .piece = 20 };
    int64_t start_ms = rv_monotonic_ms(), until_ms = start_ms + 300;
    struct llm_conn conn = {
        .http = http, .base_url = fake_llm_url(fake), .is_over = over_soon, .arg = &until_ms
    };
    struct rv_ctx *cx = *state;
    struct llm_failure failure;
    struct llm_answer answer;

    fake_llm_script(fake, &turn, 1);
    assert_int_not_equal(provider_openai.complete(cx, &conn, &request, &answer, &failure), RV_OK);
    assert_true(rv_monotonic_ms() - start_ms < 3000);
    assert_int_equal(fake_llm_asked(fake), 1);
}

static int open_suite(void **state)
{
    struct rv_http_client_options options = { .allow = "127.0.0.1", .user_agent = "test" };

    fake = fake_llm_start(0, NULL, 0);
    http = rv_http_client_new(&options);
    return fake ? 0 : -1;
}

static int close_suite(void **state)
{
    rv_http_client_free(http);
    fake_llm_stop(fake);
    rv_buf_release(&streamed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(puts_text_together_however_it_is_cut),
        RV_TEST(puts_tool_calls_together),
        RV_TEST(reads_an_answer_that_does_not_stream),
        RV_TEST(counts_by_bytes_when_nobody_else_does),
        RV_TEST(tries_again_after_a_busy_answer),
        RV_TEST(does_not_wait_beyond_the_deadline),
        RV_TEST(falls_back_to_the_old_name_of_the_limit),
        RV_TEST(says_what_kind_of_failure_it_is),
        RV_TEST(fails_when_nobody_is_there),
        RV_TEST(stops_when_it_is_told),
    };

    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
