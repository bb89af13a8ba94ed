#include "support/rv_test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"

static void finds_what_was_put(void **state)
{
    struct rv_hash *hash = rv_hash_new();
    int a, b;

    assert_null(rv_hash_get(hash, "a"));
    assert_null(rv_hash_put(hash, "a", &a));
    assert_ptr_equal(rv_hash_put(hash, "a", &b), &a);
    assert_ptr_equal(rv_hash_get(hash, "a"), &b);
    assert_int_equal(rv_hash_count(hash), 1);
    assert_ptr_equal(rv_hash_take(hash, "a"), &b);
    assert_null(rv_hash_take(hash, "a"));
    assert_int_equal(rv_hash_count(hash), 0);
    rv_hash_free(hash, NULL);
    rv_hash_free(NULL, NULL);
}

static void holds_many_while_they_come_and_go(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_hash *hash = rv_hash_new();
    static int values[5000];

    for (int i = 0; i < 5000; i++)
        rv_hash_put(hash, rv_printf(cx, "key%d", i), &values[i]);
    for (int i = 0; i < 5000; i += 2)
        assert_ptr_equal(rv_hash_take(hash, rv_printf(cx, "key%d", i)), &values[i]);
    for (int round = 0; round < 20000; round++) {
        rv_hash_put(hash, "flicker", &values[0]);
        rv_hash_take(hash, "flicker");
    }
    for (int i = 0; i < 5000; i++)
        assert_ptr_equal(rv_hash_get(hash, rv_printf(cx, "key%d", i)), i % 2 ? &values[i] : NULL);
    assert_int_equal(rv_hash_count(hash), 2500);
    rv_hash_free(hash, NULL);
}

static void walks_in_order_of_insertion(void **state)
{
    struct rv_hash *hash = rv_hash_new();
    auto_buf seen = { 0 };
    const char *key;
    void *value;
    size_t at = 0;

    for (const char *k = "zebra\0ant\0cow\0bee\0"; *k; k += strlen(k) + 1)
        rv_hash_put(hash, k, strdup(k));
    free(rv_hash_take(hash, "cow"));
    while (rv_hash_next(hash, &at, &key, &value)) {
        assert_string_equal(key, value);
        rv_buf_printf(&seen, "%s ", key);
    }
    assert_string_equal(seen.data, "zebra ant bee ");
    rv_hash_free(hash, free);
}

static void hash64_is_fnv1a(void **state)
{
    assert_true(rv_hash64("", 0) == 0xcbf29ce484222325u);
    assert_true(rv_hash64("a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(rv_hash64("foobar", 6) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(finds_what_was_put),
        RV_TEST(holds_many_while_they_come_and_go),
        RV_TEST(walks_in_order_of_insertion),
        RV_TEST(hash64_is_fnv1a),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
