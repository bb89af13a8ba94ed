#include "routes.h"

#include "asks.h"
#include "domain/dead_letter.h"
#include "domain/event.h"
#include "domain/score.h"
#include "domain/work.h"
#include "views.h"

/* clang-format off */
#define LIST(path_, roles_, in_, out_, fn, words)                                                  \
    { "GET", path_, .roles = roles_, .in = &in_##_record, .out = &out_##_record, .list = true,     \
      .call = fn, .summary = words }
#define GET(path_, roles_, in_, out_, fn, words)                                                   \
    { "GET", path_, .roles = roles_, .in = &in_##_record, .out = &out_##_record, .call = fn,       \
      .summary = words }
#define MAKE(path_, roles_, in_, out_, fn, words)                                                  \
    { "POST", path_, .roles = roles_, .in = &in_##_record, .out = &out_##_record, .status = 201,   \
      .call = fn, .summary = words }
#define CHANGE(path_, roles_, in_, out_, fn, words)                                                \
    { "PATCH", path_, .roles = roles_, .in = &in_##_record, .out = &out_##_record, .call = fn,     \
      .summary = words }
#define DO(path_, roles_, in_, out_, fn, words)                                                    \
    { "POST", path_, .roles = roles_, .in = &in_##_record, .out = &out_##_record, .call = fn,      \
      .summary = words }
#define KIND(kind, path_, roles_)                                                                  \
    MAKE(path_, roles_, kind, kind, route_definition_create, "make a " #kind),                     \
    LIST(path_, MAY_VIEW, definition_page, kind, route_definition_list, "list " #kind "s"),        \
    GET(path_ "/{" #kind "_id}", MAY_VIEW, kind##_ref, kind, route_definition_get,                 \
        "read a " #kind " in its current version"),                                                \
    CHANGE(path_ "/{" #kind "_id}", roles_, kind##_change, kind, route_definition_change,          \
           "make a new version of a " #kind)

const struct rv_route gateway_routes[] = {
    { "GET", "/healthz", .call = route_health, .summary = "whether the process runs" },
    { "GET", "/readyz", .call = route_ready, .summary = "whether requests can be served" },
    { "GET", "/v1/openapi.json", .call = route_openapi, .summary = "this description" },
    { "GET", "/api-doc/openapi.json", .call = route_openapi, .summary = "this description" },

    MAKE("/v1/api-keys", MAY_ADMINISTER, api_key, api_key, route_key_create,
         "make a key; its text is shown this once"),
    LIST("/v1/api-keys", MAY_ADMINISTER, key_page, api_key, route_key_list, "list keys"),
    GET("/v1/api-keys/{key_id}", MAY_ADMINISTER, key_ref, api_key, route_key_get, "read a key"),
    { "DELETE", "/v1/api-keys/{key_id}", .roles = MAY_ADMINISTER, .in = &key_ref_record,
      .status = 204, .call = route_key_revoke, .summary = "revoke a key" },

    MAKE("/v1/projects", MAY_EDIT_WORKFLOWS, project_new, project, route_project_create, "make a project"),
    LIST("/v1/projects", MAY_VIEW, project_page, project, route_project_list, "list projects"),
    GET("/v1/projects/{project_id}", MAY_VIEW, project_ref, project, route_project_get, "read a project"),
    CHANGE("/v1/projects/{project_id}", MAY_EDIT_WORKFLOWS, project_change, project,
           route_project_change, "change a project"),

    KIND(agent, "/v1/agents", MAY_EDIT_AGENTS),
    KIND(tool, "/v1/tools", MAY_EDIT_AGENTS),
    KIND(workflow, "/v1/workflows", MAY_EDIT_WORKFLOWS),

    MAKE("/v1/policies", MAY_EDIT_WORKFLOWS, policy_new, policy, route_policy_create, "make a policy"),
    LIST("/v1/policies", MAY_VIEW, definition_page, policy, route_policy_list, "list policies"),
    GET("/v1/policies/{policy_id}", MAY_VIEW, policy_ref, policy, route_policy_get, "read a policy"),
    CHANGE("/v1/policies/{policy_id}", MAY_EDIT_WORKFLOWS, policy_change, policy, route_policy_change,
           "make a new version of a policy"),

    MAKE("/v1/budgets", MAY_EDIT_WORKFLOWS, budget_new, budget_view, route_budget_create, "make a budget"),
    LIST("/v1/budgets", MAY_VIEW, definition_page, budget_view, route_budget_list, "list budgets"),
    GET("/v1/budgets/{budget_id}", MAY_VIEW, budget_ref, budget_view, route_budget_get,
        "read a budget: held, spent, left"),
    CHANGE("/v1/budgets/{budget_id}", MAY_EDIT_WORKFLOWS, budget_change, budget_view,
           route_budget_change, "change a budget"),

    { "POST", "/v1/runs", .roles = MAY_OPERATE, .in = &run_new_record, .out = &run_view_record,
      .status = 202, .call_many = route_run_create, .summary = "run a workflow or an agent" },
    LIST("/v1/runs", MAY_VIEW, run_page, run_view, route_run_list, "list runs, newest first"),
    GET("/v1/runs/{run_id}", MAY_VIEW, run_ref, run_view, route_run_get, "read a run"),
    LIST("/v1/runs/{run_id}/tasks", MAY_VIEW, run_part, task_view, route_run_tasks, "the tasks of a run"),
    LIST("/v1/runs/{run_id}/steps", MAY_VIEW, run_part, task_call_view, route_run_steps,
         "the recorded calls of a run"),
    LIST("/v1/runs/{run_id}/evaluations", MAY_VIEW, run_ref, evaluation_view, route_run_evaluations,
         "the scores of a run"),
    GET("/v1/runs/{run_id}/policy-decision", MAY_VIEW, run_ref, decision, route_run_decision,
        "the decision that let a run in, or did not"),
    GET("/v1/runs/{run_id}/budget", MAY_VIEW, run_ref, run_budget, route_run_budget,
        "a run's hold and what its calls cost"),
    { "GET", "/v1/runs/{run_id}/events", .roles = MAY_VIEW, .in = &run_log_record,
      .out = &event_view_record, .list = true, .call = route_run_events, .stream = true,
      .summary = "the events of a run, as a page or a stream" },
    DO("/v1/runs/{run_id}/cancel", MAY_OPERATE, run_cancel, run_view, route_run_cancel, "cancel a run"),

    LIST("/v1/approvals", MAY_VIEW, approval_page, approval, route_approval_list, "list questions to humans"),
    GET("/v1/approvals/{approval_id}", MAY_VIEW, approval_ref_ask, approval, route_approval_get,
        "read a question"),
    DO("/v1/approvals/{approval_id}/approve", MAY_OPERATE, approval_word, approval,
       route_approval_approve, "say yes"),
    DO("/v1/approvals/{approval_id}/reject", MAY_OPERATE, approval_word, approval,
       route_approval_reject, "say no"),

    LIST("/v1/dead-letters", MAY_ADMINISTER, dead_letter_page, dead_letter_view, route_dead_letter_list,
         "list messages that nobody could read"),
    DO("/v1/dead-letters/{dead_letter_id}/requeue", MAY_ADMINISTER, dead_letter_ask, dead_letter_view,
       route_dead_letter_requeue, "put a message back where it was said"),

    { "GET", "/v1/events", .roles = MAY_VIEW, .in = &event_log_record, .out = &event_view_record,
      .list = true, .call = route_events, .stream = true,
      .summary = "the events of all runs, as a page or a stream" },
    { 0 },
};
/* clang-format on */
