#include "support/rv_test.h"

#include <pthread.h>
#include <signal.h>

#include "base/id.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "domain/event.h"
#include "look.h"
#include "runtime/stream.h"
#include "support/stack.h"

enum { HEARD_MAX = 64 };

static struct stack stack;
static struct stack_service *evaluator;
static struct rv_bus *bus;
static struct rv_ctx bus_cx;

/* A scheduler that only listens: what events it was asked to add. */
static struct {
    pthread_mutex_t lock;
    struct rv_ctx cx;
    bool deaf;
    struct event_add adds[HEARD_MAX];
    size_t n;
} scheduler = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_event_add(void *arg, const struct rv_heard *heard)
{
    struct rv_ctx *cx = &scheduler.cx;
    struct rv_error busy = { .status = RV_BUSY };
    struct event_added added[HEARD_MAX] = { 0 };
    const uint8_t *bytes;
    void *items;
    size_t n, len;

    (void)arg;
    pthread_mutex_lock(&scheduler.lock);
    if (scheduler.deaf ||
        rv_pb_read_many(cx, &SUBJ_EVENT_ADD.in, heard->bytes, heard->len, &items, &n) != RV_OK ||
        scheduler.n + n > HEARD_MAX ||
        rv_pb_write_many(cx, &SUBJ_EVENT_ADD.out, added, n, &bytes, &len) != RV_OK) {
        rv_bus_answer_failure(bus, heard->reply, &busy);
    } else {
        memcpy(&scheduler.adds[scheduler.n], items, n * sizeof(scheduler.adds[0]));
        scheduler.n += n;
        rv_bus_answer(bus, heard->reply, bytes, len);
    }
    pthread_mutex_unlock(&scheduler.lock);
}

static void set_deaf(bool deaf)
{
    pthread_mutex_lock(&scheduler.lock);
    scheduler.deaf = deaf;
    pthread_mutex_unlock(&scheduler.lock);
}

/* How often the scheduler has heard of scores of @run_id; @keys counts the different ones. */
static size_t told(const char *run_id, size_t *keys)
{
    size_t n = 0;

    pthread_mutex_lock(&scheduler.lock);
    *keys = 0;
    for (size_t i = 0; i < scheduler.n; i++) {
        bool first = true;

        if (strcmp(scheduler.adds[i].run_id, run_id) != 0)
            continue;
        for (size_t k = 0; k < i; k++)
            first = first && strcmp(scheduler.adds[k].key, scheduler.adds[i].key) != 0;
        *keys += first;
        n++;
    }
    pthread_mutex_unlock(&scheduler.lock);
    return n;
}

static int start(void **state)
{
    struct rv_bus_options options = { .name = "test" };

    if (!stack_start(&stack, STACK_ALL) ||
        !(evaluator = stack_service_start(&stack, "evaluator", NULL)) ||
        !stack_service_wait_ready(evaluator))
        return -1;
    rv_ctx_init(&bus_cx);
    rv_ctx_init(&scheduler.cx);
    options.url = stack.nats_url;
    return rv_bus_open(&bus_cx, &options, &bus) == RV_OK &&
                   rv_stream_provide(&bus_cx, bus, &STREAM_SCORING) == RV_OK &&
                   rv_bus_listen(&bus_cx, bus, SUBJ_EVENT_ADD.name, "scheduler", on_event_add,
                                 NULL) == RV_OK
               ? 0
               : -1;
}

static int stop(void **state)
{
    rv_bus_close(bus);
    rv_ctx_release(&scheduler.cx);
    rv_ctx_release(&bus_cx);
    stack_stop(&stack);
    return 0;
}

struct finished {
    const char *tenant_id, *run_id, *plan_id, *project_id;
};

static struct finished finished_run(struct rv_ctx *cx, const char *scorers)
{
    struct finished run = { rv_id_new(cx), rv_id_new(cx), rv_id_new(cx), rv_id_new(cx) };

    run_sql(rv_printf(
        cx,
        "INSERT INTO plans (tenant_id, plan_id, project_id, spec) VALUES ('%s', '%s', '%s',"
        " '{\"name\": \"p\", \"scorers\": %s}')",
        run.tenant_id, run.plan_id, run.project_id, scorers));
    run_sql(rv_printf(
        cx,
        "INSERT INTO runs (tenant_id, run_id, project_id, plan_id, name, state, phase, priority,"
        " decision_id, hold_id, tasks_total, tasks_open, started_at, ended_at, input, output,"
        " cost_microusd) VALUES ('%s', '%s', '%s', '%s', 'r', 'completed', 'done', 'normal', '%s',"
        " '%s', 1, 0, now() - interval '2 seconds', now(), '{\"topic\": \"tea\"}',"
        " '{\"title\": \"On tea\", \"words\": 120, \"tags\": [\"a\", \"b\"]}', 700)",
        run.tenant_id, run.run_id, run.project_id, run.plan_id, rv_id_new(cx), rv_id_new(cx)));
    return run;
}

