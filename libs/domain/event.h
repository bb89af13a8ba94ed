#pragma once

/*
 * Events: everything that happens, numbered within its run from 1 without gaps (run_seq). The
 * event log is written by the scheduler only; type is "<noun>.<past tense>".
 */

#include "base/record.h"

struct event {
    int64_t seq; /* rises over all runs, with gaps */
    const char *tenant_id, *project_id, *run_id;
    int64_t run_seq;
    const char *type;    /* "run.created", "task.completed" … */
    const char *node_id; /* of the task it is about; NULL: about the run */
    const char *data;    /* JSON object */
    const char *trace_id;
    int64_t at_ms;
    const char *xid; /* of the transaction that wrote it: the relay's cursor, not said */
};
extern const struct rv_record event_record;      /* as it is said */
extern const struct rv_record event_row_record;  /* as it is kept, with its xid */
extern const struct rv_record event_view_record; /* as a client sees it */

/* Asks the scheduler to add an event to a run's log. The same key twice is added once. */
struct event_add {
    const char *tenant_id, *run_id, *type, *key, *data;
};
struct event_added {
    const char *run_id;
    int64_t run_seq; /* 0: there is no such run */
};
extern const struct rv_record event_add_record, event_added_record;

/* A piece of a generation while it is written: never stored, may be lost. */
struct live_delta {
    const char *tenant_id, *run_id, *node_id;
    const char *kind; /* text, tool_args */
    const char *delta;
    int64_t call_no, index;
};
extern const struct rv_record live_delta_record;

/* Every type there is, for the docs and the tests; ends with NULL. */
extern const char *const event_types[];
