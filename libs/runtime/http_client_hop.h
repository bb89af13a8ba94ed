#pragma once

/* One hop of a call: one request to one URL, without redirects. For http_client.c only. */

#include "base/buf.h"
#include "runtime/http_client.h"
#include "runtime/http_client_guard.h"

enum { RV_HTTP_ERROR_BODY_MAX = 64 * 1024 };

struct rv_http_hop {
    /* What to do. */
    void *easy, *multi; /* libcurl's, the client's */
    const struct rv_http_allow *allow;
    const struct rv_http_call *call; /* its limits, @piece and @cancelled */
    const char *user_agent;
    const char *method, *url, *host;
    int port;
    const char *const *headers;
    struct rv_bytes body;
    int64_t start_ms; /* of the whole call, for total_ms */

    /* What came of it. */
    int status;
    struct rv_buf answer;
    const char *location; /* absolute; NULL: no redirect. Libcurl's, until the next hop */
    int64_t retry_after_ms;
    const char *failure; /* NULL: there is an answer */
    bool sent;           /* some of the request has left */
    bool denied, stopped, too_large;

    /* On the way. */
    size_t received;
    int64_t begun_ms, heard_ms; /* the last byte; 0: none yet */
    unsigned tries;
};

void rv_http_hop_run(struct rv_http_hop *hop);

/* Splits a URL; false, with words in @why, when it is none of ours. The texts are the ctx's. */
bool rv_http_url_split(struct rv_ctx *cx, const char *url, const char **scheme, const char **host,
                       int *port, const char **why);
