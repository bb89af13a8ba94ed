#include "hand.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"

enum {
    REST_MS = 1000,
    CLOCK_MS = 2000,
    ANSWER_MS = 500,
    TEXT_MAX = 8 * 1024,
    KEY_SIZE = 2 * RV_ID_LEN + 1
};

/* One run in one piece of memory: its tasks and then its texts follow. */
struct entry {
    char key[KEY_SIZE];
    struct at_hand at_hand;
};

/* Two generations: what was not put again while the young one filled up is forgotten. */
struct hand {
    pthread_mutex_t lock;
    struct rv_hash *young, *old;
    size_t most;
    int64_t clock_ahead_ms, clock_heard_ms, rests_until_ms; /* against the monotonic clock */
};

struct hand *hand_new(size_t most)
{
    struct hand *hand = calloc(1, sizeof(*hand));

    if (!hand)
        abort();
    pthread_mutex_init(&hand->lock, NULL);
    hand->young = rv_hash_new();
    hand->old = rv_hash_new();
    hand->most = most;
    hand->clock_heard_ms = -CLOCK_MS - 1; /* never: a machine may have started just now */
    return hand;
}

void hand_free(struct hand *hand)
{
    if (!hand)
        return;
    rv_hash_free(hand->young, free);
    rv_hash_free(hand->old, free);
    pthread_mutex_destroy(&hand->lock);
    free(hand);
}

static void key_of(char key[KEY_SIZE], const char *tenant_id, const char *run_id)
{
    memcpy(key, run_id, RV_ID_LEN);
    memcpy(key + RV_ID_LEN, tenant_id, RV_ID_LEN);
    key[KEY_SIZE - 1] = '\0';
}

static struct entry *take_out(struct hand *hand, const char *key)
{
    struct entry *entry = rv_hash_take(hand->young, key);

    return entry ? entry : rv_hash_take(hand->old, key);
}

static void next_generation(struct hand *hand)
{
    rv_hash_free(hand->old, free);
    hand->old = hand->young;
    hand->young = rv_hash_new();
}

/* -- the clock --------------------------------------------------------------------------------- */

void hand_heard(struct hand *hand, int64_t now_ms, int64_t asked_ms)
{
    if (rv_monotonic_ms() - asked_ms > ANSWER_MS) /* we were stopped meanwhile, or it was */
        return;
    pthread_mutex_lock(&hand->lock);
    hand->clock_heard_ms = asked_ms;
    hand->clock_ahead_ms = now_ms - asked_ms;
    pthread_mutex_unlock(&hand->lock);
}

void hand_rest(struct hand *hand)
{
    pthread_mutex_lock(&hand->lock);
    hand->rests_until_ms = rv_monotonic_ms() + REST_MS;
    pthread_mutex_unlock(&hand->lock);
}

static bool is_resting(const struct hand *hand, int64_t here_ms)
{
    return here_ms < hand->rests_until_ms || here_ms - hand->clock_heard_ms > CLOCK_MS;
}

/* -- taking ------------------------------------------------------------------------------------ */

struct at_hand *hand_take(struct hand *hand, struct rv_ctx *cx, const struct task_ref *ref)
{
    int64_t here_ms = rv_monotonic_ms(), now_ms = 0;
    struct entry *entry = NULL;
    char key[KEY_SIZE];

    key_of(key, ref->tenant_id, ref->run_id);
    pthread_mutex_lock(&hand->lock);
    if (!is_resting(hand, here_ms)) {
        entry = take_out(hand, key);
        now_ms = here_ms + hand->clock_ahead_ms;
    }
    pthread_mutex_unlock(&hand->lock);
    if (!entry)
        return NULL;
    rv_defer(cx, free, entry);
    if (entry->at_hand.run.now_ms < now_ms)
        entry->at_hand.run.now_ms = now_ms;
    return &entry->at_hand;
}

void hand_drop(struct hand *hand, const struct task_ref *ref)
{
    char key[KEY_SIZE];

    key_of(key, ref->tenant_id, ref->run_id);
    pthread_mutex_lock(&hand->lock);
    free(take_out(hand, key));
    pthread_mutex_unlock(&hand->lock);
}

/* -- putting ----------------------------------------------------------------------------------- */

static bool is_text(const struct rv_field *field)
{
    return field->kind == RV_KIND_TEXT || field->kind == RV_KIND_UUID ||
           field->kind == RV_KIND_JSON;
}

static size_t texts_size(const struct rv_record *record, const void *object)
{
    size_t size = 0;

    for (size_t i = 0; i < record->field_count; i++) {
        const char *const *place = rv_field_in(&record->fields[i], object);

        if (is_text(&record->fields[i]) && *place)
            size += strlen(*place) + 1;
    }
    return size;
}

/* Makes the texts of @object copies at @room, and returns where the next ones go. */
static char *copy_texts(const struct rv_record *record, void *object, char *room)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const char **place = rv_field_at(&record->fields[i], object);
        size_t size;

        if (!is_text(&record->fields[i]) || !*place)
            continue;
        size = strlen(*place) + 1;
        *place = memcpy(room, *place, size);
        room += size;
    }
    return room;
}

/* As runs_load and the statements for tasks would read them. */
static struct run run_as_read(const struct run *run)
{
    struct run read = *run;

    read.output = read.error = read.labels = NULL;
    read.idempotency_key = read.request_hash = read.created_by = NULL;
    read.changed = false;
    return read;
}

static struct task task_as_read(const struct task *task)
{
    struct task read = *task;

    read.tenant_id = read.run_id = NULL; /* the run's */
    read.output = read.error = NULL;
    read.changed = false;
    return read;
}

static struct entry *entry_new(const struct run *run, struct task *const *tasks, size_t n)
{
    struct run read = run_as_read(run);
    size_t size = sizeof(struct entry) + n * sizeof(struct task), texts;
    struct entry *entry;
    char *room;

    texts = texts_size(&run_record, &read);
    for (size_t i = 0; i < n; i++) {
        struct task task = task_as_read(tasks[i]);

        texts += texts_size(&task_record, &task);
    }
    if (texts > TEXT_MAX)
        return NULL;
    entry = malloc(size + texts);
    if (!entry)
        abort();
    *entry = (struct entry){ .at_hand = { .run = read, .n_tasks = n } };
    room = copy_texts(&run_record, &entry->at_hand.run, (char *)entry + size);
    for (size_t i = 0; i < n; i++) {
        struct task *task = &entry->at_hand.tasks[i];

        *task = task_as_read(tasks[i]);
        room = copy_texts(&task_record, task, room);
        task->tenant_id = entry->at_hand.run.tenant_id;
        task->run_id = entry->at_hand.run.run_id;
    }
    return entry;
}

static bool is_newer(const struct entry *there, const struct entry *entry)
{
    return there && there->at_hand.run.version > entry->at_hand.run.version;
}

void hand_put(struct hand *hand, const struct run *run, struct task *const *tasks, size_t n)
{
    struct entry *entry = entry_new(run, tasks, n), *there;

    if (!entry)
        return;
    key_of(entry->key, run->tenant_id, run->run_id);
    pthread_mutex_lock(&hand->lock);
    there = take_out(hand, entry->key);
    if (is_newer(there, entry)) { /* somebody was faster to put it in */
        struct entry *older = entry;

        entry = there;
        there = older;
    }
    rv_hash_put(hand->young, entry->key, entry);
    if (rv_hash_count(hand->young) > hand->most / 2)
        next_generation(hand);
    pthread_mutex_unlock(&hand->lock);
    free(there);
}
