#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

#define MS 1000000LL
enum { LOOK_MS = 20, READY_MS = 40000 };

static struct slot **chain_of(struct load *load, struct run_id run)
{
    return &load->chains[run.low % LOAD_CHAINS];
}

static struct slot *slot_of(struct load *load, struct run_id run)
{
    for (struct slot *slot = *chain_of(load, run); slot; slot = slot->next)
        if (run_id_same(slot->run, run))
            return slot;
    return NULL;
}

static void unchain(struct load *load, struct slot *slot)
{
    struct slot **at = chain_of(load, slot->run);

    while (*at && *at != slot)
        at = &(*at)->next;
    if (*at)
        *at = slot->next;
}

static void ask(struct slot *slot, int64_t since_ns)
{
    struct load *load = slot->load;

    slot->state = SLOT_ASKED;
    slot->since_ns = since_ns;
    slot->seen = 0;
    load->submitted += load->measuring;
    conn_ask(slot->conn, load->request, load->request_len);
}

static void set_free(struct slot *slot)
{
    struct load *load = slot->load;

    load->in_flight--;
    slot->state = SLOT_FREE;
    slot->next = load->free;
    load->free = slot;
}

/* A place whose run was refused or lost waits a little: a full system is not shouted at. */
static void rest(struct slot *slot)
{
    slot->state = SLOT_RESTING;
    slot->since_ns = rv_monotonic_ns();
}

bool load_submit(struct load *load, int64_t since_ns)
{
    struct slot *slot = load->free;

    if (!slot)
        return false;
    load->free = slot->next;
    load->in_flight++;
    ask(slot, since_ns);
    return true;
}

static void finish(struct slot *slot)
{
    struct load *load = slot->load;
    int64_t now_ns = rv_monotonic_ns();

    unchain(load, slot);
    if (load->measuring) {
        load->completed++;
        histogram_add(&load->took, (now_ns - slot->since_ns) / 1000);
    }
    if (load->refill)
        ask(slot, now_ns);
    else
        set_free(slot);
}

static struct early *early_of(struct load *load, struct run_id run)
{
    for (size_t i = 0; i < load->n_early; i++)
        if (run_id_same(load->early[i].run, run))
            return &load->early[i];
    return NULL;
}

static void note_early(struct load *load, struct run_id run)
{
    struct early *early = early_of(load, run);

    if (early) {
        early->seen++;
        return;
    }
    if (load->n_early == LOAD_EARLY_MAX)
        load->n_early = 0;
    load->early[load->n_early++] = (struct early){ run, 1 };
}

/* How many watchers have seen it already. */
static int take_early(struct load *load, struct run_id run)
{
    struct early *early = early_of(load, run);
    int seen = early ? early->seen : 0;

    if (early)
        *early = load->early[--load->n_early];
    return seen;
}

static void say_refused(struct load *load, int status, const char *body, size_t len)
{
    if (load->refused++ == 0)
        fprintf(stderr, "%s: the first run refused: %d %.*s\n", load->bench->workload, status,
                (int)(len < 600 ? len : 600), body);
}

static void on_reply(struct conn *conn, int status, const char *body, size_t len)
{
    struct slot *slot = conn_owner(conn);
    struct load *load = slot->load;
    struct slot **chain;

    if (status != 202 || !event_run_id(body, len, &slot->run)) {
        say_refused(load, status, body, len);
        rest(slot);
        return;
    }
    slot->seen = take_early(load, slot->run);
    slot->state = SLOT_RUNNING;
    chain = chain_of(load, slot->run);
    slot->next = *chain;
    *chain = slot;
    if (slot->seen >= load->n_watchers)
        finish(slot);
}

void load_saw(struct load *load, struct run_id run)
{
    struct slot *slot = slot_of(load, run);

    if (!slot)
        note_early(load, run);
    else if (++slot->seen >= load->n_watchers)
        finish(slot);
}

static void on_slot_gone(struct conn *conn, const char *why)
{
    struct slot *slot = conn_owner(conn);

    say_refused(slot->load, 0, why, strlen(why));
    rest(slot);
}

static void on_slot_stream(struct conn *conn)
{
    (void)conn;
}

static void on_slot_event(struct conn *conn, const char *frame, size_t len)
{
    (void)conn, (void)frame, (void)len;
}

static const struct conn_ops slot_ops = { on_reply, on_slot_stream, on_slot_event, on_slot_gone };

