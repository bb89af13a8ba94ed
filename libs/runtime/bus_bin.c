#include <stdlib.h>

#include "runtime/bus_nats.h"

/*
 * Spent messages. libnats gives every message that is destroyed to a collector thread and wakes
 * it: two switches of thread for each. So they go there by the dozen, one wakeup for all.
 */

enum { BIN_MESSAGES = 64, BIN_BYTES = 256 << 10 };

struct bin {
    natsMsg *messages[BIN_MESSAGES];
    size_t n, bytes;
};

static pthread_key_t bins;

static void empty(struct bin *bin)
{
    for (size_t i = 0; i < bin->n; i++)
        natsMsg_Destroy(bin->messages[i]);
    bin->n = bin->bytes = 0;
}

static void drop_bin(void *bin)
{
    empty(bin);
    free(bin);
}

static void make_key(void)
{
    if (pthread_key_create(&bins, drop_bin) != 0)
        abort();
}

static struct bin *my_bin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct bin *bin;

    pthread_once(&once, make_key);
    bin = pthread_getspecific(bins);
    if (!bin) {
        bin = calloc(1, sizeof(*bin));
        if (!bin || pthread_setspecific(bins, bin) != 0)
            abort();
    }
    return bin;
}

void rv_bus_drop(natsMsg *message)
{
    struct bin *bin = message ? my_bin() : NULL;

    if (!bin)
        return;
    bin->messages[bin->n++] = message;
    bin->bytes += (size_t)natsMsg_GetDataLength(message);
    if (bin->n == BIN_MESSAGES || bin->bytes > BIN_BYTES)
        empty(bin);
}
