/* Any bytes are msgpack of a record or refused; what is read is written and read again. */

#include <stdlib.h>

#include "unit/runtime/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rv_bytes wire = { bytes, len };
    struct sample sample, again;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    if (rv_msgpack_read(&cx, wire, rv_out(sample, &sample)) == RV_OK &&
        (rv_msgpack_write(&cx, rv_in(sample, &sample), &wire) != RV_OK ||
         rv_msgpack_read(&cx, wire, rv_out(sample, &again)) != RV_OK))
        abort();
    rv_ctx_release(&cx);
    return 0;
}
