/* Long because one story is told a sentence a test.
 * The scheduler, from outside: real processes of scheduler, policy and budget; the test is gateway
 * and executor at once and speaks on the bus. */

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "domain/budget.h"
#include "domain/event.h"
#include "domain/identity.h"
#include "domain/work.h"
#include "runtime/bus.h"
#include "runtime/db.h"
#include "runtime/stream.h"
#include "support/rv_test.h"
#include "support/stack.h"

#define PROJECT "01990000-0000-7000-8000-0000000000aa"
#define CHAIN   "01990000-0000-8000-8000-0000000000c1" /* a → b → c */
#define DIAMOND "01990000-0000-8000-8000-0000000000d1" /* a → b, c → d */
#define CAREFUL "01990000-0000-8000-8000-0000000000e1"
#define NEVER   "01990000-0000-8000-8000-0000000000f1"
#define RETRIED "01990000-0000-8000-8000-0000000000a1"
#define SCORED  "01990000-0000-8000-8000-0000000000b1"

static const char furniture[] =
    "INSERT INTO projects (tenant_id, project_id, name) VALUES ('" TENANT_DEFAULT "','" PROJECT
    "','p');"
    "INSERT INTO plans (tenant_id, plan_id, project_id, spec) VALUES"
    "('" TENANT_DEFAULT "','" CHAIN "','" PROJECT
    "','{\"name\":\"chain\",\"project\":\"p\",\"nodes\":["
    "{\"node_id\":\"a\",\"kind\":\"noop\"},{\"node_id\":\"b\",\"kind\":\"noop\",\"needs\":[\"a\"]},"
    "{\"node_id\":\"c\",\"kind\":\"map\",\"needs\":[\"b\"],\"map\":{\"value\":\"${{ steps.a.output "
    "}}\"}}]}'),"
    "('" TENANT_DEFAULT "','" DIAMOND "','" PROJECT
    "','{\"name\":\"diamond\",\"project\":\"p\",\"nodes\":["
    "{\"node_id\":\"a\",\"kind\":\"noop\"},{\"node_id\":\"b\",\"kind\":\"noop\",\"needs\":[\"a\"]},"
    "{\"node_id\":\"c\",\"kind\":\"noop\",\"needs\":[\"a\"]},{\"node_id\":\"d\",\"kind\":\"noop\","
    "\"needs\":[\"b\",\"c\"]}]}'),"
    "('" TENANT_DEFAULT "','" CAREFUL "','" PROJECT
    "','{\"name\":\"careful\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\"}]}'"
    "),"
    "('" TENANT_DEFAULT "','" NEVER "','" PROJECT
    "','{\"name\":\"never\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\"}]}'),"
    "('" TENANT_DEFAULT "','" RETRIED "','" PROJECT
    "','{\"name\":\"retried\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\","
    "\"retry\":{\"max_attempts\":2,\"initial_ms\":50}}]}'),"
    "('" TENANT_DEFAULT "','" SCORED "','" PROJECT
    "','{\"name\":\"scored\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\"}],"
    "\"scorers\":[{\"name\":\"did\",\"kind\":\"contains\",\"value\":\"it\"}]}');"
    "INSERT INTO policies (tenant_id, policy_id, name, rules) VALUES ('" TENANT_DEFAULT
    "', gen_random_uuid(), 'house',"
    "'[{\"rule\":\"no\",\"effect\":\"deny\",\"match\":{\"workflow\":\"never\"},\"reason\":\"never "
    "here\"},"
    "{\"rule\":\"ask\",\"effect\":\"require_approval\",\"match\":{\"workflow\":\"careful\"}}]');"
    "INSERT INTO policy_epochs (tenant_id, epoch) VALUES ('" TENANT_DEFAULT "', 1);"
    "INSERT INTO budgets (tenant_id, budget_id, project_id, name, limit_microusd) VALUES"
    "('" TENANT_DEFAULT "', gen_random_uuid(), '" PROJECT "', 'purse', 1000000);";

static struct stack stack;
static struct rv_bus *bus;
static struct rv_db_options db;
static struct stack_service *policy, *budget;

static int open_suite(void **state)
{
    static const char *const env[] = { "REEVE_LEASE=600ms", "REEVE_SWEEP=100ms", NULL };
    static const char *const names[] = { "policy", "budget", "scheduler" };
    struct stack_service *services[3];
    enum rv_status status;
    struct rv_ctx cx;

    if (!stack_start(&stack, STACK_ALL))
        return -1;
    rv_ctx_init(&cx);
    db = (struct rv_db_options){ .url = stack.postgres_url, .name = "test", RV_DB_DEFAULTS };
    if (rv_db_open(&cx, &db) != RV_OK || rv_db_script(&cx, furniture) != RV_OK) {
        fprintf(stderr, "%s\n", cx.error.text);
        return -1;
    }
    rv_db_close(&cx);
    for (size_t i = 0; i < 3; i++)
        services[i] = stack_service_start(&stack, names[i], env);
    for (size_t i = 0; i < 3; i++)
        if (!services[i] || !stack_service_wait_ready(services[i]))
            return -1;
    policy = services[0];
    budget = services[1];
    stack.failed = true; /* until all is well */
    status =
        rv_bus_open(&cx, &(struct rv_bus_options){ .url = stack.nats_url, .name = "test" }, &bus);
    rv_ctx_release(&cx);
    return status == RV_OK ? 0 : -1;
}

