#include "book.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "budget.h"

/* clang-format off */
static const struct rv_field booking_fields[] = {
    RV_UUID(booking, tenant_id, 0),
    RV_UUID(booking, hold_id, 0),
    RV_UUID(booking, parent_hold_id, 0),
    RV_UUID(booking, project_id, 0),
    RV_UUID(booking, run_id, 0),
    RV_INT(booking, task_no, 0),
    RV_INT(booking, call_no, 0),
    RV_ENUM(booking, state, hold_state, 0),
    RV_TEXTS(booking, budget_ids, 0),
    RV_TEXT(booking, provider, 0),
    RV_TEXT(booking, model, 0),
    RV_INT(booking, amount_microusd, 0),
    RV_INT(booking, amount_tokens, 0),
    RV_INT(booking, expires_ms, 0),
};
RV_RECORD(booking, booking_fields);

static const struct rv_field closing_fields[] = {
    RV_UUID(closing, tenant_id, 0),
    RV_UUID(closing, hold_id, 0),
    RV_ENUM(closing, state, hold_state, 0),
    RV_INT(closing, used_microusd, 0),
    RV_INT(closing, used_tokens, 0),
    RV_BOOL(closing, unconfirmed, 0),
    RV_INT(closing, draw_microusd, 0),
    RV_INT(closing, draw_tokens, 0),
    RV_INT(closing, spent_tokens, 0),
    RV_INT(closing, tokens_in, 0),
    RV_INT(closing, tokens_cached, 0),
    RV_INT(closing, tokens_out, 0),
};
RV_RECORD(closing, closing_fields);
/* clang-format on */

enum { KEY_SIZE = 2 * RV_ID_LEN + 2 };

static void drop_hash(void *hash)
{
    rv_hash_free(hash, NULL);
}

struct hold_index hold_index_new(struct rv_ctx *cx)
{
    struct hold_index index = { rv_hash_new() };

    rv_defer(cx, drop_hash, index.by_key);
    return index;
}

static void write_key(char key[KEY_SIZE], const char *tenant_id, const char *hold_id)
{
    snprintf(key, KEY_SIZE, "%s/%s", tenant_id, hold_id);
}

void *hold_index_get(struct hold_index index, const char *tenant_id, const char *hold_id)
{
    char key[KEY_SIZE];

    write_key(key, tenant_id, hold_id);
    return rv_hash_get(index.by_key, key);
}

void hold_index_put(struct hold_index index, const char *tenant_id, const char *hold_id,
                    void *value)
{
    char key[KEY_SIZE];

    write_key(key, tenant_id, hold_id);
    rv_hash_put(index.by_key, key, value);
}

const char *id_spelled(struct rv_ctx *cx, const char *id)
{
    char *copy;

    if (!id || !strpbrk(id, "ABCDEF"))
        return id;
    copy = rv_strdup(cx, id);
    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

struct count {
    struct rv_metric *metric;
    int64_t by;
};

static void count_now(struct rv_ctx *cx, void *arg)
{
    const struct count *count = arg;

    (void)cx;
    rv_count(count->metric, count->by);
}

void count_after(struct rv_ctx *cx, struct budget_service *service, enum budget_metric metric,
                 int64_t by)
{
    struct count *count = rv_new(cx, struct count);

    *count = (struct count){ &service->metrics[metric], by };
    if (by)
        rv_after(cx, count_now, count);
}