static void say(struct rv_ctx *cx, const struct finished *run, const char *data, const char *id)
{
    struct event event = { .seq = 1,
                           .tenant_id = run->tenant_id,
                           .project_id = run->project_id,
                           .run_id = run->run_id,
                           .run_seq = 9,
                           .type = "run.completed",
                           .data = data };
    struct rv_publish item = { .id = id };

    item.subject = rv_printf(cx, "reeve.scoring.%s.%s", run->project_id, run->run_id);
    assert_ok(cx,
              rv_pb_write(cx, &SUBJ_EVENT.in, &event, (const uint8_t **)&item.bytes, &item.len));
    assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, 5000));
}

static const char *data_of(struct rv_ctx *cx, const struct finished *run, int scorers)
{
    return rv_printf(cx, "{\"plan_id\": \"%s\", \"scorers\": %d, \"more\": [1]}", run->plan_id,
                     scorers);
}

static int64_t scores(struct rv_ctx *cx, const struct finished *run, const char *which)
{
    return number(rv_printf(cx,
                            "SELECT count(*) AS value FROM evaluations WHERE run_id = '%s' AND %s",
                            run->run_id, which));
}

static bool wait_told(const char *run_id, size_t want)
{
    size_t keys;

    for (int i = 0; i < 1500; i++, rv_sleep_ms(20)) /* what a dead one took comes again in 10 s */
        if (told(run_id, &keys) >= want)
            return true;
    return false;
}

static const char six[] =
    "[{\"name\": \"title\", \"kind\": \"contains\", \"path\": \"output.title\", \"value\": "
    "\"tea\"},"
    " {\"name\": \"topic\", \"kind\": \"equals\", \"path\": \"input.topic\", \"value\": "
    "\"coffee\"},"
    " {\"name\": \"form\", \"kind\": \"regex\", \"path\": \"output.title\", \"value\": \"^On "
    "[a-z]+$\", \"weight\": 2},"
    " {\"name\": \"long\", \"kind\": \"bounds\", \"path\": \"output.words\", \"min\": \"100\", "
    "\"max\": \"200\"},"
    " {\"name\": \"cheap\", \"kind\": \"bounds\", \"path\": \"run.cost_microusd\", \"max\": "
    "\"500\"},"
    " {\"name\": \"lost\", \"kind\": \"equals\", \"path\": \"output.nowhere\", \"value\": null}]";

static void scores_what_came_out_and_says_so(void **state)
{
    struct rv_ctx *cx = *state;
    struct finished run = finished_run(cx, six);
    size_t keys;

    say(cx, &run, data_of(cx, &run, 6), NULL);
    assert_true(wait_told(run.run_id, 6));
    assert_int_equal(scores(cx, &run, "true"), 6);
    assert_int_equal(
        scores(cx, &run, "passed AND score = 1 AND scorer IN ('title', 'form', 'long')"), 3);
    assert_int_equal(scores(cx, &run, "scorer = 'form' AND weight = 2"), 1);
    assert_int_equal(scores(cx, &run,
                            "scorer = 'topic' AND score = 0 AND weight = 1"
                            " AND reason = '\"tea\" does not equal \"coffee\"'"),
                     1);
    assert_int_equal(scores(cx, &run, "scorer = 'cheap' AND reason = '700 is above 500'"), 1);
    assert_int_equal(
        scores(cx, &run,
               "scorer = 'lost' AND NOT passed AND reason = 'there is nothing at output.nowhere'"),
        1);
    assert_int_equal(told(run.run_id, &keys), 6);
    assert_int_equal(keys, 6);
    assert_string_equal(scheduler.adds[0].type, "evaluation.completed");
    assert_non_null(strstr(scheduler.adds[0].data, "\"score\":"));
}

static const char expressions[] =
    "[{\"name\": \"right\", \"kind\": \"expression\", \"expression\":"
    " \"output.title.contains(input.topic) && size(output.tags) == 2\"},"
    " {\"name\": \"dear\", \"kind\": \"expression\", \"weight\": 2, \"expression\":"
    " \"1.0 - double(run.cost_microusd) / 1000.0\"},"
    " {\"name\": \"much\", \"kind\": \"expression\", \"expression\": \"output.words\"},"
    " {\"name\": \"lost\", \"kind\": \"expression\", \"expression\": \"output.nowhere > 1\"},"
    " {\"name\": \"bent\", \"kind\": \"expression\", \"expression\": \"output >\"}]";

