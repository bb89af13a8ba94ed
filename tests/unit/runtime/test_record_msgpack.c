#include "support/rv_test.h"

#include <stdlib.h>

#include "sample.h"

static rv_result read_bytes(struct rv_ctx *cx, const void *bytes, size_t len, struct sample *sample)
{
    return rv_msgpack_read(cx, (struct rv_bytes){ bytes, len }, rv_out(sample, sample));
}

static void what_was_written_is_read_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back, empty = { 0 };
    struct rv_bytes bytes;

    assert_ok(cx, rv_msgpack_write(cx, rv_in(sample, &full_sample), &bytes));
    assert_ok(cx, rv_msgpack_read(cx, bytes, rv_out(sample, &back)));
    assert_same_sample(&full_sample, &back);
    assert_string_equal(back.password, "hush");
    assert_ok(cx, rv_msgpack_write(cx, rv_in(sample, &empty), &bytes));
    assert_int_equal(bytes.len, 1);
    assert_ok(cx, rv_msgpack_read(cx, bytes, rv_out(sample, &back)));
    assert_same_sample(&empty, &back);
}

static void names_of_another_version_are_passed_over(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back;

    assert_ok(cx, read_bytes(cx, "\x82\xa5later\x01\xa4name\xa1x", 15, &back));
    assert_string_equal(back.name, "x");
}

static void hostile_bytes_are_refused_before_they_cost_memory(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } rows[] = {
        { "", 0, "sample is not msgpack" },
        { "\xc1", 1, "sample is not msgpack" },
        { "\xdd\x00\x98\x96\x80\x01", 6, "sample is not msgpack" },
        { "\xdf\xff\xff\xff\xff\x01", 6, "sample is not msgpack" },
        { "\xdb\xff\xff\xff\xff\x01", 6, "sample is not msgpack" },
        { "\x81\xa4name", 6, "sample is not msgpack" },
        { "\x80\x80", 2, "sample is not msgpack" },
        { "\xd9", 1, "sample is not msgpack" },
        { "\xc7\x01\x01\x01", 4, "sample is not msgpack" },
        { "\x90", 1, "sample is not a map" },
        { "\x81\xa4name\x01", 7, "sample.name is of another kind" },
        { "\x81\xa4name\xa1\xff", 8, "sample.name is of another kind" },
        { "\x81\xa4name\xa1\x00", 8, "sample.name is of another kind" },
        { "\x81\xa5"
          "count\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
          16, "sample.count is of another kind" },
        { "\x81\xa5"
          "color\x09",
          8, "sample.color is of another kind" },
        { "\x81\xa4tags\x91\x01", 8, "sample.tags is of another kind" },
        { "\x81\xa5parts\x91\x01", 9, "sample.parts is of another kind" },
        { "\x81\xa5share\xa1x", 9, "sample.share is of another kind" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample back;

        assert_fails(cx, read_bytes(cx, rows[i].bytes, rows[i].len, &back), RV_INVALID,
                     rows[i].why);
    }
}

static void nesting_without_end_is_refused(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back;
    char bytes[200000];

    memset(bytes, '\x91', sizeof(bytes));
    assert_fails(cx, read_bytes(cx, bytes, sizeof(bytes), &back), RV_INVALID,
                 "sample is not msgpack");
}

static void every_cut_and_every_flipped_bit_is_survived(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_ctx inner;
    struct rv_bytes bytes;
    struct sample back;

    rv_ctx_init(&inner);
    assert_ok(cx, rv_msgpack_write(cx, rv_in(sample, &full_sample), &bytes));
    for (size_t cut = 0; cut < bytes.len; cut++)
        assert_int_equal(read_bytes(&inner, bytes.data, cut, &back), RV_INVALID);
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        uint8_t *other = malloc(bytes.len);
        enum rv_status status;

        memcpy(other, bytes.data, bytes.len);
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        status = read_bytes(&inner, other, bytes.len, &back);
        assert_true(status == RV_OK || status == RV_INVALID);
        free(other);
        rv_ctx_reset(&inner);
    }
    rv_ctx_release(&inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(what_was_written_is_read_back),
        RV_TEST(names_of_another_version_are_passed_over),
        RV_TEST(hostile_bytes_are_refused_before_they_cost_memory),
        RV_TEST(nesting_without_end_is_refused),
        RV_TEST(every_cut_and_every_flipped_bit_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
