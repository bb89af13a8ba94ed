#pragma once

/*
 * Http client: the one way out of the house (libcurl), guarded. Every address that is actually
 * connected to is judged: loopback, private, link-local and the other special ranges of RELIABILITY
 * §4.4, and ports other than 80, 443 and 8000 to 9000, are refused unless the allow list names
 * them (its rows: runtime/http_client_guard.h). Redirects are followed by hand, at most 3, each
 * judged again, credentials dropped on another host. Only http and https; no proxy from the
 * environment. A client belongs to one thread; connections are kept and reused.
 */

#include "base/ctx.h"
#include "base/record.h"

struct rv_http_client;

struct rv_http_client_options {
    const char
        *allow; /* "127.0.0.1:8099,10.0.0.0/8,models.internal:443"; NULL or "": nothing more */
    const char *user_agent;
};

/* False, with words in @why, when the allow list does not parse. */
bool rv_http_allow_check(const char *allow, char *why, size_t why_size);

struct rv_http_client *rv_http_client_new(const struct rv_http_client_options *options);
void rv_http_client_free(struct rv_http_client *client); /* NULL is fine */

struct rv_http_call {
    const char *method, *url;
    const char *const *headers; /* "Name: value" …, ends with NULL; may be NULL */
    struct rv_bytes body;
    int64_t connect_ms, first_byte_ms, idle_ms, total_ms; /* 0: 10 s, 120 s, 60 s, 600 s */
    size_t limit_bytes;                                   /* of the answer; 0: 4 MiB */
    /* Called with each piece as it comes, instead of keeping it; false stops the call (RV_OK). */
    bool (*piece)(void *arg, const char *bytes, size_t len);
    /* Asked about ten times a second; true gives the call up (RV_TIMEOUT, "cancelled"). */
    bool (*cancelled)(void *arg);
    void *arg;
};

struct rv_http_reply {
    int status;
    const char *content_type;
    int64_t retry_after_ms; /* 0: not said */
    const char
        *body; /* terminated; empty with @piece, but kept (first 64 KiB) when status >= 400 */
    size_t len;
    const char
        *failure;     /* why there is no reply, as a word of the list below; NULL: there is one */
    bool maybe_acted; /* some of the request was sent: the other side may have acted */
};

/*
 * RV_INVALID: the call itself is malformed. RV_DENIED: the guard refuses ("denied").
 * RV_UNAVAILABLE: nobody listens ("refused"), no way there, also by name ("connect"), no trust
 * ("tls"), the connection broke ("cut"), more than 3 redirects ("redirects"). RV_TIMEOUT:
 * "timeout", "cancelled". RV_TOO_LARGE: over the limit ("too_large"). Any status is a reply, and
 * RV_OK.
 *
 * A request that is no GET, HEAD or OPTIONS is never sent twice, not even when a kept connection
 * turns out to be dead: that is "cut". A redirect to another origin takes along only headers that
 * are known to be no secrets.
 */
rv_result rv_http_do(struct rv_ctx *cx, struct rv_http_client *client,
                     const struct rv_http_call *call, struct rv_http_reply *reply);
