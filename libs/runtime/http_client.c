#include "runtime/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/time.h"
#include "runtime/http_client_hop.h"

enum { REDIRECTS_MAX = 3, CONNECTIONS_KEPT = 16 };

struct rv_http_client {
    CURL *easy;
    CURLM *multi; /* keeps the connections */
    struct rv_http_allow *allow;
    char *user_agent;
};

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
}

struct rv_http_client *rv_http_client_new(const struct rv_http_client_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct rv_http_client *client = calloc(1, sizeof(*client));
    char why[256];

    pthread_once(&once, init_curl);
    if (!client)
        abort();
    client->allow = rv_http_allow_new(options->allow, why, sizeof(why));
    client->easy = curl_easy_init();
    client->multi = curl_multi_init();
    client->user_agent = strdup(options->user_agent ? options->user_agent : "reeve");
    if (!client->allow || !client->easy || !client->multi || !client->user_agent)
        abort(); /* a list that does not parse is a mistake of the program: rv_http_allow_check */
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return client;
}

void rv_http_client_free(struct rv_http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    rv_http_allow_free(client->allow);
    free(client->user_agent);
    free(client);
}

static void fill_in(struct rv_http_call *call)
{
    call->connect_ms = call->connect_ms ? call->connect_ms : 10 * 1000;
    call->first_byte_ms = call->first_byte_ms ? call->first_byte_ms : 120 * 1000;
    call->idle_ms = call->idle_ms ? call->idle_ms : 60 * 1000;
    call->total_ms = call->total_ms ? call->total_ms : 600 * 1000;
    call->limit_bytes = call->limit_bytes ? call->limit_bytes : 4 * 1024 * 1024;
}

/* Nothing in a method or a header may start another line. */
static rv_result check(struct rv_ctx *cx, const struct rv_http_call *call)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (!call->method || !*call->method || strspn(call->method, letters) != strlen(call->method))
        return rv_fail(cx, RV_INVALID, "the method is malformed");
    for (const char *const *header = call->headers; header && *header; header++)
        if (strpbrk(*header, "\r\n") || !strchr(*header, ':') || **header == ':')
            return rv_fail(cx, RV_INVALID, "a header is malformed");
    return RV_OK;
}

/* One place that credentials belong to. */
struct origin {
    const char *scheme, *host;
    int port;
};

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
           a->port == b->port;
}

static bool one_of(const char *header, const char *const *names)
{
    for (; *names; names++)
        if (strncasecmp(header, *names, strlen(*names)) == 0)
            return true;
    return false;
}

/*
 * The headers for where a redirect leads. A secret may have any name, so another origin gets only
 * what is known to be none; and a body that is dropped takes its description along.
 */
static const char *const *headers_after(struct rv_ctx *cx, const char *const *headers, bool stays,
                                        bool body)
{
    static const char *const harmless[] = { "Accept:",     "Accept-Language:", "Content-Type:",
                                            "User-Agent:", "traceparent:",     NULL };
    static const char *const of_body[] = { "Content-", NULL };
    const char **left;
    size_t n = 0;

    while (headers && headers[n])
        n++;
    left = rv_new_array(cx, const char *, n + 1);
    for (n = 0; headers && *headers; headers++)
        if ((stays || one_of(*headers, harmless)) && (body || !one_of(*headers, of_body)))
            left[n++] = *headers;
    return left;
}

static bool turns_into_get(int status, const char *method)
{
    return (status == 303 && strcmp(method, "HEAD") != 0) ||
           ((status == 301 || status == 302) && strcmp(method, "POST") == 0);
}

static bool is_redirect(const struct rv_http_hop *hop)
{
    return !hop->failure && hop->location &&
           (hop->status == 301 || hop->status == 302 || hop->status == 303 || hop->status == 307 ||
            hop->status == 308);
}

