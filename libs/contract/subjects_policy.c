#include "contract/message.h"
#include "domain/policy.h"
#include "reeve/v1/policy.pb-c.h"

/* clang-format off */
const struct rv_subject SUBJ_POLICY_DECIDE = {
    "reeve.policy.decide", RV_BATCH, BATCH_OF(policy_ask), BATCH_OF(decision),
};
const struct rv_subject SUBJ_POLICY_PUT = {
    "reeve.policy.put", RV_REQUEST, MESSAGE(policy), MESSAGE(policy),
};
const struct rv_subject SUBJ_APPROVAL_DECIDE = {
    "reeve.policy.approval_decide", RV_REQUEST, MESSAGE(approval_verb), MESSAGE(approval),
};
/* clang-format on */
