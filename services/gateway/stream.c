#include "stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "replay.h"

enum { BEHIND_MAX = 10000, SEEN = 16384 };

struct stream {
    struct listener listener; /* the first: the hub knows a stream by it */
    struct streams *streams;
    atomic_int refs; /* the server, and the worker that reads for it */

    pthread_mutex_t lock;                                     /* all that follows */
    struct place place;                                       /* the last event said */
    char tenant_id[40], run_id[40], project_id[40], type[64]; /* "": not set */
    char key_id[16];
    bool reading;       /* a worker reads for it */
    bool caught_up;     /* what is live comes from the topic now */
    bool over;          /* ends when all is said */
    struct rv_buf text; /* to be said before anything else */
    size_t text_at;
    uint64_t at;   /* its place in the topic */
    size_t offset; /* in the frame there: some of it has been said */
    int64_t *seen; /* what was replayed last, by seq: it may come live as well */
    int64_t seen_last;
};

struct streams {
    struct gateway *gateway;
    struct replays *replays;
};

static bool is_of_run(const struct stream *stream)
{
    return *stream->run_id != '\0';
}

static void let_go(struct stream *stream)
{
    if (atomic_fetch_sub(&stream->refs, 1) > 1)
        return;
    rv_buf_release(&stream->text);
    pthread_mutex_destroy(&stream->lock);
    free(stream->seen);
    free(stream);
}

/* -- from Postgres -- */

static void note_seen(struct stream *stream, int64_t seq)
{
    if (!stream->seen && !(stream->seen = calloc(SEEN, sizeof(*stream->seen))))
        abort();
    stream->seen[seq & (SEEN - 1)] = seq;
    if (seq > stream->seen_last)
        stream->seen_last = seq;
}

/* Once the live ones are far beyond what was replayed nothing can meet any more. */
static bool was_seen(struct stream *stream, int64_t seq)
{
    bool was = stream->seen && stream->seen[seq & (SEEN - 1)] == seq;

    if (stream->seen && seq > stream->seen_last + SEEN) {
        free(stream->seen);
        stream->seen = NULL;
    }
    return was;
}

static void take_event(struct rv_ctx *cx, struct stream *stream, const struct event *event)
{
    enum frame_for which = is_of_run(stream) ? FRAME_FOR_RUN : FRAME_FOR_TENANT;

    if (frame_write(cx, event, which, &stream->text) != RV_OK)
        return;
    memcpy(stream->place.run_id, event->run_id, strlen(event->run_id) + 1);
    stream->place.run_seq = event->run_seq;
    if (!is_of_run(stream))
        note_seen(stream, event->seq);
    else if (frame_is_last(event->type))
        stream->place.over = true;
}

/* A page has been read, as of when the topic was at @mark. */
static void take_page(struct rv_ctx *cx, struct stream *stream, uint64_t mark,
                      const struct rv_rows *rows, bool failed)
{
    const struct event *events = rows->items;

    pthread_mutex_lock(&stream->lock);
    for (size_t i = 0; i < rows->n; i++)
        take_event(cx, stream, &events[i]);
    stream->at = mark;
    stream->caught_up = page_fits(&event_record, rows, REPLAY_PAGE - 1) == rows->n;
    stream->over = failed || (stream->caught_up && stream->place.over);
    stream->reading = false;
    pthread_mutex_unlock(&stream->lock);
}

/* The mark comes first: whatever is published after it is in the topic, or in the page, or both. */
void stream_read(struct rv_ctx *cx, struct stream *stream)
{
    struct hub *hub = stream->streams->gateway->hub;
    struct replay_ask ask = { .tenant_id = stream->tenant_id,
                              .key_id = stream->key_id,
                              .run_id = is_of_run(stream) ? stream->run_id : NULL,
                              .project_id = *stream->project_id ? stream->project_id : NULL,
                              .type = *stream->type ? stream->type : NULL };
    struct rv_rows rows = { 0 };
    uint64_t mark;

    if (hub_mark(hub, &stream->listener, &mark)) {
        pthread_mutex_lock(&stream->lock);
        ask.after = stream->place;
        pthread_mutex_unlock(&stream->lock);
        take_page(cx, stream, mark, &rows, replay_read(cx, &ask, &rows) != RV_OK);
        hub_wake(hub, &stream->listener);
    }
    let_go(stream);
}