static int close_suite(void **state)
{
    rv_bus_close(bus);
    stack_stop(&stack);
    return 0;
}

/* -- verbs ------------------------------------------------------------------------------------- */

static struct run_answer create_with(struct rv_ctx *cx, const struct run_ask *wanted)
{
    struct run_ask ask = *wanted;
    struct run_answer answer = { 0 };

    ask.tenant_id = TENANT_DEFAULT;
    ask.project_id = PROJECT;
    if (!ask.run_id)
        ask.run_id = rv_id_new(cx);
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_RUN_CREATE, &ask, 1, &answer, 5000));
    return answer;
}

static struct run_answer create(struct rv_ctx *cx, const char *plan_id)
{
    return create_with(cx, &(struct run_ask){ .plan_id = plan_id, .input = "{\"x\":1}" });
}

static struct task_claimed claim(struct rv_ctx *cx, const char *run_id, int64_t task_no)
{
    struct task_claim ask = { TENANT_DEFAULT, run_id, task_no, "executor-1" };
    struct task_claimed answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_TASK_CLAIM, &ask, 1, &answer, 5000));
    return answer;
}

static struct task_reported report(struct rv_ctx *cx, const struct task_claimed *task,
                                   enum outcome outcome, bool wants_next)
{
    struct failure broken = { "broken", "it broke", true };
    struct task_report ask = { .tenant_id = TENANT_DEFAULT,
                               .run_id = task->run_id,
                               .task_no = task->task_no,
                               .fence = task->fence,
                               .executor_id = "executor-1",
                               .outcome = outcome,
                               .output = "{\"did\":\"it\"}",
                               .wants_next = wants_next,
                               .failure = outcome == OUTCOME_FAILED ? &broken : NULL };
    struct task_reported answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_TASK_REPORT, &ask, 1, &answer, 5000));
    return answer;
}

static struct run read_run(struct rv_ctx *cx, const char *run_id)
{
    static const struct rv_sql sql = { "test_run",
                                       "SELECT run_id, state, phase, output, error, run_seq, "
                                       "tasks_open, tasks_live FROM runs WHERE run_id = $1",
                                       { { "run_id", RV_SQL_ONE } },
                                       1,
                                       0 };
    struct task_ref key = { .run_id = run_id };
    struct run run = { 0 };

    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_one(cx, &sql, rv_in(task_ref, &key), rv_out(run, &run)));
    rv_db_rollback(cx);
    rv_db_close(cx);
    return run;
}

static int64_t number(struct rv_ctx *cx, const char *sql_text)
{
    struct rv_sql sql = { .name = "test_number", .text = sql_text };
    struct task_ref got = { 0 };

    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_one(cx, &sql, rv_nothing, rv_out(task_ref, &got)));
    rv_db_rollback(cx);
    rv_db_close(cx);
    return got.task_no;
}

static bool becomes(struct rv_ctx *cx, const char *run_id, enum run_state state)
{
    for (int i = 0; i < 100; i++, rv_sleep_ms(50))
        if (read_run(cx, run_id).state == state)
            return true;
    return false;
}

/* -- tests ------------------------------------------------------------------------------------- */

static void a_run_is_claimed_reported_and_completed_with_its_next_task_in_the_answer(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CHAIN);
    struct task_claimed a = claim(cx, made.run_id, 0);
    struct task_reported after_a, after_b;
    struct run run;

    assert_int_equal(made.verdict, ADMIT_CREATED);
    assert_non_null(made.decision_id);
    assert_int_equal(a.verdict, CLAIM_GRANTED);
    assert_int_equal(a.fence, 1);
    assert_string_equal(a.plan_id, CHAIN);
    after_a = report(cx, &a, OUTCOME_COMPLETED, true);
    assert_int_equal(after_a.verdict, REPORT_RECORDED);
    assert_non_null(after_a.next);
    assert_int_equal(after_a.next->task_no, 1);
    after_b = report(cx, after_a.next, OUTCOME_COMPLETED, true);
    assert_non_null(after_b.next);
    assert_string_equal(after_b.next->outputs, "{\"a\":{\"did\": \"it\"}}"); /* it looks at a */
    assert_int_equal(report(cx, after_b.next, OUTCOME_COMPLETED, true).verdict, REPORT_RECORDED);
    run = read_run(cx, made.run_id);
    assert_int_equal(run.state, RUN_COMPLETED);
    assert_int_equal(run.tasks_open, 0);
    assert_string_equal(run.output, "{\"did\": \"it\"}");
    assert_int_equal(run.run_seq, 9); /* created, started, 3 × (started, completed), completed */
}

static void run_script(struct rv_ctx *cx, const char *text)
{
    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_script(cx, text));
    rv_db_close(cx);
}

/*
 * As by a crash of Postgres between an answer, whose commit does not wait for the disk, and the
 * commit of the run: its row in @table is gone while @other, who is asked too, has yet to answer.
 */
static void forget_while_a_run_is_made(struct rv_ctx *cx, const char *table,
                                       struct stack_service *other)
{
    struct run_ask ask = { .tenant_id = TENANT_DEFAULT,
                           .project_id = PROJECT,
                           .plan_id = CHAIN,
                           .run_id = rv_id_new(cx) };
    const char *rows = rv_printf(cx, "FROM %s WHERE run_id = '%s'", table, ask.run_id);
    const char *kept = rv_printf(cx, "SELECT count(*) AS task_no %s", rows);
    struct run_answer made = { 0 };
    struct rv_pending *pending;

