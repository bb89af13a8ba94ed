#include "executor/live.h"

#include <string.h>

#include "base/time.h"
#include "contract/subjects.h"
#include "domain/event.h"

enum { TEXT_MAX = 64 * 1024 };

/* Nobody waits for it: what cannot be told is lost. */
static void tell(struct live *live)
{
    const struct task_claimed *claimed = &live->work->job->claimed;
    struct live_delta delta = { claimed->tenant_id, claimed->run_id, live->work->node->node_id,
                                live->kind,         live->text.data, live->work->call_no,
                                live->index };
    const uint8_t *bytes;
    struct rv_ctx cx;
    size_t len;

    rv_ctx_init(&cx);
    if (rv_pb_write(&cx, &SUBJ_LIVE.in, &delta, &bytes, &len) == RV_OK)
        (void)!rv_bus_publish(
            &cx, live->work->executor->bus,
            rv_printf(&cx, "%s.%s.%s", SUBJ_LIVE.name, claimed->project_id, claimed->run_id), bytes,
            len);
    rv_ctx_release(&cx);
    rv_buf_clear(&live->text);
    live->told_ms = rv_monotonic_ms();
}

void live_add(struct live *live, const char *kind, const char *text, size_t len, int64_t index)
{
    bool other = live->kind && (strcmp(live->kind, kind) != 0 || live->index != index);

    if (live->text.len > 0 && other)
        tell(live);
    live->kind = kind;
    live->index = index;
    if (live->told_ms == 0)
        live->told_ms = rv_monotonic_ms();
    rv_buf_add(&live->text, text, len);
    if (live->text.len > TEXT_MAX ||
        rv_monotonic_ms() - live->told_ms >= live->work->executor->config.live_every_ms)
        tell(live);
}

void live_end(struct live *live)
{
    if (live->text.len > 0 && live->work->executor->bus)
        tell(live);
    rv_buf_release(&live->text);
}
