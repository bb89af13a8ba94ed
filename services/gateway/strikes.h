#pragma once

/*
 * Strikes: how many keys that are no good came from an address within a minute. Bounded: an address
 * may take the place of one that was quiet for longer. Safe from any thread.
 */

#include <stdint.h>

enum { STRIKES_MAX = 10, STRIKES_MS = 60 * 1000 };

struct strikes;

struct strikes *strikes_new(void);
void strikes_free(struct strikes *strikes); /* NULL is fine */

void strikes_add(struct strikes *strikes, const char *client);

/* How long nothing more is taken from @client; 0: it may come. */
int64_t strikes_back_ms(struct strikes *strikes, const char *client);
