#pragma once

/*
 * Api: the gateway, asked over HTTP. A refusal fails the ctx with the gateway's own words, paths
 * and hint. The address comes from --url, REEVE_URL or the data folder's ports, the key from
 * REEVE_API_KEY or, for the data folder's own gateway only, from its admin.key.
 */

#include "cli.h"
#include "runtime/sse.h"

/* @body NULL: none. @answer is NULL after 204. */
rv_result api_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                   json_t **answer);
rv_result api_get(struct cli *cli, const char *path, json_t **answer);

/* POST with an Idempotency-Key; @key NULL: without. Waits @wait_ms longer than usual. */
rv_result api_post(struct cli *cli, const char *path, const json_t *body, const char *key,
                   int64_t wait_ms, json_t **answer);

/* Everything a list has, over all its pages, at most @limit (0: 10,000), as one JSON array. */
rv_result api_list(struct cli *cli, const char *path, int64_t limit, json_t **items);

/*
 * Events of @path as they come, for ever: a lost connection is made again after the last one that
 * was seen. @each says whether it wants more. @after NULL: from the beginning (or from now on).
 */
rv_result api_stream(struct cli *cli, const char *path, const char *after,
                     bool (*each)(void *arg, const struct rv_sse_event *event), void *arg);

/* @text as it may stand in a path or a query. */
const char *api_escape(struct cli *cli, const char *text);

/* @path with "?name=text" or "&name=text" behind it; as it is when @text is NULL. */
const char *api_query(struct cli *cli, const char *path, const char *name, const char *text);