void stream_skip(struct stream *stream)
{
    let_go(stream);
}

/* A full queue: the hub's clock comes by again. */
static void ask_for_page(struct stream *stream)
{
    atomic_fetch_add(&stream->refs, 1);
    stream->reading = replay_push(stream->streams->replays, stream);
    if (stream->reading)
        return;
    atomic_fetch_sub(&stream->refs, 1);
    atomic_store(&stream->listener.behind, true);
}

/* -- from the topic -- */

enum what { SAY, SKIP, PASS, GAP }; /* said already; not asked for */

static bool is_wanted(const struct stream *stream, const struct frame *frame)
{
    return (!*stream->project_id || strcmp(stream->project_id, frame->project_id) == 0) &&
           (!*stream->type || rv_text_glob(stream->type, frame->type));
}

static enum what judge(struct stream *stream, const struct frame *frame)
{
    if (is_of_run(stream)) {
        if (frame->run_seq == 0 || frame->run_seq == stream->place.run_seq + 1)
            return SAY;
        return frame->run_seq <= stream->place.run_seq ? SKIP : GAP;
    }
    if (was_seen(stream, frame->seq))
        return SKIP;
    return is_wanted(stream, frame) ? SAY : PASS;
}

static void note_place(struct stream *stream, const struct frame *frame)
{
    memcpy(stream->place.run_id, frame->run_id, sizeof(frame->run_id));
    stream->place.run_seq = frame->run_seq;
}

/*
 * Who reads few of many events would go back further and further. What was replayed may be newer
 * than what comes live now, so the place moves only once they cannot meet any more.
 */
static void pass(struct stream *stream, const struct frame *frame)
{
    stream->at++;
    if (!stream->seen)
        note_place(stream, frame);
}

static void said(struct stream *stream, const struct frame *frame)
{
    stream->offset = 0;
    stream->at++;
    if (frame->run_seq == 0)
        return;
    note_place(stream, frame);
    stream->over = is_of_run(stream) && frame->last;
}

/* It has been overtaken: half a frame cannot be mended, and who is that far behind comes back. */
static void overtaken(struct stream *stream, uint64_t head)
{
    if (stream->offset > 0 || (!is_of_run(stream) && head - stream->at > BEHIND_MAX))
        stream->over = true;
    stream->caught_up = false;
}

static size_t say_frame(struct stream *stream, const struct frame *frame, char *into, size_t room)
{
    enum frame_for which = is_of_run(stream) ? FRAME_FOR_RUN : FRAME_FOR_TENANT;
    size_t n = frame_copy(frame, which, stream->offset, into, room);

    stream->offset += n;
    if (stream->offset == frame_size(frame, which))
        said(stream, frame);
    return n;
}

/* Between two frames it may go back to Postgres, which also tells whether its key is still good. */
static bool is_due(struct stream *stream)
{
    return stream->offset == 0 && atomic_load(&stream->listener.behind);
}

static size_t say_live(struct stream *stream, char *into, size_t room)
{
    struct topic *topic = stream->listener.topic;
    size_t n = 0;

    pthread_rwlock_rdlock(&topic->lock);
    while (n < room && !stream->over && stream->caught_up && !is_due(stream)) {
        uint64_t head = atomic_load(&topic->head);
        const struct frame *frame = topic_at(topic, stream->at);
        enum what what;

        if (stream->at == head)
            break;
        if (!frame || (!is_of_run(stream) && head - stream->at > BEHIND_MAX)) {
            overtaken(stream, head);
            break;
        }
        what = stream->offset > 0 ? SAY : judge(stream, frame);
        if (what == GAP)
            stream->caught_up = false;
        else if (what == SKIP)
            stream->at++;
        else if (what == PASS)
            pass(stream, frame);
        else
            n += say_frame(stream, frame, into + n, room - n);
    }
    pthread_rwlock_unlock(&topic->lock);
    return n;
}

