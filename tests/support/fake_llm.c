/* Long because it speaks a whole protocol. */

#include "support/fake_llm.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "runtime/http_server.h"

enum { PAGES_MAX = 16, WAITING_MAX = 256, KEYS_MAX = 64, PIECE = 64 };

struct page {
    char path[128];
    int status;
    const char *body;
    int64_t slow_ms;
    size_t read;
};

struct fake_llm {
    struct rv_http_server *server;
    char url[64];
    int port;
    pthread_mutex_t lock;
    pthread_cond_t some;
    pthread_t thread;
    const struct fake_turn *script;
    size_t n_turns, asked, turn;
    struct page pages[PAGES_MAX];
    size_t n_pages;
    char keys[KEYS_MAX][128];
    size_t n_keys;
    struct rv_buf last; /* the body of the last request */
    struct rv_http_request *waiting[WAITING_MAX];
    size_t n_waiting;
    bool ending;
};

/* A body on its way out, a piece at a time. */
struct sending {
    pthread_mutex_t lock;
    struct rv_buf body;
    size_t at, piece;
    int64_t slow_ms;
};

static long fill(void *arg, char *into, size_t room)
{
    struct sending *sending = arg;
    size_t left = sending->body.len - sending->at,
           n = sending->piece < room ? sending->piece : room;

    if (left == 0)
        return RV_STREAM_END;
    rv_sleep_ms(sending->slow_ms);
    n = n < left ? n : left;
    memcpy(into, sending->body.data + sending->at, n);
    sending->at += n;
    return (long)n;
}

static void closed(void *arg)
{
    struct sending *sending = arg;

    pthread_mutex_lock(&sending->lock);
    pthread_mutex_unlock(&sending->lock);
    pthread_mutex_destroy(&sending->lock);
    rv_buf_release(&sending->body);
    free(sending);
}

static void send_stream(struct rv_http_request *request, const struct fake_turn *turn,
                        struct rv_buf *body)
{
    static const struct rv_http_stream_ops ops = { fill, closed };
    struct sending *sending = calloc(1, sizeof(*sending));

    if (!sending)
        abort();
    pthread_mutex_init(&sending->lock, NULL);
    sending->body = *body;
    *body = (struct rv_buf){ 0 };
    sending->piece = turn->piece ? turn->piece : PIECE;
    sending->slow_ms = turn->slow_ms;
    if (turn->cut_after && turn->cut_after < sending->body.len)
        sending->body.len = turn->cut_after;
    pthread_mutex_lock(&sending->lock);
    if (!rv_http_stream(request, "text/event-stream", NULL, &ops, sending)) {
        pthread_mutex_unlock(&sending->lock);
        closed(sending);
        return;
    }
    pthread_mutex_unlock(&sending->lock);
}

static void add_chunk(struct rv_buf *into, const char *delta, const char *finish)
{
    rv_buf_printf(into,
                  "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                  "\"model\":\"fake\",\"choices\":[{\"index\":0,\"delta\":%s,"
                  "\"finish_reason\":%s}]}\n\n",
                  delta, finish);
}

static void add_words(struct rv_buf *into, const char *text)
{
    while (*text) {
        size_t len = strcspn(text + 1, " ") + 1;
        auto_buf delta = { 0 };
        char word[1024];

        snprintf(word, sizeof(word), "%.*s", (int)(len < 1000 ? len : 1000), text);
        rv_buf_text(&delta, "{\"content\":");
        rv_buf_json(&delta, word);
        rv_buf_char(&delta, '}');
        add_chunk(into, delta.data, "null");
        text += len < 1000 ? len : 1000;
    }
}

