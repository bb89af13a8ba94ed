#include "api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "folder.h"
#include "runtime/http_client.h"

enum { LIST_MAX = 10000, PAGE = 100, ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

const char *api_escape(struct cli *cli, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    auto_buf out = { 0 };

    rv_buf_text(&out, "");
    for (const char *p = text; *p; p++)
        if (strchr(plain, *p))
            rv_buf_char(&out, *p);
        else
            rv_buf_printf(&out, "%%%02X", (unsigned char)*p);
    return rv_strdup(cli->cx, out.data);
}

const char *api_query(struct cli *cli, const char *path, const char *name, const char *text)
{
    if (!text)
        return path;
    return rv_printf(cli->cx, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', name,
                     api_escape(cli, text));
}

static const char *read_line(struct cli *cli, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[512] = "";

    if (!file)
        return NULL;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    return *line ? rv_strdup(cli->cx, line) : NULL;
}

/* "http://127.0.0.1:8000/x" → "127.0.0.1:8000": the only host this program will talk to. */
static const char *allow_of(struct cli *cli, const char *url)
{
    bool tls = rv_text_starts(url, "https://");
    const char *host = strstr(url, "://");
    size_t len, colon;

    if (!host)
        return NULL;
    host += 3;
    len = strcspn(host, "/?#");
    colon = *host == '[' ? strcspn(host, "]") : 0;
    if (memchr(host + colon, ':', len > colon ? len - colon : 0))
        return rv_strndup(cli->cx, host, len);
    return rv_printf(cli->cx, "%.*s:%d", (int)len, host, tls ? 443 : 80);
}

/* Where `reeve up` on the data folder has its gateway. */
static const char *own_url(struct cli *cli)
{
    int64_t port = folder_port(cli_data_folder(cli), "http");

    return rv_printf(cli->cx, "http://127.0.0.1:%d", port ? (int)port : 8000);
}

static rv_result find_url(struct cli *cli)
{
    const char *url = cli->options.url ? cli->options.url : getenv("REEVE_URL");

    if (!url || !*url)
        url = own_url(cli);
    if (!rv_text_starts(url, "http://") && !rv_text_starts(url, "https://"))
        return cli_misuse(cli, "\"%s\" is no address: it begins with http:// or https://", url);
    cli->url = rv_text_ends(url, "/") ? rv_strndup(cli->cx, url, strlen(url) - 1) : url;
    return RV_OK;
}

/* The folder's key opens the folder's gateway: nobody else gets to see it. */
static void find_key(struct cli *cli)
{
    const char *key = getenv("REEVE_API_KEY");

    if ((!key || !*key) && strcmp(cli->url, own_url(cli)) == 0)
        key = read_line(cli, rv_printf(cli->cx, "%s/admin.key", cli_data_folder(cli)));
    cli->api_key = key;
}

static rv_result open_client(struct cli *cli)
{
    struct rv_http_client_options options = { .user_agent = "reeve-cli" };
    char why[160];

    if (cli->client)
        return RV_OK;
    RV_TRY(cli->cx, find_url(cli));
    find_key(cli);
    options.allow = allow_of(cli, cli->url);
    if (!options.allow || !rv_http_allow_check(options.allow, why, sizeof(why)))
        return cli_misuse(cli, "\"%s\" is no address: %s", cli->url,
                          options.allow ? why : "no host");
    cli->client = rv_http_client_new(&options);
    return RV_OK;
}

/* What else a refusal says: the run, the decision, what is left. NULL: nothing. */
static const char *more_of(struct rv_ctx *cx, json_t *error)
{
    static const char *const said[] = { "code", "message", "details", "hint" };
    json_t *rest = rv_json_own(cx, json_copy(error));

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        json_object_del(rest, said[i]);
    return json_object_size(rest) > 0 ? rv_json_text(cx, rest) : NULL;
}

/* The gateway's words become ours: {"error":{"code","message","details","hint"},"request_id"}. */
static rv_result refuse(struct cli *cli, const struct rv_http_reply *reply)
{
    struct rv_ctx *cx = cli->cx;
    json_t *body = NULL, *error, *detail;
    enum rv_status status = reply->status == 401   ? RV_UNAUTHENTICATED
                            : reply->status >= 500 ? RV_UNAVAILABLE
                                                   : RV_INVALID;
    const char *text, *hint;
    size_t i;

    if (rv_json_parse(cx, reply->body, reply->len, "the answer", &body) != RV_OK)
        body = NULL;
    error = json_object_get(body, "error");
    text = json_string_value(json_object_get(error, "message"));
    hint = json_string_value(json_object_get(error, "hint"));
    if (json_is_string(json_object_get(error, "code")))
        status = rv_status_parse(json_string_value(json_object_get(error, "code")));
    status = rv_fail(cx, status, "%s (%d)", text ? text : "the gateway says no", reply->status);
    json_array_foreach(json_object_get(error, "details"), i, detail)
    {
        const char *path = json_string_value(json_object_get(detail, "path"));
        const char *message = json_string_value(json_object_get(detail, "message"));

        rv_wrong(cx, path ? path : "", "%s", message ? message : "is wrong");
    }
    if (!hint && status == RV_UNAUTHENTICATED)
        hint = "set REEVE_API_KEY, or point --data at the folder of the `reeve up` that this is";
    cx->error.hint = hint;
    cx->error.reason = more_of(cx, error);
    return status;
}

static rv_result unreachable(struct cli *cli)
{
    struct rv_ctx *cx = cli->cx;
    enum rv_status status = rv_fail(cx, cx->error.status, "%s: %s", cli->url, cx->error.text);

    if (status != RV_DENIED)
        cx->error.hint = "is it running? `reeve up` starts it, `reeve ps` looks";
    return status;
}

/* The headers of a request; @extra may be NULL. */
static const char *const *headers(struct cli *cli, const char *accept, const char *extra)
{
    const char **list = rv_new_array(cli->cx, const char *, 5);
    size_t n = 0;

    list[n++] = rv_printf(cli->cx, "Accept: %s", accept);
    list[n++] = "Content-Type: application/json";
    if (cli->api_key)
        list[n++] = rv_printf(cli->cx, "Authorization: Bearer %s", cli->api_key);
    if (extra)
        list[n++] = extra;
    return list;
}

static rv_result call(struct cli *cli, const char *method, const char *path, const json_t *body,
                      const char *extra, int64_t wait_ms, json_t **answer)
{
    const char *text = body ? rv_json_text(cli->cx, body) : "";
    struct rv_http_call ask = { .method = method,
                                .limit_bytes = ANSWER_BYTES_MAX,
                                .first_byte_ms = 60000 + wait_ms,
                                .total_ms = 120000 + wait_ms,
                                .body = { (const uint8_t *)text, strlen(text) } };
    struct rv_http_reply reply = { 0 };

    *answer = NULL;
    RV_TRY(cli->cx, open_client(cli));
    ask.headers = headers(cli, "application/json", extra);
    ask.url = rv_printf(cli->cx, "%s%s", cli->url, path);
    if (rv_http_do(cli->cx, cli->client, &ask, &reply) != RV_OK)
        return unreachable(cli);
    if (reply.status >= 400)
        return refuse(cli, &reply);
    if (reply.len == 0)
        return RV_OK;
    RV_TRY(cli->cx, rv_json_parse(cli->cx, reply.body, reply.len, "the answer", answer));
    return RV_OK;
}

rv_result api_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                   json_t **answer)
{
    return call(cli, method, path, body, NULL, 0, answer);
}