/* Sets @hop up for where it was sent. */
static rv_result turn(struct rv_ctx *cx, struct rv_http_hop *hop, struct origin *origin)
{
    struct origin next;
    const char *url = rv_strdup(cx, hop->location), *why;

    if (!rv_http_url_split(cx, url, &next.scheme, &next.host, &next.port, &why))
        return rv_fail(cx, RV_DENIED, "%s redirects to what %s", origin->host, why);
    if (turns_into_get(hop->status, hop->method)) {
        hop->method = "GET";
        hop->body = (struct rv_bytes){ 0 };
    }
    hop->headers = headers_after(cx, hop->headers, same_origin(origin, &next), hop->body.len > 0);
    hop->url = url;
    hop->host = next.host;
    hop->port = next.port;
    rv_buf_clear(&hop->answer);
    hop->received = hop->tries = 0;
    hop->stopped = hop->denied = false;
    hop->heard_ms = hop->retry_after_ms = 0;
    *origin = next;
    return RV_OK;
}

static rv_result fail(struct rv_ctx *cx, const struct rv_http_hop *hop,
                      const struct rv_http_call *call)
{
    const char *word = hop->failure;

    if (hop->denied && strcmp(word, "denied") == 0)
        return rv_fail(cx, RV_DENIED, "%s port %d is not a place that may be reached", hop->host,
                       hop->port);
    if (hop->too_large)
        return rv_fail(cx, RV_TOO_LARGE, "%s answered with more than %zu bytes", hop->host,
                       call->limit_bytes);
    if (strcmp(word, "timeout") == 0 || strcmp(word, "cancelled") == 0)
        return rv_fail(cx, RV_TIMEOUT, "no answer from %s: %s", hop->host, word);
    return rv_fail(cx, RV_UNAVAILABLE, "no answer from %s: %s", hop->host, word);
}

static void read_reply(struct rv_ctx *cx, const struct rv_http_hop *hop,
                       struct rv_http_reply *reply)
{
    char *type = NULL;

    curl_easy_getinfo((CURL *)hop->easy, CURLINFO_CONTENT_TYPE, &type);
    reply->status = hop->status;
    reply->content_type = type ? rv_strdup(cx, type) : "";
    reply->retry_after_ms = hop->retry_after_ms;
    reply->body = rv_strndup(cx, hop->answer.data ? hop->answer.data : "", hop->answer.len);
    reply->len = hop->answer.len;
}

static rv_result run(struct rv_ctx *cx, struct rv_http_hop *hop, struct origin *origin,
                     struct rv_http_reply *reply)
{
    for (int hops = 0;; hops++) {
        rv_http_hop_run(hop);
        reply->maybe_acted = reply->maybe_acted || hop->sent;
        if (hop->failure) {
            reply->failure = hop->failure;
            return fail(cx, hop, hop->call);
        }
        if (!is_redirect(hop)) {
            read_reply(cx, hop, reply);
            return RV_OK;
        }
        reply->failure = "redirects"; /* unless it comes to an end */
        if (hops == REDIRECTS_MAX)
            return rv_fail(cx, RV_UNAVAILABLE, "%s redirects more than %d times", hop->host,
                           REDIRECTS_MAX);
        RV_TRY(cx, turn(cx, hop, origin));
        reply->failure = NULL;
    }
}

rv_result rv_http_do(struct rv_ctx *cx, struct rv_http_client *client,
                     const struct rv_http_call *call, struct rv_http_reply *reply)
{
    struct rv_http_call limits = *call;
    struct rv_http_hop hop = {
        .easy = client->easy,
        .multi = client->multi,
        .allow = client->allow,
        .user_agent = client->user_agent,
        .call = &limits,
        .method = call->method,
        .url = call->url,
        .headers = call->headers,
        .body = call->body,
        .start_ms = rv_monotonic_ms(),
    };
    struct origin origin;
    const char *why;
    enum rv_status status;

    *reply = (struct rv_http_reply){ .content_type = "", .body = "" };
    fill_in(&limits);
    RV_TRY(cx, check(cx, call));
    if (!rv_http_url_split(cx, call->url, &origin.scheme, &origin.host, &origin.port, &why))
        return rv_fail(cx, RV_INVALID, "the URL %s", why);
    hop.host = origin.host;
    hop.port = origin.port;
    status = run(cx, &hop, &origin, reply);
    rv_buf_release(&hop.answer);
    return status == RV_OK ? RV_OK : rv_trace_at(cx, status, RV_HERE);
}