    assert_true(stack_service_signal(other, SIGSTOP));
    assert_ok(cx, rv_bus_begin(cx, bus, &SUBJ_RUN_CREATE, &ask, 1, 5000, &pending));
    for (int i = 0; i < 200 && number(cx, kept) == 0; i++)
        rv_sleep_ms(10);
    assert_int_equal(number(cx, kept), 1);
    run_script(cx, rv_printf(cx, "DELETE %s", rows));
    assert_true(stack_service_signal(other, SIGCONT));
    assert_ok(cx, rv_bus_await(cx, pending, &made));
    assert_int_equal(made.verdict, ADMIT_CREATED);
    assert_int_equal(number(cx, rv_printf(cx,
                                          "SELECT count(*) AS task_no FROM runs r "
                                          "JOIN holds USING (tenant_id, hold_id) "
                                          "JOIN decisions USING (tenant_id, decision_id) "
                                          "WHERE r.run_id = '%s'",
                                          ask.run_id)),
                     1);
}

static void a_hold_that_is_forgotten_before_its_run_is_made_is_asked_for_again(void **state)
{
    forget_while_a_run_is_made(*state, "holds", policy);
}

static void a_verdict_that_is_forgotten_before_its_run_is_made_is_asked_for_again(void **state)
{
    forget_while_a_run_is_made(*state, "decisions", budget);
}

static const char *const pure_kinds[] = { "noop", "map" };

/* Offers, makes a run of @plan_id meanwhile, and returns what was granted. */
static struct task_grants offer_and_create(struct rv_ctx *cx, struct task_offer offer,
                                           const char *plan_id, const char **run_id)
{
    struct task_grants grants = { 0 };
    struct rv_pending *pending;

    offer.executor_id = "executor-1";
    assert_ok(cx, rv_bus_begin(cx, bus, &SUBJ_TASK_OFFER, &offer, 1, 5000, &pending));
    rv_sleep_ms(20);
    *run_id = create(cx, plan_id).run_id;
    assert_ok(cx, rv_bus_await(cx, pending, &grants));
    return grants;
}

static void who_offers_is_granted_what_becomes_ready(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id;
    struct task_grants grants = offer_and_create(
        cx, (struct task_offer){ .at_once = (const char **)(uintptr_t)pure_kinds, .n_at_once = 2 },
        CHAIN, &run_id);
    struct task_claimed *a = grants.items;
    struct task_reported after;

    assert_int_equal(grants.n_items, 1);
    assert_int_equal(a->verdict, CLAIM_GRANTED);
    assert_string_equal(a->run_id, run_id);
    assert_string_equal(a->input, "{\"x\":1}");
    assert_int_equal(a->fence, 1);
    assert_int_equal(read_run(cx, run_id).run_seq, 3); /* created, started, task started */
    assert_int_equal(claim(cx, run_id, 0).verdict, CLAIM_GONE);
    after = report(cx, a, OUTCOME_COMPLETED, true);
    assert_int_equal(after.verdict, REPORT_RECORDED);
    assert_int_equal(after.next->task_no, 1);
}

static void nobody_is_granted_more_than_he_offers_to_take(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id;
    struct task_grants grants = offer_and_create(cx, (struct task_offer){ 0 }, CHAIN, &run_id);

    assert_int_equal(grants.n_items, 0); /* no place, and nothing he does at once */
    assert_int_equal(claim(cx, run_id, 0).verdict, CLAIM_GRANTED); /* as ever */
    grants = offer_and_create(cx, (struct task_offer){ .places = 1 }, CHAIN, &run_id);
    assert_int_equal(grants.n_items, 1);
}

static void an_offer_that_nobody_needs_is_answered_with_nothing(void **state)
{
    struct rv_ctx *cx = *state;
    struct task_offer offer = { .executor_id = "executor-1", .places = 5 };
    struct task_grants grants = { 0 };

    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_TASK_OFFER, &offer, &grants, 5000));
    assert_int_equal(grants.n_items, 0);
}

static void what_was_granted_to_one_who_is_gone_is_free_again_after_its_lease(void **state)
{
    struct rv_ctx *cx = *state;
    struct task_claimed again = { 0 };
    const char *run_id;

    assert_int_equal(
        offer_and_create(cx, (struct task_offer){ .places = 1 }, CHAIN, &run_id).n_items, 1);
    for (int i = 0; i < 60 && again.verdict != CLAIM_GRANTED; i++, rv_sleep_ms(50))
        again = claim(cx, run_id, 0);
    assert_int_equal(again.verdict, CLAIM_GRANTED);
    assert_int_equal(again.attempt, 2);
}