rv_result api_get(struct cli *cli, const char *path, json_t **answer)
{
    return call(cli, "GET", path, NULL, NULL, 0, answer);
}

rv_result api_post(struct cli *cli, const char *path, const json_t *body, const char *key,
                   int64_t wait_ms, json_t **answer)
{
    const char *extra = key ? rv_printf(cli->cx, "Idempotency-Key: %s", key) : NULL;

    return call(cli, "POST", path, body, extra, wait_ms, answer);
}

static const char *page_path(struct cli *cli, const char *path, int64_t limit, const char *cursor)
{
    int64_t size = limit < PAGE ? limit : PAGE;

    path = api_query(cli, path, "limit", rv_printf(cli->cx, "%" PRId64, size));
    return api_query(cli, path, "cursor", cursor);
}

rv_result api_list(struct cli *cli, const char *path, int64_t limit, json_t **items)
{
    const char *cursor = NULL;
    json_t *page, *item;
    size_t i;

    if (limit == 0)
        limit = LIST_MAX;
    *items = rv_json_own(cli->cx, json_array());
    do {
        int64_t missing = limit - (int64_t)json_array_size(*items);

        RV_TRY(cli->cx, api_get(cli, page_path(cli, path, missing, cursor), &page));
        json_array_foreach(json_object_get(page, "data"), i,
                           item) if ((int64_t)json_array_size(*items) < limit)
            json_array_append(*items, item);
        cursor = json_string_value(json_object_get(page, "next_cursor"));
    } while (cursor && (int64_t)json_array_size(*items) < limit);
    return RV_OK;
}

