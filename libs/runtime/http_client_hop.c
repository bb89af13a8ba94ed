#include "runtime/http_client_hop.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"
#include "base/time.h"

enum { LOOK_MS = 50 }; /* how often the caller is asked whether to go on */

bool rv_http_url_split(struct rv_ctx *cx, const char *url, const char **scheme, const char **host,
                       int *port, const char **why)
{
    char *part[4] = { NULL };
    CURLU *parts = curl_url();
    int64_t number = 0;
    bool fine = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_SCHEME, &part[0], 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_HOST, &part[1], 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_PORT, &part[2], CURLU_DEFAULT_PORT) == CURLUE_OK &&
                rv_text_int(part[2], &number);

    *why = fine ? NULL : "is not a URL";
    if (fine && strcmp(part[0], "http") != 0 && strcmp(part[0], "https") != 0)
        *why = "is neither http nor https";
    if (fine && (curl_url_get(parts, CURLUPART_USER, &part[3], 0) == CURLUE_OK ||
                 curl_url_get(parts, CURLUPART_PASSWORD, &part[3], 0) == CURLUE_OK))
        *why = "has a user or a password in it";
    if (fine) {
        *scheme = rv_strdup(cx, part[0]);
        *host = rv_strdup(cx, part[1]);
        *port = (int)number;
    }
    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
        curl_free(part[i]);
    curl_url_cleanup(parts);
    return !*why;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct rv_http_hop *hop = arg;

    (void)purpose;
    if (rv_http_may_reach(hop->allow, hop->host, hop->port, &address->addr))
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    hop->denied = true;
    return CURL_SOCKET_BAD;
}

static bool may_repeat(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "OPTIONS") == 0;
}

/*
 * Connected, the request is about to be sent. A connection that is used again is judged again; and
 * libcurl would repeat a request whose kept connection broke, which only some requests survive.
 */
static int before_request(void *arg, char *address, char *local, int port, int local_port)
{
    struct rv_http_hop *hop = arg;

    (void)local;
    (void)local_port;
    (void)port;
    if (!rv_http_may_reach_text(hop->allow, hop->host, hop->port, address)) {
        hop->denied = true;
        return CURL_PREREQFUNC_ABORT;
    }
    hop->denied = false; /* another address of that name may have been refused before */
    return hop->tries++ > 0 && !may_repeat(hop->method) ? CURL_PREREQFUNC_ABORT
                                                        : CURL_PREREQFUNC_OK;
}

static int64_t digits(const char *text, const char *end)
{
    int64_t value = 0;

    while (text < end && *text == ' ')
        text++;
    for (; text < end && *text >= '0' && *text <= '9' && value < 86400 * 1000; text++)
        value = value * 10 + (*text - '0');
    return value;
}

/* "retry-after-ms: 750": finer than Retry-After, some model servers say it. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    static const char name[] = "retry-after-ms:";
    struct rv_http_hop *hop = arg;
    size_t len = size * n;

    hop->heard_ms = rv_monotonic_ms();
    if (len > sizeof(name) && strncasecmp(line, name, sizeof(name) - 1) == 0)
        hop->retry_after_ms = digits(line + sizeof(name) - 1, line + len);
    return len;
}

static int status_of(const struct rv_http_hop *hop)
{
    long status = 0;

    curl_easy_getinfo(hop->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool take(struct rv_http_hop *hop, const char *bytes, size_t len)
{
    int status = status_of(hop);
    bool kept = !hop->call->piece || status >= 300;
    size_t limit = hop->call->limit_bytes;

    if (hop->call->piece && kept) { /* an error's text: as much as is worth showing */
        size_t room = RV_HTTP_ERROR_BODY_MAX - hop->answer.len;

        rv_buf_add(&hop->answer, bytes, len < room ? len : room);
        hop->received += len;
        hop->stopped = hop->received > limit;
        return !hop->stopped;
    }
    hop->received += len;
    hop->too_large = hop->received > limit;
    if (hop->too_large)
        return false;
    if (kept)
        rv_buf_add(&hop->answer, bytes, len);
    else
        hop->stopped = !hop->call->piece(hop->call->arg, bytes, len);
    return !hop->stopped;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct rv_http_hop *hop = arg;

    hop->heard_ms = rv_monotonic_ms();
    return take(hop, bytes, size * n) ? size * n : CURL_WRITEFUNC_ERROR;
}

