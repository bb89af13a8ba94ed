#pragma once

/* Redact: what must not be written down, by its name or by its looks. */

#include <stdbool.h>

#include "base/buf.h"

#define RV_REDACTED "[redacted]"

/* Whether a field or header of this name holds a secret: "api_key", "X-Api-Key", "session_token".
 */
bool rv_redact_name(const char *name);

/*
 * Appends @text with everything masked that looks like a secret: our keys (rv_…_…), sk-…, what
 * follows "Bearer " or "Basic ", and the password in a URL.
 */
void rv_redact_text(struct rv_buf *into, const char *text);
