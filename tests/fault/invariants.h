#pragma once

/*
 * Invariants: what must be true of the store once everything has come to rest, whatever was
 * killed, wiped or frozen before (RELIABILITY §6). Every rule says how much it looked at: a
 * required rule that looked at nothing proves nothing and counts as broken.
 */

#include <stdbool.h>

/* Looks at the store behind @postgres_url. False, with the broken rules on stderr. */
bool invariants_hold(const char *postgres_url);

/* Runs that are not over and wait for nobody. -1: the store does not answer. */
long runs_open(const char *postgres_url);
/* Holds that are still open. */
long holds_open(const char *postgres_url);
/* One number from a statement of a test's own. */
long count_of(const char *postgres_url, const char *sql);
bool sql_run(const char *postgres_url, const char *sql);
