#pragma once

/* What every test starts with: cmocka in the order it wants, and a ctx per test. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ctx.h"

/* Every test is given cmocka's void **state, and few look at it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static inline int open_ctx(void **state)
{
    static struct rv_ctx cx;

    rv_ctx_init(&cx);
    *state = &cx;
    return 0;
}

static inline int close_ctx(void **state)
{
    rv_ctx_release(*state);
    return 0;
}

#define RV_TEST(function) cmocka_unit_test_setup_teardown(function, open_ctx, close_ctx)

#define assert_ok(cx, expr)                                                                        \
    do {                                                                                           \
        if ((expr) != RV_OK)                                                                       \
            fail_msg("%s: %s", #expr, (cx)->error.text);                                           \
    } while (0)

/* The work fails in this way, and says so in these words. */
#define assert_fails(cx, expr, status_, text_)                                                     \
    do {                                                                                           \
        assert_int_equal((expr), (status_));                                                       \
        assert_string_equal((cx)->error.text, (text_));                                            \
    } while (0)
