#pragma once

/* The story of one small run, told step by step: what test_progress.c and test_mending.c look at.
 */

#include "support/rv_test.h"

#include "domain/progress.h"

/* Two steps for anybody, one after the other, and one for a GPU after the first. */
static const char *first[] = { "read" }, *gpu[] = { "gpu" };
static struct retry_spec thrice = { .max_attempts = 3, .initial_ms = 500 };
static struct node nodes[] = {
    { .node_id = "read", .kind = STEP_NOOP, .retry = &thrice },
    { .node_id = "write", .kind = STEP_NOOP, .needs = first, .n_needs = 1 },
    { .node_id = "draw",
      .kind = STEP_NOOP,
      .needs = first,
      .n_needs = 1,
      .requires = gpu,
      .n_requires = 1 },
};
enum { READ, WRITE, DRAW };

static struct failure broken = { "tool_failed", "it broke", true };

/* What a test looks at: the first @n_nodes of them as a run at noon, which is 1000. */
static struct {
    struct plan plan;
    struct run run;
    struct outbox outbox;
    struct progress progress;
    struct task *tasks;
} now;

static inline struct progress *create(struct rv_ctx *cx, size_t n_nodes, bool admitted)
{
    static const struct run_ask ask = { .priority = PRIORITY_HIGH };

    memset(&now, 0, sizeof(now));
    now.plan = (struct plan){ .plan_id = "p", .name = "story", .nodes = nodes, .n_nodes = n_nodes };
    now.run = (struct run){ .tenant_id = "t", .run_id = "r", .plan_id = "p", .now_ms = 1000 };
    now.progress = (struct progress){
        cx, &now.outbox, &now.run, &now.plan, dag_new(cx, nodes, n_nodes), 30000
    };
    now.tasks = progress_create(&now.progress, &ask, admitted);
    return &now.progress;
}

/* A run of which somebody has just claimed the first task. */
static inline struct progress *start(struct rv_ctx *cx, size_t n_nodes)
{
    struct progress *p = create(cx, n_nodes, true);

    assert_true(progress_claim(p, &now.tasks[READ], "x1"));
    now.outbox = (struct outbox){ 0 };
    return p;
}

static inline enum report_verdict say(struct task_report report, struct task **next)
{
    struct task *after[] = { &now.tasks[WRITE], &now.tasks[DRAW] };
    struct task *none;

    report.fence = report.fence ? report.fence : now.tasks[report.task_no].fence;
    report.executor_id = "x1";
    return progress_report(&now.progress, &now.tasks[report.task_no], &report, after,
                           now.progress.dag->nodes[report.task_no].n_after, next ? next : &none);
}

static inline void assert_told(const char *const *types, size_t n)
{
    assert_int_equal(now.outbox.n_events, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(now.outbox.events[i].type, types[i]);
}
#define ASSERT_TOLD(...)                                                                           \
    assert_told((const char *[]){ __VA_ARGS__ },                                                   \
                sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *))