static void branches_run_side_by_side_and_join_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, DIAMOND);
    struct task_claimed a = claim(cx, made.run_id, 0), b, c;
    struct task_reported reported = report(cx, &a, OUTCOME_COMPLETED, false);

    assert_null(reported.next); /* it did not ask for one */
    b = claim(cx, made.run_id, 1);
    c = claim(cx, made.run_id, 2);
    assert_int_equal(claim(cx, made.run_id, 3).verdict, CLAIM_GONE); /* not before both */
    assert_null(report(cx, &b, OUTCOME_COMPLETED, true).next);
    reported = report(cx, &c, OUTCOME_COMPLETED, true);
    assert_non_null(reported.next);
    assert_int_equal(reported.next->task_no, 3);
    report(cx, reported.next, OUTCOME_COMPLETED, true);
    assert_int_equal(read_run(cx, made.run_id).state, RUN_COMPLETED);
}

static void a_second_claim_and_a_stale_fence_change_nothing(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CHAIN);
    struct task_claimed first = claim(cx, made.run_id, 0), stale = first;
    int64_t events = read_run(cx, made.run_id).run_seq;

    assert_int_equal(claim(cx, made.run_id, 0).verdict, CLAIM_GONE);
    stale.fence = 7;
    assert_int_equal(report(cx, &stale, OUTCOME_COMPLETED, true).verdict, REPORT_STALE);
    assert_int_equal(read_run(cx, made.run_id).run_seq, events);
    assert_int_equal(report(cx, &first, OUTCOME_COMPLETED, false).verdict, REPORT_RECORDED);
    assert_int_equal(report(cx, &first, OUTCOME_COMPLETED, false).verdict, REPORT_STALE);
}

static void change(struct rv_ctx *cx, const char *run_id, const char *what)
{
    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_script(cx, rv_printf(cx, "UPDATE %s WHERE run_id = '%s'", what, run_id)));
    rv_db_close(cx);
}

static void what_another_scheduler_has_changed_meanwhile_is_read_again(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = create(cx, CHAIN).run_id;
    struct task_claimed a = claim(cx, run_id, 0), b;

    change(cx, run_id, "tasks SET fence = fence + (task_no = 0)::int");
    change(cx, run_id, "runs SET version = version + 1");
    assert_int_equal(report(cx, &a, OUTCOME_COMPLETED, true).verdict, REPORT_STALE);
    a.fence++;
    b = *report(cx, &a, OUTCOME_COMPLETED, true).next;
    assert_int_equal(b.task_no, 1);
    change(cx, run_id, "runs SET version = version + 1, tokens_in = 77");
    assert_int_equal(report(cx, &b, OUTCOME_COMPLETED, false).verdict, REPORT_RECORDED);
    assert_int_equal(number(cx, rv_printf(cx,
                                          "SELECT tokens_in AS task_no FROM runs "
                                          "WHERE run_id = '%s'",
                                          run_id)),
                     77);
}

/* Nobody is told no from what is at hand: another scheduler may have seen to it that it is a yes.
 */
static void a_no_is_said_from_what_is_kept_and_not_from_what_is_at_hand(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = create(cx, CHAIN).run_id;
    struct task_claimed a = claim(cx, run_id, 0), b;

    change(cx, run_id, "tasks SET fence = fence + (task_no = 0)::int");
    change(cx, run_id, "runs SET version = version + 1");
    a.fence++;
    b = *report(cx, &a, OUTCOME_COMPLETED, true).next;
    assert_int_equal(b.task_no, 1);
    change(cx, run_id, "tasks SET state = CASE task_no WHEN 1 THEN 'ready' ELSE state END");
    change(cx, run_id, "runs SET version = version + 1, tasks_live = 0");
    b = claim(cx, run_id, 1);
    assert_int_equal(b.verdict, CLAIM_GRANTED);
    assert_int_equal(b.fence, 2);
}

/* One of before, which raises no versions. */
static void what_an_older_scheduler_has_changed_meanwhile_is_read_again(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = create(cx, CHAIN).run_id;
    struct task_claimed a = claim(cx, run_id, 0);

    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_script(cx, rv_printf(cx,
                                             "INSERT INTO events (tenant_id, project_id, run_id, "
                                             "run_seq, type) SELECT tenant_id, project_id, run_id, "
                                             "run_seq + 1, 'task.started' FROM runs WHERE run_id = "
                                             "'%s'",
                                             run_id)));
    rv_db_close(cx);
    change(cx, run_id, "runs SET run_seq = run_seq + 1");
    assert_int_equal(report(cx, &a, OUTCOME_COMPLETED, true).verdict, REPORT_RECORDED);
}

static void a_lease_that_ran_out_frees_the_task_under_a_new_fence(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CHAIN);
    struct task_claimed lost = claim(cx, made.run_id, 0), again = { 0 };

    for (int i = 0; i < 60 && again.verdict != CLAIM_GRANTED; i++, rv_sleep_ms(50))
        again = claim(cx, made.run_id, 0);
    assert_int_equal(again.verdict, CLAIM_GRANTED);
    assert_true(again.fence > lost.fence + 1);
    assert_int_equal(again.attempt, 2);
    assert_int_equal(report(cx, &lost, OUTCOME_COMPLETED, true).verdict, REPORT_STALE);
    assert_int_equal(report(cx, &again, OUTCOME_COMPLETED, false).verdict, REPORT_RECORDED);
}