/* The name comes first, the arguments in two pieces. */
static void add_call(struct rv_buf *into, const struct fake_turn *turn, int number)
{
    const char *arguments = turn->arguments ? turn->arguments : "{}";
    size_t half = strlen(arguments) / 2;
    auto_buf delta = { 0 };
    char first[512];

    snprintf(first, sizeof(first), "%.*s", (int)half, arguments);
    rv_buf_printf(&delta,
                  "{\"tool_calls\":[{\"index\":0,\"id\":\"call_%d\",\"type\":\"function\","
                  "\"function\":{\"name\":\"%s\",\"arguments\":\"\"}}]}",
                  number, turn->tool);
    add_chunk(into, delta.data, "null");
    for (int i = 0; i < 2; i++) {
        rv_buf_clear(&delta);
        rv_buf_text(&delta, "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":");
        rv_buf_json(&delta, i == 0 ? first : arguments + half);
        rv_buf_text(&delta, "}}]}");
        add_chunk(into, delta.data, "null");
    }
}

static void write_stream(struct rv_buf *into, const struct fake_turn *turn, int number)
{
    rv_buf_text(into, ": a comment\n\n");
    add_chunk(into, "{\"role\":\"assistant\",\"content\":\"\"}", "null");
    if (turn->tool) {
        add_call(into, turn, number);
        if (turn->twice)
            add_call(into, turn, number + 1000);
    } else {
        add_words(into, turn->content ? turn->content : "ok");
    }
    add_chunk(into, "{}", turn->tool ? "\"tool_calls\"" : "\"stop\"");
    if (!turn->uncounted)
        rv_buf_text(into, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":50,"
                          "\"completion_tokens\":9,\"total_tokens\":59,"
                          "\"prompt_tokens_details\":{\"cached_tokens\":20}}}\n\n");
    rv_buf_text(into, "data: [DONE]\n\n");
}

static void write_whole(struct rv_buf *into, const struct fake_turn *turn, int number)
{
    rv_buf_text(into, "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":"
                      "{\"role\":\"assistant\",\"content\":");
    rv_buf_json(into, turn->tool ? "" : turn->content ? turn->content : "ok");
    if (turn->tool) {
        rv_buf_printf(into,
                      ",\"tool_calls\":[{\"id\":\"call_%d\",\"type\":\"function\","
                      "\"function\":{\"name\":\"%s\",\"arguments\":",
                      number, turn->tool);
        rv_buf_json(into, turn->arguments ? turn->arguments : "{}");
        rv_buf_text(into, "}}]");
    }
    rv_buf_printf(into, "},\"finish_reason\":\"%s\"}]", turn->tool ? "tool_calls" : "stop");
    if (!turn->uncounted)
        rv_buf_text(into, ",\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":9}");
    rv_buf_char(into, '}');
}

static void answer_error(struct rv_http_request *request, const struct fake_turn *turn)
{
    struct rv_http_header_row headers[] = { { "Retry-After", turn->retry_after }, { NULL, NULL } };
    const char *body = turn->body
                           ? turn->body
                           : "{\"error\":{\"message\":\"scripted\",\"type\":\"server_error\"}}";

    rv_http_answer(request, turn->status, "application/json", turn->retry_after ? headers : NULL,
                   body, strlen(body));
}

static void answer_model(struct fake_llm *fake, struct rv_http_request *request)
{
    static const struct fake_turn ok;
    struct rv_bytes body = rv_http_body(request);
    const struct fake_turn *turn = &ok;
    bool streams;
    auto_buf out = { 0 };
    int number;

    pthread_mutex_lock(&fake->lock);
    if (fake->n_turns > 0)
        turn = &fake->script[fake->turn < fake->n_turns ? fake->turn : fake->n_turns - 1];
    fake->turn++;
    number = (int)++fake->asked;
    rv_buf_clear(&fake->last);
    rv_buf_add(&fake->last, body.data, body.len);
    streams = strstr(fake->last.data, "\"stream\":true") && !turn->whole;
    pthread_mutex_unlock(&fake->lock);
    if (turn->status >= 400) {
        answer_error(request, turn);
        return;
    }
    if (turn->body)
        rv_buf_text(&out, turn->body);
    else
        (streams ? write_stream : write_whole)(&out, turn, number);
    if (streams)
        send_stream(request, turn, &out);
    else
        rv_http_answer(request, 200, "application/json", NULL, out.data, out.len);
}

static struct page *find_page(struct fake_llm *fake, const char *path)
{
    for (size_t i = 0; i < fake->n_pages; i++)
        if (strcmp(fake->pages[i].path, path) == 0)
            return &fake->pages[i];
    return NULL;
}

static void answer_page(struct fake_llm *fake, struct rv_http_request *request)
{
    const char *key = rv_http_header(request, "Idempotency-Key");
    struct page *page;

    pthread_mutex_lock(&fake->lock);
    page = find_page(fake, rv_http_path(request));
    if (page)
        page->read++;
    if (key && fake->n_keys < KEYS_MAX)
        snprintf(fake->keys[fake->n_keys++], sizeof(fake->keys[0]), "%s", key);
    pthread_mutex_unlock(&fake->lock);
    if (page)
        rv_sleep_ms(page->slow_ms);
    if (page)
        rv_http_answer(request, page->status, "text/plain", NULL, page->body, strlen(page->body));
    else
        rv_http_answer(request, 404, "text/plain", NULL, "no such page", 12);
}

static bool take(void *arg, struct rv_http_request *request)
{
    struct fake_llm *fake = arg;
    bool taken;

    pthread_mutex_lock(&fake->lock);
    taken = fake->n_waiting < WAITING_MAX && !fake->ending;
    if (taken)
        fake->waiting[fake->n_waiting++] = request;
    pthread_cond_signal(&fake->some);
    pthread_mutex_unlock(&fake->lock);
    return taken;
}

static struct rv_http_request *next_request(struct fake_llm *fake)
{
    struct rv_http_request *request = NULL;

    pthread_mutex_lock(&fake->lock);
    while (fake->n_waiting == 0 && !fake->ending)
        pthread_cond_wait(&fake->some, &fake->lock);
    if (fake->n_waiting > 0) {
        request = fake->waiting[0];
        memmove(fake->waiting, fake->waiting + 1, --fake->n_waiting * sizeof(fake->waiting[0]));
    }
    pthread_mutex_unlock(&fake->lock);
    return request;
}

static void *work(void *arg)
{
    static const char completions[] = "/chat/completions";
    struct fake_llm *fake = arg;
    struct rv_http_request *request;

    while ((request = next_request(fake))) {
        const char *path = rv_http_path(request);
        size_t len = strlen(path), n = sizeof(completions) - 1;

        if (len >= n && strcmp(path + len - n, completions) == 0)
            answer_model(fake, request);
        else
            answer_page(fake, request);
    }
    return NULL;
}

struct fake_llm *fake_llm_start(int port, const struct fake_turn *script, size_t n)
{
    struct fake_llm *fake = calloc(1, sizeof(*fake));
    char listen[32];
    struct rv_http_options options = { .listen = listen,
                                       .threads = 2,
                                       .connections = 500,
                                       .body_bytes = 4 << 20,
                                       .take = take,
                                       .arg = fake };
    struct rv_ctx cx;
    bool good;

    if (!fake)
        abort();
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->some, NULL);
    fake->script = script;
    fake->n_turns = n;
    rv_ctx_init(&cx);
    good = rv_http_open(&cx, &options, &fake->server) == RV_OK;
    if (!good)
        fprintf(stderr, "fake_llm: %s\n", cx.error.text);
    rv_ctx_release(&cx);
    if (!good || pthread_create(&fake->thread, NULL, work, fake) != 0) {
        free(fake);
        return NULL;
    }
    fake->port = rv_http_port(fake->server);
    snprintf(fake->url, sizeof(fake->url), "http://127.0.0.1:%d/v1", fake->port);
    return fake;
}

