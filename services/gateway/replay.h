#pragma once

/* Replays: pages of events from Postgres, for streams and for whoever asks for JSON. */

#include "gateway.h"

enum { REPLAY_PAGE = 500 };

/* The last event somebody has: its run and its number there. run_id "": none at all. */
struct place {
    char run_id[40];
    int64_t run_seq;
    bool over; /* of a run: its log has ended before or at this place */
};

struct replay_ask {
    const char *tenant_id;
    const char *key_id; /* who reads: RV_DENIED when this key may not any more; NULL: was checked */
    const char *run_id; /* NULL: all runs */
    const char *project_id, *type;
    struct place after;
    int64_t limit; /* 0: REPLAY_PAGE */
};

/* The events after a place, as structs event. A unit of work of its own. */
rv_result replay_read(struct rv_ctx *cx, const struct replay_ask *ask, struct rv_rows *rows);

/* The newest event there is, or none. */
rv_result replay_newest(struct rv_ctx *cx, const char *tenant_id, struct place *place);

/* Whether the event at @place is there, in @project_id or, when that is NULL, in any project. */
rv_result replay_knows(struct rv_ctx *cx, const char *tenant_id, const char *project_id,
                       const struct place *place, bool *knows);

struct stream;
struct replays;
struct replays *replays_new(struct gateway *gateway); /* adds a queue to the pool */
void replays_free(struct replays *replays);
bool replay_push(struct replays *replays, struct stream *stream);

/* stream.c: reads a page for a stream; or does not, because the pool is stopping. */
void stream_read(struct rv_ctx *cx, struct stream *stream);
void stream_skip(struct stream *stream);