static void a_lease_is_renewed_by_its_holder_only(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CHAIN);
    struct task_claimed mine = claim(cx, made.run_id, 0);
    struct task_renew asks[2] = { { TENANT_DEFAULT, made.run_id, 0, mine.fence, "executor-1" },
                                  { TENANT_DEFAULT, made.run_id, 0, 9, "executor-2" } };
    struct task_renewed answers[2];

    for (int i = 0; i < 5; i++) {
        rv_sleep_ms(300);
        assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_TASK_RENEW, asks, 2, answers, 5000));
        assert_int_equal(answers[0].verdict, REPORT_RECORDED);
        assert_int_equal(answers[1].verdict, REPORT_STALE);
    }
    assert_int_equal(report(cx, &mine, OUTCOME_COMPLETED, false).verdict, REPORT_RECORDED);
}

static void a_failure_is_tried_again_and_then_fails_the_run(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, RETRIED);
    struct task_claimed first = claim(cx, made.run_id, 0), second = { 0 };
    struct run run;

    report(cx, &first, OUTCOME_FAILED, false);
    assert_int_equal(read_run(cx, made.run_id).state, RUN_RUNNING);
    for (int i = 0; i < 60 && second.verdict != CLAIM_GRANTED; i++, rv_sleep_ms(50))
        second = claim(cx, made.run_id, 0);
    assert_int_equal(second.attempt, 2);
    report(cx, &second, OUTCOME_FAILED, false);
    run = read_run(cx, made.run_id);
    assert_int_equal(run.state, RUN_FAILED);
    assert_non_null(strstr(run.error, "broken"));
}

static void policy_denies_and_the_refusal_is_kept(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, NEVER);
    struct run run = read_run(cx, made.run_id);

    assert_int_equal(made.verdict, ADMIT_DENIED);
    assert_string_equal(made.reason, "never here");
    assert_string_equal(made.rule, "no");
    assert_int_equal(run.state, RUN_FAILED);
    assert_int_equal(run.phase, PHASE_REJECTED);
    assert_int_equal(claim(cx, made.run_id, 0).verdict, CLAIM_GONE);
}

static void the_budget_refuses_and_says_what_is_left(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made =
        create_with(cx, &(struct run_ask){ .plan_id = CHAIN, .limit_microusd = 2000000 });

    assert_int_equal(made.verdict, ADMIT_OVER_BUDGET);
    assert_true(made.left_microusd > 0 && made.left_microusd <= 1000000);
    assert_string_equal(made.budget, "purse");
    assert_int_equal(read_run(cx, made.run_id).phase, PHASE_BUDGET_EXCEEDED);
}

static void decide(struct rv_ctx *cx, const char *approval_id, enum approval_event verb)
{
    struct approval_verb ask = { .tenant_id = TENANT_DEFAULT,
                                 .approval_id = approval_id,
                                 .verb = verb,
                                 .decided_by = "ann",
                                 .role = "org_admin" };
    struct approval answer;

    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_APPROVAL_DECIDE, &ask, &answer, 5000));
}

static void a_parked_run_waits_for_a_human_and_goes_on(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CAREFUL);
    struct task_claimed a = claim(cx, made.run_id, 0);

    assert_int_equal(made.verdict, ADMIT_PARKED);
    assert_int_equal(a.verdict, CLAIM_GONE);
    decide(cx, made.approval_id, APPROVAL_APPROVE);
    for (int i = 0; i < 60 && a.verdict != CLAIM_GRANTED; i++, rv_sleep_ms(50))
        a = claim(cx, made.run_id, 0);
    assert_int_equal(report(cx, &a, OUTCOME_COMPLETED, false).verdict, REPORT_RECORDED);
    assert_true(becomes(cx, made.run_id, RUN_COMPLETED));
}

static void a_refused_approval_fails_the_run(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CAREFUL);

    decide(cx, made.approval_id, APPROVAL_REJECT);
    assert_true(becomes(cx, made.run_id, RUN_FAILED));
    assert_int_equal(read_run(cx, made.run_id).phase, PHASE_REJECTED);
}

static struct run_controlled cancel(struct rv_ctx *cx, const char *run_id)
{
    struct run_control ask = { TENANT_DEFAULT, run_id, RUN_CANCEL, "enough", "ann" };
    struct run_controlled answer = { 0 };

    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_RUN_CONTROL, &ask, &answer, 5000));
    return answer;
}

static void a_cancelled_run_ends_when_nothing_of_it_is_live(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer idle = create(cx, CHAIN), busy = create(cx, CHAIN);
    struct task_claimed a = claim(cx, busy.run_id, 0);

    assert_int_equal(cancel(cx, idle.run_id).state, RUN_CANCELLED);
    assert_int_equal(cancel(cx, idle.run_id).verdict, CONTROL_ALREADY);
    assert_int_equal(cancel(cx, busy.run_id).phase, PHASE_CANCELLING);
    assert_int_equal(report(cx, &a, OUTCOME_CANCELLED, false).verdict, REPORT_RECORDED);
    assert_int_equal(read_run(cx, busy.run_id).state, RUN_CANCELLED);
    assert_int_equal(cancel(cx, rv_id_new(cx)).verdict, CONTROL_NOT_FOUND);
}

static void one_idempotency_key_makes_one_run(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_ask ask = { .plan_id = CHAIN, .idempotency_key = "k1", .request_hash = "h1" };
    struct run_answer first = create_with(cx, &ask), second = create_with(cx, &ask);

    assert_int_equal(first.verdict, ADMIT_CREATED);
    assert_int_equal(second.verdict, ADMIT_REPEATED);
    assert_string_equal(second.run_id, first.run_id);
    ask.request_hash = "h2";
    assert_int_equal(create_with(cx, &ask).verdict, ADMIT_CONFLICT);
}

