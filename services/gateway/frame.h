#pragma once

/* Frames: an event as server-sent text, rendered once for all who listen. */

#include "base/buf.h"
#include "base/ctx.h"
#include "domain/event.h"

struct frame {
    int refs;             /* the hub's: changed by one thread at a time */
    int64_t seq, run_seq; /* run_seq 0: a live delta, which has no number */
    char run_id[40], project_id[40], type[48];
    bool last;                          /* the run's log ends with it */
    size_t run_head, tenant_head, body; /* bytes; they follow each other in text */
    char text[];
};

/* Two ids for one event: its number in its run, and "<run_id>.<number>" among all. */
enum frame_for { FRAME_FOR_RUN, FRAME_FOR_TENANT };

struct frame *frame_of_event(struct rv_ctx *cx, const struct event *event);
struct frame *frame_of_delta(struct rv_ctx *cx, const struct live_delta *delta);
void frame_drop(struct frame *frame);

/* Whether a run is over with an event of this type. */
bool frame_is_last(const char *type);

/* Copies at most @room bytes from @offset on; returns how many. Done when offset reaches the size.
 */
size_t frame_size(const struct frame *frame, enum frame_for which);
size_t frame_copy(const struct frame *frame, enum frame_for which, size_t offset, char *into,
                  size_t room);

/* The same text, appended: for what is replayed. */
rv_result frame_write(struct rv_ctx *cx, const struct event *event, enum frame_for which,
                      struct rv_buf *into);

/* "<run_id>.<number>", as a client sends it back; false when it is none. */
bool frame_place(const char *text, char run_id[40], int64_t *run_seq);
