#include "runtime/dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "runtime/unit.h"

enum { BUSY_RETRY_MS = 1000, DESK_BYTES_MAX = 64 << 20 };

/* One handler at work. Lives as long as the process: the bus may call it until it is closed. */
struct rv_desk {
    struct rv_desk *next;
    const struct rv_handler *handler;
    struct rv_bus *bus;
    struct rv_queue *queue;
    struct rv_work work;
    size_t batch;
    atomic_size_t waiting; /* bytes of mails in the queue and at work */
};

/* One message, copied out of the bus' hands. */
struct mail {
    char *reply, *trace_id, *request_id; /* each may be NULL */
    int64_t heard_ms, patience_ms;
    size_t len;
    uint8_t *bytes;
    char room[];
};

/* What one unit takes from the mails that wait. */
struct unit {
    struct rv_desk *desk;
    struct mail **mails; /* of the parts */
    struct rv_part *parts;
    size_t n_parts, n_items;
    char *items;
};

static char *put(char **room, const void *bytes, size_t len)
{
    char *place = *room;

    memcpy(place, bytes, len);
    *room += len;
    return place;
}

static struct mail *mail_new(const struct rv_heard *heard)
{
    size_t reply = heard->reply ? strlen(heard->reply) + 1 : 0;
    size_t trace = heard->trace_id ? strlen(heard->trace_id) + 1 : 0;
    size_t request = heard->request_id ? strlen(heard->request_id) + 1 : 0;
    struct mail *mail = malloc(sizeof(*mail) + reply + trace + request + heard->len + 1);
    char *room;

    if (!mail)
        abort();
    room = mail->room;
    mail->reply = reply ? put(&room, heard->reply, reply) : NULL;
    mail->trace_id = trace ? put(&room, heard->trace_id, trace) : NULL;
    mail->request_id = request ? put(&room, heard->request_id, request) : NULL;
    mail->heard_ms = rv_monotonic_ms();
    mail->patience_ms = heard->patience_ms;
    mail->len = heard->len;
    mail->bytes = (uint8_t *)put(&room, heard->bytes ? heard->bytes : (const void *)"", heard->len);
    return mail;
}

static void drop(struct rv_desk *desk, struct mail *mail)
{
    atomic_fetch_sub(&desk->waiting, mail->len);
    free(mail);
}

static void say_busy(struct rv_desk *desk, const struct mail *mail)
{
    struct rv_error busy = { .status = RV_BUSY, .retry_after_ms = BUSY_RETRY_MS };

    rv_bus_answer_failure(desk->bus, mail->reply, &busy);
    rv_meter_add(desk->work.meter, 0, 0, rv_status_text(RV_BUSY));
}

/* From the bus' thread: enqueues, or says at once that there is no room. */
static void on_heard(void *arg, const struct rv_heard *heard)
{
    struct rv_desk *desk = arg;
    struct mail *mail = mail_new(heard);

    if (atomic_fetch_add(&desk->waiting, mail->len) + mail->len <= DESK_BYTES_MAX &&
        rv_queue_push(desk->queue, mail))
        return;
    say_busy(desk, mail);
    drop(desk, mail);
}

/* Work for an asker who has gone is work taken from those who still wait. */
static bool is_stale(const struct rv_desk *desk, const struct mail *mail)
{
    return desk->handler->stale && mail->reply && mail->patience_ms > 0 &&
           rv_monotonic_ms() - mail->heard_ms > mail->patience_ms;
}

static void answer(void *arg, struct rv_ctx *cx, size_t part, const void *answers)
{
    struct unit *unit = arg;
    struct mail *mail = unit->mails[part];
    const struct rv_subject *subject = unit->desk->handler->subject;
    const uint8_t *bytes = NULL;
    enum rv_status status = RV_OK;
    size_t len = 0;

    if (!mail->reply || !subject->out.record)
        return;
    if (answers && subject->speech == RV_REQUEST)
        status = rv_pb_write(cx, &subject->out, answers, &bytes, &len);
    else if (answers)
        status = rv_pb_write_many(cx, &subject->out, answers, unit->parts[part].n, &bytes, &len);
    if (answers && status == RV_OK)
        rv_bus_answer(unit->desk->bus, mail->reply, bytes, len);
    else
        rv_bus_answer_failure(unit->desk->bus, mail->reply, &cx->error);
}

/* A message that is none: its sender hears of it, its neighbours do not. */
static void refuse(struct rv_ctx *cx, struct rv_desk *desk, const struct mail *mail)
{
    rv_log_failure(cx, "message refused", desk->work.name);
    rv_bus_answer_failure(desk->bus, mail->reply, &cx->error);
    rv_meter_add(desk->work.meter, 0, 0, rv_status_text(cx->error.status));
    cx->error = (struct rv_error){ 0 };
}

static void add_part(struct rv_ctx *cx, struct unit *unit, struct mail *mail, void *items, size_t n,
                     size_t room)
{
    size_t size = unit->desk->handler->subject->in.record->size;

    if (unit->n_parts == 0 && (n >= unit->desk->batch || room == 1)) {
        unit->items = items; /* alone: as it was read */
    } else {
        if (!unit->items)
            unit->items = rv_arena_array(cx->arena, size, unit->desk->batch);
        memcpy(unit->items + unit->n_items * size, items, n * size);
    }
    unit->mails[unit->n_parts] = mail;
    unit->parts[unit->n_parts++] = (struct rv_part){ unit->n_items, n };
    unit->n_items += n;
}