static void twins_in_one_message_make_one_run(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_ask twins[3];
    struct run_answer answers[3];

    for (size_t i = 0; i < 3; i++)
        twins[i] = (struct run_ask){ .tenant_id = TENANT_DEFAULT,
                                     .project_id = PROJECT,
                                     .run_id = rv_id_new(cx),
                                     .plan_id = CHAIN,
                                     .idempotency_key = "twin",
                                     .request_hash = i < 2 ? "same" : "other" };
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_RUN_CREATE, twins, 3, answers, 5000));
    assert_int_equal(answers[0].verdict, ADMIT_CREATED);
    assert_int_equal(answers[1].verdict, ADMIT_REPEATED);
    assert_string_equal(answers[1].run_id, answers[0].run_id);
    assert_int_equal(answers[2].verdict, ADMIT_CONFLICT);
}

/* As by another scheduler: a copy of @run with what @differs is there before @ask is made. */
static struct run_answer be_quicker(struct rv_ctx *cx, const struct run_ask *ask, const char *run,
                                    const char *differs)
{
    const char *held =
        rv_printf(cx, "SELECT count(*) AS task_no FROM holds WHERE run_id = '%s'", ask->run_id);
    struct run_answer made = { 0 };
    struct rv_pending *pending;

    assert_true(stack_service_signal(policy, SIGSTOP));
    assert_ok(cx, rv_bus_begin(cx, bus, &SUBJ_RUN_CREATE, ask, 1, 5000, &pending));
    for (int i = 0; i < 200 && number(cx, held) == 0; i++)
        rv_sleep_ms(10);
    run_script(cx, rv_printf(cx,
                             "INSERT INTO runs SELECT (copy).* FROM (SELECT "
                             "jsonb_populate_record(r, '%s') AS copy FROM runs r "
                             "WHERE run_id = '%s') AS copies",
                             differs, run));
    assert_true(stack_service_signal(policy, SIGCONT));
    assert_ok(cx, rv_bus_await(cx, pending, &made));
    return made;
}

/* Not only when it expires, in a quarter of an hour. */
static void assert_given_back(struct rv_ctx *cx, const char *run_id)
{
    const char *held = rv_printf(
        cx, "SELECT count(*) AS task_no FROM holds WHERE run_id = '%s' AND state = 'held'", run_id);

    for (int i = 0; i < 100 && number(cx, held) > 0; i++)
        rv_sleep_ms(50);
    assert_int_equal(number(cx, held), 0);
}

static void who_is_quicker_with_a_key_or_an_id_has_made_the_run(void **state)
{
    struct rv_ctx *cx = *state;
    const char *first = create(cx, CHAIN).run_id, *theirs = rv_id_new(cx);
    struct run_ask ask = { .tenant_id = TENANT_DEFAULT,
                           .project_id = PROJECT,
                           .plan_id = CHAIN,
                           .run_id = rv_id_new(cx),
                           .idempotency_key = "quick" };
    struct run_answer made =
        be_quicker(cx, &ask, first,
                   rv_printf(cx, "{\"run_id\":\"%s\",\"idempotency_key\":\"quick\"}", theirs));

    assert_int_equal(made.verdict, ADMIT_REPEATED);
    assert_string_equal(made.run_id, theirs);
    assert_given_back(cx, ask.run_id);
    ask.idempotency_key = NULL;
    made = be_quicker(cx, &ask, first, rv_printf(cx, "{\"run_id\":\"%s\"}", ask.run_id));
    assert_int_equal(made.verdict, ADMIT_REPEATED);
    assert_string_equal(made.run_id, ask.run_id);
    assert_given_back(cx, ask.run_id);
}

static const char *complete(struct rv_ctx *cx, const char *plan_id)
{
    const char *run_id = create(cx, plan_id).run_id;
    struct task_claimed a = claim(cx, run_id, 0);

    assert_int_equal(report(cx, &a, OUTCOME_COMPLETED, false).verdict, REPORT_RECORDED);
    assert_int_equal(read_run(cx, run_id).state, RUN_COMPLETED);
    return run_id;
}

static void the_evaluator_is_told_of_runs_with_scorers_and_of_no_others(void **state)
{
    static const struct rv_consumer_row row = { &STREAM_SCORING, "test", "reeve.scoring.>", 10000,
                                                10 };
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer;
    struct rv_delivery *items;
    struct event event = { 0 };
    const char *run_id;
    size_t n;

    complete(cx, RETRIED);
    run_id = complete(cx, SCORED);
    complete(cx, RETRIED);
    assert_ok(cx, rv_consumer_open(cx, bus, &row, &consumer));
    assert_ok(cx, rv_consumer_take(cx, consumer, 5, 5000, &items, &n));
    assert_int_equal(n, 1);
    assert_string_equal(items[0].subject, rv_printf(cx, "reeve.scoring." PROJECT ".%s", run_id));
    assert_ok(cx, rv_pb_read(cx, &SUBJ_SCORING.in, items[0].bytes, items[0].len, &event));
    assert_string_equal(event.run_id, run_id);
    assert_string_equal(event.type, "run.completed");
    assert_ok(cx, rv_consumer_take(cx, consumer, 5, 300, &items, &n));
    assert_int_equal(n, 0);
    rv_consumer_close(consumer);
}

