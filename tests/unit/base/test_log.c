#include "support/rv_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/redact.h"

/* What goes to stderr between listen and heard. */
static struct {
    FILE *file;
    int stderr_fd;
    char text[200000];
} ear;

static void listen_to_stderr(void)
{
    ear.file = tmpfile();
    ear.stderr_fd = dup(STDERR_FILENO);
    dup2(fileno(ear.file), STDERR_FILENO);
}

static char *heard(void)
{
    size_t len;

    dup2(ear.stderr_fd, STDERR_FILENO);
    close(ear.stderr_fd);
    rewind(ear.file);
    len = fread(ear.text, 1, sizeof(ear.text) - 1, ear.file);
    ear.text[len] = '\0';
    fclose(ear.file);
    return ear.text;
}

/* Behind the time, which is another one each time. */
static const char *without_time(char *line)
{
    char *level = strstr(line, ",\"level\"");

    assert_non_null(level);
    return level;
}

static void a_line_is_one_json_object(void **state)
{
    struct rv_ctx *cx = *state;

    cx->trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    cx->request_id = "r-1";
    rv_log_service("budget");
    listen_to_stderr();
    rv_info(cx, "budget reserved", RV_F("budget_id", "b \"1\"\n\xff"), RV_F("amount", -5));
    assert_string_equal(without_time(heard()),
                        ",\"level\":\"info\",\"service\":\"budget\",\"msg\":\"budget reserved\","
                        "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"request_id\":\"r-1\","
                        "\"budget_id\":\"b \\\"1\\\"\\n\\ufffd\",\"amount\":-5}\n");
    rv_log_service(NULL);
}

static void what_is_below_the_level_is_not_said(void **state)
{
    struct rv_ctx *cx = *state;

    listen_to_stderr();
    rv_debug(cx, "a detail");
    assert_string_equal(heard(), "");
    rv_log_level(RV_DEBUG);
    listen_to_stderr();
    rv_debug(NULL, "a detail");
    assert_string_equal(without_time(heard()), ",\"level\":\"debug\",\"msg\":\"a detail\"}\n");
    rv_log_level(RV_INFO);
}

static void people_may_read_text(void **state)
{
    struct rv_ctx *cx = *state;
    char *line;

    rv_log_format(RV_LOG_TEXT);
    listen_to_stderr();
    rv_warn(cx, "stream ended", RV_F("run_id", "r"), RV_F("seq", 7), RV_F("token", "x"));
    line = heard();
    rv_log_format(RV_LOG_JSON);
    assert_non_null(strstr(line, " warn  stream ended run_id=\"r\" seq=7 token=\"[redacted]\"\n"));
}

static void a_failure_says_why_and_where(void **state)
{
    struct rv_ctx *cx = *state;

    rv_wrong(cx, "name", "is missing");
    rv_wrong(cx, "kind", "is missing");
    if (rv_refuse(cx) == RV_OK)
        fail();
    cx->error.trail[0] = "a.c:1";
    rv_trace_at(cx, RV_INVALID, "b.c:2");
    listen_to_stderr();
    rv_log_failure(cx, "request failed", "reeve.budget.hold");
    assert_string_equal(without_time(heard()),
                        ",\"level\":\"warn\",\"msg\":\"request failed\","
                        "\"subject\":\"reeve.budget.hold\",\"status\":\"invalid\","
                        "\"why\":\"name is missing\",\"details\":2,\"trail\":\"a.c:1 < b.c:2\"}\n");
}

static void a_long_text_is_cut_at_a_whole_character(void **state)
{
    struct rv_ctx *cx = *state;
    char *text = rv_new_array(cx, char, 9001);
    char *line;

    for (int i = 0; i < 9000; i += 3)
        memcpy(text + i, "€", 3);
    listen_to_stderr();
    rv_info(cx, "long", RV_F("text", text));
    line = heard();
    assert_in_range(strlen(line), 4000, 4300);
    assert_non_null(strstr(line, "€…\"}\n"));
}

static void *say_much(void *arg)
{
    for (int i = 0; i < 200; i++)
        rv_info(NULL, "one of many", RV_F("text", "0123456789012345678901234567890123456789"));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    pthread_t threads[4];
    int lines = 0;

    listen_to_stderr();
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, say_much, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (char *line = strtok(heard(), "\n"); line; line = strtok(NULL, "\n"), lines++) {
        assert_int_equal(strncmp(line, "{\"ts_ms\":", 9), 0);
        assert_non_null(strstr(line, "6789\"}"));
    }
    assert_int_equal(lines, 800);
}

static void names_of_secrets_are_known(void **state)
{
    static const struct {
        const char *name;
        bool secret;
    } rows[] = {
        { "authorization", true },
        { "Authorization", true },
        { "api_key", true },
        { "X-Api-Key", true },
        { "session_token", true },
        { "Set-Cookie", true },
        { "client_secret", true },
        { "tokens", false },
        { "max_tokens", false },
        { "key", false },
        { "secretary", false },
        { "mytoken", false },
        { "", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(rv_redact_name(rows[i].name), rows[i].secret);
}

static void what_looks_like_a_secret_is_masked(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        { "", "" },
        { "nothing here", "nothing here" },
        { "key rv_abcDEF123456_0123456789abcdefghijABCDEFGHIJ0123456789 end",
          "key rv_abcDEF123456_[redacted] end" },
        { "\"rv_abcDEF123456_0123456789abcdefghijABCDEFGHIJ0123456789\"",
          "\"rv_abcDEF123456_[redacted]\"" },
        { "rv_abcDEF123456_short", "rv_abcDEF123456_short" },
        { "sk-ant-api03-abcdefgh", "sk-[redacted]" },
        { "task-based risk-averse", "task-based risk-averse" },
        { "Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer [redacted]" },
        { "bearer  abcdefghijkl, x", "bearer  [redacted], x" },
        { "Basic dXNlcjpwYXNz", "Basic [redacted]" },
        { "postgres://reeve:hush@db:5432/x", "postgres://reeve:[redacted]@db:5432/x" },
        { "http://user@host/a:b@c", "http://user@host/a:b@c" },
        { "nats://a:b@c@d", "nats://a:[redacted]@d" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buf buf = { 0 };

        rv_redact_text(&buf, rows[i].text);
        assert_string_equal(buf.data, rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_line_is_one_json_object),
        RV_TEST(what_is_below_the_level_is_not_said),
        RV_TEST(people_may_read_text),
        RV_TEST(a_failure_says_why_and_where),
        RV_TEST(a_long_text_is_cut_at_a_whole_character),
        RV_TEST(lines_of_threads_do_not_mix),
        RV_TEST(names_of_secrets_are_known),
        RV_TEST(what_looks_like_a_secret_is_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
