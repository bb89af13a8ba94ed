#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "definitions.h"
#include "plans.h"
#include "runtime/secret.h"
#include "store/sql.h"

/* A plan while it is made, out of all agents and tools of its project. */
struct making {
    struct rv_ctx *cx;
    const char *path; /* of the request's field that is to blame */
    const struct definition_row *parts;
    size_t n_parts;
    struct plan plan;
};

struct plan_row {
    const char *tenant_id, *plan_id, *project_id, *spec;
};
static const struct rv_field plan_row_fields[] = {
    RV_UUID(plan_row, tenant_id, 0),
    RV_UUID(plan_row, plan_id, 0),
    RV_UUID(plan_row, project_id, 0),
    RV_JSON(plan_row, spec, 0),
};
static RV_RECORD(plan_row, plan_row_fields);

static const struct definition_row *part(const struct making *making, enum definition_kind kind,
                                         const char *name)
{
    for (size_t i = 0; i < making->n_parts; i++)
        if (making->parts[i].kind == kind && strcmp(making->parts[i].name, name) == 0)
            return &making->parts[i];
    return NULL;
}

static rv_result lacks(struct making *making, const char *kind, const char *name, const char *of)
{
    rv_wrong(making->cx, making->path, "names %s \"%s\"%s that this project does not have", kind,
             name, of);
    return rv_refuse(making->cx);
}

static rv_result add_tool(struct making *making, const char *agent, const char *name)
{
    const struct definition_row *row = part(making, DEFINITION_TOOL, name);
    void *spec;

    if (plan_tool(&making->plan, name))
        return RV_OK;
    if (!row)
        return lacks(making, "tool", name, rv_printf(making->cx, " (of agent \"%s\")", agent));
    if (making->plan.n_tools == PLAN_TOOLS_MAX) {
        rv_wrong(making->cx, making->path, "names more than %d tools", PLAN_TOOLS_MAX);
        return rv_refuse(making->cx);
    }
    RV_TRY(making->cx, definition_spec(making->cx, row, &spec));
    making->plan.tools[making->plan.n_tools] = *(const struct tool_spec *)spec;
    making->plan.tools[making->plan.n_tools++].tool = row->name;
    return RV_OK;
}

static rv_result add_agent(struct making *making, const char *name)
{
    const struct definition_row *row = part(making, DEFINITION_AGENT, name);
    struct agent_spec *agent;
    void *spec;

    if (plan_agent(&making->plan, name))
        return RV_OK;
    if (!row)
        return lacks(making, "agent", name, "");
    RV_TRY(making->cx, definition_spec(making->cx, row, &spec));
    agent = &making->plan.agents[making->plan.n_agents++];
    *agent = *(const struct agent_spec *)spec;
    agent->agent = row->name;
    for (size_t i = 0; i < agent->n_tools; i++)
        RV_TRY(making->cx, add_tool(making, name, agent->tools[i]));
    return RV_OK;
}

static rv_result add_nodes(struct making *making)
{
    for (size_t i = 0; i < making->plan.n_nodes; i++)
        if (making->plan.nodes[i].agent)
            RV_TRY(making->cx, add_agent(making, making->plan.nodes[i].agent->agent));
    return RV_OK;
}

static rv_result of_workflow(struct making *making, const struct definition_row *row)
{
    const struct workflow_spec *workflow;
    void *spec;

    RV_TRY(making->cx, definition_spec(making->cx, row, &spec));
    workflow = spec;
    making->plan.workflow_id = row->definition_id;
    making->plan.nodes = workflow->nodes;
    making->plan.n_nodes = workflow->n_nodes;
    making->plan.limits = workflow->limits;
    making->plan.scorers = workflow->scorers;
    making->plan.n_scorers = workflow->n_scorers;
    return add_nodes(making);
}

/* An agent alone is a plan with one step, whose prompt is the run's input. */
static rv_result of_agent(struct making *making, const struct definition_row *row)
{
    struct node *node = rv_new(making->cx, struct node);
    const struct agent_spec *agent;

    node->node_id = "agent";
    node->kind = STEP_AGENT;
    node->agent = rv_new(making->cx, struct agent_call);
    node->agent->agent = row->name;
    node->agent->prompt = "${{ input }}";
    making->plan.agent_id = row->definition_id;
    making->plan.nodes = node;
    making->plan.n_nodes = 1;
    RV_TRY(making->cx, add_nodes(making));
    agent = plan_agent(&making->plan, row->name);
    making->plan.limits = agent->limits;
    making->plan.scorers = agent->scorers;
    making->plan.n_scorers = agent->n_scorers;
    return RV_OK;
}

/* The id of a document: a UUID of version 8, made of its hash. */
static const char *id_of(struct rv_ctx *cx, const char *text)
{
    uint8_t hash[RV_HASH_BYTES];
    const char *hex;

    rv_hash256(text, strlen(text), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x80);
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
    hex = rv_hex(cx, hash, 16);
    return rv_printf(cx, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static rv_result store(struct rv_ctx *cx, const char *tenant_id, struct plan *plan)
{
    struct plan_row row = { .tenant_id = tenant_id, .project_id = plan->project_id };

    RV_TRY(cx, rv_json_write(cx, rv_in(plan, plan), &row.spec));
    row.plan_id = plan->plan_id = id_of(cx, row.spec);
    RV_TRY(cx, rv_json_write(cx, rv_in(plan, plan), &row.spec));
    return rv_db_exec(cx, &SQL_GATEWAY_PLAN_ADD, rv_in(plan_row, &row));
}

static void set_up(struct making *making, const struct run_place *place,
                   const struct definition_row *row)
{
    making->plan.project_id = place->project_id;
    making->plan.project = place->project;
    making->plan.name = row->name;
    making->plan.version = row->version;
    making->plan.agents = rv_new_array(making->cx, struct agent_spec, making->n_parts);
    making->plan.tools = rv_new_array(making->cx, struct tool_spec, PLAN_TOOLS_MAX);
}

rv_result plan_make(struct rv_ctx *cx, const struct run_place *place, struct planned *planned)
{
    struct making making = { .cx = cx,
                             .path = rv_enum_word(&definition_kind_enum, (int)place->kind) };
    const struct definition_row *row = NULL;
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_PLAN_PARTS, rv_in(run_place, place),
                          &definition_row_record, &rows));
    making.parts = rows.items;
    making.n_parts = rows.n;
    for (size_t i = 0; i < rows.n && !row; i++)
        if (strcmp(making.parts[i].definition_id, place->definition_id) == 0)
            row = &making.parts[i];
    if (!row)
        return rv_fail(cx, RV_NOT_FOUND, "no such %s", making.path);
    set_up(&making, place, row);
    if (place->kind == DEFINITION_WORKFLOW)
        RV_TRY(cx, of_workflow(&making, row));
    else
        RV_TRY(cx, of_agent(&making, row));
    RV_TRY(cx, store(cx, place->tenant_id, &making.plan));
    *planned = (struct planned){ .n_tasks = (int64_t)making.plan.n_nodes,
                                 .agent = place->kind == DEFINITION_AGENT };
    snprintf(planned->plan_id, sizeof(planned->plan_id), "%s", making.plan.plan_id);
    snprintf(planned->name, sizeof(planned->name), "%s", making.plan.name);
    return RV_OK;
}
