#include "support/rv_test.h"

#include <stdio.h>

#include "runtime/sse.h"

static void an_event_is_written_line_by_line(void **state)
{
    auto_buf out = { 0 };

    rv_sse_write(&out, "7", "run.started", "a\nb\r\nc\rd\n");
    rv_sse_comment(&out, "still here");
    rv_sse_write(&out, NULL, NULL, "");
    rv_sse_write(&out, "8\nevent: x", NULL, "y");
    assert_string_equal(out.data, "id: 7\nevent: run.started\n"
                                  "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"
                                  ": still here\n\n"
                                  "data: \n\n"
                                  "id: 8\ndata: y\n\n");
}

static bool note(void *arg, const struct rv_sse_event *event)
{
    rv_buf_printf(arg, "[%s|%s|%s]", event->event, event->id, event->data);
    assert_int_equal(strlen(event->data), event->len);
    return strcmp(event->data, "stop") != 0;
}

static const struct {
    const char *text, *heard;
} streams[] = {
    { "data: a\n\n", "[message||a]" },
    { "data: a\r\n\r\ndata: b\r\rdata: c\n\n", "[message||a][message||b][message||c]" },
    { "\xef\xbb\xbf"
      "data: a\n\n",
      "[message||a]" },
    { "data: \xef\xbb\xbf"
      "b\n\n\xef\xbb\xbf"
      "data: a\n\n",
      "[message||\xef\xbb\xbf"
      "b]" },
    { "event: x\nid: 1\ndata: a\ndata:b\ndata:  c\n\ndata: d\n\n", "[x|1|a\nb\n c][message|1|d]" },
    { "id: 5\n\ndata\n\n", "[message|5|]" },
    { "id: 5\nid\ndata: a\n\n", "[message||a]" },
    { ": a comment\n\n:\n\ndata: a\n\n", "[message||a]" },
    { "retry: 100\nwhat: ever\nwhatever\ndata: a:b\n\n", "[message||a:b]" },
    { "event: x\n\ndata: a\n\n", "[message||a]" },
    { "data: not ended\n", "" },
    { "\n\n\r\r\r\n\r\n", "" },
    { "data: {\"t\":\"grün\"}\n\n", "[message||{\"t\":\"grün\"}]" },
    { "Data: a\n data: b\n\n", "" },
};

static void a_stream_is_read_however_it_is_cut(void **state)
{
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        size_t len = strlen(streams[i].text);

        for (size_t piece = 1; piece <= len; piece++) {
            struct rv_sse_reader *reader = rv_sse_reader_new(1000);
            auto_buf heard = { 0 };

            rv_buf_text(&heard, "");
            for (size_t at = 0; at < len; at += piece)
                assert_true(rv_sse_feed(reader, streams[i].text + at,
                                        len - at < piece ? len - at : piece, note, &heard));
            assert_string_equal(heard.data, streams[i].heard);
            rv_sse_reader_free(reader);
        }
    }
    rv_sse_reader_free(NULL);
}

static void an_id_with_a_nul_is_passed_over(void **state)
{
    struct rv_sse_reader *reader = rv_sse_reader_new(1000);
    auto_buf heard = { 0 };

    assert_true(rv_sse_feed(reader, "id: 1\nid: 2\0\ndata: a\n\n", 22, note, &heard));
    assert_string_equal(heard.data, "[message|1|a]");
    rv_sse_reader_free(reader);
}

static void an_event_that_is_too_large_ends_the_stream(void **state)
{
    struct rv_sse_reader *reader = rv_sse_reader_new(20);
    auto_buf heard = { 0 };

    assert_true(rv_sse_feed(reader, "data: 12345678\n\n", 16, note, &heard));
    assert_true(rv_sse_feed(reader, "data: 12345678\n", 15, note, &heard));
    assert_false(rv_sse_feed(reader, "data: 12345678\n", 15, note, &heard));
    rv_sse_reader_free(reader);
}

static void whoever_listens_may_stop(void **state)
{
    struct rv_sse_reader *reader = rv_sse_reader_new(1000);
    auto_buf heard = { 0 };

    assert_false(rv_sse_feed(reader, "data: stop\n\ndata: more\n\n", 24, note, &heard));
    assert_string_equal(heard.data, "[message||stop]");
    rv_sse_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(an_event_is_written_line_by_line),
        RV_TEST(a_stream_is_read_however_it_is_cut),
        RV_TEST(an_id_with_a_nul_is_passed_over),
        RV_TEST(an_event_that_is_too_large_ends_the_stream),
        RV_TEST(whoever_listens_may_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
