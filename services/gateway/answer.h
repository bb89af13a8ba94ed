#pragma once

/*
 * Answers: what goes out, in the one form each thing has. Success is the route's record as JSON, a
 * page, or nothing; failure is the error form of ARCHITECTURE §8, or RFC 9457 where it is asked
 * for. Each of these ends the request.
 */

#include "base/buf.h"
#include "gateway.h"

/* @out is what the route's row says: a record, or a page of them. */
void answer_done(struct rv_ctx *cx, struct call *call, const void *out);

/* A failure. Nothing of the inside is said. @more: one header beside the usual ones, or NULL. */
void answer_failure(struct rv_ctx *cx, struct rv_http_request *request,
                    const struct rv_error *error, const struct rv_http_header_row *more);

/* The body of a failure, in one of the two forms. */
void answer_write_error(struct rv_buf *body, const struct rv_error *error, const char *request_id);
void answer_write_problem(struct rv_buf *body, const struct rv_error *error, const char *request_id,
                          const char *path);
