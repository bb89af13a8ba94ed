#pragma once

/*
 * Govern: no call goes out without a verdict of the policy and a hold of the budget, both asked
 * at once. When either cannot be had nothing is called: it is asked again as long as the step may
 * wait, and then the step fails and may be tried again.
 */

#include "domain/budget.h"
#include "domain/policy.h"
#include "executor/step.h"

struct govern_ask {
    enum subject_kind subject;
    int64_t call_no;
    const char *agent, *tool, *tool_effect, *model, *provider; /* what does not apply is NULL */
    int64_t tokens_in, tokens_out;                             /* at most; 0 of a tool */
};

struct permit {
    bool denied;
    const char *reason; /* of a denial */
    const char *decision_id, *hold_id;
    int64_t call_no;
    struct price price;      /* of the model; all 0 for a tool */
    int64_t amount_microusd; /* held: no call can cost more */
};

/*
 * Fills @permit, allowed or denied (its hold is released then). Over budget, in want of an
 * approval, or ungoverned in time: the step fails.
 */
rv_result govern_call(struct rv_ctx *cx, struct work *work, const struct govern_ask *ask,
                      struct permit *permit);

/* What a call has used. @unconfirmed: nobody knows; @released: nothing. */
struct used {
    int64_t tokens_in, tokens_cached, tokens_out;
    bool unconfirmed, released;
};

/* What a call under @permit has cost, as the budget will book it. */
int64_t govern_cost(const struct permit *permit, const struct used *used);

/* Closes a hold. When the budget does not answer, its sweep finds it and books all of it. */
void govern_settle(struct rv_ctx *cx, struct work *work, const char *hold_id,
                   const struct used *used);

/* The same without waiting, for what costs nothing. */
void govern_tell_settled(struct rv_ctx *cx, struct work *work, const char *hold_id,
                         const struct used *used);
