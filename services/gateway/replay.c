#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/event.h"
#include "store/sql.h"

enum { DEPTH = 20000, BATCH = 16, AT_ONCE = 2 };

struct replays {
    struct rv_queue *queue;
};

/* The fields that the statements want. */
struct replay_row {
    const char *tenant_id, *run_id, *project_id, *type;
    int64_t run_seq, limit;
};
static const struct rv_field replay_row_fields[] = {
    RV_UUID(replay_row, tenant_id, 0),  RV_UUID(replay_row, run_id, 0),
    RV_UUID(replay_row, project_id, 0), RV_TEXT(replay_row, type, 0),
    RV_INT(replay_row, run_seq, 0),     RV_INT(replay_row, limit, 0),
};
static RV_RECORD(replay_row, replay_row_fields);

rv_result replay_read(struct rv_ctx *cx, const struct replay_ask *ask, struct rv_rows *rows)
{
    const char *after = *ask->after.run_id ? ask->after.run_id : NULL;
    struct replay_row row = { .tenant_id = ask->tenant_id,
                              .run_id = ask->run_id ? ask->run_id : after,
                              .project_id = ask->project_id,
                              .type = ask->type,
                              .run_seq = ask->after.run_seq,
                              .limit = ask->limit ? ask->limit : REPLAY_PAGE };

    struct api_key wanted = { .key_id = ask->key_id };
    struct rv_rows keys = { .n = 1 };

    RV_TRY(cx, rv_db_tenant(cx, ask->tenant_id));
    if (ask->key_id)
        RV_TRY(cx, rv_db_read(cx, &SQL_GATEWAY_KEYS_FIND, rv_in(api_key, &wanted), &api_key_record,
                              &keys));
    RV_TRY(cx, rv_db_rows(cx, ask->run_id ? &SQL_GATEWAY_RUN_EVENTS : &SQL_GATEWAY_EVENTS_AFTER,
                          rv_in(replay_row, &row), &event_record, rows));
    RV_TRY(cx, rv_db_commit(cx));
    return keys.n > 0 ? RV_OK : rv_fail(cx, RV_DENIED, "this key may not be used any more");
}

rv_result replay_newest(struct rv_ctx *cx, const char *tenant_id, struct place *place)
{
    struct replay_row row = { .tenant_id = tenant_id };
    const struct event *newest;
    struct rv_rows rows;

    *place = (struct place){ 0 };
    RV_TRY(cx,
           rv_db_rows(cx, &SQL_GATEWAY_EVENTS_LAST, rv_in(replay_row, &row), &event_record, &rows));
    if (rows.n == 0)
        return RV_OK;
    newest = rows.items;
    memcpy(place->run_id, newest->run_id, strlen(newest->run_id) + 1);
    place->run_seq = newest->run_seq;
    return RV_OK;
}

rv_result replay_knows(struct rv_ctx *cx, const char *tenant_id, const char *project_id,
                       const struct place *place, bool *knows)
{
    struct replay_row row = { .tenant_id = tenant_id,
                              .project_id = project_id,
                              .run_id = place->run_id,
                              .run_seq = place->run_seq };
    struct rv_rows rows;

    RV_TRY(cx,
           rv_db_rows(cx, &SQL_GATEWAY_EVENT_PLACE, rv_in(replay_row, &row), &event_record, &rows));
    *knows = rows.n > 0;
    return RV_OK;
}

static void work(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++) {
        stream_read(cx, items[i]);
        if (cx->error.status != RV_OK && cx->error.status != RV_DENIED)
            rv_log_failure(cx, "events cannot be read", "gateway.replay");
        rv_db_rollback(cx);
        cx->error = (struct rv_error){ 0 };
    }
}

static void drop(void *stream)
{
    stream_skip(stream);
}

struct replays *replays_new(struct gateway *gateway)
{
    struct replays *replays = calloc(1, sizeof(*replays));
    struct rv_queue_options options = { .name = "gateway.replay",
                                        .depth = DEPTH,
                                        .batch = BATCH,
                                        .parallel = AT_ONCE,
                                        .work = work,
                                        .drop = drop };

    if (!replays)
        abort();
    replays->queue = rv_pool_add(gateway->runtime->pool, &options);
    return replays;
}

void replays_free(struct replays *replays)
{
    free(replays);
}

bool replay_push(struct replays *replays, struct stream *stream)
{
    return rv_queue_push(replays->queue, stream);
}
