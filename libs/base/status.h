#pragma once

/*
 * Status: every way a piece of work can fail, and what each way means outside.
 *
 * A status says that the work could not be done. A "no" that the business expects (over
 * budget, policy denies, not my turn) is a verdict: a value in the answer, not a status.
 */

#include <stdbool.h>

#define RV_STATUSES(X)                                                                             \
    /*   name                text               http  retry */                                     \
    X(RV_OK, "ok", 200, false)                                                                     \
    X(RV_INVALID, "invalid", 400, false)                                                           \
    X(RV_UNAUTHENTICATED, "unauthenticated", 401, false)                                           \
    X(RV_OVER_BUDGET, "over_budget", 402, false)                                                   \
    X(RV_DENIED, "denied", 403, false)                                                             \
    X(RV_NOT_FOUND, "not_found", 404, false)                                                       \
    X(RV_NOT_ALLOWED, "method_not_allowed", 405, false)                                            \
    X(RV_NOT_ACCEPTABLE, "not_acceptable", 406, false)                                             \
    X(RV_CONFLICT, "conflict", 409, false)                                                         \
    X(RV_STALE, "precondition_failed", 412, false)                                                 \
    X(RV_TOO_LARGE, "too_large", 413, false)                                                       \
    X(RV_UNSUPPORTED, "unsupported_media_type", 415, false)                                        \
    X(RV_UNPROCESSABLE, "unprocessable", 422, false)                                               \
    X(RV_EXHAUSTED, "exhausted", 429, false)                                                       \
    X(RV_INTERNAL, "internal", 500, false)                                                         \
    X(RV_BUSY, "busy", 503, true)                                                                  \
    X(RV_UNAVAILABLE, "unavailable", 503, true)                                                    \
    X(RV_TIMEOUT, "timeout", 504, true)

enum rv_status {
#define X(name, text, http, retry) name,
    RV_STATUSES(X)
#undef X
};

/* Return type of every function that can fail; ignoring it is a compiler warning. */
#define rv_result __attribute__((warn_unused_result)) enum rv_status

const char *rv_status_text(enum rv_status status);
int rv_status_http(enum rv_status status);

/* True when the same work may succeed later: the bus delivers it again. */
bool rv_status_retry(enum rv_status status);

/* The status whose text is @text; RV_INTERNAL for a text nobody here has said. */
enum rv_status rv_status_parse(const char *text);
