/* Whatever is read as a zone answers for every instant, and finds the instants of what it shows. */

#include <stdlib.h>
#include <string.h>

#include "base/zone.h"

static void ask(const struct rv_zone *zone, int64_t at)
{
    struct rv_zone_span span = rv_zone_at(zone, at);
    struct rv_zone_local local;

    if (span.from_s > at || at > span.until_s || strlen(span.abbreviation) > 4096)
        abort();
    if (at < INT64_MIN / 2 || at > INT64_MAX / 2)
        return;
    local = rv_zone_local(zone, at + span.offset_s);
    if (local.fit != RV_ZONE_ONCE && local.fit != RV_ZONE_TWICE)
        abort();
    if (at < local.first_s || at > local.second_s)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const int64_t rows[] = {
        INT64_MIN, -5000000000, -1, 0, 1774746000, 9999999999, INT64_MAX
    };
    struct rv_zone *zone = rv_zone_read(bytes, len);
    int32_t offset;
    int64_t at;

    rv_zone_fixed((const char *)bytes, len, &offset);
    if (!zone)
        return 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ask(zone, rows[i]);
    for (size_t i = 0; i + sizeof(at) <= len && i < 4096; i += sizeof(at)) {
        memcpy(&at, bytes + i, sizeof(at));
        ask(zone, at);
        ask(zone, at % 10000000000);
        rv_zone_local(zone, at);
    }
    rv_zone_free(zone);
    return 0;
}
