#include "domain/dead_letter.h"

/* clang-format off */
static const struct rv_field dead_letter_fields[] = {
    RV_UUID(dead_letter,  dead_letter_id, 0),
    RV_TEXT(dead_letter,  service, 0),
    RV_TEXT(dead_letter,  subject, 0),
    RV_TEXT(dead_letter,  reason, 0),
    RV_BYTES(dead_letter, payload, 0),
    RV_INT(dead_letter,   deliveries, 0),
    RV_INT(dead_letter,   created_at_ms, 0),
    RV_INT(dead_letter,   requeued_at_ms, 0),
};
RV_RECORD(dead_letter, dead_letter_fields);

static const struct rv_field dead_letter_view_fields[] = {
    RV_UUID(dead_letter, dead_letter_id, 0),
    RV_TEXT(dead_letter, service, 0),
    RV_TEXT(dead_letter, subject, 0),
    RV_TEXT(dead_letter, reason, 0),
    RV_INT(dead_letter,  deliveries, 0),
    RV_INT(dead_letter,  created_at_ms, 0),
    RV_INT(dead_letter,  requeued_at_ms, RV_UNSET),
};
const struct rv_record dead_letter_view_record = {
    "dead_letter_view", sizeof(struct dead_letter), dead_letter_view_fields,
    sizeof(dead_letter_view_fields) / sizeof(dead_letter_view_fields[0])
};

static const struct rv_field dead_letter_ref_fields[] = {
    RV_UUID(dead_letter_ref, dead_letter_id, RV_REQUIRED),
};
RV_RECORD(dead_letter_ref, dead_letter_ref_fields);
/* clang-format on */
