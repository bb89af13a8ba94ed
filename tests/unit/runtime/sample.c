#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sample.pb-c.h"

RV_ENUM_DEFINE(color, COLORS)

/* clang-format off */
static const struct rv_field sample_part_fields[] = {
    RV_TEXT(sample_part,  name,   RV_REQUIRED),
    RV_INT(sample_part,   weight, 0),
    RV_TEXTS(sample_part, needs,  0),
};
RV_RECORD(sample_part, sample_part_fields);

static const struct rv_field sample_fields[] = {
    RV_TEXT(sample,   name,      RV_REQUIRED),
    RV_UUID(sample,   sample_id, 0),
    RV_JSON(sample,   input,     0),
    RV_BYTES(sample,  picture,   0),
    RV_INT(sample,    count,     0),
    RV_DOUBLE(sample, share,     0),
    RV_BOOL(sample,   paused,    0),
    RV_ENUM(sample,   color,     color, 0),
    RV_TEXTS(sample,  tags,      0),
    RV_SUB(sample,    main_part, sample_part, 0),
    RV_LIST(sample,   parts,     sample_part, 0),
    RV_TEXT(sample,   password,  RV_SECRET),
    RV_TEXT(sample,   owner,     RV_READONLY),
    RV_TEXT(sample,   note,      RV_UNSET),
};
RV_RECORD(sample, sample_fields);
/* clang-format on */

const struct rv_message SAMPLE = { &sample_record, &sample__sample__descriptor,
                                   &sample__sample_batch__descriptor };
const struct rv_message SAMPLE_SHORT = { &sample_record, &sample__sample_short__descriptor, NULL };

static const char *needs[] = { "wood", "nails" };
static const char *tags[] = { "a", "ü" };
static struct sample_part parts[] = { { "leg", 4, needs, 2 }, { "top", -7, NULL, 0 } };

const struct sample full_sample = {
    .name = "table \"round\"\n",
    .sample_id = "01890a5d-ac96-774b-bcce-b302099a8057",
    .input = "{\"b\":1,\"a\":[0.1,null]}",
    .picture = { (const uint8_t *)"\x00\xff\x10", 3 },
    .count = INT64_MIN,
    .share = 0.1,
    .paused = true,
    .color = COLOR_DARK_BLUE,
    .tags = tags,
    .n_tags = 2,
    .main_part = &parts[0],
    .parts = parts,
    .n_parts = 2,
    .password = "hush",
    .owner = "me",
    .note = "x",
};

static void assert_same_text(const char *a, const char *b)
{
    assert_true(!a == !b);
    if (a)
        assert_string_equal(a, b);
}

static void assert_same_texts(const char **a, size_t n_a, const char **b, size_t n_b)
{
    assert_int_equal(n_a, n_b);
    for (size_t i = 0; i < n_a; i++)
        assert_same_text(a[i], b[i]);
}

static void assert_same_part(const struct sample_part *a, const struct sample_part *b)
{
    assert_same_text(a->name, b->name);
    assert_int_equal(a->weight, b->weight);
    assert_same_texts(a->needs, a->n_needs, b->needs, b->n_needs);
}

void assert_same_sample(const struct sample *a, const struct sample *b)
{
    assert_same_text(a->name, b->name);
    assert_same_text(a->sample_id, b->sample_id);
    assert_same_text(a->input, b->input);
    assert_int_equal(a->picture.len, b->picture.len);
    if (a->picture.len)
        assert_memory_equal(a->picture.data, b->picture.data, a->picture.len);
    assert_int_equal(a->count, b->count);
    assert_true(a->share >= b->share && a->share <= b->share);
    assert_int_equal(a->paused, b->paused);
    assert_int_equal(a->color, b->color);
    assert_same_texts(a->tags, a->n_tags, b->tags, b->n_tags);
    assert_true(!a->main_part == !b->main_part);
    if (a->main_part)
        assert_same_part(a->main_part, b->main_part);
    assert_int_equal(a->n_parts, b->n_parts);
    for (size_t i = 0; i < a->n_parts; i++)
        assert_same_part(&a->parts[i], &b->parts[i]);
    assert_same_text(a->owner, b->owner);
    assert_same_text(a->note, b->note);
}
