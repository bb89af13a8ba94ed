/* Any bytes are JSON of a record or refused with a reason; what is read is written and read again.
 */

#include <stdlib.h>
#include <string.h>

#include "unit/runtime/sample.h"

static void read_as(struct rv_ctx *cx, const uint8_t *bytes, size_t len, enum rv_json_mode mode)
{
    struct sample sample, again;
    const char *text, *twice;

    if (rv_json_read(cx, (const char *)bytes, len, mode, rv_out(sample, &sample)) != RV_OK) {
        if (cx->error.status != RV_INVALID || cx->error.n_details == 0 || !cx->error.text[0])
            abort();
        rv_ctx_reset(cx);
        return;
    }
    if (rv_json_write(cx, rv_in(sample, &sample), &text) != RV_OK ||
        rv_json_read(cx, text, strlen(text), RV_JSON_STRICT, rv_out(sample, &again)) != RV_OK ||
        rv_json_write(cx, rv_in(sample, &again), &twice) != RV_OK || strcmp(text, twice) != 0)
        abort();
    rv_ctx_reset(cx);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    read_as(&cx, bytes, len, RV_JSON_STRICT);
    read_as(&cx, bytes, len, RV_JSON_CLIENT);
    read_as(&cx, bytes, len, RV_JSON_LENIENT);
    rv_ctx_release(&cx);
    return 0;
}
