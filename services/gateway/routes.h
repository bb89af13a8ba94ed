#pragma once

/*
 * Routes: every path of the API, and the handlers behind them. Roles, limits, OpenAPI, metrics and
 * the tests read the table; a handler is (cx, call, what is asked, what is answered).
 */

#include "gateway.h"

extern const struct rv_route gateway_routes[];

rv_handler_fn route_health, route_ready, route_openapi;
rv_handler_fn route_key_create, route_key_list, route_key_get, route_key_revoke;
rv_handler_fn route_project_create, route_project_list, route_project_get, route_project_change;
rv_handler_fn route_definition_create, route_definition_list, route_definition_get,
    route_definition_change;
rv_handler_fn route_policy_create, route_policy_list, route_policy_get, route_policy_change;
rv_handler_fn route_budget_create, route_budget_list, route_budget_get, route_budget_change;
rv_handler_fn route_run_list, route_run_get, route_run_cancel, route_run_tasks, route_run_steps,
    route_run_evaluations, route_run_decision, route_run_budget, route_run_events, route_events;
rv_batch_fn route_run_create;
rv_handler_fn route_approval_list, route_approval_get, route_approval_approve,
    route_approval_reject, route_dead_letter_list, route_dead_letter_requeue;
