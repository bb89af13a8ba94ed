#include "world.h"

#include <stdlib.h>

/*
 * Many worlds, each grown from its number: REEVE_SEEDS says how many, REEVE_SEED which one alone.
 */

enum { STEPS_MAX = 120 };

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void live_through(struct rv_ctx *cx, uint64_t seed)
{
    struct world *world = rv_new(cx, struct world);
    const char *wrong, *did = "create";
    int64_t steps;

    world_init(world, cx, seed);
    wrong = world_wrong(world);
    steps = world_pick(world, STEPS_MAX);
    for (int64_t i = 0; i < steps && !wrong; i++)
        did = world_step(world, &wrong);
    if (!wrong)
        did = "drive", wrong = world_drive(world);
    for (int i = 0; i < 10 && !wrong; i++)
        did = world_step(world, &wrong); /* nothing comes after the end */
    if (wrong)
        fail_msg("seed %llu, after %s: %s", (unsigned long long)seed, did, wrong);
}

static void every_world_keeps_the_rules_and_ends(void **state)
{
    struct rv_ctx *cx = *state;
    uint64_t first = number_of("REEVE_SEED", 1);
    uint64_t n = getenv("REEVE_SEED") ? 1 : number_of("REEVE_SEEDS", 2000);

    for (uint64_t i = 0; i < n; i++) {
        live_through(cx, first + i);
        rv_ctx_reset(cx);
    }
}

/* A simulation in which nothing happened would pass too. */
static void the_worlds_have_seen_it_all(void **state)
{
    static const struct {
        enum task_state from, to;
    } moves[] = {
        { TASK_PENDING, TASK_READY },
        { TASK_PENDING, TASK_IN_PROGRESS },
        { TASK_PENDING, TASK_CANCELLED },
        { TASK_READY, TASK_IN_PROGRESS },
        { TASK_READY, TASK_CANCELLED },
        { TASK_IN_PROGRESS, TASK_READY },
        { TASK_IN_PROGRESS, TASK_PENDING },
        { TASK_IN_PROGRESS, TASK_AWAITING_APPROVAL },
        { TASK_IN_PROGRESS, TASK_COMPLETED },
        { TASK_IN_PROGRESS, TASK_FAILED },
        { TASK_IN_PROGRESS, TASK_CANCELLED },
        { TASK_AWAITING_APPROVAL, TASK_READY },
        { TASK_AWAITING_APPROVAL, TASK_CANCELLED },
    };

    if (getenv("REEVE_SEED") || number_of("REEVE_SEEDS", 2000) < 2000)
        return; /* a few worlds need not see it all */
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        assert_true(seen.task_moves[moves[i].from][moves[i].to] > 20);
    for (int outcome = OUTCOME_COMPLETED; outcome <= OUTCOME_NEEDS_APPROVAL; outcome++)
        assert_true(seen.outcomes[outcome] > 100);
    for (int end = RUN_COMPLETED; end <= RUN_CANCELLED; end++)
        assert_true(seen.run_ends[end] > 100);
    assert_true(seen.stale > 100 && seen.repeated > 100 && seen.lost > 100 && seen.eager > 100);
    assert_true(seen.cancels > 100 && seen.parked > 100 && seen.recorded > 100);
}

/* -- mutants: the checker must notice --------------------------------------------------------- */

static struct task *held(struct world *world)
{
    for (size_t i = 0; i < world->n; i++)
        if (task_is_live(world->tasks[i].state))
            return &world->tasks[i];
    return NULL;
}

static void a_fence_falls(struct world *world)
{
    held(world)->fence--;
}

static void a_number_is_skipped(struct world *world)
{
    world->run.run_seq++;
}

static void an_event_is_numbered_twice(struct world *world)
{
    world->outbox.events[1].run_seq = world->outbox.events[0].run_seq;
}

static void an_event_is_unknown(struct world *world)
{
    world->outbox.events[0].type = "run.exploded";
}

static void a_task_is_forgotten(struct world *world)
{
    world->run.tasks_open--;
}

static void a_task_is_live_twice(struct world *world)
{
    world->run.tasks_live++;
}

static void a_stranger_holds_it(struct world *world)
{
    held(world)->executor_id = "stranger";
}

