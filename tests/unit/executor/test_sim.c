#include "executor/provider.h"

#include "base/buf.h"
#include "executor/sim_text.h"
#include "runtime/json.h"
#include "support/rv_test.h"

static const char page[] =
    "<html><body><h1>Leases</h1><p>A lease says how long a worker may keep a task. "
    "When the lease runs out, the task goes back to the queue.</p>\n"
    "<p>Cats sleep for most of the day.</p>\n"
    "<p>A fence is a number that rises with every claim. Writers with a stale fence change "
    "nothing at all!</p></body></html>";

static const struct tool_spec search = {
    .tool = "search",
    .description = "Searches the library for a text",
    .parameters = "{\"type\":\"object\",\"required\":[\"query\"],\"properties\":{\"query\":"
                  "{\"type\":\"string\"},\"limit\":{\"type\":\"integer\"}}}",
    .effect = EFFECT_READ,
};
static const struct tool_spec fetch = {
    .tool = "fetch",
    .description = "Gives a page of the library",
    .parameters = "{\"type\":\"object\",\"required\":[\"page_id\"],\"properties\":{\"page_id\":"
                  "{\"type\":\"string\"}}}",
    .effect = EFFECT_READ,
};
static const struct tool_spec erase = {
    .tool = "erase",
    .description = "Removes everything",
    .effect = EFFECT_DESTRUCTIVE,
};

static struct rv_buf streamed;

static void on_delta(void *arg, const char *kind, const char *text, size_t len, int64_t index)
{
    rv_buf_add(&streamed, text, len);
}

static struct llm_answer ask(struct rv_ctx *cx, const struct llm_request *request)
{
    struct llm_conn conn = { .on_delta = on_delta };
    struct llm_failure failure;
    struct llm_answer answer;

    rv_buf_clear(&streamed);
    assert_ok(cx, provider_sim.complete(cx, &conn, request, &answer, &failure));
    return answer;
}

static void answers_with_sentences_of_what_it_read(void **state)
{
    struct rv_ctx *cx = *state;
    struct llm_message messages[] = {
        { .role = "user", .content = "How long may a worker keep a task under a lease?" },
        { .role = "assistant",
          .tool_calls = &(struct llm_tool_call){ "1", "search", "{}" },
          .n_tool_calls = 1 },
        { .role = "tool", .tool_call_id = "1", .content = page },
    };
    struct llm_request request = { .messages = messages,
                                   .n_messages = 3,
                                   .max_output_tokens = 500 };
    struct llm_answer answer = ask(cx, &request);

    assert_non_null(strstr(answer.content, "A lease says how long a worker may keep a task."));
    assert_null(strstr(answer.content, "<"));
    assert_string_equal(streamed.data, answer.content);
    assert_string_equal(answer.finish_reason, "stop");
    assert_true(answer.tokens_in > 0 && answer.tokens_out > 0);
    assert_true(answer.tokens_in <= llm_request_bytes(&request));
    assert_string_equal(ask(cx, &request).content, answer.content);
}

static void quotes_letter_by_letter(void **state)
{
    struct rv_ctx *cx = *state;
    struct llm_message messages[] = {
        { .role = "system", .content = "Answer as JSON with the keys `brief` and `quotes`." },
        { .role = "user", .content = "What is a fence?" },
        { .role = "tool", .tool_call_id = "1", .content = page },
    };
    struct llm_request request = {
        .messages = messages, .n_messages = 3, .format = FORMAT_JSON, .max_output_tokens = 500
    };
    struct llm_answer answer = ask(cx, &request);
    json_t *json, *quotes, *quote;
    size_t i;

    assert_ok(cx, rv_json_parse(cx, answer.content, strlen(answer.content), "answer", &json));
    assert_non_null(strstr(json_string_value(json_object_get(json, "brief")), "A fence is"));
    quotes = json_object_get(json, "quotes");
    assert_in_range(json_array_size(quotes), 2, 4);
    json_array_foreach(quotes, i, quote) assert_non_null(strstr(page, json_string_value(quote)));
}

