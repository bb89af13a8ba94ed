#include "support/rv_test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "contract/subjects.h"
#include "domain/event.h"
#include "runtime/codec.h"

/* -- every message of every subject ------------------------------------------------------------ */

typedef void on_message(struct rv_ctx *cx, const struct rv_subject *subject,
                        const struct rv_message *message);

static void each_message(struct rv_ctx *cx, on_message *each)
{
    for (const struct rv_subject *const *at = contract_subjects; *at; at++) {
        each(cx, *at, &(*at)->in);
        if ((*at)->out.record)
            each(cx, *at, &(*at)->out);
    }
}

static void agrees(struct rv_ctx *cx, const struct rv_subject *subject,
                   const struct rv_message *message)
{
    char gap[200];

    if (!rv_pb_agrees(message, gap, sizeof(gap)))
        fail_msg("%s: %s: %s", subject->name, message->record->name, gap);
}

static void records_and_protos_say_the_same(void **state)
{
    each_message(*state, agrees);
}

static void a_subject_speaks_as_its_row_says(void **state)
{
    for (const struct rv_subject *const *at = contract_subjects; *at; at++) {
        const struct rv_subject *subject = *at;
        bool asks = subject->speech == RV_REQUEST || subject->speech == RV_BATCH;
        bool many = subject->speech == RV_BATCH || subject->speech == RV_NEWS;

        assert_non_null(subject->in.record);
        assert_int_equal(subject->out.record != NULL, asks);
        if (many && !subject->in.wire_batch)
            fail_msg("%s has no batch to say", subject->name);
        if (subject->speech == RV_BATCH && !subject->out.wire_batch)
            fail_msg("%s has no batch to answer with", subject->name);
    }
}

/* -- names ------------------------------------------------------------------------------------- */

static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!islower((unsigned char)text[i]) && !(i && text[i] == '_'))
            return false;
    return len > 0 && text[len - 1] != '_';
}

/* How many words with dots between them; 0 when it is something else. */
static size_t words_of(const char *name)
{
    size_t n = 0;

    for (;; name++) {
        size_t len = strcspn(name, ".");

        if (!is_word(name, len))
            return 0;
        n++;
        name += len;
        if (*name == '\0')
            return n;
    }
}

/* reeve.<service>.<verb> for whoever is asked or told; reeve.<stream> for what is only heard. */
static void subjects_have_well_formed_names_of_their_own(void **state)
{
    for (const struct rv_subject *const *at = contract_subjects; *at; at++) {
        if (!rv_text_starts((*at)->name, "reeve.") ||
            words_of((*at)->name) != ((*at)->speech == RV_EVENT ? 2 : 3))
            fail_msg("%s is not a name", (*at)->name);
        for (const struct rv_subject *const *other = contract_subjects; other < at; other++)
            assert_string_not_equal((*other)->name, (*at)->name);
    }
}

static void streams_hold_what_is_said_on_them(void **state)
{
    assert_string_equal(STREAM_WORK.subjects, rv_printf(*state, "%s.>", SUBJ_WORK.name));
    assert_string_equal(STREAM_EVENTS.subjects, rv_printf(*state, "%s.>", SUBJ_EVENT.name));
    assert_string_equal(STREAM_SCORING.subjects, rv_printf(*state, "%s.>", SUBJ_SCORING.name));
    assert_true(STREAM_WORK.work_queue);
    assert_false(STREAM_EVENTS.work_queue);
    assert_true(STREAM_WORK.max_bytes > 0 && STREAM_WORK.max_age_ms > 0);
    assert_true(STREAM_EVENTS.max_bytes > 0 && STREAM_EVENTS.max_age_ms > 0);
    assert_true(STREAM_SCORING.max_bytes > 0 && STREAM_SCORING.max_age_ms > 0);
}

/* -- the wire ---------------------------------------------------------------------------------- */

/* Fills a record with values of which no two are the same. */
static void fill(struct rv_ctx *cx, const struct rv_record *record, void *object, int *n);

static void fill_list(struct rv_ctx *cx, const struct rv_field *field, void *object, int *n)
{
    size_t size = field->element->size;
    char *items = rv_arena_array(cx->arena, size, 2);

    for (size_t i = 0; i < 2; i++)
        fill(cx, field->element, items + i * size, n);
    *(void **)rv_field_at(field, object) = items;
    if (field->kind == RV_KIND_LIST)
        *rv_field_count_at(field, object) = 2;
}