/* Reads mails into @unit until it is full; returns how many it used up. */
static size_t gather(struct rv_ctx *cx, struct unit *unit, struct mail **mails, size_t n)
{
    struct rv_desk *desk = unit->desk;
    size_t used = 0;

    for (; used < n && unit->n_items < desk->batch; used++) {
        void *items;
        size_t found;

        if (is_stale(desk, mails[used])) {
            say_busy(desk, mails[used]);
            continue;
        }
        if (rv_unit_read(cx, desk->handler->subject, mails[used]->bytes, mails[used]->len, &items,
                         &found) != RV_OK) {
            refuse(cx, desk, mails[used]);
            continue;
        }
        if (unit->n_parts > 0 && unit->n_items + found > desk->batch)
            break; /* the next unit reads it again */
        if (found == 0)
            rv_bus_answer(desk->bus, mails[used]->reply, "", 0);
        else
            add_part(cx, unit, mails[used], items, found, n);
        if (desk->work.handle && unit->n_parts > 0)
            return used + 1;
    }
    return used;
}

static void trace_unit(struct rv_ctx *cx, const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_parts && !cx->trace_id; i++)
        cx->trace_id = unit->mails[i]->trace_id;
    if (unit->n_parts == 1)
        cx->request_id = unit->mails[0]->request_id;
}

static void work_mails(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct mail **mails = calloc(n, sizeof(*mails)); /* outlives the resets of the cx */

    if (!mails)
        abort();
    memcpy(mails, items, n * sizeof(*mails));
    for (size_t at = 0; at < n;) {
        struct unit unit = { .desk = arg };

        unit.mails = rv_new_array(cx, struct mail *, n - at);
        unit.parts = rv_new_array(cx, struct rv_part, n - at);
        at += gather(cx, &unit, mails + at, n - at);
        trace_unit(cx, &unit);
        if (unit.n_parts > 0)
            rv_unit_run(cx, &unit.desk->work, unit.items, unit.parts, unit.n_parts, answer, &unit);
        rv_ctx_reset(cx);
    }
    for (size_t i = 0; i < n; i++)
        drop(arg, mails[i]);
    free(mails);
}

static struct rv_work work_of(const struct rv_service *service, const struct rv_handler *handler)
{
    return (struct rv_work){
        .name = handler->subject->name,
        .subject = handler->subject,
        .handle = handler->handle,
        .handle_many = handler->handle_many,
        .state = service->state,
    };
}

static struct rv_desk *desk_new(struct rv_runtime *runtime, const struct rv_handler *handler)
{
    struct rv_desk *desk = calloc(1, sizeof(*desk));
    struct rv_queue_options options = {
        .name = handler->subject->name,
        .depth = (size_t)runtime->config->queue_depth,
        .parallel = handler->parallel ? handler->parallel : 1,
        .alone_ms = handler->alone_ms,
        .turn = handler->turn,
        .work = work_mails,
        .drop = free,
        .arg = desk,
    };

    if (!desk)
        abort();
    desk->handler = handler;
    desk->bus = runtime->bus;
    desk->batch = handler->batch ? handler->batch : RV_DISPATCH_BATCH;
    desk->work = work_of(runtime->service, handler);
    desk->work.meter = rv_meter_new(handler->subject->name);
    options.batch = handler->handle ? 1 : desk->batch; /* single ones: shared by all workers */
    desk->queue = rv_pool_add(runtime->pool, &options);
    return desk;
}

rv_result rv_dispatch_add(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    const struct rv_handler *handler = runtime->service->handlers;

    for (; handler && handler->subject; handler++) {
        struct rv_desk *desk;

        if (!handler->handle == !handler->handle_many)
            return rv_fail(cx, RV_INTERNAL, "%s needs handle or handle_many",
                           handler->subject->name);
        desk = desk_new(runtime, handler);
        desk->next = runtime->desks;
        runtime->desks = desk;
    }
    return RV_OK;
}

rv_result rv_dispatch_listen(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    for (struct rv_desk *desk = runtime->desks; desk; desk = desk->next) {
        const struct rv_subject *subject = desk->handler->subject;

        RV_TRY(cx, rv_bus_listen(cx, runtime->bus, subject->name, runtime->service->name, on_heard,
                                 desk));
    }
    return RV_OK;
}

void rv_dispatch_free(struct rv_runtime *runtime)
{
    while (runtime->desks) {
        struct rv_desk *desk = runtime->desks;

        runtime->desks = desk->next;
        free(desk);
    }
}

rv_result rv_dispatch(struct rv_ctx *cx, const struct rv_service *service,
                      const struct rv_handler *handler, const uint8_t *bytes, size_t len,
                      const uint8_t **reply, size_t *reply_len)
{
    const struct rv_subject *subject = handler->subject;
    struct rv_work work = work_of(service, handler);
    void *items, *answers = NULL;
    size_t n;

    *reply = NULL;
    *reply_len = 0;
    RV_TRY(cx, rv_unit_read(cx, subject, bytes, len, &items, &n));
    if (n > 0)
        RV_TRY(cx, rv_unit_try(cx, &work, items, n, &answers));
    if (!subject->out.record)
        return RV_OK;
    if (subject->speech == RV_REQUEST)
        return rv_pb_write(cx, &subject->out, answers, reply, reply_len);
    return rv_pb_write_many(cx, &subject->out, answers, n, reply, reply_len);
}
