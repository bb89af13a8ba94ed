#include "gateway.h"

#include <string.h>

#include "base/text.h"

void call_fail(struct call *call, struct rv_ctx *cx)
{
    call->error = cx->error;
    cx->error = (struct rv_error){ 0 };
}

const char *call_project(const struct call *call)
{
    return call->caller && *call->caller->project_id ? call->caller->project_id : NULL;
}

/* Nobody answered in time or nobody was there: to a client that is the same, and worth a retry. */
enum rv_status call_asked(struct rv_ctx *cx, enum rv_status status)
{
    if (status == RV_TIMEOUT)
        return rv_fail(cx, RV_UNAVAILABLE, "%s", cx->error.text);
    return status;
}

rv_result call_ask(struct rv_ctx *cx, struct call *call, const struct rv_subject *subject,
                   const void *in, void *out)
{
    enum rv_status status;

    RV_TRY(cx, rv_db_commit(cx));
    status =
        rv_bus_ask(cx, call->gateway->bus, subject, in, out, call->gateway->config.ask_timeout_ms);
    return call_asked(cx, status);
}

static const char *cursor_of(struct rv_ctx *cx, const struct rv_field *field, const void *object)
{
    const void *place = rv_field_in(field, object);

    if (field->kind == RV_KIND_INT)
        return rv_printf(cx, "%lld", (long long)*(const int64_t *)place);
    return *(const char *const *)place;
}

static size_t weight(const struct rv_record *record, const void *object)
{
    size_t bytes = 0;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];
        const char *text = NULL;

        if (field->kind == RV_KIND_TEXT || field->kind == RV_KIND_JSON)
            text = *(const char *const *)rv_field_in(field, object);
        bytes += text ? strlen(text) : 0;
    }
    return bytes;
}

size_t page_fits(const struct rv_record *record, const struct rv_rows *rows, int64_t limit)
{
    size_t n = 0, bytes = 0;

    while (n < rows->n && n < (size_t)limit && bytes < PAGE_BYTES)
        bytes += weight(record, (const char *)rows->items + n++ * record->size);
    return n;
}

struct page page_of(struct rv_ctx *cx, const struct rv_record *record, struct rv_rows rows,
                    int64_t limit, const char *id)
{
    struct page page = { .items = rows.items, .n = page_fits(record, &rows, limit) };

    page.has_more = page.n < rows.n;
    if (!page.has_more)
        return page;
    page.next_cursor = cursor_of(cx, rv_record_field(record, id),
                                 (const char *)rows.items + (page.n - 1) * record->size);
    return page;
}

void call_etag(struct rv_ctx *cx, struct call *call, int64_t version)
{
    call->etag = rv_printf(cx, "\"%lld\"", (long long)version);
}

/* Strong comparison: a weak tag never matches. */
rv_result call_if_match(struct rv_ctx *cx, const struct call *call, int64_t version)
{
    const char *wanted = call->request ? rv_http_header(call->request, "If-Match") : NULL;
    const char *tag = rv_printf(cx, "\"%lld\"", (long long)version), *found;

    if (!wanted || strcmp(wanted, "*") == 0)
        return RV_OK;
    found = strstr(wanted, tag);
    if (found && (found == wanted || found[-1] != '/'))
        return RV_OK;
    rv_fail(cx, RV_STALE, "it is at version %lld now", (long long)version);
    cx->error.reason = rv_printf(cx, "{\"current_version\":%lld}", (long long)version);
    return RV_STALE;
}
