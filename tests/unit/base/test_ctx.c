#include "support/rv_test.h"

#include "base/buf.h"

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    struct rv_arena *arena = rv_arena_new();

    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 40000; size = size * 2 + 1) {
            unsigned char *bytes = rv_arena_alloc(arena, size);

            assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(bytes[i], 0);
            memset(bytes, 0xaa, size);
        }
        rv_arena_reset(arena);
        assert_in_range(rv_arena_bytes(arena), 0, 16 * 1024);
    }
    rv_arena_free(arena);
    rv_arena_free(NULL);
}

static void a_large_piece_does_not_close_the_open_block(void **state)
{
    struct rv_arena *arena = rv_arena_new();

    for (int i = 0; i < 10; i++) {
        rv_arena_alloc(arena, 100);
        rv_arena_alloc(arena, 20000);
    }
    assert_in_range(rv_arena_bytes(arena), 216000, 16384 + 10 * 20016);
    rv_arena_free(arena);
}

static void note_a(void *arg)
{
    rv_buf_char(arg, 'a');
}

static void note_b(void *arg)
{
    rv_buf_char(arg, 'b');
}

static void what_was_deferred_runs_once_last_first(void **state)
{
    struct rv_ctx *cx = *state;
    auto_buf seen = { 0 };

    rv_defer(cx, note_a, &seen);
    rv_defer(cx, note_b, &seen);
    rv_ctx_reset(cx);
    rv_ctx_reset(cx);
    assert_string_equal(seen.data, "ba");
}

static void tell_c(struct rv_ctx *cx, void *arg)
{
    rv_buf_char(arg, 'c');
}

static void tell_d(struct rv_ctx *cx, void *arg)
{
    rv_buf_char(arg, 'd');
}

static void news_leave_first_first_and_only_when_asked_to(void **state)
{
    struct rv_ctx *cx = *state;
    auto_buf seen = { 0 };

    rv_after(cx, tell_c, &seen);
    rv_ctx_reset(cx);
    rv_ctx_run_after(cx);
    assert_int_equal(seen.len, 0);
    rv_after(cx, tell_c, &seen);
    rv_after(cx, tell_d, &seen);
    rv_ctx_run_after(cx);
    rv_ctx_run_after(cx);
    assert_string_equal(seen.data, "cd");
}

static enum rv_status fail_below(struct rv_ctx *cx)
{
    return rv_fail(cx, RV_NOT_FOUND, "no budget %s", "b1");
}

static enum rv_status fail_above(struct rv_ctx *cx)
{
    RV_TRY(cx, fail_below(cx));
    return RV_OK;
}

static void a_failure_keeps_its_words_and_its_trail(void **state)
{
    struct rv_ctx *cx = *state;

    assert_fails(cx, fail_above(cx), RV_NOT_FOUND, "no budget b1");
    assert_int_equal(cx->error.trail_len, 2);
    assert_int_equal(rv_fail(cx, RV_INTERNAL, "again: %s", cx->error.text), RV_INTERNAL);
    assert_string_equal(cx->error.text, "again: no budget b1");
    assert_string_equal(rv_error_said(&cx->error), "internal");
}

static void words_about_our_insides_stay_inside(void **state)
{
    struct rv_ctx *cx = *state;
    enum rv_status status = rv_fail_inside(cx, RV_CONFLICT, "add_budget: %s", "is there already");

    assert_int_equal(status, RV_CONFLICT);
    assert_string_equal(rv_error_said(&cx->error), "conflict");
    assert_string_equal(cx->error.text, "add_budget: is there already");
    status = rv_fail(cx, RV_TOO_LARGE, "while adding: %s", cx->error.text);
    assert_int_equal(status, RV_TOO_LARGE);
    assert_string_equal(rv_error_said(&cx->error), "too_large");
    status = rv_fail(cx, RV_CONFLICT, "there is a budget of this name");
    assert_string_equal(rv_error_said(&cx->error), "there is a budget of this name");
    rv_fail_inside(cx, RV_CONFLICT, "add_budget: %s", "is there already");
    rv_wrong(cx, "name", "is taken");
    assert_fails(cx, rv_refuse(cx), RV_INVALID, "name is taken");
    assert_string_equal(rv_error_said(&cx->error), "name is taken");
}

static void mistakes_are_collected(void **state)
{
    struct rv_ctx *cx = *state;

    assert_ok(cx, rv_refuse(cx));
    for (int i = 0; i < 40; i++)
        rv_wrong(cx, rv_printf(cx, "nodes[%d]", i), "is %s", "missing");
    assert_fails(cx, rv_refuse(cx), RV_INVALID, "nodes[0] is missing");
    assert_int_equal(cx->error.n_details, RV_DETAILS_MAX);
    assert_string_equal(cx->error.details[15].path, "nodes[15]");
}

static void prints_short_and_long_alike(void **state)
{
    struct rv_ctx *cx = *state;
    char said[600];

    for (int len = 0; len < (int)sizeof(said) - 1; len++) {
        memset(said, 'a', (size_t)len);
        said[len] = '\0';
        assert_string_equal(rv_printf(cx, "%s.", said) + len, ".");
        assert_memory_equal(rv_printf(cx, "%s.", said), said, (size_t)len);
    }
}

static void statuses_have_words_and_go_back(void **state)
{
    assert_int_equal(rv_status_parse("over_budget"), RV_OVER_BUDGET);
    assert_int_equal(rv_status_parse("what"), RV_INTERNAL);
    assert_int_equal(rv_status_http(RV_STALE), 412);
    assert_true(rv_status_retry(RV_BUSY));
    assert_false(rv_status_retry(RV_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(an_arena_gives_zeroed_aligned_memory),
        RV_TEST(a_large_piece_does_not_close_the_open_block),
        RV_TEST(what_was_deferred_runs_once_last_first),
        RV_TEST(news_leave_first_first_and_only_when_asked_to),
        RV_TEST(a_failure_keeps_its_words_and_its_trail),
        RV_TEST(words_about_our_insides_stay_inside),
        RV_TEST(mistakes_are_collected),
        RV_TEST(prints_short_and_long_alike),
        RV_TEST(statuses_have_words_and_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
