#include "runtime/record_pb_plan.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PLAN_SLOTS = 1024 }; /* a power of two, several times our messages */

static struct rv_pb_plan *_Atomic plans[PLAN_SLOTS];

static bool kinds_agree(const struct rv_field *field, const ProtobufCFieldDescriptor *twin)
{
    static const ProtobufCType types[] = {
        [RV_KIND_TEXT] = PROTOBUF_C_TYPE_STRING,  [RV_KIND_UUID] = PROTOBUF_C_TYPE_STRING,
        [RV_KIND_JSON] = PROTOBUF_C_TYPE_STRING,  [RV_KIND_BYTES] = PROTOBUF_C_TYPE_BYTES,
        [RV_KIND_INT] = PROTOBUF_C_TYPE_INT64,    [RV_KIND_DOUBLE] = PROTOBUF_C_TYPE_DOUBLE,
        [RV_KIND_BOOL] = PROTOBUF_C_TYPE_BOOL,    [RV_KIND_ENUM] = PROTOBUF_C_TYPE_ENUM,
        [RV_KIND_TEXTS] = PROTOBUF_C_TYPE_STRING, [RV_KIND_RECORD] = PROTOBUF_C_TYPE_MESSAGE,
        [RV_KIND_LIST] = PROTOBUF_C_TYPE_MESSAGE,
    };
    bool many = field->kind == RV_KIND_LIST || field->kind == RV_KIND_TEXTS;

    return twin->type == types[field->kind] && !(twin->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
           (twin->label == PROTOBUF_C_LABEL_REPEATED) == many;
}

/* BUDGET_VERDICT_OVER_LIMIT = 2 agrees with { 2, "over_limit" }. */
static bool words_agree(const struct rv_enum *values, const ProtobufCEnumDescriptor *twin)
{
    if (twin->n_values != values->count + 1) /* and the 0 that says: not set */
        return false;
    for (size_t i = 0; i < values->count; i++) {
        const char *word = values->rows[i].word;
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(twin, values->rows[i].value);
        size_t skip = value ? strlen(value->name) - strlen(word) : 0;

        if (!value || strlen(value->name) <= strlen(word) || strcasecmp(value->name + skip, word))
            return false;
    }
    return true;
}

static bool make_pair(const struct rv_pb_plan *plan, const struct rv_field *field,
                      struct rv_pb_pair *pair, char *gap)
{
    const ProtobufCFieldDescriptor *twin =
        protobuf_c_message_descriptor_get_field_by_name(plan->wire, field->name);

    if (!twin || !kinds_agree(field, twin) ||
        (field->kind == RV_KIND_ENUM && !words_agree(field->values, twin->descriptor))) {
        snprintf(gap, RV_PB_GAP_SIZE, "%s.%s", plan->record->name, field->name);
        return false;
    }
    *pair = (struct rv_pb_pair){ field, twin->offset, twin->quantifier_offset, NULL };
    if (!field->element)
        return true;
    pair->element = rv_pb_plan(field->element, twin->descriptor, gap);
    return pair->element;
}

static bool make_pairs(struct rv_pb_plan *plan, char *gap)
{
    const struct rv_record *record = plan->record;

    for (size_t i = 0; i < record->field_count; i++)
        if (!make_pair(plan, &record->fields[i], &plan->pairs[i], gap))
            return false;
    for (unsigned i = 0; i < plan->wire->n_fields; i++)
        if (!rv_record_field(record, plan->wire->fields[i].name)) {
            snprintf(gap, RV_PB_GAP_SIZE, "%s.%s", plan->wire->short_name,
                     plan->wire->fields[i].name);
            return false;
        }
    return true;
}

static struct rv_pb_plan *make_plan(const struct rv_record *record,
                                    const ProtobufCMessageDescriptor *wire, char *gap)
{
    struct rv_pb_plan *plan =
        calloc(1, sizeof(*plan) + record->field_count * sizeof(plan->pairs[0]));

    if (!plan)
        abort();
    plan->record = record;
    plan->wire = wire;
    plan->n = record->field_count;
    if (make_pairs(plan, gap))
        return plan;
    free(plan);
    return NULL;
}

static bool is_plan(const struct rv_pb_plan *plan, const struct rv_record *record,
                    const ProtobufCMessageDescriptor *wire)
{
    return plan && plan->record == record && plan->wire == wire;
}

const struct rv_pb_plan *rv_pb_plan(const struct rv_record *record,
                                    const ProtobufCMessageDescriptor *wire, char *gap)
{
    size_t at = ((uintptr_t)record / 16 * 31 + (uintptr_t)wire / 16) % PLAN_SLOTS;
    struct rv_pb_plan *plan, *there;

    while ((there = atomic_load_explicit(&plans[at], memory_order_acquire))) {
        if (is_plan(there, record, wire))
            return there;
        at = (at + 1) % PLAN_SLOTS;
    }
    plan = make_plan(record, wire, gap);
    for (size_t tries = 0; plan; at = (at + 1) % PLAN_SLOTS) {
        there = NULL;
        if (atomic_compare_exchange_strong(&plans[at], &there, plan))
            return plan;
        if (is_plan(there, record, wire)) { /* somebody was faster */
            free(plan);
            return there;
        }
        if (++tries == PLAN_SLOTS) /* more messages than anybody says: make the table larger */
            abort();
    }
    return NULL;
}

bool rv_pb_agrees(const struct rv_message *message, char *gap, size_t gap_size)
{
    char text[RV_PB_GAP_SIZE] = "";

    if (rv_pb_plan(message->record, message->wire, text))
        return true;
    snprintf(gap, gap_size, "%s", text);
    return false;
}
