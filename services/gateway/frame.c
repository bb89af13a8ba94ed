#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "runtime/codec.h"
#include "runtime/sse.h"

bool frame_is_last(const char *type)
{
    static const char *const last[] = { "run.completed", "run.failed", "run.cancelled",
                                        "run.denied" };

    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
        if (strcmp(type, last[i]) == 0)
            return true;
    return false;
}

static struct frame *new_frame(const struct rv_buf *run_head, const struct rv_buf *tenant_head,
                               const struct rv_buf *body)
{
    struct frame *frame = malloc(sizeof(*frame) + run_head->len + tenant_head->len + body->len + 1);
    char *to;

    if (!frame)
        abort();
    memset(frame, 0, sizeof(*frame));
    to = frame->text;
    if (run_head->len > 0)
        memcpy(to, run_head->data, run_head->len);
    if (tenant_head->len > 0)
        memcpy(to + run_head->len, tenant_head->data, tenant_head->len);
    memcpy(to + run_head->len + tenant_head->len, body->data, body->len);
    frame->refs = 1;
    frame->run_head = run_head->len;
    frame->tenant_head = tenant_head->len;
    frame->body = body->len;
    return frame;
}

static void write_head(struct rv_buf *into, const struct event *event, enum frame_for which)
{
    if (which == FRAME_FOR_RUN)
        rv_buf_printf(into, "id: %lld\n", (long long)event->run_seq);
    else
        rv_buf_printf(into, "id: %s.%lld\n", event->run_id, (long long)event->run_seq);
}

static rv_result write_body(struct rv_ctx *cx, const struct event *event, struct rv_buf *into)
{
    const char *json;

    RV_TRY(cx, rv_json_write(cx, (struct rv_in){ &event_view_record, event, 1 }, &json));
    rv_sse_write(into, NULL, event->type, json);
    return RV_OK;
}

rv_result frame_write(struct rv_ctx *cx, const struct event *event, enum frame_for which,
                      struct rv_buf *into)
{
    write_head(into, event, which);
    return write_body(cx, event, into);
}

struct frame *frame_of_event(struct rv_ctx *cx, const struct event *event)
{
    auto_buf run_head = { 0 }, tenant_head = { 0 }, body = { 0 };
    struct frame *frame;

    write_head(&run_head, event, FRAME_FOR_RUN);
    write_head(&tenant_head, event, FRAME_FOR_TENANT);
    if (write_body(cx, event, &body) != RV_OK)
        return NULL;
    frame = new_frame(&run_head, &tenant_head, &body);
    frame->seq = event->seq;
    frame->run_seq = event->run_seq;
    frame->last = frame_is_last(event->type);
    snprintf(frame->run_id, sizeof(frame->run_id), "%s", event->run_id);
    snprintf(frame->project_id, sizeof(frame->project_id), "%s", event->project_id);
    snprintf(frame->type, sizeof(frame->type), "%s", event->type);
    return frame;
}

struct frame *frame_of_delta(struct rv_ctx *cx, const struct live_delta *delta)
{
    auto_buf none = { 0 }, body = { 0 };
    const char *json;

    if (rv_json_write(cx, rv_in(live_delta, delta), &json) != RV_OK)
        return NULL;
    rv_sse_write(&body, NULL, "llm.delta", json);
    return new_frame(&none, &none, &body);
}

void frame_drop(struct frame *frame)
{
    if (frame && --frame->refs == 0)
        free(frame);
}

static size_t head_size(const struct frame *frame, enum frame_for which)
{
    return which == FRAME_FOR_RUN ? frame->run_head : frame->tenant_head;
}

size_t frame_size(const struct frame *frame, enum frame_for which)
{
    return head_size(frame, which) + frame->body;
}

static size_t copy(char *into, const char *from, size_t len, size_t room)
{
    size_t n = len < room ? len : room;

    memcpy(into, from, n);
    return n;
}

size_t frame_copy(const struct frame *frame, enum frame_for which, size_t offset, char *into,
                  size_t room)
{
    const char *head = which == FRAME_FOR_RUN ? frame->text : frame->text + frame->run_head;
    const char *body = frame->text + frame->run_head + frame->tenant_head;
    size_t head_len = head_size(frame, which), n = 0;

    if (offset < head_len) {
        n = copy(into, head + offset, head_len - offset, room);
        offset += n;
    }
    if (offset >= head_len)
        n +=
            copy(into + n, body + (offset - head_len), frame->body - (offset - head_len), room - n);
    return n;
}

bool frame_place(const char *text, char run_id[40], int64_t *run_seq)
{
    const char *dot = strchr(text, '.');

    if (!dot || dot - text != RV_ID_LEN || !rv_text_int(dot + 1, run_seq) || *run_seq <= 0)
        return false;
    memcpy(run_id, text, RV_ID_LEN);
    run_id[RV_ID_LEN] = '\0';
    return rv_id_is(run_id);
}