struct streaming {
    struct rv_sse_reader *reader;
    bool (*each)(void *arg, const struct rv_sse_event *event);
    void *arg;
    char last[80];
    bool enough, any;
};

static bool on_event(void *arg, const struct rv_sse_event *event)
{
    struct streaming *s = arg;

    s->any = true;
    if (*event->id) /* what comes before the first event of a new connection has none */
        snprintf(s->last, sizeof(s->last), "%s", event->id);
    s->enough = !s->each(s->arg, event);
    return !s->enough;
}

static bool on_piece(void *arg, const char *bytes, size_t len)
{
    struct streaming *s = arg;

    return rv_sse_feed(s->reader, bytes, len, on_event, s);
}

/* One connection's worth: until it breaks or @each has enough. */
static rv_result stream_once(struct cli *cli, const char *path, struct streaming *s)
{
    const char *extra = *s->last ? rv_printf(cli->cx, "Last-Event-ID: %s", s->last) : NULL;
    struct rv_http_call ask = { .method = "GET",
                                .url = rv_printf(cli->cx, "%s%s", cli->url, path),
                                .headers = headers(cli, "text/event-stream", extra),
                                .total_ms = 24LL * 3600 * 1000,
                                .idle_ms = 60000,
                                .piece = on_piece,
                                .limit_bytes = (size_t)1 << 40,
                                .arg = s };
    struct rv_http_reply reply = { 0 };
    enum rv_status status;

    s->reader = rv_sse_reader_new(1024 * 1024);
    status = rv_http_do(cli->cx, cli->client, &ask, &reply);
    rv_sse_reader_free(s->reader);
    if (status != RV_OK)
        return unreachable(cli);
    if (reply.status == 204)
        s->enough = true;
    return reply.status >= 400 ? refuse(cli, &reply) : RV_OK;
}

rv_result api_stream(struct cli *cli, const char *path, const char *after,
                     bool (*each)(void *arg, const struct rv_sse_event *event), void *arg)
{
    struct streaming s = { .each = each, .arg = arg };
    enum { TRIES = 60, PAUSE_MS = 500 };

    RV_TRY(cli->cx, open_client(cli));
    snprintf(s.last, sizeof(s.last), "%s", after ? after : "");
    for (int failures = 0; !s.enough;) {
        enum rv_status status = stream_once(cli, path, &s);
        bool gone = status != RV_OK && !rv_status_retry(status);

        failures = s.any || status == RV_OK ? 0 : failures + 1;
        s.any = false;
        if (gone || failures > TRIES)
            return status;
        if (!s.enough)
            rv_sleep_ms(PAUSE_MS);
    }
    return RV_OK;
}