static void scores_by_expressions(void **state)
{
    struct rv_ctx *cx = *state;
    struct finished run = finished_run(cx, expressions);
    static const char *const wanted[] = {
        "scorer = 'right' AND score = 1 AND passed AND kind = 'expression' AND reason = 'holds'",
        "scorer = 'dear' AND abs(score - 0.3) < 1e-9 AND NOT passed AND weight = 2",
        "scorer = 'much' AND score = 0 AND NOT passed AND reason = 'gives 120, not from 0 to 1'",
        "scorer = 'lost' AND score = 0 AND reason = '1:8: no such key: \"nowhere\"'",
        "scorer = 'bent' AND score = 0 AND reason LIKE '1:9: %'",
    };

    say(cx, &run, data_of(cx, &run, 5), NULL);
    assert_true(wait_told(run.run_id, 5));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (scores(cx, &run, wanted[i]) != 1)
            fail_msg("not so: %s", wanted[i]);
}

static void heard_twice_is_scored_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct finished run =
        finished_run(cx, "[{\"name\": \"a\", \"kind\": \"regex\", \"value\": \"tea\"}]");
    size_t keys;

    say(cx, &run, data_of(cx, &run, 1), NULL);
    assert_true(wait_told(run.run_id, 1));
    say(cx, &run, data_of(cx, &run, 1), NULL);
    assert_true(wait_told(run.run_id, 2));
    told(run.run_id, &keys);
    assert_int_equal(keys, 1); /* the same key: the scheduler adds it once */
    assert_int_equal(scores(cx, &run, "passed"), 1);
}

static void a_score_is_told_when_the_scheduler_is_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct finished run =
        finished_run(cx, "[{\"name\": \"a\", \"kind\": \"contains\", \"value\": \"tea\"}]");

    set_deaf(true);
    say(cx, &run, data_of(cx, &run, 1), NULL);
    for (int i = 0; i < 250 && !scores(cx, &run, "true"); i++)
        rv_sleep_ms(20);
    assert_int_equal(scores(cx, &run, "true"), 1);
    set_deaf(false);
    assert_true(wait_told(run.run_id, 1));
}

/* What cannot be scored is passed over; what comes after it is not. */
static void garbage_stops_nobody(void **state)
{
    struct rv_ctx *cx = *state;
    struct finished bent = finished_run(cx, "[{\"name\": \"a\", \"kind\": \"guess\"}]");
    struct finished none = finished_run(cx, "[]"), missing = finished_run(cx, "[]");
    struct finished good = finished_run(cx, "[{\"name\": \"a\", \"kind\": \"bounds\", \"path\": "
                                            "\"run.duration_ms\", \"min\": \"1500\"}]");
    struct rv_publish raw = { .subject = "reeve.scoring.p.r", .bytes = "\xff\xff", .len = 2 };

    missing.run_id = rv_id_new(cx);
    assert_ok(cx, rv_stream_publish(cx, bus, &raw, 1, 5000));
    say(cx, &bent, data_of(cx, &bent, 1), NULL);
    say(cx, &bent, "no JSON", NULL);
    say(cx, &bent, "{\"scorers\": \"many\"}", NULL);
    say(cx, &none, data_of(cx, &none, 0), NULL);
    say(cx, &missing, data_of(cx, &missing, 3), NULL);
    say(cx, &good, data_of(cx, &good, 1), NULL);
    assert_true(wait_told(good.run_id, 1));
    assert_int_equal(scores(cx, &good, "passed"), 1);
    assert_int_equal(scores(cx, &bent, "true"), 0);
    assert_true(stack_service_wait_ready(evaluator));
}

static void hears_what_was_said_while_it_was_dead(void **state)
{
    struct rv_ctx *cx = *state;
    struct finished run =
        finished_run(cx, "[{\"name\": \"a\", \"kind\": \"contains\", \"value\": \"tea\"}]");

    assert_true(stack_service_signal(evaluator, SIGKILL));
    say(cx, &run, data_of(cx, &run, 1), NULL);
    assert_true(stack_service_restart(&stack, evaluator));
    assert_true(wait_told(run.run_id, 1));
    assert_int_equal(scores(cx, &run, "passed"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(scores_what_came_out_and_says_so),
        RV_TEST(heard_twice_is_scored_once),
        RV_TEST(scores_by_expressions),
        RV_TEST(a_score_is_told_when_the_scheduler_is_back),
        RV_TEST(garbage_stops_nobody),
        RV_TEST(hears_what_was_said_while_it_was_dead),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
