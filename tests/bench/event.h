#pragma once

/* Event: what the bench wants to know of an event or a run in JSON, found without parsing it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_id {
    uint64_t high, low;
};

bool event_run_id(const char *json, size_t len, struct run_id *id); /* "run_id" */
int64_t event_int(const char *json, size_t len, const char *name);  /* -1: not there */
bool event_is(const char *json, size_t len, const char *type);
bool run_id_same(struct run_id a, struct run_id b);

/* As it is written: 37 bytes with the NUL. */
void run_id_text(struct run_id id, char text[37]);
