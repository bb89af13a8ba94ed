#pragma once

/* Between records and protobuf-c: for record_pb.c only. */

#include <protobuf-c/protobuf-c.h>

#include "runtime/codec.h"

/*
 * A plan says which field of a record goes where in which wire message. It is made once for each
 * pair and kept for the life of the process, in a table that is only ever added to: readers take no
 * lock.
 */
struct rv_pb_plan {
    const struct rv_record *record;
    const ProtobufCMessageDescriptor *wire;
    size_t n;
    struct rv_pb_pair {
        const struct rv_field *field;
        size_t offset, count_offset; /* in the wire message */
        const struct rv_pb_plan *element;
    } pairs[];
};

/* The plan of the two; NULL, with the field that differs in @gap, when they do not agree. */
enum { RV_PB_GAP_SIZE = 160 };
const struct rv_pb_plan *rv_pb_plan(const struct rv_record *record,
                                    const ProtobufCMessageDescriptor *wire, char *gap);
