#include "world.h"

/* -- chance ------------------------------------------------------------------------------------ */

uint64_t world_random(struct world *world) /* splitmix64 */
{
    uint64_t z = world->random += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

int64_t world_pick(struct world *world, int64_t most)
{
    return (int64_t)(world_random(world) % (uint64_t)most);
}

static bool one_in(struct world *world, int64_t n)
{
    return world_pick(world, n) == 0;
}

/* -- a random plan ----------------------------------------------------------------------------- */

/* Node @i may need those whose rank is lower, so there is no circle whatever their order is. */
static void fill_node(struct world *world, struct node *nodes, const int64_t *ranks, size_t i)
{
    static const char *gpu[] = { "gpu" };
    struct node *node = &nodes[i];

    node->node_id = rv_printf(world->cx, "n%zu", i);
    node->kind = STEP_NOOP;
    node->needs = rv_new_array(world->cx, const char *, world->n);
    for (size_t k = 0; k < world->n; k++)
        if (ranks[k] < ranks[i] && one_in(world, 3))
            node->needs[node->n_needs++] = rv_printf(world->cx, "n%zu", k);
    if (one_in(world, 4))
    node->requires = gpu, node->n_requires = 1;
    if (one_in(world, 2))
        return;
    node->retry = rv_new(world->cx, struct retry_spec);
    node->retry->max_attempts = world_pick(world, 9);
    node->retry->initial_ms = world_pick(world, 3) * 900;
}

static void grow_plan(struct world *world)
{
    struct node *nodes = rv_new_array(world->cx, struct node, WORLD_TASKS);
    int64_t ranks[WORLD_TASKS];

    world->n = 1 + (size_t)world_pick(world, WORLD_TASKS);
    for (size_t i = 0; i < world->n; i++) {
        size_t other = (size_t)world_pick(world, (int64_t)i + 1);

        ranks[i] = ranks[other];
        ranks[other] = (int64_t)i;
    }
    for (size_t i = 0; i < world->n; i++)
        fill_node(world, nodes, ranks, i);
    world->plan =
        (struct plan){ .plan_id = "plan", .name = "world", .nodes = nodes, .n_nodes = world->n };
    world->dag = dag_new(world->cx, nodes, world->n);
}

/* -- steps ------------------------------------------------------------------------------------- */

void world_begin(struct world *world)
{
    world->run.changed = false;
    for (size_t i = 0; i < world->n; i++)
        world->tasks[i].changed = false;
    memcpy(&world->run_before, &world->run, sizeof(world->run));
    memcpy(world->tasks_before, world->tasks, sizeof(world->tasks));
    world->claims_before = world->n_claims;
    world->terminal_before = world->terminal;
    world->outbox = (struct outbox){ 0 };
    world->progress = (struct progress){ world->cx,    &world->outbox, &world->run,
                                         &world->plan, world->dag,     WORLD_LEASE_MS };
    world->nothing = false;
    world->surprise = NULL;
}

/* tasks_stop_waiting and tasks_stop_all: what the statements do to rows that nobody has loaded. */
static void stop_tasks(struct world *world, bool all)
{
    for (size_t i = 0; i < world->n; i++) {
        struct task *task = &world->tasks[i];

        if (task_is_over(task->state) || (!all && task_is_live(task->state)))
            continue;
        task->state = TASK_CANCELLED;
        task->ended_at_ms = world->run.now_ms;
        task->fence += all;
        task->changed = true;
    }
}

static bool ends_it(const char *type)
{
    return strcmp(type, "run.completed") == 0 || strcmp(type, "run.failed") == 0 ||
           strcmp(type, "run.cancelled") == 0 || strcmp(type, "run.denied") == 0;
}

static void save(struct world *world)
{
    const struct outbox *out = &world->outbox;

    for (size_t i = 0; i < out->n_attempts && world->n_claims < WORLD_CLAIMS; i++)
        world->claims[world->n_claims++] = out->attempts[i];
    for (size_t i = 0; i < out->n_ready; i++)
        world->announced[out->ready[i].ref.task_no] = true;
    for (size_t i = 0; i < out->n_events; i++)
        world->terminal |= ends_it(out->events[i].type);
    if (out->n_cancelling)
        stop_tasks(world, false);
    if (out->n_over && world->run.state != RUN_COMPLETED)
        stop_tasks(world, true);
}

static void note_moves(const struct world *world)
{
    for (size_t i = 0; i < world->n; i++)
        seen.task_moves[world->tasks_before[i].state][world->tasks[i].state]++;
    seen.eager += world->outbox.n_attempts && world->last.wants_next;
    if (world->outbox.n_over)
        seen.run_ends[world->run.state]++;
}

const char *world_end(struct world *world)
{
    save(world);
    note_moves(world);
    return world_wrong(world);
}

void world_init(struct world *world, struct rv_ctx *cx, uint64_t seed)
{
    struct run_ask ask = { .priority = (enum priority)(seed % 5) };
    struct decision decision = { .approval_id = "approval", .reason = "a human must look" };
    struct task *tasks;
    bool admitted;

    memset(world, 0, sizeof(*world));
    world->cx = cx;
    world->random = seed;
    grow_plan(world);
    admitted = !one_in(world, 8);
    world->run = (struct run){ .tenant_id = "t",
                               .run_id = "r",
                               .project_id = "p",
                               .now_ms = 1000,
                               .plan_id = "plan",
                               .decision_id = "d",
                               .hold_id = "h" };
    world_begin(world);
    tasks = progress_create(&world->progress, &ask, admitted);
    memcpy(world->tasks, tasks, world->n * sizeof(*tasks));
    if (!admitted)
        progress_parked(&world->progress, &decision);
    seen.parked += !admitted;
    assert_string_equal(world->outbox.events[0].type, "run.created");
    assert_int_equal(world->outbox.events[0].run_seq, 1);
    save(world);
    world_begin(world);
}

/* -- what may happen --------------------------------------------------------------------------- */

void world_claim(struct world *world, struct task *task, const char *executor_id)
{
    bool may = task->state == TASK_READY && !run_is_over(world->run.state) &&
               world->run.phase != PHASE_CANCELLING;
    bool got = progress_claim(&world->progress, task, executor_id);

    world->nothing = !may;
    if (got != may)
        world->surprise = may ? "a claim was refused" : "a claim was granted that may not be";
}

static bool is_stale(const struct world *world, int64_t task_no, int64_t fence)
{
    const struct task *task = &world->tasks[task_no];

    return task->fence != fence || !task_is_live(task->state) || run_is_over(world->run.state);
}

struct task *world_report(struct world *world, const struct task_report *report)
{
    const struct dag_node *node = &world->dag->nodes[report->task_no];
    struct task *after[WORLD_TASKS], *next = NULL;
    bool stale = is_stale(world, report->task_no, report->fence);
    enum report_verdict verdict;

    for (size_t i = 0; i < node->n_after; i++)
        after[i] = &world->tasks[node->after[i]];
    world->last = *report;
    world->nothing = stale;
    verdict = progress_report(&world->progress, &world->tasks[report->task_no], report, after,
                              node->n_after, &next);
    if (stale != (verdict == REPORT_STALE))
        world->surprise = stale ? "a stale report was taken" : "a report was refused";
    if (next && (!report->wants_next || !task_is_live(next->state)))
        world->surprise = "a next task was given that nobody has";
    seen.stale += stale;
    seen.outcomes[report->outcome] += !stale;
    return next;
}

void world_record(struct world *world, const struct task_call *call)
{
    bool stale = is_stale(world, call->task_no, call->fence);
    bool again = call->call_no <= world->tasks[call->task_no].calls;
    enum report_verdict verdict =
        progress_record(&world->progress, &world->tasks[call->task_no], call);

    world->nothing = stale || again;
    if (stale != (verdict == REPORT_STALE))
        world->surprise = stale ? "a stale call was recorded" : "a call was not recorded";
    seen.recorded += !stale && !again;
}
