#include "world.h"

/* Every rule looks at one step and says what is wrong with it, or NULL. */
typedef const char *rule(const struct world *world);

static const char *an_answer_is_as_expected(const struct world *world)
{
    return world->surprise;
}

static const char *what_is_stale_changes_nothing(const struct world *world)
{
    bool nothing = world->nothing || run_is_over(world->run_before.state);

    if (!nothing)
        return NULL;
    if (world->outbox.n_events || world->outbox.n_attempts || world->outbox.n_ready ||
        world->outbox.n_over || world->outbox.n_cancelling)
        return "something stale was told of";
    if (memcmp(&world->run, &world->run_before, sizeof(world->run)) != 0 ||
        memcmp(world->tasks, world->tasks_before, sizeof(world->tasks)) != 0)
        return "something stale changed a row";
    return NULL;
}

static bool is_known(const char *type)
{
    for (const char *const *known = event_types; *known; known++)
        if (strcmp(*known, type) == 0)
            return true;
    return false;
}

static const char *events_are_numbered_without_gaps(const struct world *world)
{
    const struct outbox *out = &world->outbox;

    for (size_t i = 0; i < out->n_events; i++) {
        if (out->events[i].run_seq != world->run_before.run_seq + 1 + (int64_t)i)
            return "an event has the number of another, or skips one";
        if (!is_known(out->events[i].type))
            return "an event is of no type there is";
        if (out->events[i].at_ms != world->run.now_ms)
            return "an event tells another time";
    }
    if (world->run.run_seq != world->run_before.run_seq + (int64_t)out->n_events)
        return "run_seq is not the number of the last event";
    return NULL;
}

/* Within one step a task may take a few arrows: released, claimed and started, for one. */
static bool task_can_reach(enum task_state from, enum task_state to, int steps)
{
    if (from == to)
        return true;
    for (size_t e = 0; steps > 0 && e < task_event_enum.count; e++) {
        enum task_state next = task_next(from, (enum task_event)task_event_enum.rows[e].value);

        if (next && task_can_reach(next, to, steps - 1))
            return true;
    }
    return false;
}

static bool run_can_reach(enum run_state from, enum run_state to)
{
    for (size_t e = 0; e < run_event_enum.count; e++)
        if (run_next(from, (enum run_event)run_event_enum.rows[e].value) == to)
            return true;
    return from == to;
}

static const char *states_move_along_the_arrows(const struct world *world)
{
    if (!run_can_reach(world->run_before.state, world->run.state))
        return "the run took an arrow that is not there";
    for (size_t i = 0; i < world->n; i++) {
        enum task_state from = world->tasks_before[i].state, to = world->tasks[i].state;

        if (from != to && task_is_over(from))
            return "a task that was over went on";
        if (from != to && !task_can_reach(from, to, 3))
            return "a task took an arrow that is not there";
    }
    return NULL;
}

static const char *new_claims_have_new_fences(const struct world *world)
{
    for (size_t i = world->claims_before; i < world->n_claims; i++) {
        const struct attempt *claim = &world->claims[i];
        const struct task *task = &world->tasks[claim->task_no];

        if (task_is_live(world->tasks_before[claim->task_no].state))
            return "a task was granted while somebody held it";
        if (!task_is_live(task->state) || task->fence != claim->fence)
            return "a task was granted and is not held under that fence";
        for (size_t k = 0; k < i; k++)
            if (world->claims[k].task_no == claim->task_no &&
                world->claims[k].fence >= claim->fence)
                return "a claim has a fence that is not above all before it";
    }
    return NULL;
}

static const char *fences_never_fall(const struct world *world)
{
    for (size_t i = 0; i < world->n; i++) {
        const struct task *was = &world->tasks_before[i], *is = &world->tasks[i];

        if (is->fence < was->fence)
            return "a fence fell";
        if (was->state == TASK_IN_PROGRESS && is->state == TASK_READY && is->fence == was->fence)
            return "a task was taken away and kept its fence";
        if (is->attempt < 0)
            return "a task has less than no attempts";
    }
    return NULL;
}

static const char *who_holds_a_task_was_granted_it(const struct world *world)
{
    for (size_t i = 0; i < world->n; i++) {
        const struct task *task = &world->tasks[i];
        size_t holders = 0;

        for (size_t k = 0; k < world->n_claims; k++)
            holders += world->claims[k].task_no == task->task_no &&
                       world->claims[k].fence == task->fence &&
                       strcmp(world->claims[k].executor_id,
                              task->executor_id ? task->executor_id : "") == 0;
        if (task_is_live(task->state) && holders != 1)
            return "a task is held by nobody it was granted to";
        if (task_is_live(task->state) != (task->lease_until_ms > 0) && !task_is_over(task->state))
            return "a lease and a live task do not go together";
    }
    return NULL;
}

