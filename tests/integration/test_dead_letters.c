/* What nobody can read is parked and does not stop what others say: real evaluator and scheduler,
 * and garbage on the stream of events. */

#include "base/id.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "domain/dead_letter.h"
#include "domain/event.h"
#include "domain/identity.h"
#include "runtime/bus.h"
#include "runtime/db.h"
#include "store/sql.h"
#include "support/rv_test.h"
#include "support/stack.h"

#define PROJECT "01990000-0000-7000-8000-0000000000aa"
#define PLAN    "01990000-0000-8000-8000-0000000000c1"
#define RUN     "01990000-0000-7000-8000-0000000000b1"

enum { ASK_MS = 5000, WAIT_MS = 10000 };

static const char furniture[] =
    "INSERT INTO projects (tenant_id, project_id, name) VALUES ('" TENANT_DEFAULT "','" PROJECT
    "','p');"
    "INSERT INTO plans (tenant_id, plan_id, project_id, spec) VALUES"
    "('" TENANT_DEFAULT "','" PLAN "','" PROJECT "','{\"name\":\"w\",\"project\":\"p\",\"nodes\":["
    "{\"node_id\":\"a\",\"kind\":\"noop\"}],"
    "\"scorers\":[{\"name\":\"said\",\"kind\":\"contains\",\"value\":\"yes\"}]}');"
    "INSERT INTO runs (tenant_id, run_id, project_id, plan_id, name, state, phase, priority, "
    "decision_id,"
    " hold_id, tasks_total, tasks_open, ended_at, output) VALUES ('" TENANT_DEFAULT "','" RUN
    "','" PROJECT "','" PLAN
    "','w','completed','completed','normal', gen_random_uuid(), gen_random_uuid(), 1, 0, now(),"
    " '\"yes\"');";

static struct stack stack;
static struct rv_bus *bus;
static struct rv_db_options db;

/* -- verbs ------------------------------------------------------------------------------------- */

static void say(struct rv_ctx *cx, const char *subject, const void *bytes, size_t len)
{
    struct rv_publish item = { .subject = subject, .bytes = bytes, .len = len };

    assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, ASK_MS));
}

static struct rv_rows letters(struct rv_ctx *cx, const char *subject)
{
    static const struct rv_sql sql = { "test_letters",
                                       "SELECT dead_letter_id, service, subject, reason, payload, "
                                       "deliveries, ms(requeued_at) AS requeued_at_ms "
                                       "FROM dead_letters WHERE subject = $1",
                                       { { "subject", false } },
                                       1,
                                       0 };
    struct dead_letter key = { .subject = subject };
    struct rv_rows rows;

    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_rows(cx, &sql, rv_in(dead_letter, &key), &dead_letter_record, &rows));
    rv_db_rollback(cx);
    rv_db_close(cx);
    return rows;
}

/* The one letter of @subject, once it has been delivered @times. */
static struct dead_letter parked(struct rv_ctx *cx, const char *subject, int64_t times)
{
    int64_t deadline_ms = rv_monotonic_ms() + WAIT_MS;
    struct rv_rows rows = { 0 };

    while (rv_monotonic_ms() < deadline_ms) {
        rows = letters(cx, subject);
        if (rows.n > 0 && ((struct dead_letter *)rows.items)[0].deliveries >= times)
            break;
        rv_sleep_ms(50);
    }
    assert_int_equal(rows.n, 1);
    return *(struct dead_letter *)rows.items;
}

static bool is_empty(struct rv_ctx *cx, const char *table)
{
    struct rv_sql sql = { .name = "test_count" };
    struct event counted = { 0 };

    sql.text = rv_printf(cx, "SELECT count(*) AS seq FROM %s", table);
    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_one(cx, &sql, rv_nothing, rv_out(event, &counted)));
    rv_db_rollback(cx);
    rv_db_close(cx);
    return counted.seq == 0;
}

/* -- tests ------------------------------------------------------------------------------------- */

static void what_cannot_be_read_is_parked_once_with_its_bytes_and_its_reason(void **state)
{
    static const char garbage[] = "\xff\xff not an event \x00 at all";
    struct rv_ctx *cx = *state;
    struct dead_letter letter;

    say(cx, "reeve.scoring.x.y", garbage, sizeof(garbage));
    letter = parked(cx, "reeve.scoring.x.y", 1);
    assert_string_equal(letter.service, "evaluator");
    assert_int_equal(letter.deliveries, 1);
    assert_int_equal(letter.payload.len, sizeof(garbage));
    assert_memory_equal(letter.payload.data, garbage, sizeof(garbage));
    assert_true(letter.reason && letter.reason[0]);
    rv_sleep_ms(1500); /* longer than a redelivery after a refusal would take */
    assert_int_equal(parked(cx, "reeve.scoring.x.y", 1).deliveries, 1);
}

static void of_a_large_one_the_beginning_is_kept(void **state)
{
    struct rv_ctx *cx = *state;
    char *large = rv_arena_alloc(cx->arena, 100000);
    struct dead_letter letter;

    memset(large, 0xff, 100000);
    say(cx, "reeve.scoring.x.large", large, 100000);
    letter = parked(cx, "reeve.scoring.x.large", 1);
    assert_int_equal(letter.payload.len, DEAD_LETTER_BYTES_MAX);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_DEAD_LETTER_REQUEUE,
                                &(struct dead_letter_ref){ letter.dead_letter_id }, &letter,
                                ASK_MS),
                     RV_CONFLICT);
}

