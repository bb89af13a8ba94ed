#pragma once

/* Time: milliseconds. Leases and schedules use Postgres' clock, waits the monotonic one. */

#include <stdint.h>

#include "base/ctx.h"

int64_t rv_now_ms(void);       /* since 1970, for logs and showing */
int64_t rv_monotonic_ms(void); /* for waiting and measuring */
int64_t rv_monotonic_ns(void);
void rv_sleep_ms(int64_t ms);

/* RFC 3339 in UTC with milliseconds: 2026-11-20T07:01:48.123Z. */
const char *rv_time_text(struct rv_ctx *cx, int64_t ms);
bool rv_time_parse(const char *text,
                   int64_t *ms); /* any offset, fraction up to ns; false: not one */
