#pragma once

/*
 * Plans: what a run does, in full and for ever: the steps of a workflow (or the one step of an
 * agent) with every agent and tool they name. A run pins one plan; a plan never changes.
 *
 * Pure: no I/O, no clock. Text fields marked (t) may hold ${{ expressions }}, and conditions are
 * expressions (cel/cel.h). Both see {"input": …, "steps": {"<node_id>": {"output": …, "skipped":
 * …}}, "run": {"run_id", "name"}}, as far as those steps come before.
 */

#include "base/ctx.h"
#include "base/record.h"
#include "domain/expression.h"
#include "domain/score.h"

enum {
    PLAN_NODES_MAX = 2000,
    PLAN_NEEDS_MAX = 20000, /* of all nodes together */
    PLAN_REQUIRES_MAX = 8,  /* of one node: they are in the name of its queue */
    PLAN_TOOLS_MAX = 64,
    PLAN_SCORERS_MAX = 64,
    PLAN_ATTEMPTS_MAX = 20,
    PLAN_OUTPUT_TOKENS_MAX = 1000000,
};

#define STEP_KINDS(X)                                                                              \
    X(STEP_NOOP, 1, "noop")                                                                        \
    X(STEP_MAP, 2, "map")                                                                          \
    X(STEP_HTTP, 3, "http")                                                                        \
    X(STEP_LLM, 4, "llm")                                                                          \
    X(STEP_AGENT, 5, "agent")
RV_ENUM_DECLARE(step_kind, STEP_KINDS)

#define OUTPUT_FORMATS(X)                                                                          \
    X(FORMAT_TEXT, 1, "text")                                                                      \
    X(FORMAT_JSON, 2, "json")
RV_ENUM_DECLARE(output_format, OUTPUT_FORMATS)

/* What a call does to the world; unknown counts as destructive. */
#define TOOL_EFFECTS(X)                                                                            \
    X(EFFECT_READ, 1, "read")                                                                      \
    X(EFFECT_WRITE, 2, "write")                                                                    \
    X(EFFECT_DESTRUCTIVE, 3, "destructive")
RV_ENUM_DECLARE(tool_effect, TOOL_EFFECTS)

/* An HTTP request: a step of its own, or what a tool does ({argument} in url and body texts). */
struct http_spec {
    const char *method;       /* GET */
    const char *url;          /* (t) */
    const char *headers;      /* (t) JSON object of texts */
    const char *body;         /* (t) JSON; a text is sent as it is */
    enum output_format parse; /* of the answer; text */
};

/* A check of a map step: it fails the step unless it holds. */
struct check_spec {
    const char *name;
    const char *condition; /* NULL: written before there were conditions; it never holds */
};

struct map_spec {
    const char *value; /* (t) JSON: becomes the output */
    struct check_spec *checks;
    size_t n_checks;
};

struct llm_spec {
    const char *model;                  /* "default": whatever the executor is set to */
    const char *system_prompt, *prompt; /* (t) */
    int64_t max_output_tokens;          /* 0: 1024 */
    double temperature;
    enum output_format output_format;
};

struct agent_call {
    const char *agent;  /* by name */
    const char *prompt; /* (t) */
};

struct retry_spec {
    int64_t max_attempts; /* 0: 1 */
    int64_t initial_ms;   /* 0: 1000; doubles, at most 60000 */
};

/* What one of a step's needs asks for besides being over. */
struct edge_spec {
    const char *needs; /* the node_id, which is among the step's needs */
    const char *condition;
};

/*
 * One step of a workflow. Once all it needs is over, it is done, or skipped: completed with null
 * for its output. Skipped is a step whose condition does not hold, and one that needs others and
 * can be reached from none: each was skipped, or the condition of its edge does not hold.
 */
struct node {
    const char *node_id;
    enum step_kind kind;
    const char **needs; /* node_ids that must be over before it */
    size_t n_needs;
    struct edge_spec *edges; /* those of its needs that have a condition */
    size_t n_edges;
    const char *condition;
    const char **requires; /* capabilities of the executor; none: any */
    size_t n_requires;
    struct http_spec *http; /* the one named like the kind is there, the others are not */
    struct map_spec *map;
    struct llm_spec *llm;
    struct agent_call *agent;
    struct retry_spec *retry;
    int64_t timeout_ms; /* 0: 300000 */
};

struct limits_spec {
    int64_t cost_microusd, tokens; /* 0: the default of the budget service */
    int64_t duration_ms;           /* 0: none */
};

