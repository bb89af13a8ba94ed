#include "load.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/time.h"
#include "invariants.h"

struct loader {
    struct load *load;
    pthread_t thread;
    size_t number, most; /* runs it may submit; 0: until it is stopped */
};

static void remember(struct load *load, const char *run_id)
{
    size_t at = load->n_runs++;

    if (run_id && at < LOAD_RUNS_MAX)
        snprintf(load->run_ids[at], sizeof(load->run_ids[0]), "%s", run_id);
    load->n_accepted++;
}

/* One run, whatever it takes. False when the load was stopped before anybody answered. */
static bool submit(struct rv_ctx *cx, struct rv_http_client *client, struct load *load, size_t turn)
{
    const char *body = rv_printf(cx, "{\"project\":\"test\",\"workflow\":\"%s\"}", load->workflow);
    const char *key = rv_id_new(cx);

    for (size_t attempt = 0;; attempt++) {
        json_t *json;
        int status = world_call(cx, client, load->world, (turn + attempt) % load->world->replicas,
                                "POST", "/v1/runs", key, body, &json);

        if (status == 202) {
            remember(load, json_string_value(json_object_get(json, "run_id")));
            return true;
        }
        if (status >= 400 && status < 500) {
            load->n_refused++;
            return true;
        }
        load->n_errors++;
        if (load->stop && attempt > 200)
            return false;
        rv_sleep_ms(50);
    }
}

static void *run_loader(void *arg)
{
    struct loader *loader = arg;
    struct rv_http_client *client = world_client();
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    for (size_t i = 0; !loader->load->stop && (!loader->most || i < loader->most); i++) {
        submit(&cx, client, loader->load, loader->number + i);
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    rv_http_client_free(client);
    return NULL;
}

static bool begin(struct load *load, const struct world *world, const char *workflow,
                  size_t threads, size_t most)
{
    memset(load, 0, sizeof(*load));
    load->world = world;
    load->workflow = workflow;
    load->threads = threads;
    load->run_ids = calloc(LOAD_RUNS_MAX, sizeof(load->run_ids[0]));
    load->loaders = calloc(threads, sizeof(*load->loaders));
    if (!load->run_ids || !load->loaders)
        return false;
    for (size_t i = 0; i < threads; i++) {
        load->loaders[i] = (struct loader){ .load = load, .number = i, .most = most };
        if (pthread_create(&load->loaders[i].thread, NULL, run_loader, &load->loaders[i]) != 0)
            return false;
    }
    return true;
}

static void join(struct load *load)
{
    for (size_t i = 0; i < load->threads; i++)
        pthread_join(load->loaders[i].thread, NULL);
    load->threads = 0;
}

bool load_start(struct load *load, const struct world *world, const char *workflow, size_t threads)
{
    return begin(load, world, workflow, threads, 0);
}

void load_stop(struct load *load)
{
    load->stop = true;
    join(load);
}

void load_free(struct load *load)
{
    free(load->run_ids);
    free(load->loaders);
}

bool load_some(const struct world *world, const char *workflow, size_t n)
{
    struct load load;
    bool good = begin(&load, world, workflow, 1, n);

    join(&load);
    good = good && load.n_accepted == n;
    load_free(&load);
    return good;
}

bool comes_to_rest(const struct world *world, int64_t ms)
{
    int64_t deadline = rv_monotonic_ms() + ms;
    const char *url = world->stack.postgres_url;

    while (rv_monotonic_ms() < deadline) {
        if (runs_open(url) == 0 && holds_open(url) == 0 &&
            count_of(url, "SELECT count(*) AS checked FROM events e, relay_cursors c WHERE "
                          "(e.xid, e.seq) > (c.xid, c.seq)") == 0)
            return true;
        rv_sleep_ms(50);
    }
    fprintf(stderr, "not at rest: %ld runs and %ld holds are open\n", runs_open(url),
            holds_open(url));
    return false;
}

bool all_accepted_are_over(const struct load *load)
{
    size_t n = load->n_runs < LOAD_RUNS_MAX ? load->n_runs : LOAD_RUNS_MAX;
    struct rv_http_client *client = world_client();
    size_t missing = 0;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    for (size_t i = 0; i < n; i++) {
        json_t *json;
        int status = world_call(&cx, client, load->world, 0, "GET",
                                rv_printf(&cx, "/v1/runs/%s", load->run_ids[i]), NULL, NULL, &json);

        missing += status != 200 || json_integer_value(json_object_get(json, "ended_at_ms")) == 0;
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    rv_http_client_free(client);
    if (missing)
        fprintf(stderr, "%zu of %zu accepted runs are missing or not over\n", missing, n);
    return missing == 0;
}
