#pragma once

/*
 * Asks: what a request may say, as records over one struct. The path, the query and the body fill
 * them by name; tenant_id and key_project come from the key and from nowhere else.
 */

#include "domain/budget.h"
#include "domain/definition.h"
#include "domain/policy.h"
#include "domain/run.h"

enum { PAGE_DEFAULT = 20, PAGE_MAX = 100, PART_DEFAULT = 100, PART_MAX = 1000 };

struct ask {
    const char *tenant_id, *key_project;
    const char *id; /* of what the path names; each record calls it by its own name */
    const char *project_id, *project, *run_id;
    const char *name, *description, *type;
    enum definition_kind kind;
    enum run_state state;
    enum approval_state approval_state;
    const char *cursor, *after, *last_event_id;
    int64_t limit, number; /* number: a cursor that is one */
    bool upsert;
    const char *reason, *feedback;
};

extern const struct rv_record project_new_record, project_change_record, project_ref_record,
    project_page_record, agent_ref_record, tool_ref_record, workflow_ref_record,
    definition_page_record, policy_ref_record, budget_ref_record, key_ref_record, key_page_record,
    run_page_record, run_ref_record, run_part_record, run_cancel_record, run_log_record,
    event_log_record, approval_page_record, approval_ref_ask_record, approval_word_record,
    dead_letter_page_record, dead_letter_ask_record;

/* A new run. Named by id or by name, in a project by id or by name. */
struct run_new {
    const char *tenant_id, *key_project;
    const char *workflow, *workflow_id, *agent, *agent_id;
    const char *project, *project_id;
    const char *input, *labels; /* JSON */
    enum priority priority;
    struct limits_spec *limits;
    const char *wait; /* "30s": answer when the run is over, or after so long */
};
extern const struct rv_record run_new_record;

/* Policies and budgets: what a client may say of them, around the structs of the domain. */
struct policy_new {
    struct policy policy;
    const char *key_project, *project;
    bool upsert;
};
struct budget_new {
    struct budget budget;
    const char *key_project, *project;
    bool upsert;
};
extern const struct rv_record policy_new_record, policy_change_record, budget_new_record,
    budget_change_record;

/* rv_in for the records over struct ask. */
#define ask_in(tag, ptr) ((struct rv_in){ &tag##_record, (const struct ask *){ (ptr) }, 1 })

/* @asked with the size of its page: @usual when it says none, RV_INVALID beyond @most. */
rv_result ask_page(struct rv_ctx *cx, const struct ask *asked, int64_t usual, int64_t most,
                   struct ask *ask);
