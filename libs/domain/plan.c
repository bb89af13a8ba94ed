#include "domain/plan.h"

#include <string.h>

#include "base/text.h"

RV_ENUM_DEFINE(step_kind, STEP_KINDS)
RV_ENUM_DEFINE(output_format, OUTPUT_FORMATS)
RV_ENUM_DEFINE(tool_effect, TOOL_EFFECTS)

/* clang-format off */
static const struct rv_field http_spec_fields[] = {
    RV_TEXT(http_spec, method, RV_UNSET),
    RV_TEXT(http_spec, url, RV_REQUIRED | RV_TEMPLATE),
    RV_JSON(http_spec, headers, RV_UNSET | RV_TEMPLATE),
    RV_JSON(http_spec, body, RV_UNSET | RV_TEMPLATE),
    RV_ENUM(http_spec, parse, output_format, RV_UNSET),
};
RV_RECORD(http_spec, http_spec_fields);

static const struct rv_field check_spec_fields[] = {
    RV_TEXT(check_spec, name, RV_REQUIRED),
    RV_TEXT(check_spec, condition, RV_CONDITION),
};
RV_RECORD(check_spec, check_spec_fields);

static const struct rv_field map_spec_fields[] = {
    RV_JSON(map_spec, value, RV_UNSET | RV_TEMPLATE),
    RV_LIST(map_spec, checks, check_spec, RV_UNSET),
};
RV_RECORD(map_spec, map_spec_fields);

static const struct rv_field llm_spec_fields[] = {
    RV_TEXT(llm_spec, model, RV_UNSET),
    RV_TEXT(llm_spec, system_prompt, RV_UNSET | RV_TEMPLATE),
    RV_TEXT(llm_spec, prompt, RV_REQUIRED | RV_TEMPLATE),
    RV_INT(llm_spec, max_output_tokens, RV_UNSET),
    RV_DOUBLE(llm_spec, temperature, RV_UNSET),
    RV_ENUM(llm_spec, output_format, output_format, RV_UNSET),
};
RV_RECORD(llm_spec, llm_spec_fields);

static const struct rv_field agent_call_fields[] = {
    RV_TEXT(agent_call, agent, RV_REQUIRED),
    RV_TEXT(agent_call, prompt, RV_REQUIRED | RV_TEMPLATE),
};
RV_RECORD(agent_call, agent_call_fields);

static const struct rv_field retry_spec_fields[] = {
    RV_INT(retry_spec, max_attempts, RV_UNSET),
    RV_INT(retry_spec, initial_ms, RV_UNSET),
};
RV_RECORD(retry_spec, retry_spec_fields);

static const struct rv_field edge_spec_fields[] = {
    RV_TEXT(edge_spec, needs, RV_REQUIRED),
    RV_TEXT(edge_spec, condition, RV_REQUIRED | RV_CONDITION),
};
RV_RECORD(edge_spec, edge_spec_fields);

static const struct rv_field node_fields[] = {
    RV_TEXT(node, node_id, RV_REQUIRED),
    RV_ENUM(node, kind, step_kind, RV_REQUIRED),
    RV_TEXTS(node, needs, RV_UNSET),
    RV_LIST(node, edges, edge_spec, RV_UNSET),
    RV_TEXT(node, condition, RV_UNSET | RV_CONDITION),
    RV_TEXTS(node, requires, RV_UNSET),
    RV_SUB(node, http, http_spec, RV_UNSET),
    RV_SUB(node, map, map_spec, RV_UNSET),
    RV_SUB(node, llm, llm_spec, RV_UNSET),
    RV_SUB(node, agent, agent_call, RV_UNSET),
    RV_SUB(node, retry, retry_spec, RV_UNSET),
    RV_INT(node, timeout_ms, RV_UNSET),
};
RV_RECORD(node, node_fields);

static const struct rv_field limits_spec_fields[] = {
    RV_INT(limits_spec, cost_microusd, RV_UNSET),
    RV_INT(limits_spec, tokens, RV_UNSET),
    RV_INT(limits_spec, duration_ms, RV_UNSET),
};
RV_RECORD(limits_spec, limits_spec_fields);

static const struct rv_field workflow_spec_fields[] = {
    RV_TEXT(workflow_spec, description, RV_UNSET),
    RV_LIST(workflow_spec, nodes, node, RV_REQUIRED),
    RV_SUB(workflow_spec, limits, limits_spec, RV_UNSET),
    RV_LIST(workflow_spec, scorers, scorer, RV_UNSET),
};
RV_RECORD(workflow_spec, workflow_spec_fields);