static void a_subject_that_is_no_text_is_parked_too(void **state)
{
    struct rv_ctx *cx = *state;

    say(cx, "reeve.scoring.x.\xc3\x28", "\xff", 1);
    parked(cx, "reeve.scoring.x.?(", 1);
}

static void the_evaluator_goes_on(void **state)
{
    struct event event = { .seq = 1,
                           .tenant_id = TENANT_DEFAULT,
                           .project_id = PROJECT,
                           .run_id = RUN,
                           .run_seq = 3,
                           .type = "run.completed",
                           .data = "{\"plan_id\":\"" PLAN "\",\"scorers\":1}" };
    struct rv_ctx *cx = *state;
    const uint8_t *bytes;
    size_t len;

    assert_ok(cx, rv_pb_write(cx, &SUBJ_EVENT.in, &event, &bytes, &len));
    say(cx, "reeve.scoring." PROJECT "." RUN, bytes, len);
    for (int i = 0; i < 200 && is_empty(cx, "evaluations"); i++)
        rv_sleep_ms(50);
    assert_false(is_empty(cx, "evaluations"));
}

static void what_is_put_back_is_heard_again(void **state)
{
    struct rv_ctx *cx = *state;
    struct dead_letter letter = parked(cx, "reeve.scoring.x.y", 1), back = { 0 };
    struct dead_letter_ref ref = { letter.dead_letter_id };

    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_DEAD_LETTER_REQUEUE, &ref, &back, ASK_MS));
    assert_string_equal(back.dead_letter_id, letter.dead_letter_id);
    assert_true(back.requeued_at_ms > 0);
    letter = parked(cx, "reeve.scoring.x.y", 2); /* it is no better than before */
    assert_int_equal(letter.requeued_at_ms, 0);
}

static void only_what_was_parked_on_a_stream_is_put_back(void **state)
{
    struct dead_letter odd = { .service = "x", .subject = "reeve.budget.hold", .deliveries = 1 };
    struct dead_letter_ref none = { "01990000-0000-7000-8000-00000000dead" }, bad = { "1' OR" },
                           ref;
    struct rv_ctx *cx = *state;
    struct dead_letter answer;

    assert_ok(cx, rv_bus_tell(cx, bus, &SUBJ_DEAD_LETTER, &odd, 1));
    ref.dead_letter_id = parked(cx, "reeve.budget.hold", 1).dead_letter_id;
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_DEAD_LETTER_REQUEUE, &ref, &answer, ASK_MS),
                     RV_CONFLICT);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_DEAD_LETTER_REQUEUE, &none, &answer, ASK_MS),
                     RV_NOT_FOUND);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_DEAD_LETTER_REQUEUE, &bad, &answer, ASK_MS),
                     RV_INVALID);
}

static void the_same_in_one_batch_is_one_letter(void **state)
{
    struct dead_letter one = { .service = "x",
                               .subject = "reeve.work.any.low",
                               .reason = "odd",
                               .payload = { (const uint8_t *)"z", 1 },
                               .deliveries = 1 };
    struct dead_letter all[] = { one, one, { .subject = "nobody heard it" }, one };
    struct rv_ctx *cx = *state;

    assert_ok(cx, rv_bus_tell(cx, bus, &SUBJ_DEAD_LETTER, all, 4));
    assert_int_equal(parked(cx, "reeve.work.any.low", 3).deliveries, 3);
    stack.failed = false;
}

static int open_suite(void **state)
{
    static const char *const names[] = { "scheduler", "evaluator" };
    struct stack_service *services[2];
    struct rv_ctx cx;
    bool fine;

    if (!stack_start(&stack, STACK_ALL))
        return -1;
    stack.failed = true; /* until all is well */
    rv_ctx_init(&cx);
    db = (struct rv_db_options){ .url = stack.postgres_url, .name = "test", RV_DB_DEFAULTS };
    if (rv_db_open(&cx, &db) != RV_OK || rv_db_script(&cx, furniture) != RV_OK) {
        fprintf(stderr, "%s\n", cx.error.text);
        return -1;
    }
    rv_db_close(&cx);
    for (size_t i = 0; i < 2; i++)
        services[i] = stack_service_start(&stack, names[i], NULL);
    for (size_t i = 0; i < 2; i++)
        if (!services[i] || !stack_service_wait_ready(services[i]))
            return -1;
    fine = rv_bus_open(&cx, &(struct rv_bus_options){ .url = stack.nats_url, .name = "test" },
                       &bus) == RV_OK;
    rv_ctx_release(&cx);
    return fine ? 0 : -1;
}

static int close_suite(void **state)
{
    rv_bus_close(bus);
    stack_stop(&stack);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(what_cannot_be_read_is_parked_once_with_its_bytes_and_its_reason),
        RV_TEST(of_a_large_one_the_beginning_is_kept),
        RV_TEST(a_subject_that_is_no_text_is_parked_too),
        RV_TEST(the_evaluator_goes_on),
        RV_TEST(what_is_put_back_is_heard_again),
        RV_TEST(only_what_was_parked_on_a_stream_is_put_back),
        RV_TEST(the_same_in_one_batch_is_one_letter),
    };

    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
