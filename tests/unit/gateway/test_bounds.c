/* What is bounded: letters, frames, pages, and the keys that somebody may try. */

#include "support/rv_test.h"

#include <stdlib.h>

#include "domain/event.h"
#include "gateway/gateway.h"
#include "gateway/mailbox.h"
#include "gateway/strikes.h"
#include "gateway/topic.h"

#define RUN "01900000-0000-7000-8000-000000000001"

enum { MIB = 1024 * 1024 };

static char *letters(struct rv_ctx *cx, size_t n)
{
    char *text = rv_new_array(cx, char, n + 1);

    memset(text, 'x', n);
    return text;
}

static void a_mailbox_holds_so_many_bytes(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_heard heard = { .subject = "reeve.ev.p." RUN ".run.created", .len = MIB };
    struct letter *got, *next;
    struct mailbox box;
    size_t n = 0;
    bool lost;

    mailbox_init(&box);
    heard.bytes = (const uint8_t *)letters(cx, MIB);
    for (size_t i = 0; i < 2 * MAILBOX_BYTES / MIB; i++)
        mailbox_put(&box, &heard, false);
    assert_true(mailbox_take(&box, 0, &got, &lost));
    assert_true(lost);
    for (; got; got = next, n++) {
        next = got->next;
        free(got);
    }
    assert_in_range(n, MAILBOX_BYTES / MIB - 2, MAILBOX_BYTES / MIB);
    mailbox_put(&box, &heard, false);
    mailbox_stop(&box);
    mailbox_put(&box, &heard, false); /* as the bus may, until it is closed */
    mailbox_release(&box);
    mailbox_put(&box, &heard, false);
}

static void a_topic_pushes_out_what_is_too_much(void **state)
{
    struct rv_ctx *cx = *state;
    struct topic *topic = topic_new(RUN, RUN, 64);
    struct live_delta delta = { .tenant_id = RUN, .run_id = RUN, .kind = "text" };

    delta.delta = letters(cx, 4 * MIB);
    for (int i = 0; i < 10; i++) {
        struct frame *frame = frame_of_delta(cx, &delta);

        topic_add(topic, frame);
        frame_drop(frame);
    }
    assert_null(topic_at(topic, 2));
    assert_non_null(topic_at(topic, 4));
    assert_non_null(topic_at(topic, 9));
    delta.delta = letters(cx, TOPIC_BYTES);
    for (int i = 0; i < 2; i++) { /* one that is too large alone is there alone */
        struct frame *frame = frame_of_delta(cx, &delta);

        topic_add(topic, frame);
        frame_drop(frame);
        assert_non_null(topic_at(topic, (uint64_t)(10 + i)));
        assert_null(topic_at(topic, (uint64_t)(9 + i)));
    }
    topic_free(topic);
}

static void a_page_holds_one_row_at_least(void **state)
{
    struct rv_ctx *cx = *state;
    struct event events[8];
    struct rv_rows rows = { events, 8 };

    for (size_t i = 0; i < 8; i++)
        events[i] = (struct event){ .run_id = RUN, .data = letters(cx, PAGE_BYTES / 4) };
    assert_int_equal(page_fits(&event_record, &rows, 8), 4);
    assert_int_equal(page_fits(&event_record, &rows, 3), 3);
    events[0].data = letters(cx, 2 * PAGE_BYTES);
    assert_int_equal(page_fits(&event_record, &rows, 8), 1);
    rows.n = 0;
    assert_int_equal(page_fits(&event_record, &rows, 8), 0);
}

static void an_address_has_so_many_bad_keys(void **state)
{
    struct strikes *strikes = strikes_new();

    for (int i = 0; i < STRIKES_MAX; i++)
        strikes_add(strikes, "192.0.2.7");
    assert_int_equal(strikes_back_ms(strikes, "192.0.2.7"), 0);
    strikes_add(strikes, "192.0.2.7");
    assert_in_range(strikes_back_ms(strikes, "192.0.2.7"), 1, STRIKES_MS);
    assert_int_equal(strikes_back_ms(strikes, "192.0.2.8"), 0);
    for (int i = 0; i <= STRIKES_MAX; i++)
        strikes_add(strikes, "2001:db8::1");
    assert_true(strikes_back_ms(strikes, "2001:db8::2") > 0); /* the same house */
    assert_int_equal(strikes_back_ms(strikes, "2001:db8:0:1::1"), 0);
    strikes_free(strikes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_mailbox_holds_so_many_bytes),
        RV_TEST(a_topic_pushes_out_what_is_too_much),
        RV_TEST(a_page_holds_one_row_at_least),
        RV_TEST(an_address_has_so_many_bad_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
