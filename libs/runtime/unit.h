#pragma once

/*
 * Unit: one transaction's worth of work, whoever asked for it: handle, commit, then say so.
 *
 * A unit that Postgres rolled back for no fault of ours (deadlock, serialization, a session that
 * was lost before the commit) is done once more as a whole. A unit of several messages that fails
 * for a fault in one of them is done again message by message, so a poison message is alone.
 */

#include "runtime/service.h"

struct rv_work {
    const char *name; /* of failpoints, meters and log lines */
    const struct rv_subject *subject;
    rv_handler_fn *handle; /* one record; or */
    rv_batch_fn *handle_many;
    void *state;
    struct rv_meter *meter;
};

/* What came with one message: @n of the unit's items, from @first on. */
struct rv_part {
    size_t first, n;
};

/* The fate of one part: @answers are its own; on a failure NULL, and cx->error says why. */
typedef void rv_part_done_fn(void *arg, struct rv_ctx *cx, size_t part, const void *answers);

/* Does the work of all @parts of @items, logs and meters it, and calls @done for each part. */
void rv_unit_run(struct rv_ctx *cx, const struct rv_work *work, const void *items,
                 const struct rv_part *parts, size_t n_parts, rv_part_done_fn *done, void *arg);

/* The same for one part, telling the caller instead: no log line, no meter. */
rv_result rv_unit_try(struct rv_ctx *cx, const struct rv_work *work, const void *items, size_t n,
                      void **answers);

/* Reads what came in one message: one record, or for a batch and news any number. */
rv_result rv_unit_read(struct rv_ctx *cx, const struct rv_subject *subject, const uint8_t *bytes,
                       size_t len, void **items, size_t *n);
