#include "runtime/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

/*
 * What a guess at a key costs. The secret of a key has 200 bits and needs no stretching to be safe;
 * argon2id stands here so that a stolen table is worth nothing even for keys that people made up
 * themselves. 8 MiB once keeps a login at a few milliseconds, and two at a time at 16 MiB: a flood
 * of bad keys may queue, but it cannot take the memory of the process.
 */
enum { HASH_OPS = crypto_pwhash_OPSLIMIT_MIN, HASH_BYTES = 8 * 1024 * 1024, HASHES_AT_ONCE = 2 };

enum { CHECK_LEN = 6, RANDOM_LEN = RV_KEY_SECRET_LEN - CHECK_LEN, PREFIX_MAX = 16 };

static pthread_mutex_t hashing = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hash_done = PTHREAD_COND_INITIALIZER;
static int n_hashing;

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool rv_secret_init(void)
{
    return sodium_init() >= 0;
}

void rv_random(void *bytes, size_t len)
{
    randombytes_buf(bytes, len);
}

void rv_hash256(const void *bytes, size_t len, uint8_t hash[RV_HASH_BYTES])
{
    crypto_generichash(hash, RV_HASH_BYTES, bytes, len, NULL, 0);
}

const char *rv_hex(struct rv_ctx *cx, const void *bytes, size_t len)
{
    char *text = rv_new_array(cx, char, len * 2 + 1);

    return sodium_bin2hex(text, len * 2 + 1, bytes, len);
}

bool rv_same_secret(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

/* The CRC-32 of zip and PNG, bit by bit: keys are short. */
static uint32_t crc32_of(const char *text, size_t len)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* 62^6 is more than 2^32: six letters hold every CRC. */
static void write_check(char check[CHECK_LEN], const char *before, size_t len)
{
    uint32_t crc = crc32_of(before, len);

    for (int i = CHECK_LEN; i-- > 0; crc /= 62)
        check[i] = letters[crc % 62];
}

/* randombytes_uniform throws away what would favour some letters. */
static char *add_random(char *to, size_t len)
{
    while (len-- > 0)
        *to++ = letters[randombytes_uniform(62)];
    return to;
}

const char *rv_key_new(struct rv_ctx *cx, const char *prefix)
{
    size_t len = strlen(prefix) + 2 + RV_KEY_ID_LEN + RV_KEY_SECRET_LEN;
    char *text = rv_new_array(cx, char, len + 1), *to = text;

    to = (char *)memcpy(to, prefix, strlen(prefix)) + strlen(prefix);
    *to++ = '_';
    to = add_random(to, RV_KEY_ID_LEN);
    *to++ = '_';
    to = add_random(to, RANDOM_LEN);
    write_check(to, text, (size_t)(to - text));
    return text;
}

bool rv_key_parse(struct rv_ctx *cx, const char *text, struct rv_key *key)
{
    size_t prefix = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    const char *id = text + prefix + 1, *secret;
    char check[CHECK_LEN];

    if (prefix < 2 || prefix > PREFIX_MAX || text[prefix] != '_' ||
        strspn(id, letters) != RV_KEY_ID_LEN || id[RV_KEY_ID_LEN] != '_')
        return false;
    secret = id + RV_KEY_ID_LEN + 1;
    if (strspn(secret, letters) != RV_KEY_SECRET_LEN || secret[RV_KEY_SECRET_LEN])
        return false;
    write_check(check, text, (size_t)(secret + RANDOM_LEN - text));
    if (memcmp(check, secret + RANDOM_LEN, CHECK_LEN) != 0)
        return false;
    *key = (struct rv_key){ rv_strndup(cx, text, prefix), rv_strndup(cx, id, RV_KEY_ID_LEN),
                            rv_strdup(cx, secret) };
    return true;
}

static void begin_hashing(void)
{
    pthread_mutex_lock(&hashing);
    while (n_hashing == HASHES_AT_ONCE)
        pthread_cond_wait(&hash_done, &hashing);
    n_hashing++;
    pthread_mutex_unlock(&hashing);
}

static void end_hashing(void)
{
    pthread_mutex_lock(&hashing);
    n_hashing--;
    pthread_cond_signal(&hash_done);
    pthread_mutex_unlock(&hashing);
}

static bool hash_secret(const char *secret, char hash[crypto_pwhash_STRBYTES])
{
    int done;

    begin_hashing();
    done = crypto_pwhash_str_alg(hash, secret, strlen(secret), HASH_OPS, HASH_BYTES,
                                 crypto_pwhash_ALG_ARGON2ID13);
    end_hashing();
    return done == 0;
}

rv_result rv_key_hash(struct rv_ctx *cx, const struct rv_key *key, const char **hash)
{
    char *text = rv_new_array(cx, char, crypto_pwhash_STRBYTES);

    if (!hash_secret(key->secret, text))
        return rv_fail(cx, RV_BUSY, "no memory to hash a key");
    *hash = text;
    return RV_OK;
}

bool rv_key_verify(const struct rv_key *key, const char *hash)
{
    char nobody[crypto_pwhash_STRBYTES];
    int same;

    if (!hash) {
        hash_secret(key->secret, nobody);
        return false;
    }
    begin_hashing();
    same = crypto_pwhash_str_verify(hash, key->secret, strlen(key->secret));
    end_hashing();
    return same == 0;
}
