#include "executor/room.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/time.h"
#include "executor/job.h"
#include "support/rv_test.h"

static void gives_no_more_places_than_there_are(void **state)
{
    struct room *room = room_new(3);

    assert_int_equal(room_take(room, 2), 2);
    assert_int_equal(room_take(room, 2), 1);
    assert_int_equal(room_take(room, 1), 0);
    room_give(room, 2);
    assert_int_equal(room_taken(room), 1);
    assert_int_equal(room_take(room, 5), 2);
    room_free(room);
}

struct looker {
    struct room *room;
    size_t rank;
    atomic_int *order;
    int came;
    pthread_t thread;
};

static void *look(void *arg)
{
    struct looker *looker = arg;

    if (room_enter(looker->room, looker->rank)) {
        looker->came = atomic_fetch_add(looker->order, 1) + 1;
        rv_sleep_ms(20);
        room_leave(looker->room, looker->rank);
    }
    return NULL;
}

static void lets_the_most_urgent_look_first(void **state)
{
    struct room *room = room_new(1);
    atomic_int order = 0;
    struct looker lookers[3];

    assert_int_equal(room_take(room, 1), 1);
    for (size_t i = 0; i < 3; i++) {
        lookers[i] = (struct looker){ .room = room, .rank = 2 - i, .order = &order };
        pthread_create(&lookers[i].thread, NULL, look, &lookers[i]);
    }
    rv_sleep_ms(50);
    room_give(room, 1);
    for (size_t i = 0; i < 3; i++)
        pthread_join(lookers[i].thread, NULL);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(lookers[i].came, 3 - (int)i);
    room_free(room);
}

static void lets_nobody_in_when_closed(void **state)
{
    struct room *room = room_new(1);

    room_close(room);
    assert_false(room_enter(room, 0));
    room_free(room);
}

static void a_job_owns_its_texts_and_knows_its_lease(void **state)
{
    char run_id[] = "run";
    struct task_claimed claimed = {
        .tenant_id = "t", .run_id = run_id, .input = "{}", .lease_ms = 1000
    };
    struct job *job = job_new(&claimed, job_clock_ms());

    run_id[0] = 'x';
    assert_string_equal(job->claimed.run_id, "run");
    assert_null(job->claimed.outputs);
    assert_true(job_is_fresh(job));
    atomic_store(&job->renewed_ms, job_clock_ms() - 600);
    assert_false(job_is_fresh(job));
    assert_int_equal(job_stopped(job), JOB_GOES_ON);
    atomic_store(&job->renewed_ms, job_clock_ms() - 1000);
    assert_int_equal(job_stopped(job), JOB_LOST);
    atomic_store(&job->renewed_ms, job_clock_ms());
    assert_true(job_stop(job, JOB_CANCELLED));
    assert_false(job_stop(job, JOB_HANDED_BACK));
    assert_int_equal(job_stopped(job), JOB_CANCELLED);
    job_completes(job, "{\"a\":1}");
    job_fails(job, "why", true, "so");
    assert_null(job->output);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(gives_no_more_places_than_there_are),
        RV_TEST(lets_the_most_urgent_look_first),
        RV_TEST(lets_nobody_in_when_closed),
        RV_TEST(a_job_owns_its_texts_and_knows_its_lease),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
