#include "runtime/bus_nats.h"

#include <string.h>

#include "base/record.h"

/*
 * A failure on its way: {"message","details":[{"path","message"}],"hint","reason",
 * "retry_after_ms"}. Details and reasons survive the bus, so the gateway can show them.
 */

enum { REASON_MAX = 256 * 1024 };

struct failure_detail {
    const char *path, *message;
};
static const struct rv_field failure_detail_fields[] = {
    RV_TEXT(failure_detail, path, 0),
    RV_TEXT(failure_detail, message, 0),
};
static RV_RECORD(failure_detail, failure_detail_fields);

struct failure {
    const char *message, *hint, *reason;
    struct failure_detail *details;
    size_t n_details;
    int64_t retry_after_ms;
};
static const struct rv_field failure_fields[] = {
    RV_TEXT(failure, message, 0),       RV_TEXT(failure, hint, 0),
    RV_JSON(failure, reason, 0),        RV_LIST(failure, details, failure_detail, 0),
    RV_INT(failure, retry_after_ms, 0),
};
static RV_RECORD(failure, failure_fields);

void rv_bus_failure_write(const struct rv_error *error, struct rv_buf *body)
{
    unsigned n = error->n_details < RV_DETAILS_MAX ? error->n_details : RV_DETAILS_MAX;

    rv_buf_text(body, "{\"message\":");
    rv_buf_json(body, rv_error_said(error));
    if (n > 0)
        rv_buf_text(body, ",\"details\":[");
    for (unsigned i = 0; i < n; i++) {
        rv_buf_text(body, i ? ",{\"path\":" : "{\"path\":");
        rv_buf_json(body, error->details[i].path);
        rv_buf_text(body, ",\"message\":");
        rv_buf_json(body, error->details[i].message);
        rv_buf_text(body, "}");
    }
    if (n > 0)
        rv_buf_text(body, "]");
    if (error->hint) {
        rv_buf_text(body, ",\"hint\":");
        rv_buf_json(body, error->hint);
    }
    if (error->reason && strlen(error->reason) < REASON_MAX)
        rv_buf_printf(body, ",\"reason\":%s", error->reason);
    if (error->retry_after_ms > 0)
        rv_buf_printf(body, ",\"retry_after_ms\":%lld", (long long)error->retry_after_ms);
    rv_buf_text(body, "}");
}

rv_result rv_bus_failure_read(struct rv_ctx *cx, const char *status, const char *body, size_t len)
{
    struct failure said = { 0 };
    enum rv_status failed = rv_status_parse(status);

    if (failed == RV_OK)
        failed = RV_INTERNAL; /* nobody says that a failure is fine */
    if (rv_json_read(cx, body, len, RV_JSON_LENIENT, rv_out(failure, &said)) != RV_OK)
        return rv_fail_inside(cx, failed, "%.*s", (int)(len < 300 ? len : 300), len ? body : "");
    failed = rv_fail(cx, failed, "%s", said.message ? said.message : status);
    cx->error.hint = said.hint;
    cx->error.reason = said.reason;
    cx->error.retry_after_ms = said.retry_after_ms;
    for (size_t i = 0; i < said.n_details && i < RV_DETAILS_MAX; i++)
        cx->error.details[cx->error.n_details++] = (struct rv_detail){
            .path = said.details[i].path ? said.details[i].path : "",
            .message = said.details[i].message ? said.details[i].message : "",
        };
    return failed;
}