static void a_claim_repeats_a_fence(struct world *world)
{
    struct attempt *claim = &world->claims[world->n_claims - 1];

    world->claims[world->n_claims++] = *claim;
}

static void a_task_begins_too_early(struct world *world)
{
    struct task *task = &world->tasks[world->n - 1];

    task->state = TASK_READY;
    task->changed = true;
}

static void a_run_is_completed_too_early(struct world *world)
{
    world->run.state = RUN_COMPLETED;
    world->run.ended_at_ms = world->run.now_ms;
    world->run.tasks_open = world->run.tasks_live = 0;
    for (size_t i = 0; i < world->n; i++)
        world->tasks[i].state = TASK_CANCELLED;
    world->outbox.n_over = world->terminal = 1;
    world->claims_before = world->n_claims;
}

static void a_ready_task_is_kept_secret(struct world *world)
{
    struct task *task = held(world);

    world->tasks_before[task->task_no].state = TASK_PENDING;
    task->state = TASK_READY;
    task->lease_until_ms = 0;
    world->run.tasks_live--;
    world->claims_before = world->n_claims;
}

static void a_run_goes_back(struct world *world)
{
    world->run_before.state = RUN_PAUSED;
    world->run.state = RUN_PENDING;
}

static void a_stale_word_leaves_a_trace(struct world *world)
{
    world->nothing = true;
}

static void a_change_is_not_marked(struct world *world)
{
    held(world)->changed = false;
}

static void a_word_comes_after_the_end(struct world *world)
{
    world->terminal = world->terminal_before = true;
    world->run.state = world->run_before.state = RUN_FAILED;
    world->run.ended_at_ms = 1;
}

/* A chain of three of which the first has just been claimed: a step in which much has happened. */
static void first_step(struct world *world, struct rv_ctx *cx)
{
    uint64_t seed = 1;

    do
        world_init(world, cx, seed++);
    while (world->n < 3 || world->dag->nodes[world->n - 1].n_needs == 0 ||
           world->run.phase == PHASE_AWAITING_APPROVAL);
    world_begin(world);
    world_claim(world, &world->tasks[world->dag->roots[0]], "x");
}

static void a_broken_rule_is_noticed(void **state)
{
    static const struct {
        void (*damage)(struct world *world);
        const char *noticed;
    } mutants[] = {
        { a_fence_falls, "a task was granted and is not held under that fence" },
        { a_number_is_skipped, "run_seq is not the number of the last event" },
        { an_event_is_numbered_twice, "an event has the number of another, or skips one" },
        { an_event_is_unknown, "an event is of no type there is" },
        { a_task_is_forgotten, "tasks_open is not the number of open tasks" },
        { a_task_is_live_twice, "tasks_live is not the number of live tasks" },
        { a_stranger_holds_it, "a task is held by nobody it was granted to" },
        { a_claim_repeats_a_fence, "a claim has a fence that is not above all before it" },
        { a_task_begins_too_early, "a task began before its needs were completed" },
        { a_run_is_completed_too_early, "a run is completed and one of its tasks is not" },
        { a_ready_task_is_kept_secret, "a task became ready and is not announced once" },
        { a_run_goes_back, "the run took an arrow that is not there" },
        { a_stale_word_leaves_a_trace, "something stale was told of" },
        { a_change_is_not_marked, "a task changed and is not marked" },
        { a_word_comes_after_the_end, "something stale was told of" },
    };
    struct rv_ctx *cx = *state;
    struct world *world = rv_new(cx, struct world);

    for (size_t i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++) {
        first_step(world, cx);
        assert_null(world_end(world));
        mutants[i].damage(world);
        assert_string_equal(world_wrong(world), mutants[i].noticed);
    }
}

/* A machine that loses what it was told never ends: the drive says so. */
static void a_run_that_cannot_end_is_noticed(void **state)
{
    struct rv_ctx *cx = *state;
    struct world *world = rv_new(cx, struct world);

    first_step(world, cx);
    assert_null(world_end(world));
    held(world)->lease_until_ms = INT64_MAX; /* a lease that nobody can ever lose */
    assert_string_equal(world_drive(world), "the run does not end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(every_world_keeps_the_rules_and_ends),
        RV_TEST(the_worlds_have_seen_it_all),
        RV_TEST(a_broken_rule_is_noticed),
        RV_TEST(a_run_that_cannot_end_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
