#define _GNU_SOURCE

#include "event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands after "name": ; NULL when it is not there. */
static const char *value_of(const char *json, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    const char *end = json + len;

    for (const char *at = json; (at = memmem(at, (size_t)(end - at), name, name_len)); at++)
        if (at > json && at[-1] == '"' && end - at > (ptrdiff_t)name_len + 2 &&
            memcmp(at + name_len, "\":", 2) == 0)
            return at + name_len + 2;
    return NULL;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool event_run_id(const char *json, size_t len, struct run_id *id)
{
    const char *at = value_of(json, len, "run_id");
    unsigned digits = 0;

    *id = (struct run_id){ 0 };
    if (!at || json + len - at < 38 || *at != '"')
        return false;
    for (at++; *at != '"' && digits < 32; at++) {
        int digit = digit_of(*at);

        if (digit < 0)
            continue;
        id->high = id->high << 4 | id->low >> 60;
        id->low = id->low << 4 | (uint64_t)digit;
        digits++;
    }
    return digits == 32;
}

int64_t event_int(const char *json, size_t len, const char *name)
{
    const char *at = value_of(json, len, name);

    return at && json + len > at ? strtoll(at, NULL, 10) : -1;
}

bool event_is(const char *json, size_t len, const char *type)
{
    const char *at = value_of(json, len, "type");
    size_t type_len = strlen(type);

    return at && (size_t)(json + len - at) > type_len + 1 && *at == '"' &&
           memcmp(at + 1, type, type_len) == 0 && at[1 + type_len] == '"';
}

bool run_id_same(struct run_id a, struct run_id b)
{
    return a.high == b.high && a.low == b.low;
}

void run_id_text(struct run_id id, char text[37])
{
    snprintf(text, 37, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
             id.high >> 32, id.high >> 16 & 0xffff, id.high & 0xffff, id.low >> 48,
             id.low & 0xffffffffffff);
}
