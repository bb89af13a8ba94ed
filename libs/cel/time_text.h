#pragma once

/* Timestamps and durations as text, and the calendar below them. */

#include "base/buf.h"
#include "cel/value.h"

#define CEL_SECONDS_LEAST (-62135596800) /* 0001-01-01T00:00:00Z */
#define CEL_SECONDS_MOST  253402300799   /* 9999-12-31T23:59:59Z */

struct cel_day {
    int64_t year;
    int month, day, of_year; /* month and day from 1, of_year from 0 */
    int of_week;             /* 0: Sunday */
};

struct cel_day cel_day_of(int64_t days); /* since 1970-01-01 */

/* The timestamp @seconds and @nanoseconds after 1970, CEL_NONE outside of years 1 to 9999. */
struct cel_value cel_timestamp_of(int64_t seconds, int64_t nanoseconds);

bool cel_timestamp_read(const char *text, size_t len, struct cel_value *value); /* RFC 3339 */
bool cel_duration_read(const char *text, size_t len, struct cel_value *value);  /* "1h2m3.4s" */
void cel_timestamp_add_text(struct rv_buf *text, struct cel_value value);
void cel_duration_add_text(struct rv_buf *text, struct cel_value value); /* "-1.5s" */
