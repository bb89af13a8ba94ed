#pragma once

/* Subjects: what may be said on the bus, by which name, in which words. */

#include "base/record.h"

struct ProtobufCMessageDescriptor; /* known to contract and the codec only */

enum rv_speech {
    RV_REQUEST, /* one record asked, one answered, core NATS */
    RV_BATCH,   /* any number of records asked, one answer each, in order, core NATS */
    RV_NEWS,    /* any number of records told, nobody answers, core NATS: may be lost */
    RV_EVENT,   /* one record said once, heard by whoever subscribes, JetStream */
};

struct rv_message {
    const struct rv_record *record;
    const struct ProtobufCMessageDescriptor *wire;
    const struct ProtobufCMessageDescriptor *wire_batch; /* { repeated <wire> items = 1; } */
};

struct rv_subject {
    const char *name; /* "reeve.budget.hold" */
    enum rv_speech speech;
    struct rv_message in, out; /* news and events have no out */
};
