#pragma once

/* Views: what only the API says, and no other service. */

#include "domain/budget.h"
#include "domain/score.h"

/* A budget, and what is left of it; -1: no limit. */
struct budget_view {
    struct budget budget;
    int64_t left_microusd, left_tokens;
};

/* What a call really used. */
struct usage {
    const char *hold_id;
    int64_t task_no, call_no;
    const char *provider, *model;
    int64_t tokens_in, tokens_cached, tokens_out, cost_microusd;
    bool unconfirmed;
    int64_t used_at_ms;
};

/* A run's money: its hold, and every call that drew from it. */
struct run_budget {
    const char *run_id;
    struct hold_row *hold;
    struct usage *usage;
    size_t n_usage;
};

extern const struct rv_record budget_view_record, usage_record, run_budget_record,
    hold_view_record,       /* of a struct hold_row */
    evaluation_view_record; /* of a struct evaluation */

struct budget_view budget_view_of(const struct budget *budget);
