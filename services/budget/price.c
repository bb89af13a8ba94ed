#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "budget.h"
#include "store/sql.h"

enum { PRICES_FRESH_MS = 10000 };

static bool is_fresh(struct price_list *prices)
{
    bool fresh;

    pthread_mutex_lock(&prices->lock);
    fresh = prices->read_at_ms && rv_monotonic_ms() - prices->read_at_ms < PRICES_FRESH_MS;
    pthread_mutex_unlock(&prices->lock);
    return fresh;
}

static struct rv_ctx *ctx_new(void)
{
    struct rv_ctx *cx = calloc(1, sizeof(*cx));

    if (!cx)
        abort();
    rv_ctx_init(cx);
    return cx;
}

static void ctx_free(struct rv_ctx *cx)
{
    if (cx)
        rv_ctx_release(cx);
    free(cx);
}

/* The rows live as long as the work that read them; the list needs its own. */
static const struct price *copied(struct rv_ctx *own, const struct price *rows, size_t n)
{
    struct price *items = rv_new_array(own, struct price, n);

    memcpy(items, rows, n * sizeof(*items));
    for (size_t i = 0; i < n; i++) {
        items[i].provider = rv_strdup(own, rows[i].provider);
        items[i].model = rv_strdup(own, rows[i].model);
    }
    return items;
}

rv_result prices_refresh(struct rv_ctx *cx, struct price_list *prices)
{
    struct rv_rows rows;
    struct rv_ctx *own, *old;
    const struct price *items;

    if (is_fresh(prices))
        return RV_OK;
    RV_TRY(cx, rv_db_rows(cx, &SQL_PRICE_LIST, rv_nothing, &price_record, &rows));
    own = ctx_new();
    items = copied(own, rows.items, rows.n);
    pthread_mutex_lock(&prices->lock);
    old = prices->cx;
    prices->cx = own;
    prices->items = items;
    prices->n = rows.n;
    prices->read_at_ms = rv_monotonic_ms();
    pthread_mutex_unlock(&prices->lock);
    ctx_free(old);
    return RV_OK;
}

bool prices_find(struct price_list *prices, const char *provider, const char *model,
                 struct price *found)
{
    const struct price *price;

    pthread_mutex_lock(&prices->lock);
    price = price_find(prices->items, prices->n, provider, model);
    if (price)
        *found = *price;
    pthread_mutex_unlock(&prices->lock);
    found->provider = found->model = NULL;
    return price != NULL;
}

void prices_release(struct price_list *prices)
{
    ctx_free(prices->cx);
    pthread_mutex_destroy(&prices->lock);
}
