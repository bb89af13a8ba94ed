/* Any bytes are a message, or a batch, or refused; what is read is written and read again. */

#include <stdlib.h>

#include "unit/runtime/sample.h"

static void read_one(struct rv_ctx *cx, const uint8_t *bytes, size_t len)
{
    struct sample sample, again;
    const uint8_t *wire;

    if (rv_pb_read(cx, &SAMPLE, bytes, len, &sample) != RV_OK)
        return;
    if (rv_pb_write(cx, &SAMPLE, &sample, &wire, &len) == RV_OK &&
        rv_pb_read(cx, &SAMPLE, wire, len, &again) != RV_OK)
        abort();
    (void)!rv_record_check(cx, rv_in(sample, &sample));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rv_ctx cx;
    void *items;
    size_t n;

    rv_ctx_init(&cx);
    read_one(&cx, bytes, len);
    (void)!rv_pb_read_many(&cx, &SAMPLE, bytes, len, &items, &n);
    rv_ctx_release(&cx);
    return 0;
}