static void make_slots(struct load *load, const char *workflow)
{
    struct bench *bench = load->bench;
    char body[256];
    int len = snprintf(body, sizeof(body), "{\"project\":\"bench\",\"workflow\":\"%s\"}", workflow);

    load->request_len = (size_t)snprintf(load->request, sizeof(load->request),
                                         "POST /v1/runs HTTP/1.1\r\nHost: %s:%d\r\n%s"
                                         "Content-Type: application/json\r\n"
                                         "Content-Length: %d\r\n\r\n%s",
                                         bench->host, bench->port, bench->key_header, len, body);
    load->slots = rv_new_array(bench->cx, struct slot, (size_t)load->n_slots);
    for (int i = load->n_slots; i-- > 0;) {
        struct slot *slot = &load->slots[i];

        *slot = (struct slot){ .load = load, .next = load->free };
        slot->conn = conn_new(load->wire, &slot_ops, slot);
        load->free = slot;
    }
}

void load_close(struct load *load)
{
    for (int i = 0; i < load->n_slots; i++)
        conn_free(load->slots[i].conn);
    for (int i = 0; i < load->n_watchers; i++)
        conn_free(load->watchers[i]);
    wire_free(load->wire);
}

static void lose_run(struct slot *slot)
{
    struct load *load = slot->load;
    char text[37];

    run_id_text(slot->run, text);
    if (load->lost++ == 0)
        fprintf(stderr, "%s: run %s is not over after %d s: seen by %d of %d watchers\n",
                load->bench->workload, text, BENCH_LOST_MS / 1000, slot->seen, load->n_watchers);
    load->missed += load->n_watchers - slot->seen;
    unchain(load, slot);
    rest(slot);
}

static void look(struct load *load)
{
    int64_t now_ns = rv_monotonic_ns();

    load->looked_ns = now_ns;
    for (int i = 0; i < load->n_slots; i++) {
        struct slot *slot = &load->slots[i];
        int64_t age_ms = (now_ns - slot->since_ns) / MS;

        if (slot->state == SLOT_RUNNING && age_ms > BENCH_LOST_MS)
            lose_run(slot);
        else if (slot->state == SLOT_ASKED && age_ms > BENCH_LOST_MS)
            conn_drop(slot->conn, "no answer");
        else if (slot->state == SLOT_RESTING && age_ms >= LOOK_MS && load->refill)
            ask(slot, now_ns);
        else if (slot->state == SLOT_RESTING && age_ms >= LOOK_MS)
            set_free(slot);
    }
}

void load_serve(struct load *load, int64_t until_ns)
{
    int64_t now_ns;

    while ((now_ns = rv_monotonic_ns()) < until_ns) {
        int64_t look_ns = load->looked_ns + LOOK_MS * MS;

        if (now_ns >= look_ns)
            look(load);
        else
            wire_serve(load->wire, until_ns < look_ns ? until_ns : look_ns);
    }
}

void load_drain(struct load *load)
{
    int64_t until_ns = rv_monotonic_ns() + (BENCH_LOST_MS + 1000) * MS;

    load->refill = false;
    while (load->in_flight > 0 && rv_monotonic_ns() < until_ns)
        load_serve(load, rv_monotonic_ns() + MS);
}

/* Runs one after the other until one is told of by all; they are no part of what is measured. */
static bool wait_ready(struct load *load)
{
    int64_t began_ns = rv_monotonic_ns(), lost = -1;

    while (lost != 0 && rv_monotonic_ns() - began_ns < READY_MS * MS && !load->watchers_lost) {
        load->lost = load->refused = load->missed = 0;
        load_submit(load, rv_monotonic_ns());
        load_drain(load);
        lost = load->lost + load->refused;
    }
    load->ready_ms = (double)(rv_monotonic_ns() - began_ns) / 1e6;
    return lost == 0 && !load->watchers_lost;
}

bool load_open(struct load *load, struct bench *bench, const char *workflow, int in_flight,
               const char *events, int n_watchers)
{
    *load = (struct load){ .bench = bench,
                           .wire = wire_new(bench->host, bench->port),
                           .n_slots = in_flight,
                           .n_watchers = n_watchers };
    make_slots(load, workflow);
    if (load_watch(load, events) && wait_ready(load))
        return true;
    load_close(load);
    return bench_sorry(bench, "no run was told of by all %d streams of %s", n_watchers, events);
}

bool load_is_good(const struct load *load)
{
    if (load->refused > 0)
        bench_sorry(load->bench, "%lld submits were refused", (long long)load->refused);
    if (load->lost > 0)
        bench_sorry(load->bench, "%lld runs were never seen to complete", (long long)load->lost);
    if (load->completed == 0)
        return bench_sorry(load->bench, "no run completed");
    return !load->watchers_lost;
}
