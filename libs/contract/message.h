#pragma once

/* For subjects_*.c: a record and the wire type of the same name. */

#include "contract/subjects.h"

#define MESSAGE(tag)                                                                               \
    {                                                                                              \
        &tag##_record, &reeve__v1__##tag##__descriptor, NULL                                       \
    }
#define BATCH_OF(tag)                                                                              \
    {                                                                                              \
        &tag##_record, &reeve__v1__##tag##__descriptor, &reeve__v1__##tag##_batch__descriptor      \
    }
