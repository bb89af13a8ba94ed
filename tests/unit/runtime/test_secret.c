#include "support/rv_test.h"

#include <pthread.h>

#include "runtime/secret.h"

static int open_secrets(void **state)
{
    return rv_secret_init() ? 0 : -1;
}

static void a_new_key_reads_back(void **state)
{
    struct rv_ctx *cx = *state;
    const char *text = rv_key_new(cx, "rv");
    struct rv_key key;

    assert_int_equal(strlen(text), 2 + 1 + 12 + 1 + 40);
    assert_true(rv_key_parse(cx, text, &key));
    assert_string_equal(key.prefix, "rv");
    assert_int_equal(strlen(key.id), RV_KEY_ID_LEN);
    assert_int_equal(strlen(key.secret), RV_KEY_SECRET_LEN);
    assert_string_not_equal(text, rv_key_new(cx, "rv"));
    assert_true(rv_key_parse(cx, rv_key_new(cx, "worker"), &key));
    assert_string_equal(key.prefix, "worker");
}

static void every_typo_is_seen(void **state)
{
    struct rv_ctx *cx = *state;
    const char *text = rv_key_new(cx, "rv");
    struct rv_key key;

    for (size_t i = 0; i < strlen(text); i++) {
        char *other = rv_strdup(cx, text);

        other[i] = other[i] == 'a' ? 'b' : 'a';
        assert_false(rv_key_parse(cx, other, &key));
    }
}

static void what_is_no_key_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "rv",
        "rv_",
        "rv__",
        "r_abcDEF123456_0123456789abcdefghijABCDEFGHIJ0123456789",
        "RV_abcDEF123456_0123456789abcdefghijABCDEFGHIJ0123456789",
        "rv_abcDEF123456_0123456789abcdefghijABCDEFGHIJ0123456789",
        "rv_abcDEF12345_0123456789abcdefghijABCDEFGHIJ01234567890",
        "rv_abcDEF123456_0123456789abcdefghijABCDEFGHIJ01234567890",
        "rv_abcDEF123456_0123456789abcdefghijABCDEFGHIJ012345678-",
        "rv_abcDEF123456",
    };
    struct rv_ctx *cx = *state;
    struct rv_key key;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(rv_key_parse(cx, rows[i], &key));
}

static void a_key_is_known_by_its_hash_only(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_key key, other;
    const char *hash;

    assert_true(rv_key_parse(cx, rv_key_new(cx, "rv"), &key));
    assert_true(rv_key_parse(cx, rv_key_new(cx, "rv"), &other));
    assert_ok(cx, rv_key_hash(cx, &key, &hash));
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_null(strstr(hash, key.secret));
    assert_true(rv_key_verify(&key, hash));
    assert_false(rv_key_verify(&other, hash));
    assert_false(rv_key_verify(&key, NULL));
    assert_false(rv_key_verify(&key, "no hash"));
}

struct
try {
    const struct rv_key *key;
    const char *hash;
    bool right;
};

static void *verify(void *arg)
{
    struct try *try = arg;

    try->right = rv_key_verify(try->key, try->hash);
    return NULL;
}

static void many_may_ask_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_key key;
    pthread_t threads[8];
    struct try tries[8];
    const char *hash;

    assert_true(rv_key_parse(cx, rv_key_new(cx, "rv"), &key));
    assert_ok(cx, rv_key_hash(cx, &key, &hash));
    for (int i = 0; i < 8; i++) {
        tries[i] = (struct try){ &key, i % 2 ? NULL : hash, false };
        pthread_create(&threads[i], NULL, verify, &tries[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(tries[i].right, i % 2 == 0);
    }
}

static void hashes_are_blake2b(void **state)
{
    struct rv_ctx *cx = *state;
    uint8_t hash[RV_HASH_BYTES];

    rv_hash256("abc", 3, hash);
    assert_string_equal(rv_hex(cx, hash, sizeof(hash)),
                        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    assert_true(rv_same_secret("abc", "abc", 3));
    assert_false(rv_same_secret("abc", "abd", 3));
}

static void random_bytes_differ(void **state)
{
    uint8_t a[16] = { 0 }, b[16] = { 0 };

    rv_random(a, sizeof(a));
    rv_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_new_key_reads_back),      RV_TEST(every_typo_is_seen),
        RV_TEST(what_is_no_key_is_refused), RV_TEST(a_key_is_known_by_its_hash_only),
        RV_TEST(many_may_ask_at_once),      RV_TEST(hashes_are_blake2b),
        RV_TEST(random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, open_secrets, NULL);
}
