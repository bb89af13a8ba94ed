#include "support/rv_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"

enum { MANY = 100000, A_THREAD = 20000, N_THREADS = 4 };

static void a_hundred_thousand_ids_rise_strictly(void **state)
{
    char before[RV_ID_LEN + 1] = "", id[RV_ID_LEN + 1];

    for (int i = 0; i < MANY; i++) {
        rv_id_write(id);
        assert_true(strcmp(before, id) < 0);
        assert_true(rv_id_is(id));
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        memcpy(before, id, sizeof(id));
    }
}

static void an_id_says_when(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t now = rv_now_ms(), at = rv_id_time_ms(rv_id_new(cx));

    assert_in_range(at, now - 5000, now + 5000);
    assert_int_equal(rv_id_time_ms("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), 1645557742000);
    assert_int_equal(rv_id_time_ms("017f22e2-79b0-4cc3-98c4-dc0c0c07398f"), 0);
    assert_int_equal(rv_id_time_ms("nonsense"), 0);
    assert_true(rv_id_key("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == (int64_t)0x98c4dc0c0c07398fu);
}

static void *write_ids(void *arg)
{
    char(*ids)[RV_ID_LEN + 1] = arg;

    for (int i = 0; i < A_THREAD; i++)
        rv_id_write(ids[i]);
    return NULL;
}

static void threads_never_write_the_same_id(void **state)
{
    char(*ids)[RV_ID_LEN + 1] = calloc(N_THREADS * A_THREAD, sizeof(*ids));
    struct rv_hash *seen = rv_hash_new();
    pthread_t threads[N_THREADS];

    for (int i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, write_ids, ids + i * A_THREAD);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N_THREADS * A_THREAD; i++)
        assert_null(rv_hash_put(seen, ids[i], ids));
    rv_hash_free(seen, NULL);
    free(ids);
}

static void a_forked_child_writes_ids_of_its_own(void **state)
{
    char ours[RV_ID_LEN + 1], theirs[RV_ID_LEN + 1] = "";
    int pipe_fds[2];
    pid_t child;

    assert_int_equal(pipe(pipe_fds), 0);
    rv_id_write(ours);
    child = fork();
    rv_id_write(ours);
    if (child == 0)
        _exit(write(pipe_fds[1], ours, sizeof(ours)) == sizeof(ours) ? 0 : 1);
    assert_int_equal(read(pipe_fds[0], theirs, sizeof(theirs)), sizeof(theirs));
    waitpid(child, NULL, 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    assert_string_not_equal(ours + 19, theirs + 19);
}

static void knows_a_uuid_when_it_sees_one(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", true },
        { "00000000-0000-0000-0000-000000000000", true },
        { "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", true },
        { "", false },
        { "017f22e2", false },
        { "017f22e279b07cc398c4dc0c0c07398f", false },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398", false },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", false },
        { "017f22e2-79b0-7cc3-98c4_dc0c0c07398f", false },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(rv_id_is(rows[i].text), rows[i].is);
}

static void a_uuid_is_read_as_its_bytes(void **state)
{
    static const uint8_t bytes[16] = { 0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
                                       0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f };
    uint8_t got[16];

    assert_true(rv_id_bytes("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", got));
    assert_memory_equal(got, bytes, sizeof(bytes));
    assert_true(rv_id_bytes("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", got));
    assert_memory_equal(got, bytes, sizeof(bytes));
    for (int c = 1; c < 256; c++) {
        char text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

        text[35] = (char)c;
        assert_int_equal(rv_id_bytes(text, got), strchr("0123456789abcdefABCDEF", c) != NULL);
    }
}

static void a_trace_is_carried_on(void **state)
{
    struct rv_ctx *cx = *state;
    const char *trace = rv_trace_new(cx), *header = rv_traceparent(cx, trace);

    assert_int_equal(strlen(trace), 32);
    assert_int_equal(strlen(header), 55);
    assert_string_equal(rv_traceparent_parse(cx, header), trace);
    assert_string_not_equal(header, rv_traceparent(cx, trace));
}

static void a_bad_traceparent_is_none(void **state)
{
    static const char *const rows[] = {
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_null(rv_traceparent_parse(cx, rows[i]));
    assert_null(rv_traceparent_parse(cx, NULL));
    assert_non_null(rv_traceparent_parse(
        cx, "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_hundred_thousand_ids_rise_strictly),
        RV_TEST(an_id_says_when),
        RV_TEST(threads_never_write_the_same_id),
        RV_TEST(a_forked_child_writes_ids_of_its_own),
        RV_TEST(knows_a_uuid_when_it_sees_one),
        RV_TEST(a_uuid_is_read_as_its_bytes),
        RV_TEST(a_trace_is_carried_on),
        RV_TEST(a_bad_traceparent_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
