#pragma once

/* Codecs: records to and from the outside. All memory is the ctx's; nothing to free. */

#include "base/ctx.h"
#include "base/record.h"
#include "runtime/subject.h"

/*
 * Records to read from, and one to fill: rv_in(hold_ask, ask), rv_out(hold, &hold). A statement
 * or a batch reads many: rv_in_many(hold_ask, asks, n).
 */
struct rv_in {
    const struct rv_record *record;
    const void *object;
    size_t n;
};
struct rv_out {
    const struct rv_record *record;
    void *object;
};

#define rv_in(tag, ptr) ((struct rv_in){ &tag##_record, (const struct tag *){ (ptr) }, 1 })
#define rv_in_many(tag, ptr, n)                                                                    \
    ((struct rv_in){ &tag##_record, (const struct tag *){ (ptr) }, (n) })
#define rv_out(tag, ptr) ((struct rv_out){ &tag##_record, (struct tag *){ (ptr) } })
#define rv_nothing       ((struct rv_in){ 0 })

/* A list in JSON, protobuf or msgpack has at most this many items: they cost us more than its
 * bytes. */
enum { RV_LIST_ITEMS_MAX = 20000, RV_PB_BYTES_MAX = 900 * 1024 };

/*
 * JSON. Reading is strict: an unknown field, a wrong type or a missing required field is noted
 * with its path ("nodes[2].kind") and the whole is RV_INVALID, with every mistake in
 * cx->error.details. Depth is at most 64; duplicate keys, raw NUL and bad UTF-8 are refused.
 */
enum rv_json_mode {
    RV_JSON_STRICT,  /* what reeve itself wrote, or a document */
    RV_JSON_CLIENT,  /* from a client: RV_READONLY fields are refused too */
    RV_JSON_LENIENT, /* from a foreign server (a model): unknown fields are passed over */
};
rv_result rv_json_read(struct rv_ctx *cx, const char *text, size_t len, enum rv_json_mode mode,
                       struct rv_out out);

/* Unset text, enum and object are null; left out with RV_UNSET. RV_SECRET is always left out. */
rv_result rv_json_write(struct rv_ctx *cx, struct rv_in in, const char **text);

/* Several records as one JSON list. */
rv_result rv_json_write_list(struct rv_ctx *cx, struct rv_in in, const char **text);

/* A record's JSON Schema (2020-12) as JSON text, with $ref to #/components/schemas/<name>. */
rv_result rv_json_schema(struct rv_ctx *cx, const struct rv_record *record, const char **text);

/*
 * Whether @in may be worked on: every RV_REQUIRED text, enum, object and list in it is set and
 * every UUID looks like one; else RV_INVALID with every gap. For what came by protobuf or msgpack;
 * JSON is checked while it is read.
 */
rv_result rv_record_check(struct rv_ctx *cx, struct rv_in in);

/* Protobuf, by the reflection that protobuf-c keeps of every generated type. Text is checked to
 * be UTF-8 on the way in, and empty text is read as NULL. At most 900 KiB (RV_TOO_LARGE). */
rv_result rv_pb_write(struct rv_ctx *cx, const struct rv_message *message, const void *object,
                      const uint8_t **bytes, size_t *len);
rv_result rv_pb_read(struct rv_ctx *cx, const struct rv_message *message, const uint8_t *bytes,
                     size_t len, void *object);

/*
 * A batch: the wire message has one repeated field, items, of @message's type. A batch and a
 * concatenation of batches look the same on the wire, so batches are joined by appending bytes.
 */
rv_result rv_pb_write_many(struct rv_ctx *cx, const struct rv_message *message, const void *items,
                           size_t n, const uint8_t **bytes, size_t *len);
rv_result rv_pb_read_many(struct rv_ctx *cx, const struct rv_message *message, const uint8_t *bytes,
                          size_t len, void **items, size_t *n);

/*
 * Whether the record and the wire type describe the same message: same field names, same
 * kinds, same enum words and numbers. On false, @gap says what differs.
 */
bool rv_pb_agrees(const struct rv_message *message, char *gap, size_t gap_size);

/* Msgpack, for bytes that only reeve reads again: a map from field name to value. */
rv_result rv_msgpack_write(struct rv_ctx *cx, struct rv_in in, struct rv_bytes *bytes);
rv_result rv_msgpack_read(struct rv_ctx *cx, struct rv_bytes bytes, struct rv_out out);
