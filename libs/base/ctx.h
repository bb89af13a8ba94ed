#pragma once

/*
 * Ctx: one unit of work (an HTTP request, a batch of NATS messages, a timer tick, a step).
 *
 * Everything allocated through a ctx lives exactly as long as the ctx; nobody frees it by
 * hand. A ctx also carries the deadline, the trace, and why the work failed. It belongs to one
 * thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum { RV_TRAIL_MAX = 8, RV_DETAILS_MAX = 16 };

/* One thing that is wrong with the input: where, in the caller's words, and what. */
struct rv_detail {
    const char *path; /* "nodes[2].needs[0]"; "" is the whole */
    const char *message;
};

/* Why the work failed. trail[0] is where, the rest is who had asked for it. */
struct rv_error {
    enum rv_status status;
    bool inside; /* the text is about our insides: for the log, not for whoever asked */
    char text[400];
    const char *hint;       /* what to do about it; NULL: nothing to add */
    const char *reason;     /* JSON object that explains a business no (a decision); or NULL */
    int64_t retry_after_ms; /* 0: unknown */
    struct rv_detail details[RV_DETAILS_MAX];
    unsigned n_details;
    const char *trail[RV_TRAIL_MAX];
    unsigned trail_len;
};

struct rv_db;

/* What a stranger may hear of it: the text when it is about the request, else the status' word. */
const char *rv_error_said(const struct rv_error *error);

struct rv_deferred;

struct rv_ctx {
    struct rv_arena *arena;
    const char *trace_id;   /* 32 hex digits; NULL: none */
    const char *request_id; /* as the client may quote it; NULL: none */
    int64_t deadline_ms;    /* on the monotonic clock; 0: none */
    struct rv_db *db;       /* the worker's, see runtime/db.h; NULL in pure work */
    struct rv_deferred *deferred, *after;
    bool again; /* this unit of work was undone, and is done once more */
    struct rv_error error;
};

void rv_ctx_init(struct rv_ctx *cx);
void rv_ctx_reset(struct rv_ctx *cx); /* ready for the next unit of work; runs what was deferred */
void rv_ctx_release(struct rv_ctx *cx); /* after a release only init may follow */

/* Runs @fn(@arg) when the ctx is reset or released, last first: for foreign handles. */
void rv_defer(struct rv_ctx *cx, void (*fn)(void *arg), void *arg);

/*
 * Runs @fn(@cx, @arg) once this unit of work has been committed, first first: for news. It never
 * runs when the work fails. What it does may be lost in a crash, so nothing may depend on it.
 */
void rv_after(struct rv_ctx *cx, void (*fn)(struct rv_ctx *cx, void *arg), void *arg);
void rv_ctx_run_after(struct rv_ctx *cx); /* for the dispatcher */

#define RV_LINE__(n) #n
#define RV_LINE_(n)  RV_LINE__(n)
#define RV_HERE      __FILE__ ":" RV_LINE_(__LINE__)

/* Fails the work: return rv_fail(cx, RV_NOT_FOUND, "no budget %s", id); */
#define rv_fail(cx, status, ...)                                                                   \
    __extension__({                                                                                \
        enum rv_status rv_fail_ = (status); /* so that the compiler sees what is returned */       \
        (void)rv_fail_at((cx), rv_fail_, RV_HERE, __VA_ARGS__);                                    \
        rv_fail_;                                                                                  \
    })

/* The same with words about our insides (a statement, a subject), which stay in the log. */
#define rv_fail_inside(cx, status, ...)                                                            \
    __extension__({                                                                                \
        enum rv_status rv_inside_ = rv_fail((cx), (status), __VA_ARGS__);                          \
        (cx)->error.inside = true;                                                                 \
        rv_inside_;                                                                                \
    })

enum rv_status rv_fail_at(struct rv_ctx *cx, enum rv_status status, const char *where,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Notes one thing wrong at @path and goes on, so that all mistakes are said at once; beyond
 * RV_DETAILS_MAX they are only counted. rv_refuse then fails with RV_INVALID if any was noted.
 */
void rv_wrong(struct rv_ctx *cx, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define rv_refuse(cx) rv_refuse_at((cx), RV_HERE)
rv_result rv_refuse_at(struct rv_ctx *cx, const char *where);

/* Does @expr; when it failed, returns its status to the caller and notes the line. */
#define RV_TRY(cx, expr)                                                                           \
    do {                                                                                           \
        enum rv_status rv_try_ = (expr);                                                           \
        if (rv_try_ != RV_OK) {                                                                    \
            (void)rv_trace_at((cx), rv_try_, RV_HERE);                                             \
            return rv_try_;                                                                        \
        }                                                                                          \
    } while (0)

enum rv_status rv_trace_at(struct rv_ctx *cx, enum rv_status status, const char *where);

/*
 * Passes @status on, but says a failure that is @of in words for whoever asked:
 * return rv_reword(cx, rv_db_one(...), RV_CONFLICT, "a budget with this name is there already");
 */
#define rv_reword(cx, status, of, words) rv_reword_at((cx), (status), (of), RV_HERE, (words))
rv_result rv_reword_at(struct rv_ctx *cx, enum rv_status status, enum rv_status of,
                       const char *where, const char *words);

/* Memory that lives as long as the ctx, zeroed. */
#define rv_new(cx, type)          ((type *)rv_arena_alloc((cx)->arena, sizeof(type)))
#define rv_new_array(cx, type, n) ((type *)rv_arena_array((cx)->arena, sizeof(type), (n)))

char *rv_strdup(struct rv_ctx *cx, const char *text);
char *rv_strndup(struct rv_ctx *cx, const char *text, size_t len);
char *rv_printf(struct rv_ctx *cx, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