static void a_call_is_recorded_once_and_read_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CHAIN);
    struct task_claimed a = claim(cx, made.run_id, 0);
    struct task_call call = { .tenant_id = TENANT_DEFAULT,
                              .run_id = made.run_id,
                              .task_no = 0,
                              .fence = a.fence,
                              .call_no = 1,
                              .kind = CALL_LLM,
                              .name = "m",
                              .frame = { (const uint8_t *)"frame", 5 },
                              .ok = true,
                              .tokens_in = 10,
                              .tokens_out = 5,
                              .cost_microusd = 3,
                              .decision_id = made.decision_id,
                              .hold_id = a.hold_id,
                              .started_at_ms = rv_now_ms(),
                              .took_ms = 12 };
    struct journal_ask ask = { .tenant_id = TENANT_DEFAULT, .run_id = made.run_id };
    struct task_recorded answer;
    struct journal journal;

    for (int twice = 0; twice < 2; twice++) {
        assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_TASK_RECORD, &call, 1, &answer, 5000));
        assert_int_equal(answer.verdict, REPORT_RECORDED);
    }
    call.fence = 99;
    call.call_no = 2;
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_TASK_RECORD, &call, 1, &answer, 5000));
    assert_int_equal(answer.verdict, REPORT_STALE);
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_JOURNAL_GET, &ask, &journal, 5000));
    assert_int_equal(journal.n_calls, 1);
    assert_memory_equal(journal.calls[0].frame.data, "frame", 5);
    ask.after_call_no = 1;
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_JOURNAL_GET, &ask, &journal, 5000));
    assert_int_equal(journal.n_calls, 0);
}

static void record_large_call(struct rv_ctx *cx, const struct task_claimed *task, int64_t call_no)
{
    static uint8_t frame[300 * 1024];
    struct task_call call = { .tenant_id = TENANT_DEFAULT,
                              .run_id = task->run_id,
                              .task_no = task->task_no,
                              .fence = task->fence,
                              .call_no = call_no,
                              .kind = CALL_TOOL,
                              .name = "t",
                              .frame = { frame, sizeof(frame) },
                              .ok = true,
                              .decision_id = rv_id_new(cx),
                              .hold_id = task->hold_id,
                              .started_at_ms = rv_now_ms() };
    struct task_recorded answer;

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_TASK_RECORD, &call, 1, &answer, 5000));
    assert_int_equal(answer.verdict, REPORT_RECORDED);
}

static void a_journal_too_large_for_one_message_is_read_in_pages(void **state)
{
    struct rv_ctx *cx = *state;
    struct run_answer made = create(cx, CHAIN);
    struct task_claimed a = claim(cx, made.run_id, 0);
    struct journal_ask ask = { .tenant_id = TENANT_DEFAULT, .run_id = made.run_id };
    int64_t seen = 0, pages = 0;
    struct journal journal;

    for (int64_t i = 1; i <= 5; i++)
        record_large_call(cx, &a, i);
    do {
        assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_JOURNAL_GET, &ask, &journal, 5000));
        for (size_t i = 0; i < journal.n_calls; i++)
            assert_int_equal(journal.calls[i].call_no, ++seen);
        ask.after_call_no = seen;
        pages++;
    } while (journal.n_calls);
    assert_int_equal(seen, 5);
    assert_int_equal(pages, 4); /* two, two, one, none */
}

static void events_are_numbered_without_gaps_and_relayed(void **state)
{
    struct rv_ctx *cx = *state;

    assert_int_equal(
        number(cx, "SELECT count(*) AS task_no FROM (SELECT run_id FROM events GROUP BY run_id "
                   "HAVING count(*) <> max(run_seq) OR min(run_seq) <> 1) AS gaps"),
        0);
    for (int i = 0;
         i < 40 && number(cx, "SELECT count(*) AS task_no FROM events e, relay_cursors c WHERE "
                              "(e.xid, e.seq) > (c.xid, c.seq)") > 0;
         i++)
        rv_sleep_ms(50);
    assert_int_equal(number(cx, "SELECT count(*) AS task_no FROM events e, relay_cursors c WHERE "
                                "(e.xid, e.seq) > (c.xid, c.seq)"),
                     0);
}

/* What gateways were told. */
static atomic_int told_messages, told_events;

static void on_told(void *arg, const struct rv_heard *heard)
{
    struct rv_ctx cx;
    void *items;
    size_t n;

    (void)arg;
    rv_ctx_init(&cx);
    if (rv_pb_read_many(&cx, &SUBJ_EVENT_RELAYED.in, heard->bytes, heard->len, &items, &n) ==
        RV_OK) {
        for (size_t i = 0; i < n; i++)
            told_events += strcmp(((struct event *)items)[i].type, "test.large") == 0;
        told_messages++;
    }
    rv_ctx_release(&cx);
}

