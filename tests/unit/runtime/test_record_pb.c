#include "support/rv_test.h"

#include <pthread.h>

#include "sample.h"

static void what_was_written_is_read_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back;
    const uint8_t *bytes;
    size_t len;

    assert_ok(cx, rv_pb_write(cx, &SAMPLE, &full_sample, &bytes, &len));
    assert_ok(cx, rv_pb_read(cx, &SAMPLE, bytes, len, &back));
    assert_same_sample(&full_sample, &back);
    assert_string_equal(back.password, "hush");
}

static void nothing_is_no_bytes_and_reads_as_nothing(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample empty = { 0 }, back;
    const uint8_t *bytes;
    size_t len;

    assert_ok(cx, rv_pb_write(cx, &SAMPLE, &empty, &bytes, &len));
    assert_int_equal(len, 0);
    assert_ok(cx, rv_pb_read(cx, &SAMPLE, bytes, len, &back));
    assert_same_sample(&empty, &back);
}

static void empty_text_reads_as_not_set(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back;

    assert_ok(cx, rv_pb_read(cx, &SAMPLE, (const uint8_t *)"\x0a\x00", 2, &back));
    assert_null(back.name);
}

static void batches_are_joined_by_appending(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample ask[] = { full_sample, { .name = "b" } };
    const uint8_t *bytes;
    uint8_t twice[2048];
    struct sample *back;
    size_t len, n;

    assert_ok(cx, rv_pb_write_many(cx, &SAMPLE, ask, 2, &bytes, &len));
    assert_true(len * 2 <= sizeof(twice));
    memcpy(twice, bytes, len);
    memcpy(twice + len, bytes, len);
    assert_ok(cx, rv_pb_read_many(cx, &SAMPLE, twice, len * 2, (void **)&back, &n));
    assert_int_equal(n, 4);
    assert_same_sample(&back[0], &full_sample);
    assert_same_sample(&back[3], &ask[1]);
    assert_ok(cx, rv_pb_read_many(cx, &SAMPLE, twice, 0, (void **)&back, &n));
    assert_int_equal(n, 0);
}

static void every_cut_message_is_refused_or_whole(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back;
    const uint8_t *bytes;
    size_t len;

    assert_ok(cx, rv_pb_write(cx, &SAMPLE, &full_sample, &bytes, &len));
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *part = memcpy(rv_arena_alloc(cx->arena, cut + 1), bytes, cut);
        enum rv_status status = rv_pb_read(cx, &SAMPLE, part, cut, &back);

        assert_true(status == RV_OK || status == RV_INVALID);
    }
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } rows[] = {
        { "\x0a\x01\xff", 3, "Sample.name: text is not UTF-8" },
        { "\x4a\x02\xc0\x80", 4, "Sample.tags: text is not UTF-8" },
        { "\x52\x03\x0a\x01\x80", 5, "Sample.main_part: SamplePart.name: text is not UTF-8" },
    };
    struct rv_ctx *cx = *state;
    struct sample back;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_fails(cx,
                     rv_pb_read(cx, &SAMPLE, (const uint8_t *)rows[i].bytes, rows[i].len, &back),
                     RV_INVALID, rows[i].why);
}

static void what_is_too_large_is_refused_both_ways(void **state)
{
    struct rv_ctx *cx = *state;
    char *large = rv_new_array(cx, char, RV_PB_BYTES_MAX + 2);
    struct sample sample = { .name = large };
    const uint8_t *bytes;
    size_t len;

    memset(large, 'x', RV_PB_BYTES_MAX + 1);
    assert_int_equal(rv_pb_write(cx, &SAMPLE, &sample, &bytes, &len), RV_TOO_LARGE);
    assert_int_equal(rv_pb_read(cx, &SAMPLE, (const uint8_t *)large, RV_PB_BYTES_MAX + 1, &sample),
                     RV_TOO_LARGE);
}

static void records_and_messages_that_differ_are_told_apart(void **state)
{
    struct rv_ctx *cx = *state;
    char gap[100];
    const uint8_t *bytes;
    size_t len;

    assert_true(rv_pb_agrees(&SAMPLE, gap, sizeof(gap)));
    assert_false(rv_pb_agrees(&SAMPLE_SHORT, gap, sizeof(gap)));
    assert_string_equal(gap, "sample.sample_id");
    assert_fails(cx, rv_pb_write(cx, &SAMPLE_SHORT, &full_sample, &bytes, &len), RV_INTERNAL,
                 "record and message differ in sample.sample_id");
}

static void *write_and_read(void *arg)
{
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    for (int i = 0; i < 200; i++) {
        struct sample back;
        const uint8_t *bytes;
        size_t len;

        if (rv_pb_write(&cx, &SAMPLE, &full_sample, &bytes, &len) != RV_OK ||
            rv_pb_read(&cx, &SAMPLE, bytes, len, &back) != RV_OK || back.n_parts != 2)
            *(bool *)arg = false;
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    return NULL;
}

static void threads_share_plans(void **state)
{
    pthread_t threads[4];
    bool right[4] = { true, true, true, true };

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_and_read, &right[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(right[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(threads_share_plans), /* first, while there are no plans yet */
        RV_TEST(what_was_written_is_read_back),
        RV_TEST(nothing_is_no_bytes_and_reads_as_nothing),
        RV_TEST(empty_text_reads_as_not_set),
        RV_TEST(batches_are_joined_by_appending),
        RV_TEST(every_cut_message_is_refused_or_whole),
        RV_TEST(text_that_is_not_utf8_is_refused),
        RV_TEST(what_is_too_large_is_refused_both_ways),
        RV_TEST(records_and_messages_that_differ_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
