#pragma once

/*
 * Streams: one client that reads events as server-sent events. First what Postgres has after the
 * place the client names, page by page; then, without gap or repetition, what the hub hears. A
 * run's stream ends after the run's last event, and every stream soon after its key.
 */

#include "hub.h"

struct stream_ask {
    const char *tenant_id;
    const char *key_id;     /* who reads: looked after as long as the stream is open */
    const char *run_id;     /* NULL: all runs the caller may see */
    const char *project_id; /* only of this project; NULL: any */
    const char *type;       /* only these types ("run.*"); NULL: any */
    const char *after_run;  /* all runs: after this event; NULL: from the beginning */
    int64_t after;          /* the number of the last event seen */
    bool over;              /* the run's log has ended already */
};

struct streams;

struct streams *streams_new(struct gateway *gateway); /* adds a queue to the pool */
void streams_free(struct streams *streams);

/* Takes the call's request. */
void stream_open(struct streams *streams, struct call *call, const struct stream_ask *ask);