static const char *counts_are_what_is_counted(const struct world *world)
{
    int64_t open = 0, live = 0;

    for (size_t i = 0; i < world->n; i++) {
        open += !task_is_over(world->tasks[i].state);
        live += task_is_live(world->tasks[i].state);
    }
    if (world->run.tasks_live != live)
        return "tasks_live is not the number of live tasks";
    if (world->run.tasks_open != open)
        return "tasks_open is not the number of open tasks";
    return NULL;
}

static const char *nothing_begins_before_its_needs(const struct world *world)
{
    for (size_t i = 0; i < world->n; i++) {
        const struct task *task = &world->tasks[i];
        int64_t open = 0;

        for (size_t k = 0; k < world->plan.nodes[i].n_needs; k++) {
            const char *id = world->plan.nodes[i].needs[k];
            int64_t before = node_find(world->plan.nodes, world->n, id, strlen(id));

            open += world->tasks[before].state != TASK_COMPLETED;
        }
        if (open && (task_is_live(task->state) || task->state == TASK_READY ||
                     task->state == TASK_COMPLETED || task->started_at_ms))
            return "a task began before its needs were completed";
        if (!task_is_over(task->state) && world->run.phase != PHASE_CANCELLING &&
            task->open_needs != open)
            return "open_needs is not the number of open needs";
    }
    return NULL;
}

static const char *an_end_is_an_end(const struct world *world)
{
    bool over = run_is_over(world->run.state), was_over = run_is_over(world->run_before.state);

    if ((world->run.ended_at_ms != 0) != over)
        return "ended_at_ms and the state do not go together";
    if (world->outbox.n_over != (size_t)(over && !was_over))
        return "the end of the run is not told once";
    if (world->terminal != over)
        return "the last event and the state do not go together";
    if (world->terminal_before && world->outbox.n_events)
        return "something was said after the end";
    for (size_t i = 0; i < world->n; i++)
        if (world->run.state == RUN_COMPLETED && world->tasks[i].state != TASK_COMPLETED)
            return "a run is completed and one of its tasks is not";
    return NULL;
}

static size_t announcements_of(const struct world *world, size_t number)
{
    size_t n = 0;

    for (size_t i = 0; i < world->outbox.n_ready; i++) {
        const struct announcement *said = &world->outbox.ready[i];

        n += said->ref.task_no == (int64_t)number && said->priority == world->run.priority &&
             strcmp(said->class_name, world->dag->nodes[number].class_name) == 0;
    }
    return n;
}

static const char *what_becomes_ready_is_announced(const struct world *world)
{
    size_t told = 0;

    for (size_t i = 0; i < world->n; i++) {
        const struct task *task = &world->tasks[i];
        bool became = task->state == TASK_READY && world->tasks_before[i].state != TASK_READY;
        size_t n = announcements_of(world, i);

        told += n;
        if (became && n != 1)
            return "a task became ready and is not announced once";
        if (became && (task->ready_at_ms != world->run.now_ms ||
                       task->announced_at_ms != world->run.now_ms || task->not_before_ms))
            return "a task became ready at another time";
        if (n && task->state != TASK_READY)
            return "a task is announced that nobody may claim";
    }
    return told == world->outbox.n_ready ? NULL : "something is announced to the wrong class";
}

static const char *a_run_that_stops_has_nothing_waiting(const struct world *world)
{
    for (size_t i = 0; i < world->n; i++)
        if (world->run.phase == PHASE_CANCELLING && !task_is_over(world->tasks[i].state) &&
            !task_is_live(world->tasks[i].state))
            return "a task waits in a run that is being cancelled";
    return NULL;
}

/* What is not marked is not saved. */
static const char *what_changed_is_marked(const struct world *world)
{
    struct run run;

    memcpy(&run, &world->run, sizeof(run));
    run.changed = false;
    if (!world->run.changed && memcmp(&run, &world->run_before, sizeof(run)) != 0)
        return "the run changed and is not marked";
    for (size_t i = 0; i < world->n; i++) {
        struct task task;

        memcpy(&task, &world->tasks[i], sizeof(task));
        task.changed = false;
        if (!world->tasks[i].changed && memcmp(&task, &world->tasks_before[i], sizeof(task)) != 0)
            return "a task changed and is not marked";
    }
    return NULL;
}

static rule *const rules[] = {
    an_answer_is_as_expected,         what_is_stale_changes_nothing,
    events_are_numbered_without_gaps, states_move_along_the_arrows,
    new_claims_have_new_fences,       fences_never_fall,
    who_holds_a_task_was_granted_it,  counts_are_what_is_counted,
    nothing_begins_before_its_needs,  an_end_is_an_end,
    what_becomes_ready_is_announced,  a_run_that_stops_has_nothing_waiting,
    what_changed_is_marked,
};

const char *world_wrong(const struct world *world)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const char *wrong = rules[i](world);

        if (wrong)
            return wrong;
    }
    return NULL;
}