static const struct rv_field tool_spec_fields[] = {
    RV_TEXT(tool_spec, tool, RV_UNSET),
    RV_TEXT(tool_spec, description, RV_REQUIRED),
    RV_JSON(tool_spec, parameters, RV_UNSET),
    RV_SUB(tool_spec, http, http_spec, RV_REQUIRED),
    RV_ENUM(tool_spec, effect, tool_effect, RV_UNSET),
    RV_INT(tool_spec, timeout_ms, RV_UNSET),
};
RV_RECORD(tool_spec, tool_spec_fields);

static const struct rv_field agent_spec_fields[] = {
    RV_TEXT(agent_spec, agent, RV_UNSET),
    RV_TEXT(agent_spec, description, RV_UNSET),
    RV_TEXT(agent_spec, model, RV_UNSET),
    RV_TEXT(agent_spec, system_prompt, RV_REQUIRED),
    RV_TEXTS(agent_spec, tools, RV_UNSET),
    RV_INT(agent_spec, max_iterations, RV_UNSET),
    RV_INT(agent_spec, max_output_tokens, RV_UNSET),
    RV_DOUBLE(agent_spec, temperature, RV_UNSET),
    RV_ENUM(agent_spec, output_format, output_format, RV_UNSET),
    RV_SUB(agent_spec, limits, limits_spec, RV_UNSET),
    RV_LIST(agent_spec, scorers, scorer, RV_UNSET),
};
RV_RECORD(agent_spec, agent_spec_fields);

static const struct rv_field plan_fields[] = {
    RV_UUID(plan, plan_id, RV_UNSET),
    RV_UUID(plan, project_id, RV_UNSET),
    RV_TEXT(plan, project, RV_UNSET),
    RV_TEXT(plan, name, RV_UNSET),
    RV_UUID(plan, workflow_id, RV_UNSET),
    RV_UUID(plan, agent_id, RV_UNSET),
    RV_INT(plan, version, RV_UNSET),
    RV_LIST(plan, nodes, node, RV_UNSET),
    RV_LIST(plan, agents, agent_spec, RV_UNSET),
    RV_LIST(plan, tools, tool_spec, RV_UNSET),
    RV_SUB(plan, limits, limits_spec, RV_UNSET),
    RV_LIST(plan, scorers, scorer, RV_UNSET),
};
RV_RECORD(plan, plan_fields);
/* clang-format on */

const struct agent_spec *plan_agent(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n_agents; i++)
        if (rv_text_same(plan->agents[i].agent, name))
            return &plan->agents[i];
    return NULL;
}

const struct tool_spec *plan_tool(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n_tools; i++)
        if (rv_text_same(plan->tools[i].tool, name))
            return &plan->tools[i];
    return NULL;
}

bool plan_spends(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (plan->nodes[i].kind == STEP_LLM || plan->nodes[i].kind == STEP_AGENT)
            return true;
    return false;
}

const char *node_edge_condition(const struct node *node, const char *needs)
{
    for (size_t i = 0; i < node->n_edges; i++)
        if (rv_text_same(node->edges[i].needs, needs))
            return node->edges[i].condition;
    return NULL;
}

/* "steps.read.output" and "steps[\"read\"].output" → "read" */
static const char *step_of(struct rv_ctx *cx, const char *path)
{
    const char *rest = path + strlen("steps");

    if (rest[0] == '.')
        return rv_strndup(cx, rest + 1, strcspn(rest + 1, ".["));
    if (rest[0] == '[' && rest[1] == '"')
        return rv_strndup(cx, rest + 2, strcspn(rest + 2, "\""));
    return NULL;
}

static bool is_about_steps(const char *path)
{
    return rv_text_starts(path, "steps") && strchr(".[", path[strlen("steps")]);
}

void expression_each_step(struct rv_ctx *cx, const struct cel_program *program,
                          void (*each)(void *arg, const char *node_id), void *arg)
{
    struct cel_facts facts;

    cel_facts(cx, program, 0, &facts);
    for (size_t i = 0; i < facts.n_paths; i++)
        if (is_about_steps(facts.paths[i]))
            each(arg, step_of(cx, facts.paths[i]));
}