static void fill_field(struct rv_ctx *cx, const struct rv_field *field, void *object, int *n)
{
    void *at = rv_field_at(field, object);
    const char **texts;

    switch (field->kind) {
    case RV_KIND_TEXT:
        *(const char **)at = rv_printf(cx, "words \"%d\" ü", ++*n);
        break;
    case RV_KIND_UUID:
        *(const char **)at = rv_printf(cx, "00000000-0000-7000-8000-%012d", ++*n);
        break;
    case RV_KIND_JSON:
        *(const char **)at = rv_printf(cx, "{\"n\":%d}", ++*n);
        break;
    case RV_KIND_BYTES:
        *(struct rv_bytes *)at = (struct rv_bytes){ (const uint8_t *)rv_printf(cx, "%d", ++*n), 1 };
        break;
    case RV_KIND_INT:
        *(int64_t *)at = INT64_MIN + ++*n;
        break;
    case RV_KIND_DOUBLE:
        *(double *)at = ++*n / 8.0;
        break;
    case RV_KIND_BOOL:
        *(bool *)at = true;
        break;
    case RV_KIND_ENUM:
        *(int *)at = field->values->rows[++*n % (int)field->values->count].value;
        break;
    case RV_KIND_TEXTS:
        texts = rv_new_array(cx, const char *, 2);
        texts[0] = rv_printf(cx, "t%d", ++*n);
        texts[1] = "again";
        *(const char ***)at = texts;
        *rv_field_count_at(field, object) = 2;
        break;
    case RV_KIND_RECORD:
    case RV_KIND_LIST:
        fill_list(cx, field, object, n);
    }
}

static void fill(struct rv_ctx *cx, const struct rv_record *record, void *object, int *n)
{
    for (size_t i = 0; i < record->field_count; i++)
        fill_field(cx, &record->fields[i], object, n);
}

/* Msgpack knows every kind and nothing of protobuf: what it writes of two records is the same. */
static void assert_same(struct rv_ctx *cx, const struct rv_record *record, const void *a,
                        const void *b)
{
    struct rv_bytes said, heard;

    assert_ok(cx, rv_msgpack_write(cx, (struct rv_in){ record, a, 1 }, &said));
    assert_ok(cx, rv_msgpack_write(cx, (struct rv_in){ record, b, 1 }, &heard));
    assert_int_equal(said.len, heard.len);
    assert_memory_equal(said.data, heard.data, said.len);
}

static void *full(struct rv_ctx *cx, const struct rv_record *record)
{
    void *object = rv_arena_alloc(cx->arena, record->size);
    int n = 0;

    fill(cx, record, object, &n);
    return object;
}

static void survives(struct rv_ctx *cx, const struct rv_subject *subject,
                     const struct rv_message *message)
{
    const void *said = full(cx, message->record);
    void *heard = rv_arena_alloc(cx->arena, message->record->size);
    const uint8_t *bytes;
    size_t len;

    assert_ok(cx, rv_pb_write(cx, message, said, &bytes, &len));
    assert_ok(cx, rv_pb_read(cx, message, bytes, len, heard));
    assert_same(cx, message->record, said, heard);
}

static void every_message_survives_the_wire(void **state)
{
    each_message(*state, survives);
}

static void survives_in_a_batch(struct rv_ctx *cx, const struct rv_subject *subject,
                                const struct rv_message *message)
{
    size_t size = message->record->size, len, n;
    char *said = rv_arena_array(cx->arena, size, 3);
    const uint8_t *bytes;
    void *heard;
    int filled = 0;

    if (!message->wire_batch)
        return;
    fill(cx, message->record, said, &filled); /* and one of nothing, and one more */
    fill(cx, message->record, said + 2 * size, &filled);
    assert_ok(cx, rv_pb_write_many(cx, message, said, 3, &bytes, &len));
    assert_ok(cx, rv_pb_read_many(cx, message, bytes, len, &heard, &n));
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_same(cx, message->record, said + i * size, (char *)heard + i * size);
}

static void every_batch_survives_the_wire(void **state)
{
    each_message(*state, survives_in_a_batch);
}

/* -- noise ------------------------------------------------------------------------------------- */

static uint32_t chance = 1;

static uint8_t any_byte(void)
{
    chance ^= chance << 13, chance ^= chance >> 17, chance ^= chance << 5;
    return (uint8_t)chance;
}

