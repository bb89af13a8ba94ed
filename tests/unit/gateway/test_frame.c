#include "support/rv_test.h"

#include "base/text.h"
#include "gateway/frame.h"
#include "gateway/topic.h"

#define RUN "01900000-0000-7000-8000-000000000001"

static struct event event = { .seq = 9,
                              .tenant_id = RUN,
                              .project_id = RUN,
                              .run_id = RUN,
                              .run_seq = 7,
                              .type = "run.completed",
                              .at_ms = 1 };

/* The text as a client gets it, in pieces of @piece bytes. */
static const char *all_of(struct rv_ctx *cx, const struct frame *frame, enum frame_for which,
                          size_t piece)
{
    size_t size = frame_size(frame, which), at = 0;
    char *text = rv_new_array(cx, char, size + 1);

    while (at < size)
        at += frame_copy(frame, which, at, text + at, piece < size - at ? piece : size - at);
    return text;
}

static void a_frame_is_rendered_once_and_has_two_ids(void **state)
{
    struct rv_ctx *cx = *state;
    struct frame *frame = frame_of_event(cx, &event);
    const char *run = all_of(cx, frame, FRAME_FOR_RUN, 1000);
    const char *tenant = all_of(cx, frame, FRAME_FOR_TENANT, 1000);

    assert_true(rv_text_starts(run, "id: 7\nevent: run.completed\ndata: {\"seq\":9,"));
    assert_true(rv_text_starts(tenant, "id: " RUN ".7\nevent: run.completed\n"));
    assert_string_equal(strstr(run, "event: "), strstr(tenant, "event: "));
    assert_true(frame->last);
    for (size_t piece = 1; piece < 50; piece++)
        assert_string_equal(all_of(cx, frame, FRAME_FOR_TENANT, piece), tenant);
    frame_drop(frame);
}

static void what_is_replayed_looks_like_what_is_live(void **state)
{
    struct rv_ctx *cx = *state;
    struct frame *frame = frame_of_event(cx, &event);
    auto_buf text = { 0 };

    assert_ok(cx, frame_write(cx, &event, FRAME_FOR_RUN, &text));
    assert_string_equal(text.data, all_of(cx, frame, FRAME_FOR_RUN, 1000));
    frame_drop(frame);
}

static void a_place_is_read_back(void **state)
{
    static const char *const wrong[] = { "",       "7",      RUN,       RUN ".",
                                         RUN ".x", RUN ".0", RUN ".-1", "x" RUN ".7" };
    char run_id[40];
    int64_t number;

    assert_true(frame_place(RUN ".7", run_id, &number));
    assert_string_equal(run_id, RUN);
    assert_int_equal(number, 7);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(frame_place(wrong[i], run_id, &number));
}

static void a_topic_keeps_the_newest(void **state)
{
    struct rv_ctx *cx = *state;
    struct topic *topic = topic_new(RUN, RUN, 4);

    for (int64_t i = 1; i <= 6; i++) {
        struct frame *frame;

        event.seq = i;
        frame = frame_of_event(cx, &event);
        topic_add(topic, frame);
        frame_drop(frame);
    }
    assert_null(topic_at(topic, 1));
    assert_int_equal(topic_at(topic, 2)->seq, 3);
    assert_int_equal(topic_at(topic, 5)->seq, 6);
    assert_null(topic_at(topic, 6));
    assert_true(topic_has(topic, 6));
    assert_false(topic_has(topic, 1));
    topic_free(topic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_frame_is_rendered_once_and_has_two_ids),
        RV_TEST(what_is_replayed_looks_like_what_is_live),
        RV_TEST(a_place_is_read_back),
        RV_TEST(a_topic_keeps_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