struct workflow_spec {
    const char *description;
    struct node *nodes;
    size_t n_nodes;
    struct limits_spec *limits;
    struct scorer *scorers;
    size_t n_scorers;
};

struct tool_spec {
    const char *tool; /* its name */
    const char *description;
    const char *parameters; /* JSON Schema of the arguments */
    struct http_spec *http;
    enum tool_effect effect;
    int64_t timeout_ms; /* 0: 30000 */
};

struct agent_spec {
    const char *agent; /* its name */
    const char *description;
    const char *model;
    const char *system_prompt;
    const char **tools; /* by name */
    size_t n_tools;
    int64_t max_iterations;    /* model calls; 0: 20 */
    int64_t max_output_tokens; /* of each call; 0: 1024 */
    double temperature;
    enum output_format output_format;
    struct limits_spec *limits; /* of a run of this agent alone */
    struct scorer *scorers;
    size_t n_scorers;
};

struct plan {
    const char *plan_id, *project_id;
    const char *project, *name;         /* of the project; of the workflow or agent */
    const char *workflow_id, *agent_id; /* one of them */
    int64_t version;
    struct node *nodes;
    size_t n_nodes;
    struct agent_spec *agents;
    size_t n_agents;
    struct tool_spec *tools;
    size_t n_tools;
    struct limits_spec *limits;
    struct scorer *scorers;
    size_t n_scorers;
};

extern const struct rv_record workflow_spec_record, agent_spec_record, tool_spec_record,
    plan_record, node_record, http_spec_record, map_spec_record, llm_spec_record,
    limits_spec_record;

/*
 * Notes everything wrong with the document (rv_wrong, with paths): duplicate or bad names, unknown
 * needs, cycles, missing or foreign parts of a kind, references to steps that do not come before.
 */
void workflow_check(struct rv_ctx *cx, const struct workflow_spec *spec);
void agent_check(struct rv_ctx *cx, const struct agent_spec *spec);
void tool_check(struct rv_ctx *cx, const struct tool_spec *spec);

const struct agent_spec *plan_agent(const struct plan *plan, const char *name); /* or NULL */
const struct tool_spec *plan_tool(const struct plan *plan, const char *name);

/* Whether any step calls a model, so that it may cost something. */
bool plan_spends(const struct plan *plan);

/* The shape of a plan, worked out once: who comes after whom. Indexes are task numbers. */
struct dag {
    size_t n;
    struct dag_node {
        const char *class_name; /* of executors that may do it: "any" or "gpu+web" */
        int64_t n_needs;
        const int64_t *after, *reads; /* who waits for it; whose outputs it may look at */
        size_t n_after, n_reads;
        const int64_t *needs; /* n_needs, where steps may be skipped; else NULL */
    } * nodes;
    const int64_t *roots, *ends; /* without needs; nobody waits for them */
    size_t n_roots, n_ends;
    bool conditional; /* some step may be skipped */
};
/* NULL when a need names nobody. */
struct dag *dag_new(struct rv_ctx *cx, const struct node *nodes, size_t n_nodes);

/* A cycle as text ("a → b → a"), or NULL when there is none. */
const char *dag_cycle(struct rv_ctx *cx, const struct dag *dag, const struct node *nodes);

/* Who must be completed before whom, worked out once for many questions. No circles in @dag. */
struct dag_order;
const struct dag_order *dag_order_new(struct rv_ctx *cx, const struct dag *dag);
bool dag_precedes(const struct dag_order *order, int64_t before, int64_t after);

/* Calls @each for every condition, template and other text with a ${{ in @object, with its path. */
typedef void spec_expression_fn(void *arg, const char *path, enum expression_kind kind,
                                const char *text);
void spec_each_expression(struct rv_ctx *cx, const struct rv_record *record, const void *object,
                          spec_expression_fn *each, void *arg);

/*
 * Calls @each for every step that a program looks at, by its node_id; NULL: one that is only known
 * when it runs.
 */
void expression_each_step(struct rv_ctx *cx, const struct cel_program *program,
                          void (*each)(void *arg, const char *node_id), void *arg);

/* The condition of the edge from @needs to @node; NULL: none. */
const char *node_edge_condition(const struct node *node, const char *needs);

/* The place of a node among @nodes; -1: nowhere. */
int64_t node_find(const struct node *nodes, size_t n_nodes, const char *node_id, size_t len);
