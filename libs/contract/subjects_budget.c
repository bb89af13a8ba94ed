#include "contract/message.h"
#include "domain/budget.h"
#include "reeve/v1/budget.pb-c.h"

/* clang-format off */
const struct rv_subject SUBJ_BUDGET_HOLD = {
    "reeve.budget.hold", RV_BATCH, BATCH_OF(hold_ask), BATCH_OF(hold),
};
const struct rv_subject SUBJ_BUDGET_SETTLE = {
    "reeve.budget.settle", RV_BATCH, BATCH_OF(settle_ask), BATCH_OF(settled),
};
const struct rv_subject SUBJ_BUDGET_PUT = {
    "reeve.budget.put", RV_REQUEST, MESSAGE(budget), MESSAGE(budget),
};
/* clang-format on */
