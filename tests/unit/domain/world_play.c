#include "world.h"

struct sightings seen;

static struct task *any_task(struct world *world)
{
    return &world->tasks[world_pick(world, (int64_t)world->n)];
}

/* Somebody who was granted a task once: mostly of late, so that many are not stale. */
static const struct attempt *any_claim(struct world *world)
{
    size_t most = world->n_claims > 4 && world_pick(world, 4) ? 4 : world->n_claims;

    if (world->n_claims == 0)
        return NULL;
    return &world->claims[world->n_claims - 1 - (size_t)world_pick(world, (int64_t)most)];
}

/* -- what executors do ------------------------------------------------------------------------- */

static void claim(struct world *world)
{
    world_claim(world, any_task(world), rv_printf(world->cx, "x%d", (int)world_pick(world, 9)));
}

static void report(struct world *world)
{
    static struct failure failures[] = { { "tool_failed", "it broke", true },
                                         { "over_budget", "nothing is left", false },
                                         { "timeout", NULL, true },
                                         { NULL, NULL, false } };
    static const enum outcome outcomes[] = { OUTCOME_COMPLETED,   OUTCOME_COMPLETED,
                                             OUTCOME_COMPLETED,   OUTCOME_FAILED,
                                             OUTCOME_HANDED_BACK, OUTCOME_NEEDS_APPROVAL,
                                             OUTCOME_CANCELLED };
    const struct attempt *by = any_claim(world);

    if (!by)
        return;
    world_report(world, &(struct task_report){
                            .task_no = by->task_no,
                            .fence = by->fence,
                            .executor_id = by->executor_id,
                            .outcome = outcomes[world_pick(world, 7)],
                            .output = "1",
                            .failure = world_pick(world, 5) ? &failures[world_pick(world, 4) & 2]
                                                            : &failures[world_pick(world, 4)],
                            .approval_id = "approval",
                            .retry_after_ms = world_pick(world, 9) ? 0 : INT64_MAX,
                            .wants_next = world_pick(world, 2) });
}

/* The answer was lost, so it is said again. */
static void repeat(struct world *world)
{
    struct task_report again = world->last;

    if (!again.outcome)
        return;
    if (world->tasks[again.task_no].fence == again.fence &&
        task_is_live(world->tasks[again.task_no].state))
        world->surprise = "a report was taken and its task is still held under that fence";
    world_report(world, &again);
    seen.repeated++;
}

static void record(struct world *world)
{
    const struct attempt *by = any_claim(world);

    if (by)
        world_record(world, &(struct task_call){
                                .task_no = by->task_no,
                                .fence = by->fence,
                                .kind = world_pick(world, 2) ? CALL_LLM : CALL_TOOL,
                                .call_no = world->tasks[by->task_no].calls + world_pick(world, 2),
                                .name = "m",
                                .cost_microusd = 7,
                                .tokens_in = 3 });
}

/* -- what the scheduler and people do ---------------------------------------------------------- */

static void pass_time(struct world *world, int64_t ms)
{
    world->run.now_ms += ms;
    world->run_before.now_ms = world->run.now_ms; /* the clock is nobody's doing */
}

static void lose(struct world *world)
{
    struct task *task = any_task(world);

    world->nothing = !task_is_live(task->state);
    if (task->lease_until_ms >= world->run.now_ms)
        pass_time(world, task->lease_until_ms - world->run.now_ms + 1);
    progress_lost(&world->progress, task);
    seen.lost += !world->nothing;
}

/* As the sweeper looks at a task: is there anything to mend? */
static bool is_due(const struct world *world, const struct task *task)
{
    int64_t now = world->run.now_ms;

    if (run_is_over(world->run.state) || world->run.phase == PHASE_CANCELLING ||
        world->run.phase == PHASE_AWAITING_APPROVAL)
        return false;
    return (task->state == TASK_READY && task->announced_at_ms < now - 3000) ||
           (task->state == TASK_PENDING && task->not_before_ms && task->not_before_ms <= now &&
            task->open_needs == 0);
}

static void sweep(struct world *world)
{
    struct task *task = any_task(world);

    pass_time(world, world_pick(world, 4000));
    world->nothing = !is_due(world, task);
    if (!world->nothing)
        progress_ready(&world->progress, task);
}

