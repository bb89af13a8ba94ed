#include "base/zones.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

/* Twice as many as zones, so that a walk along them always meets an empty one. */
enum { SLOTS = 2 * RV_ZONES_MAX, PATH_MAX_BYTES = 1024 };

struct entry {
    struct rv_zone *zone;
    char name[RV_ZONES_NAME_MAX + 1];
};

/* A slot is filled once and never changed: readers need no lock. */
struct rv_zones {
    char *folder;
    atomic_size_t n_zones;
    _Atomic(struct entry *) slots[SLOTS];
};

static void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct rv_zones *rv_zones_new(const char *folder)
{
    struct rv_zones *zones = must(calloc(1, sizeof(*zones)));

    zones->folder = must(strdup(folder ? folder : RV_ZONES_FOLDER));
    return zones;
}

static void entry_free(struct entry *entry)
{
    if (entry)
        rv_zone_free(entry->zone);
    free(entry);
}

void rv_zones_free(struct rv_zones *zones)
{
    if (!zones)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        entry_free(atomic_load(&zones->slots[i]));
    free(zones->folder);
    free(zones);
}

static bool name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-';
}

static bool name_ok(const char *name, size_t len)
{
    if (len == 0 || len > RV_ZONES_NAME_MAX || name[len - 1] == '/')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!name_char(name[i]) && (name[i] != '/' || i == 0 || name[i - 1] == '/'))
            return false;
    return true;
}

/* Other copies of the zones, and what depends on the machine: no names of IANA. */
static bool not_iana(const char *name)
{
    static const char *const rows[] = { "posix/", "right/", "localtime", "posixrules" };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strncmp(name, rows[i], strlen(rows[i])) == 0)
            return true;
    return false;
}

/* A plain file, whole; what hangs, has no end or is too long for a zone is left alone. */
static struct rv_zone *zone_open(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct rv_zone *zone = NULL;
    struct stat info;

    if (file >= 0 && fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        info.st_size <= RV_ZONE_FILE_MAX) {
        char *bytes = must(malloc((size_t)info.st_size));
        ssize_t len = pread(file, bytes, (size_t)info.st_size, 0);

        zone = len > 0 ? rv_zone_read(bytes, (size_t)len) : NULL;
        free(bytes);
    }
    if (file >= 0)
        close(file);
    return zone;
}

static struct entry *entry_open(const struct rv_zones *zones, const char *name)
{
    char path[PATH_MAX_BYTES];
    struct rv_zone *zone;
    struct entry *entry;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", zones->folder, name) >= sizeof(path))
        return NULL;
    zone = zone_open(path);
    if (!zone)
        return NULL;
    entry = must(calloc(1, sizeof(*entry)));
    entry->zone = zone;
    strcpy(entry->name, name);
    return entry;
}

/* The entry of @name; else NULL, and @slot is the empty one that it would take. */
static struct entry *look(struct rv_zones *zones, const char *name, size_t *slot)
{
    struct entry *entry;

    for (; (entry = atomic_load_explicit(&zones->slots[*slot], memory_order_acquire));
         *slot = (*slot + 1) % SLOTS)
        if (strcmp(entry->name, name) == 0)
            return entry;
    return NULL;
}

/* Two threads may open one zone at once; who comes second throws his own away. */
static const struct rv_zone *keep(struct rv_zones *zones, struct entry *entry, size_t slot)
{
    struct entry *empty = NULL, *other;

    if (atomic_fetch_add(&zones->n_zones, 1) >= RV_ZONES_MAX) {
        atomic_fetch_sub(&zones->n_zones, 1);
        entry_free(entry);
        return NULL;
    }
    while (!atomic_compare_exchange_strong(&zones->slots[slot], &empty, entry)) {
        other = look(zones, entry->name, &slot);
        if (other) {
            atomic_fetch_sub(&zones->n_zones, 1);
            entry_free(entry);
            return other->zone;
        }
        empty = NULL;
    }
    return entry->zone;
}

const struct rv_zone *rv_zones_find(struct rv_zones *zones, const char *name, size_t len)
{
    char copy[RV_ZONES_NAME_MAX + 1];
    struct entry *entry;
    size_t slot;

    if (!name_ok(name, len))
        return NULL;
    memcpy(copy, name, len);
    copy[len] = '\0';
    if (not_iana(copy))
        return NULL;
    slot = (size_t)(rv_hash64(copy, len) % SLOTS);
    entry = look(zones, copy, &slot);
    if (entry)
        return entry->zone;
    entry = entry_open(zones, copy);
    return entry ? keep(zones, entry, slot) : NULL;
}