static void gateways_are_told_in_pieces_of_what_no_message_can_carry(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = create(cx, CAREFUL).run_id; /* which waits for a human */

    assert_ok(cx, rv_bus_listen(cx, bus, SUBJ_EVENT_RELAYED.name, NULL, on_told, NULL));
    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_script(
                      cx, rv_printf(cx,
                                    "INSERT INTO events (tenant_id, project_id, run_id, run_seq, "
                                    "type, data) SELECT tenant_id, project_id, run_id, run_seq + "
                                    "n, 'test.large', json_build_object('x', repeat('y', 60000)) "
                                    "FROM runs, generate_series(1, 40) n WHERE run_id = '%s'",
                                    run_id)));
    rv_db_close(cx);
    for (int i = 0; i < 100 && told_events < 40; i++)
        rv_sleep_ms(50);
    assert_int_equal(told_events, 40);
    assert_true(told_messages >= 40 * 60000 / RV_BUS_PAYLOAD_MAX);
}

/* More than a page of the sweep: it goes on behind the last it saw. */
static void many_deadlines_at_once_are_all_kept(void **state)
{
    enum { EACH = 200, TIMES = 6 };
    struct rv_ctx *cx = *state;
    struct run_ask *asks = rv_new_array(cx, struct run_ask, EACH);
    struct run_answer *answers = rv_new_array(cx, struct run_answer, EACH);
    int64_t left = 0;

    for (int t = 0; t < TIMES; t++) {
        for (size_t i = 0; i < EACH; i++)
            asks[i] = (struct run_ask){ .tenant_id = TENANT_DEFAULT,
                                        .project_id = PROJECT,
                                        .run_id = rv_id_new(cx),
                                        .plan_id = DIAMOND,
                                        .created_by = "crowd" };
        assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_RUN_CREATE, asks, EACH, answers, 10000));
    }
    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_script(cx, "UPDATE runs SET deadline_at = now() - interval '1 s' "
                                   "WHERE created_by = 'crowd'"));
    rv_db_close(cx);
    for (int i = 0; i < 200; i++) {
        left = number(cx, "SELECT count(*) AS task_no FROM runs WHERE created_by = 'crowd' AND "
                          "ended_at IS NULL");
        if (left == 0)
            break;
        rv_sleep_ms(50);
    }
    assert_int_equal(left, 0);
    assert_int_equal(number(cx, "SELECT count(*) AS task_no FROM runs WHERE created_by = 'crowd'"),
                     EACH * TIMES);
}

static void garbage_is_refused_and_hurts_nobody(void **state)
{
    static const char *const garbage[] = { "\xff\xff\xff", "\x0a\x03zzz", "{\"json\":true}", "" };
    struct rv_ctx *cx = *state;

    for (size_t s = 0; contract_subjects[s]; s++)
        for (size_t g = 0; g < 4; g++)
            assert_ok(cx, rv_bus_publish(cx, bus, contract_subjects[s]->name, garbage[g],
                                         strlen(garbage[g])));
    assert_int_equal(create(cx, CHAIN).verdict, ADMIT_CREATED);
    assert_int_equal(create(cx, "not-a-plan").verdict, ADMIT_INVALID);
    assert_int_equal(create(cx, rv_id_new(cx)).verdict, ADMIT_INVALID);
    stack.failed = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_run_is_claimed_reported_and_completed_with_its_next_task_in_the_answer),
        RV_TEST(a_hold_that_is_forgotten_before_its_run_is_made_is_asked_for_again),
        RV_TEST(a_verdict_that_is_forgotten_before_its_run_is_made_is_asked_for_again),
        RV_TEST(who_offers_is_granted_what_becomes_ready),
        RV_TEST(nobody_is_granted_more_than_he_offers_to_take),
        RV_TEST(an_offer_that_nobody_needs_is_answered_with_nothing),
        RV_TEST(what_was_granted_to_one_who_is_gone_is_free_again_after_its_lease),
        RV_TEST(branches_run_side_by_side_and_join_once),
        RV_TEST(a_second_claim_and_a_stale_fence_change_nothing),
        RV_TEST(a_no_is_said_from_what_is_kept_and_not_from_what_is_at_hand),
        RV_TEST(what_an_older_scheduler_has_changed_meanwhile_is_read_again),
        RV_TEST(what_another_scheduler_has_changed_meanwhile_is_read_again),
        RV_TEST(a_lease_that_ran_out_frees_the_task_under_a_new_fence),
        RV_TEST(a_lease_is_renewed_by_its_holder_only),
        RV_TEST(a_failure_is_tried_again_and_then_fails_the_run),
        RV_TEST(policy_denies_and_the_refusal_is_kept),
        RV_TEST(the_budget_refuses_and_says_what_is_left),
        RV_TEST(a_parked_run_waits_for_a_human_and_goes_on),
        RV_TEST(a_refused_approval_fails_the_run),
        RV_TEST(a_cancelled_run_ends_when_nothing_of_it_is_live),
        RV_TEST(one_idempotency_key_makes_one_run),
        RV_TEST(twins_in_one_message_make_one_run),
        RV_TEST(who_is_quicker_with_a_key_or_an_id_has_made_the_run),
        RV_TEST(the_evaluator_is_told_of_runs_with_scorers_and_of_no_others),
        RV_TEST(a_call_is_recorded_once_and_read_back),
        RV_TEST(a_journal_too_large_for_one_message_is_read_in_pages),
        RV_TEST(events_are_numbered_without_gaps_and_relayed),
        RV_TEST(gateways_are_told_in_pieces_of_what_no_message_can_carry),
        RV_TEST(many_deadlines_at_once_are_all_kept),
        RV_TEST(garbage_is_refused_and_hurts_nobody),
    };

    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
