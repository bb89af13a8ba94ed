#pragma once

/* Secret: random, hashes and keys (libsodium). */

#include "base/ctx.h"
#include "base/record.h"

bool rv_secret_init(void); /* once per process; false when there is no randomness */
void rv_random(void *bytes, size_t len);

/* BLAKE2b-256. */
enum { RV_HASH_BYTES = 32 };
void rv_hash256(const void *bytes, size_t len, uint8_t hash[RV_HASH_BYTES]);
const char *rv_hex(struct rv_ctx *cx, const void *bytes, size_t len);
bool rv_same_secret(const void *a, const void *b, size_t len); /* in constant time */

/*
 * API keys: rv_<id>_<secret>: 12 and 40 letters of base62, the last 6 of the secret a CRC32 of what
 * stands before, so that a scanner (and we) can tell a typo. Other prefixes of two or more
 * lower-case letters (ab_…) parse too. The secret is kept as argon2id only.
 */
enum { RV_KEY_ID_LEN = 12, RV_KEY_SECRET_LEN = 40 };
struct rv_key {
    const char *prefix, *id, *secret;
};
const char *rv_key_new(struct rv_ctx *cx,
                       const char *prefix); /* the whole text, to be shown once */
bool rv_key_parse(struct rv_ctx *cx, const char *text, struct rv_key *key); /* false: not a key */
rv_result rv_key_hash(struct rv_ctx *cx, const struct rv_key *key,
                      const char **hash); /* $argon2id$… */
/* @hash NULL does the same work and says no: an unknown key takes as long as a wrong one. */
bool rv_key_verify(const struct rv_key *key, const char *hash);