static void calls_a_tool_when_it_has_read_nothing(void **state)
{
    const struct tool_spec *tools[] = { &erase, &search };
    struct rv_ctx *cx = *state;
    struct llm_message messages[] = {
        { .role = "user", .content = "What does the library say about leases?" },
    };
    struct llm_request request = { .messages = messages,
                                   .n_messages = 1,
                                   .tools = tools,
                                   .n_tools = 2,
                                   .max_output_tokens = 500 };
    struct llm_answer answer = ask(cx, &request);
    json_t *arguments;

    assert_int_equal(answer.n_tool_calls, 1);
    assert_string_equal(answer.tool_calls[0].name, "search");
    assert_string_equal(answer.finish_reason, "tool_calls");
    assert_ok(cx, rv_json_parse(cx, answer.tool_calls[0].arguments,
                                strlen(answer.tool_calls[0].arguments), "arguments", &arguments));
    assert_non_null(strstr(json_string_value(json_object_get(arguments, "query")), "leases"));
}

static void reads_on_from_what_a_search_found(void **state)
{
    const struct tool_spec *tools[] = { &search, &fetch };
    struct rv_ctx *cx = *state;
    struct llm_message messages[] = {
        { .role = "user", .content = "What does the library say about leases?" },
        { .role = "assistant",
          .tool_calls = &(struct llm_tool_call){ "1", "search", "{}" },
          .n_tool_calls = 1 },
        { .role = "tool",
          .tool_call_id = "1",
          .content = "{\"hits\":[{\"page_id\":\"p-7\",\"title\":\"All about the leases\"}]}" },
    };
    struct llm_request request = { .messages = messages,
                                   .n_messages = 3,
                                   .tools = tools,
                                   .n_tools = 2,
                                   .max_output_tokens = 500 };
    struct llm_answer answer = ask(cx, &request);

    assert_int_equal(answer.n_tool_calls, 1);
    assert_string_equal(answer.tool_calls[0].name, "fetch");
    assert_string_equal(answer.tool_calls[0].arguments, "{\"page_id\":\"p-7\"}");
}

static void answers_once_all_its_tools_were_used(void **state)
{
    const struct tool_spec *tools[] = { &search };
    struct rv_ctx *cx = *state;
    struct llm_message messages[] = {
        { .role = "user", .content = "What about zebras?" },
        { .role = "assistant",
          .tool_calls = &(struct llm_tool_call){ "1", "search", "{}" },
          .n_tool_calls = 1 },
        { .role = "tool", .tool_call_id = "1", .content = "error: the tool answered 500: " },
    };
    struct llm_request request = { .messages = messages,
                                   .n_messages = 3,
                                   .tools = tools,
                                   .n_tools = 1,
                                   .max_output_tokens = 500 };
    struct llm_answer answer = ask(cx, &request);

    assert_int_equal(answer.n_tool_calls, 0);
    assert_non_null(answer.content);
}

static void keeps_to_the_most_tokens(void **state)
{
    struct rv_ctx *cx = *state;
    struct llm_message messages[] = {
        { .role = "user", .content = "Tell about leases and fences." },
        { .role = "tool", .tool_call_id = "1", .content = page },
    };
    struct llm_request request = { .messages = messages, .n_messages = 2 };

    for (request.max_output_tokens = 1; request.max_output_tokens < 80;
         request.max_output_tokens += 7) {
        struct llm_answer answer = ask(cx, &request);

        assert_true(sim_tokens(answer.content) <= request.max_output_tokens);
        assert_true(answer.tokens_out <= request.max_output_tokens);
    }
}

static void reads_odd_texts_without_harm(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "<",
        "<<<>>>",
        "...",
        "a.b.c. d! e? \n\n\n",
        "\xff\xfe broken bytes in a sentence of some length.",
        "{\"a\":[{\"b\":\"A sentence inside of an object.\"}]}",
        "# A heading with several words\n- and a point of a list"
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct llm_message messages[] = { { .role = "user", .content = texts[i] },
                                          { .role = "tool", .content = texts[i] } };
        struct llm_request request = { .messages = messages,
                                       .n_messages = 2,
                                       .format = i % 2 ? FORMAT_JSON : FORMAT_TEXT,
                                       .max_output_tokens = 200 };

        assert_non_null(ask(cx, &request).content);
    }
}

static int release_all(void **state)
{
    rv_buf_release(&streamed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(answers_with_sentences_of_what_it_read), RV_TEST(quotes_letter_by_letter),
        RV_TEST(calls_a_tool_when_it_has_read_nothing),  RV_TEST(reads_on_from_what_a_search_found),
        RV_TEST(answers_once_all_its_tools_were_used),   RV_TEST(keeps_to_the_most_tokens),
        RV_TEST(reads_odd_texts_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, release_all);
}
