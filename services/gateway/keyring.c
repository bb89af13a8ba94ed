#include "keyring.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/time.h"
#include "runtime/secret.h"
#include "store/sql.h"

enum { SETS = 256, WAYS = 4, BELIEVED_MS = 5000, KEY_HASH_SIZE = 160 };

/* What was verified: once the time is over the row is read again, and only a changed one hashed. */
struct entry {
    uint8_t text_hash[RV_HASH_BYTES];
    char key_hash[KEY_HASH_SIZE];
    int64_t until_ms;
    struct caller caller;
};

struct keyring {
    pthread_mutex_t lock;
    struct entry sets[SETS][WAYS]; /* a key's set is in its hash */
};

struct keyring *keyring_new(void)
{
    struct keyring *keyring = calloc(1, sizeof(*keyring));

    if (!keyring)
        abort();
    pthread_mutex_init(&keyring->lock, NULL);
    return keyring;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    pthread_mutex_destroy(&keyring->lock);
    free(keyring);
}

const char *keyring_text(const struct rv_http_request *request)
{
    const char *header = rv_http_header(request, "Authorization");

    if (!header)
        return rv_http_header(request, "X-API-Key");
    if (strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    header += 7;
    return header + strspn(header, " ");
}

/* The entry of this text, or NULL. Called with the lock. */
static struct entry *entry_of(struct keyring *keyring, const uint8_t hash[RV_HASH_BYTES])
{
    struct entry *set = keyring->sets[hash[0] % SETS];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].until_ms > 0 && memcmp(set[i].text_hash, hash, RV_HASH_BYTES) == 0)
            return &set[i];
    return NULL;
}

/* Where it goes: its own entry, or the oldest of its set. Called with the lock. */
static struct entry *place_of(struct keyring *keyring, const uint8_t hash[RV_HASH_BYTES])
{
    struct entry *set = keyring->sets[hash[0] % SETS], *oldest = entry_of(keyring, hash);

    if (oldest)
        return oldest;
    oldest = set;
    for (size_t i = 1; i < WAYS; i++)
        if (set[i].until_ms < oldest->until_ms)
            oldest = &set[i];
    return oldest;
}

enum key_sight keyring_look(struct keyring *keyring, const char *text, struct caller *caller)
{
    enum key_sight sight = KEY_STRANGE;
    uint8_t hash[RV_HASH_BYTES];
    const struct entry *entry;

    rv_hash256(text, strlen(text), hash);
    pthread_mutex_lock(&keyring->lock);
    entry = entry_of(keyring, hash);
    if (entry)
        sight = entry->until_ms > rv_monotonic_ms() ? KEY_KNOWN : KEY_SEEN;
    if (sight == KEY_KNOWN)
        *caller = entry->caller;
    pthread_mutex_unlock(&keyring->lock);
    return sight;
}

static bool was_verified(struct keyring *keyring, const uint8_t hash[RV_HASH_BYTES],
                         const char *key_hash)
{
    const struct entry *entry;
    bool was;

    pthread_mutex_lock(&keyring->lock);
    entry = entry_of(keyring, hash);
    was = entry && strcmp(entry->key_hash, key_hash) == 0;
    pthread_mutex_unlock(&keyring->lock);
    return was;
}

/* True: it was there. */
static bool forget(struct keyring *keyring, const uint8_t hash[RV_HASH_BYTES])
{
    struct entry *entry;

    pthread_mutex_lock(&keyring->lock);
    entry = entry_of(keyring, hash);
    if (entry)
        *entry = (struct entry){ 0 };
    pthread_mutex_unlock(&keyring->lock);
    return entry != NULL;
}

static void remember(struct keyring *keyring, const uint8_t hash[RV_HASH_BYTES],
                     const char *key_hash, const struct caller *caller)
{
    struct entry *entry;

    pthread_mutex_lock(&keyring->lock);
    entry = place_of(keyring, hash);
    memcpy(entry->text_hash, hash, RV_HASH_BYTES);
    snprintf(entry->key_hash, sizeof(entry->key_hash), "%s", key_hash);
    entry->until_ms = rv_monotonic_ms() + BELIEVED_MS;
    entry->caller = *caller;
    pthread_mutex_unlock(&keyring->lock);
}

static struct caller caller_of(const struct api_key *row)
{
    struct caller caller = { .role = row->role };

    snprintf(caller.tenant_id, sizeof(caller.tenant_id), "%s", row->tenant_id);
    snprintf(caller.key_id, sizeof(caller.key_id), "%s", row->key_id);
    snprintf(caller.project_id, sizeof(caller.project_id), "%s",
             row->project_id ? row->project_id : "");
    return caller;
}

static rv_result find(struct rv_ctx *cx, const char *key_id, const struct api_key **row)
{
    struct api_key wanted = { .key_id = key_id };
    struct rv_rows rows;

    RV_TRY(cx,
           rv_db_read(cx, &SQL_GATEWAY_KEYS_FIND, rv_in(api_key, &wanted), &api_key_record, &rows));
    RV_TRY(cx, rv_db_exec(cx, &SQL_GATEWAY_KEY_USED, rv_in(api_key, &wanted)));
    RV_TRY(cx, rv_db_sync(cx));
    RV_TRY(cx, rv_db_commit(cx));
    *row = rows.n == 1 ? rows.items : NULL;
    return RV_OK;
}

static rv_result refuse(struct rv_ctx *cx)
{
    return rv_fail(cx, RV_UNAUTHENTICATED, "this is no API key that may be used");
}

rv_result keyring_verify(struct rv_ctx *cx, struct keyring *keyring, const char *text,
                         struct caller *caller)
{
    uint8_t hash[RV_HASH_BYTES];
    const struct api_key *row;
    struct rv_key key;

    if (!rv_key_parse(cx, text, &key))
        return refuse(cx);
    RV_TRY(cx, find(cx, key.id, &row));
    rv_hash256(text, strlen(text), hash);
    if (!row && forget(keyring, hash))
        return refuse(cx);
    if (!(row && was_verified(keyring, hash, row->key_hash)) &&
        !rv_key_verify(&key, row ? row->key_hash : NULL))
        return refuse(cx);
    *caller = caller_of(row);
    remember(keyring, hash, row->key_hash, caller);
    return RV_OK;
}

static rv_result read_key(struct rv_ctx *cx, const char *path, struct rv_key *key)
{
    char text[128] = "";
    FILE *file = fopen(path, "re");

    if (!file)
        return rv_fail(cx, RV_INVALID, "REEVE_ADMIN_KEY_FILE %s: %s", path, strerror(errno));
    if (!fgets(text, sizeof(text), file))
        *text = '\0';
    fclose(file);
    text[strcspn(text, "\r\n \t")] = '\0';
    if (!rv_key_parse(cx, text, key))
        return rv_fail(cx, RV_INVALID, "REEVE_ADMIN_KEY_FILE %s holds no API key", path);
    return RV_OK;
}

rv_result keyring_bootstrap(struct rv_ctx *cx, const char *path)
{
    struct api_key row = { .tenant_id = TENANT_DEFAULT, .name = "admin", .role = ROLE_ORG_ADMIN };
    struct rv_key key;

    RV_TRY(cx, read_key(cx, path, &key));
    row.key_id = key.id;
    row.prefix = key.prefix;
    RV_TRY(cx, rv_key_hash(cx, &key, &row.key_hash));
    RV_TRY(cx, rv_db_exec(cx, &SQL_GATEWAY_KEY_ENSURE, rv_in(api_key, &row)));
    return rv_db_commit(cx);
}