/* Reads as the bus does; whatever comes, it is an answer and no crash. */
static bool is_refused(struct rv_ctx *cx, const struct rv_message *message, const uint8_t *bytes,
                       size_t len)
{
    void *heard = rv_arena_alloc(cx->arena, message->record->size);
    enum rv_status status = rv_pb_read(cx, message, bytes, len, heard);

    assert_true(status == RV_OK || status == RV_INVALID);
    return status == RV_INVALID;
}

static void refuses_noise(struct rv_ctx *cx, const struct rv_subject *subject,
                          const struct rv_message *message)
{
    int refused = 0;

    for (int i = 0; i < 200; i++) {
        size_t len = 1 + any_byte() % 100;
        uint8_t *noise = rv_new_array(cx, uint8_t, len);

        for (size_t k = 0; k < len; k++)
            noise[k] = any_byte();
        refused += is_refused(cx, message, noise, len);
    }
    if (refused < 100)
        fail_msg("%s: %s: only %d of 200 were refused", subject->name, message->record->name,
                 refused);
}

static void noise_is_refused(void **state)
{
    each_message(*state, refuses_noise);
}

/* A message of which one byte has changed is refused or reads as another one. */
static void bears_damage(struct rv_ctx *cx, const struct rv_subject *subject,
                         const struct rv_message *message)
{
    const uint8_t *bytes;
    uint8_t *damaged;
    size_t len;

    assert_ok(cx, rv_pb_write(cx, message, full(cx, message->record), &bytes, &len));
    damaged = rv_new_array(cx, uint8_t, len);
    for (size_t i = 0; i < len; i++) {
        memcpy(damaged, bytes, len);
        damaged[i] ^= (uint8_t)(1 + any_byte() % 255);
        is_refused(cx, message, damaged, len);
        is_refused(cx, message, bytes, i); /* and one that was cut */
    }
    assert_true(is_refused(cx, message, (const uint8_t *)"\xff", 1));
}

static void damage_is_borne(void **state)
{
    each_message(*state, bears_damage);
}

/* -- events ------------------------------------------------------------------------------------ */

static bool is_event_type(const char *text)
{
    for (const char *const *type = event_types; *type; type++)
        if (rv_text_same(*type, text))
            return true;
    return false;
}

static void event_types_are_a_noun_and_a_past_tense(void **state)
{
    for (const char *const *type = event_types; *type; type++) {
        if (words_of(*type) != 2)
            fail_msg("%s is not a type", *type);
        for (const char *const *other = event_types; other < type; other++)
            assert_string_not_equal(*other, *type);
    }
}

static char *source_of(struct rv_ctx *cx, const char *file)
{
    FILE *in = fopen(rv_printf(cx, DOMAIN_DIR "/%s", file), "r");
    auto_buf text = { 0 };
    char piece[4096];
    size_t n;

    assert_non_null(in);
    while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
        rv_buf_add(&text, piece, n);
    fclose(in);
    return rv_strndup(cx, text.data, text.len);
}

/* Every "noun.past" in the source that says what happens. */
static void progress_says_the_events_that_there_are_and_no_others(void **state)
{
    struct rv_ctx *cx = *state;
    char *source =
        rv_printf(cx, "%s%s", source_of(cx, "progress.c"), source_of(cx, "progress_report.c"));
    size_t said[64] = { 0 }, n = 0;

    for (const char *at = strchr(source, '"'); at; at = strchr(at, '"')) {
        const char *text = rv_strndup(cx, at + 1, strcspn(at + 1, "\""));

        at += strlen(text) + 2;
        if (words_of(text) != 2)
            continue;
        if (!is_event_type(text))
            fail_msg("progress says %s, which is not in event_types", text);
        for (size_t i = 0; event_types[i]; i++)
            said[i] += rv_text_same(event_types[i], text);
        n++;
    }
    assert_true(n >= 20);
    for (size_t i = 0; event_types[i]; i++)
        if (!said[i] && !rv_text_starts(event_types[i], "evaluation."))
            fail_msg("nothing says %s", event_types[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(records_and_protos_say_the_same),
        RV_TEST(a_subject_speaks_as_its_row_says),
        RV_TEST(subjects_have_well_formed_names_of_their_own),
        RV_TEST(streams_hold_what_is_said_on_them),
        RV_TEST(every_message_survives_the_wire),
        RV_TEST(every_batch_survives_the_wire),
        RV_TEST(noise_is_refused),
        RV_TEST(damage_is_borne),
        RV_TEST(event_types_are_a_noun_and_a_past_tense),
        RV_TEST(progress_says_the_events_that_there_are_and_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
