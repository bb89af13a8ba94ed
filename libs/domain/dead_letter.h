#pragma once

/*
 * Dead letters: messages that nobody could read. Whoever was meant to read one says so and takes
 * it off its stream; the scheduler parks it, to be looked at and put back.
 *
 * The same bytes on the same subject are one dead letter, however often they come.
 */

#include "base/record.h"

enum { DEAD_LETTER_BYTES_MAX = 4096 }; /* of a payload that are kept */

struct dead_letter {
    const char *dead_letter_id;    /* made of what it is, by the statement that parks it */
    const char *service, *subject; /* who could not read it, and where it was said */
    const char *reason;
    struct rv_bytes payload; /* its beginning */
    int64_t deliveries;
    int64_t created_at_ms, requeued_at_ms; /* requeued 0: it waits */
};
extern const struct rv_record dead_letter_record;      /* as it is said */
extern const struct rv_record dead_letter_view_record; /* as a client sees it, without its bytes */

/* Asks for one to be put back on its subject, whole as it came. */
struct dead_letter_ref {
    const char *dead_letter_id;
};
extern const struct rv_record dead_letter_ref_record;
