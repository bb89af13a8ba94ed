#include "contract/message.h"
#include "domain/event.h"
#include "domain/work.h"
#include "reeve/v1/event.pb-c.h"
#include "reeve/v1/task.pb-c.h"

/* clang-format off */
const struct rv_subject SUBJ_TASK_CANCEL = {
    "reeve.executor.task_cancel", RV_NEWS, BATCH_OF(task_ref), { 0 },
};
const struct rv_subject SUBJ_WORK = {
    "reeve.work", RV_EVENT, MESSAGE(task_bundle), { 0 },
};
const struct rv_subject SUBJ_LIVE = {
    "reeve.live", RV_EVENT, MESSAGE(live_delta), { 0 },
};
/* clang-format on */

const struct rv_stream STREAM_WORK = {
    .name = "REEVE_WORK",
    .subjects = "reeve.work.>",
    .work_queue = true,
    .max_age_ms = 3600LL * 1000,
    .max_bytes = 256LL * 1024 * 1024,
};
