#pragma once

/*
 * Keyring: from the text of an API key to who calls. A key that was verified is believed for five
 * seconds more, so a revoked one works at most that long; what is kept is a hash of the text, never
 * the text. Bounded: a newer key takes the place of an older one. What was verified once needs only
 * its row to be read again.
 */

#include "gateway.h"

struct keyring;

struct keyring *keyring_new(void);
void keyring_free(struct keyring *keyring);

/* The key of @request: `Authorization: Bearer …` or `X-API-Key: …`; NULL: none. Borrowed. */
const char *keyring_text(const struct rv_http_request *request);

/* What is known of @text without I/O: nothing, that it was verified once, or a moment ago. */
enum key_sight { KEY_STRANGE, KEY_SEEN, KEY_KNOWN };
enum key_sight keyring_look(struct keyring *keyring, const char *text, struct caller *caller);

/*
 * Looks the key up and verifies it: a unit of work of its own. RV_UNAUTHENTICATED says the same for
 * every key that is no good, and takes as long for one that nobody knows; one that was good and is
 * no more is forgotten at once.
 */
rv_result keyring_verify(struct rv_ctx *cx, struct keyring *keyring, const char *text,
                         struct caller *caller);

/* Makes the key in the file at @path an administrator's of the default tenant. */
rv_result keyring_bootstrap(struct rv_ctx *cx, const char *path);