/* -- to the client -- */

static size_t say_text(struct stream *stream, char *into, size_t room)
{
    size_t n = stream->text.len - stream->text_at;

    if (n > room)
        n = room;
    if (n > 0)
        memcpy(into, stream->text.data + stream->text_at, n);
    stream->text_at += n;
    if (stream->text_at == stream->text.len && n > 0) {
        rv_buf_release(&stream->text); /* a page may have been large, and a stream lives long */
        stream->text_at = 0;
    }
    return n;
}

/* Something more, or 0: nothing now. */
static size_t say_more(struct stream *stream, char *into, size_t room)
{
    size_t n = say_text(stream, into, room);

    if (n > 0 || stream->over || stream->reading)
        return n;
    if (is_due(stream)) {
        atomic_store(&stream->listener.behind, false);
        stream->caught_up = false;
    }
    if (stream->caught_up)
        n = say_live(stream, into, room);
    if (n == 0 && !stream->caught_up && !stream->over)
        ask_for_page(stream);
    return n;
}

static long fill(void *arg, char *into, size_t room)
{
    struct stream *stream = arg;
    size_t n = 0, more;
    bool ends;

    pthread_mutex_lock(&stream->lock);
    while (n < room && (more = say_more(stream, into + n, room - n)) > 0)
        n += more;
    if (n > 0)
        atomic_store(&stream->listener.quiet_since_ms, rv_monotonic_ms());
    if (n == 0 && stream->offset == 0 && atomic_exchange(&stream->listener.comment, false)) {
        rv_buf_text(&stream->text, ": \n\n");
        n = say_text(stream, into, room);
    }
    ends = n == 0 && stream->over;
    pthread_mutex_unlock(&stream->lock);
    return ends ? RV_STREAM_END : (long)n;
}

static void closed(void *arg)
{
    struct stream *stream = arg;

    hub_leave(stream->streams->gateway->hub, &stream->listener);
    let_go(stream);
}

static void set(char *to, size_t size, const char *from)
{
    size_t len = from ? strlen(from) : 0;

    if (len >= size)
        len = size - 1;
    memcpy(to, from ? from : "", len);
    to[len] = '\0';
}

static struct stream *stream_new(struct streams *streams, const struct stream_ask *ask)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        abort();
    stream->streams = streams;
    atomic_store(&stream->refs, 1);
    pthread_mutex_init(&stream->lock, NULL);
    set(stream->tenant_id, sizeof(stream->tenant_id), ask->tenant_id);
    set(stream->key_id, sizeof(stream->key_id), ask->key_id);
    set(stream->run_id, sizeof(stream->run_id), ask->run_id);
    set(stream->project_id, sizeof(stream->project_id), ask->project_id);
    set(stream->type, sizeof(stream->type), ask->type);
    set(stream->place.run_id, sizeof(stream->place.run_id),
        ask->run_id ? ask->run_id : ask->after_run);
    stream->place.run_seq = ask->after;
    stream->place.over = ask->over;
    rv_buf_text(&stream->text, "retry: 1000\n\n");
    return stream;
}

void stream_open(struct streams *streams, struct call *call, const struct stream_ask *ask)
{
    static const struct rv_http_stream_ops ops = { fill, closed };
    struct stream *stream = stream_new(streams, ask);

    call->taken = true;
    if (!hub_join(streams->gateway->hub, &stream->listener, ask->tenant_id, ask->run_id,
                  call->request, &ops))
        let_go(stream);
}

struct streams *streams_new(struct gateway *gateway)
{
    struct streams *streams = calloc(1, sizeof(*streams));

    if (!streams)
        abort();
    streams->gateway = gateway;
    streams->replays = replays_new(gateway);
    return streams;
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    replays_free(streams->replays);
    free(streams);
}
