#pragma once

/* Ids: UUIDv7 as 36 characters; those of one thread rise strictly, also within a millisecond. */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"

enum { RV_ID_LEN = 36 };

void rv_id_write(char id[RV_ID_LEN + 1]);
const char *rv_id_new(struct rv_ctx *cx);
bool rv_id_is(const char *text);                       /* any UUID in its 8-4-4-4-12 form */
bool rv_id_bytes(const char *text, uint8_t bytes[16]); /* false: it is none */
int64_t rv_id_time_ms(const char *id);                 /* of a v7; 0 when it is none */
int64_t rv_id_key(const char *id); /* 64 bits of its random half: for advisory locks */

/* W3C trace ids: 32 and 16 hex digits, never all zero. */
const char *rv_trace_new(struct rv_ctx *cx);
const char *rv_traceparent(struct rv_ctx *cx, const char *trace_id);     /* with a fresh span id */
const char *rv_traceparent_parse(struct rv_ctx *cx, const char *header); /* trace id, or NULL */