static void set_method(const struct rv_http_hop *hop)
{
    bool has_body = hop->body.len > 0 || strcmp(hop->method, "POST") == 0;

    if (strcmp(hop->method, "HEAD") == 0)
        curl_easy_setopt(hop->easy, CURLOPT_NOBODY, 1L);
    if (has_body) {
        curl_easy_setopt(hop->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)hop->body.len);
        curl_easy_setopt(hop->easy, CURLOPT_POSTFIELDS,
                         hop->body.len ? (const char *)hop->body.data : "");
    }
    if (strcmp(hop->method, "HEAD") != 0)
        curl_easy_setopt(hop->easy, CURLOPT_CUSTOMREQUEST, hop->method);
}

/* libcurl adds headers of its own to a body; an empty one takes them away. */
static struct curl_slist *set_headers(const struct rv_http_hop *hop)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool typed = false;

    for (const char *const *header = hop->headers; header && *header; header++) {
        typed = typed || strncasecmp(*header, "Content-Type:", 13) == 0;
        list = curl_slist_append(list, *header);
    }
    if (!typed)
        list = curl_slist_append(list, "Content-Type:");
    curl_easy_setopt(hop->easy, CURLOPT_HTTPHEADER, list);
    return list;
}

static void set_guards(struct rv_http_hop *hop)
{
    CURL *easy = hop->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, hop);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, hop);
}

/* Quick exit: giving up does not wait for a resolver that is still busy. */
static struct curl_slist *set_up(struct rv_http_hop *hop)
{
    CURL *easy = hop->easy;

    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, hop->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 20L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)hop->call->connect_ms);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, hop->user_agent);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, hop);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, hop);
    set_guards(hop);
    set_method(hop);
    return set_headers(hop);
}

/* Why the hop must end now, or NULL. @left_ms: until the next deadline. */
static const char *over(const struct rv_http_hop *hop, int64_t *left_ms)
{
    const struct rv_http_call *call = hop->call;
    int64_t now = rv_monotonic_ms();
    int64_t quiet =
        hop->heard_ms ? hop->heard_ms + call->idle_ms : hop->begun_ms + call->first_byte_ms;
    int64_t total = hop->start_ms + call->total_ms;

    if (call->cancelled && call->cancelled(call->arg))
        return "cancelled";
    *left_ms = (quiet < total ? quiet : total) - now;
    return *left_ms <= 0 ? "timeout" : NULL;
}

/* Moves bytes until libcurl is done (its code) or the hop is over (in hop->failure). */
static CURLcode move(struct rv_http_hop *hop)
{
    int running = 1, left = 0;
    int64_t left_ms = 0;

    while (curl_multi_perform(hop->multi, &running) == CURLM_OK && running > 0) {
        hop->failure = over(hop, &left_ms);
        if (hop->failure)
            return CURLE_OPERATION_TIMEDOUT;
        if (hop->call->cancelled && left_ms > LOOK_MS)
            left_ms = LOOK_MS;
        curl_multi_poll(hop->multi, NULL, 0, (int)(left_ms < 1000 ? left_ms : 1000), NULL);
    }
    for (CURLMsg *message = curl_multi_info_read(hop->multi, &left); message;
         message = curl_multi_info_read(hop->multi, &left))
        if (message->msg == CURLMSG_DONE)
            return message->data.result;
    return CURLE_FAILED_INIT;
}

static const char *word_of(const struct rv_http_hop *hop, CURLcode code)
{
    long system = 0;

    curl_easy_getinfo(hop->easy, CURLINFO_OS_ERRNO, &system);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return system == ECONNREFUSED ? "refused" : "connect";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "connect";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return "tls";
    default:
        return "cut";
    }
}

static void look_at_end(struct rv_http_hop *hop, CURLcode code)
{
    long sent = 0;
    curl_off_t wait = 0;
    char *location = NULL;

    curl_easy_getinfo(hop->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(hop->easy, CURLINFO_REDIRECT_URL, &location);
    curl_easy_getinfo(hop->easy, CURLINFO_RETRY_AFTER, &wait);
    hop->sent = sent > 0 || hop->tries > 1;
    hop->status = status_of(hop);
    hop->location = location;
    if (hop->retry_after_ms == 0)
        hop->retry_after_ms = (int64_t)wait * 1000;
    if (!hop->failure && code != CURLE_OK && !hop->stopped)
        hop->failure = hop->denied ? "denied" : hop->too_large ? "too_large" : word_of(hop, code);
}

void rv_http_hop_run(struct rv_http_hop *hop)
{
    struct curl_slist *headers = set_up(hop);
    CURLcode code;

    hop->begun_ms = rv_monotonic_ms();
    curl_multi_add_handle(hop->multi, hop->easy);
    code = move(hop);
    curl_multi_remove_handle(hop->multi, hop->easy);
    look_at_end(hop, code);
    curl_slist_free_all(headers);
}