static void approve_task(struct world *world)
{
    struct task *task = any_task(world);

    world->nothing = task->state != TASK_AWAITING_APPROVAL;
    progress_task_decided(&world->progress, task, true, "ann");
}

static void approve_run(struct world *world)
{
    world->nothing = world->run.phase != PHASE_AWAITING_APPROVAL;
    progress_approved(&world->progress, world->tasks, world->n, "ann");
}

static void refuse_run(struct world *world)
{
    struct decision no = { .reason = "never" };

    if (world->run.phase == PHASE_AWAITING_APPROVAL && world_pick(world, 4) == 0)
        progress_refused(&world->progress, PHASE_REJECTED, "approval_refused", NULL, &no);
}

static void cancel(struct world *world)
{
    bool over = run_is_over(world->run.state), asked = world->run.phase == PHASE_CANCELLING;
    enum control_verdict verdict;

    if (world_pick(world, 6))
        return;
    verdict = progress_cancel(&world->progress, "enough", "ann");
    world->nothing = over || asked;
    seen.cancels += verdict == CONTROL_DONE;
    if ((verdict == CONTROL_DONE) == world->nothing)
        world->surprise = "a cancel was answered wrongly";
}

static void expire(struct world *world)
{
    if (world_pick(world, 20) == 0)
        progress_expired(&world->progress);
}

static const struct {
    const char *name;
    void (*happens)(struct world *world);
    int weight;
} acts[] = {
    { "claim", claim, 6 },
    { "report", report, 5 },
    { "repeat", repeat, 1 },
    { "record", record, 2 },
    { "lose", lose, 1 },
    { "sweep", sweep, 3 },
    { "approve task", approve_task, 2 },
    { "approve run", approve_run, 1 },
    { "refuse run", refuse_run, 1 },
    { "cancel", cancel, 1 },
    { "expire", expire, 1 },
};

const char *world_step(struct world *world, const char **wrong)
{
    int64_t chance = world_pick(world, 24);
    size_t i = 0;

    while (chance >= acts[i].weight)
        chance -= acts[i++].weight;
    world_begin(world);
    acts[i].happens(world);
    *wrong = world_end(world);
    return acts[i].name;
}

/* -- honesty ----------------------------------------------------------------------------------- */

#define STEP(world, act)                                                                           \
    do {                                                                                           \
        const char *wrong_;                                                                        \
        world_begin(world);                                                                        \
        act;                                                                                       \
        wrong_ = world_end(world);                                                                 \
        if (wrong_)                                                                                \
            return wrong_;                                                                         \
    } while (0)

/* An executor that takes what was announced, does it well, and what comes next too. */
static const char *work(struct world *world, struct task *task)
{
    bool wants_next = world_pick(world, 2);

    STEP(world, world_claim(world, task, "honest"));
    while (task && task_is_live(task->state)) {
        struct task_report done = { .task_no = task->task_no,
                                    .fence = task->fence,
                                    .output = "1",
                                    .executor_id = "honest",
                                    .outcome = OUTCOME_COMPLETED,
                                    .wants_next = wants_next };

        STEP(world, task = world_report(world, &done));
    }
    return NULL;
}

static const char *mend(struct world *world, struct task *task)
{
    if (task_is_live(task->state) && task->lease_until_ms < world->run.now_ms)
        STEP(world, progress_lost(&world->progress, task));
    else if (is_due(world, task))
        STEP(world, progress_ready(&world->progress, task));
    else if (task->state == TASK_AWAITING_APPROVAL)
        STEP(world, progress_task_decided(&world->progress, task, true, "ann"));
    return NULL;
}

const char *world_drive(struct world *world)
{
    const char *wrong = NULL;

    memset(world->announced, 0, sizeof(world->announced)); /* the bus forgot it all */
    for (int round = 0; round < 60 && !run_is_over(world->run.state); round++) {
        world->run.now_ms += 10 * 60 * 1000;
        STEP(world, progress_approved(&world->progress, world->tasks, world->n, "ann"));
        for (size_t i = 0; i < world->n && !wrong; i++)
            wrong = mend(world, &world->tasks[i]);
        for (size_t i = 0; i < world->n && !wrong; i++)
            if (world->announced[i]) {
                world->announced[i] = false;
                wrong = work(world, &world->tasks[i]);
            }
        if (wrong)
            return wrong;
    }
    return run_is_over(world->run.state) ? NULL : "the run does not end";
}