void fake_llm_stop(struct fake_llm *fake)
{
    if (!fake)
        return;
    pthread_mutex_lock(&fake->lock);
    fake->ending = true;
    pthread_cond_signal(&fake->some);
    pthread_mutex_unlock(&fake->lock);
    pthread_join(fake->thread, NULL);
    rv_http_close(fake->server, 100);
    rv_buf_release(&fake->last);
    free(fake);
}

void fake_llm_script(struct fake_llm *fake, const struct fake_turn *script, size_t n)
{
    pthread_mutex_lock(&fake->lock);
    fake->script = script;
    fake->n_turns = n;
    fake->turn = fake->asked = 0;
    pthread_mutex_unlock(&fake->lock);
}

const char *fake_llm_url(const struct fake_llm *fake)
{
    return fake->url;
}

int fake_llm_port(const struct fake_llm *fake)
{
    return fake->port;
}

size_t fake_llm_asked(struct fake_llm *fake)
{
    size_t asked;

    pthread_mutex_lock(&fake->lock);
    asked = fake->asked;
    pthread_mutex_unlock(&fake->lock);
    return asked;
}

bool fake_llm_was_told(struct fake_llm *fake, const char *text)
{
    bool told;

    pthread_mutex_lock(&fake->lock);
    told = fake->last.data && strstr(fake->last.data, text);
    pthread_mutex_unlock(&fake->lock);
    return told;
}

void fake_llm_page(struct fake_llm *fake, const char *path, int status, const char *body)
{
    struct page *page;

    pthread_mutex_lock(&fake->lock);
    page = find_page(fake, path);
    if (!page && fake->n_pages < PAGES_MAX) {
        page = &fake->pages[fake->n_pages++];
        snprintf(page->path, sizeof(page->path), "%s", path);
    }
    if (page) {
        page->status = status;
        page->body = body;
    }
    pthread_mutex_unlock(&fake->lock);
}

size_t fake_llm_read(struct fake_llm *fake, const char *path)
{
    const struct page *page;
    size_t n;

    pthread_mutex_lock(&fake->lock);
    page = find_page(fake, path);
    n = page ? page->read : 0;
    pthread_mutex_unlock(&fake->lock);
    return n;
}

bool fake_llm_key_seen(struct fake_llm *fake, const char *key)
{
    bool seen = false;

    pthread_mutex_lock(&fake->lock);
    for (size_t i = 0; i < fake->n_keys; i++)
        seen = seen || strcmp(fake->keys[i], key) == 0;
    pthread_mutex_unlock(&fake->lock);
    return seen;
}

void fake_llm_slow_page(struct fake_llm *fake, const char *path, int64_t slow_ms)
{
    struct page *page;

    pthread_mutex_lock(&fake->lock);
    page = find_page(fake, path);
    if (page)
        page->slow_ms = slow_ms;
    pthread_mutex_unlock(&fake->lock);
}
