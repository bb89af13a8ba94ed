#pragma once

/*
 * Zones: the zones of a folder by their IANA names, each file read once and then kept.
 *
 * Threads share one; finding what was read before takes no lock. Bounded by the count of zones and
 * by the size of a file. Changes of the folder are seen by the next process.
 */

#include <stddef.h>

#include "base/zone.h"

#define RV_ZONES_FOLDER "/usr/share/zoneinfo"

enum { RV_ZONES_MAX = 1024, RV_ZONES_NAME_MAX = 63 };

struct rv_zones;

/* @folder NULL: RV_ZONES_FOLDER. Reads nothing yet. */
struct rv_zones *rv_zones_new(const char *folder);
void rv_zones_free(struct rv_zones *zones); /* NULL is fine; its zones go with it */

/*
 * The zone of @name ("Europe/Berlin"), as long as @zones lives; NULL when there is none, or when
 * RV_ZONES_MAX others were read. A name is parts of letters, digits and "_+-" with single slashes
 * between: it never leaves the folder.
 */
const struct rv_zone *rv_zones_find(struct rv_zones *zones, const char *name, size_t len);
