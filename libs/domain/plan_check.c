#include <string.h>

#include "base/text.h"
#include "domain/plan.h"
#include "domain/template.h"

/* What is being looked at, so that every mistake has its path. */
struct checking {
    struct rv_ctx *cx;
    const struct node *nodes;
    size_t n_nodes;
    const struct dag_order *order; /* NULL while the needs are not in order */
    int64_t at;                    /* the node */
    const char *path;
};

static const char *part_path(const struct checking *checking, const char *rest)
{
    return rv_printf(checking->cx, "%s%s%s", checking->path, *checking->path ? "." : "", rest);
}

/* @arg is the node being checked, at the path of the expression. */
static void check_step(void *arg, const char *node_id)
{
    const struct checking *checking = arg;
    int64_t number =
        node_id ? node_find(checking->nodes, checking->n_nodes, node_id, strlen(node_id)) : -1;

    if (!node_id)
        rv_wrong(checking->cx, checking->path,
                 "does not say which step: write steps.<node_id> or steps[\"<node_id>\"]");
    else if (number < 0)
        rv_wrong(checking->cx, checking->path, "names the step \"%s\", which does not exist",
                 node_id);
    else if (checking->order && !dag_precedes(checking->order, number, checking->at))
        rv_wrong(checking->cx, checking->path,
                 "names the step \"%s\", which does not come before this one", node_id);
}

static void check_words(const struct checking *checking, const char *path, const char *text)
{
    if (template_is(text))
        rv_wrong(checking->cx, part_path(checking, path),
                 "has a ${{ in it, and is taken as it stands");
}

static void check_expression(void *arg, const char *path, enum expression_kind kind,
                             const char *text)
{
    const struct checking *checking = arg;
    struct checking here = *checking;
    const struct cel_program *program;
    struct rv_ctx scratch; /* there may be thousands of them */

    if (kind == EXPRESSION_NONE) {
        check_words(checking, path, text);
        return;
    }
    here.path = part_path(checking, path);
    rv_ctx_init(&scratch);
    if (expression_compile(&scratch, EXPRESSION_STEP, kind, text, &program) == RV_OK)
        expression_each_step(&scratch, program, check_step, &here);
    else
        rv_wrong(checking->cx, here.path, "%s", scratch.error.text);
    rv_ctx_release(&scratch);
}

static void check_name(struct checking *checking, const char *path, const char *name)
{
    if (name && !rv_text_is_name(name))
        rv_wrong(checking->cx, part_path(checking, path),
                 "is not a name: a-z, 0-9, - and _, at most 63");
}

static void check_range(struct checking *checking, const char *path, int64_t value, int64_t most)
{
    if (value < 0 || value > most)
        rv_wrong(checking->cx, part_path(checking, path), "is not between 0 and %lld",
                 (long long)most);
}

/* The part named like the kind is there, and no other. */
static void check_parts(struct checking *checking, const struct node *node)
{
    for (size_t i = 0; i < step_kind_enum.count; i++) {
        const char *word = step_kind_enum.rows[i].word;
        const struct rv_field *part = rv_record_field(&node_record, word);
        bool mine = step_kind_enum.rows[i].value == (int)node->kind;

        if (!part || !node->kind)
            continue;
        if (mine && !rv_field_is_set(part, node))
            rv_wrong(checking->cx, part_path(checking, word), "is missing: the kind is %s", word);
        if (!mine && rv_field_is_set(part, node))
            rv_wrong(checking->cx, part_path(checking, word), "does not go with the kind %s",
                     rv_enum_word(&step_kind_enum, (int)node->kind));
    }
}

static bool needs(const struct node *node, const char *id)
{
    for (size_t k = 0; k < node->n_needs; k++)
        if (rv_text_same(node->needs[k], id))
            return true;
    return false;
}

static void check_edges(struct checking *checking, const struct node *node)
{
    for (size_t i = 0; i < node->n_edges; i++) {
        const char *path = part_path(checking, rv_printf(checking->cx, "edges[%zu].needs", i));

        if (!needs(node, node->edges[i].needs))
            rv_wrong(checking->cx, path, "is \"%s\", which is not among the needs",
                     node->edges[i].needs);
        for (size_t other = 0; other < i; other++)
            if (rv_text_same(node->edges[other].needs, node->edges[i].needs))
                rv_wrong(checking->cx, path, "has two conditions");
    }
}

static void check_needs(struct checking *checking, const struct node *node)
{
    if (node->n_needs > checking->n_nodes) {
        rv_wrong(checking->cx, part_path(checking, "needs"), "names more nodes than there are");
        return;
    }
    for (size_t k = 0; k < node->n_needs; k++) {
        const char *path = part_path(checking, rv_printf(checking->cx, "needs[%zu]", k));
        const char *id = node->needs[k];

        if (node_find(checking->nodes, checking->n_nodes, id, strlen(id)) < 0)
            rv_wrong(checking->cx, path, "names \"%s\", which does not exist", id);
        for (size_t other = 0; other < k; other++)
            if (rv_text_same(node->needs[other], id))
                rv_wrong(checking->cx, path, "names \"%s\" twice", id);
    }
}

/* One character of a JSON string, for looking at it only: \\u and four digits count as an x. */
static char json_letter(const char **at)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *letter;

    if (**at != '\\' || !(*at)[1])
        return **at;
    ++*at;
    if (**at == 'u' && strlen(*at) > 4) {
        *at += 4;
        return 'x';
    }
    letter = strchr(from, **at);
    return letter ? to[letter - from] : **at;
}

static const char *json_words(struct rv_ctx *cx, const char *json)
{
    char *words = rv_strdup(cx, json + 1), *end = words;

    for (const char *at = json + 1; *at && *at != '"'; at++)
        *end++ = json_letter(&at);
    *end = '\0';
    return words;
}

static void check_pattern(struct checking *checking, const char *path, const char *json)
{
    char why[160];

    if (!json || strstr(json, "${{"))
        return;
    if (*json != '"')
        rv_wrong(checking->cx, part_path(checking, path), "is not a text: a pattern is one");
    else if (!match_pattern_ok(json_words(checking->cx, json), why, sizeof(why)))
        rv_wrong(checking->cx, part_path(checking, path), "is not a pattern: %s", why);
}

static void check_http(struct checking *checking, const struct http_spec *http)
{
    if (http && http->headers && http->headers[0] != '{')
        rv_wrong(checking->cx, part_path(checking, "http.headers"), "is not an object");
}

static void check_map(struct checking *checking, const struct map_spec *map)
{
    for (size_t i = 0; map && i < map->n_checks; i++)
        if (!map->checks[i].condition)
            rv_wrong(checking->cx,
                     part_path(checking, rv_printf(checking->cx, "map.checks[%zu].condition", i)),
                     "is missing");
}

/* What a model is asked for: a hold is worked out from it, so it must have an end. */
static void check_model(struct checking *checking, const char *prefix, int64_t max_output_tokens,
                        double temperature)
{
    check_range(checking, rv_printf(checking->cx, "%smax_output_tokens", prefix), max_output_tokens,
                PLAN_OUTPUT_TOKENS_MAX);
    if (!(temperature >= 0 && temperature <= 2))
        rv_wrong(checking->cx,
                 part_path(checking, rv_printf(checking->cx, "%stemperature", prefix)),
                 "is not between 0 and 2");
}

static void check_requires(struct checking *checking, const struct node *node)
{
    if (node->n_requires > PLAN_REQUIRES_MAX) {
        rv_wrong(checking->cx, part_path(checking, "requires"), "has more than %d names",
                 PLAN_REQUIRES_MAX);
        return;
    }
    for (size_t k = 0; k < node->n_requires; k++)
        check_name(checking, rv_printf(checking->cx, "requires[%zu]", k), node->requires[k]);
}

static void check_node(struct checking *checking)
{
    const struct node *node = &checking->nodes[checking->at];

    check_name(checking, "node_id", node->node_id);
    check_parts(checking, node);
    check_needs(checking, node);
    check_edges(checking, node);
    check_requires(checking, node);
    check_http(checking, node->http);
    check_map(checking, node->map);
    if (node->llm)
        check_model(checking, "llm.", node->llm->max_output_tokens, node->llm->temperature);
    if (node->agent)
        check_name(checking, "agent.agent", node->agent->agent);
    check_range(checking, "timeout_ms", node->timeout_ms, 24 * 3600 * 1000LL);
    if (node->retry) {
        check_range(checking, "retry.max_attempts", node->retry->max_attempts, PLAN_ATTEMPTS_MAX);
        check_range(checking, "retry.initial_ms", node->retry->initial_ms, 3600 * 1000);
    }
    for (int64_t other = 0; node->node_id && other < checking->at; other++)
        if (rv_text_same(checking->nodes[other].node_id, node->node_id))
            rv_wrong(checking->cx, part_path(checking, "node_id"), "is the name of another node");
}

static void check_limits(struct checking *checking, const struct limits_spec *limits)
{
    if (!limits)
        return;
    check_range(checking, "limits.cost_microusd", limits->cost_microusd, INT64_MAX / 4);
    check_range(checking, "limits.tokens", limits->tokens, INT64_MAX / 4);
    check_range(checking, "limits.duration_ms", limits->duration_ms, 366LL * 24 * 3600 * 1000);
}

static void check_bounds(struct checking *checking, const char *path, const struct scorer *scorer)
{
    double bound;

    if (!scorer->min && !scorer->max)
        rv_wrong(checking->cx, path, "or max is missing");
    if ((scorer->min && !rv_text_double(scorer->min, &bound)) ||
        (scorer->max && !rv_text_double(scorer->max, &bound)))
        rv_wrong(checking->cx, path, "or max is not a number");
}

static void check_score(struct checking *checking, const struct scorer *scorer)
{
    static const char *const others[] = { "path", "value", "min", "max" };
    const char *path = part_path(checking, "expression");

    if (!scorer->expression)
        rv_wrong(checking->cx, path, "is missing");
    expression_check(checking->cx, EXPRESSION_SCORER, EXPRESSION_SCORE, path, scorer->expression);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (rv_field_is_set(rv_record_field(&scorer_record, others[i]), scorer))
            rv_wrong(checking->cx, part_path(checking, others[i]),
                     "does not go with the kind expression");
}

static void check_scorer(struct checking *checking, const struct scorer *scorer)
{
    if (scorer->kind && scorer->kind != SCORER_EXPRESSION && scorer->expression)
        rv_wrong(checking->cx, part_path(checking, "expression"), "does not go with the kind %s",
                 rv_enum_word(&scorer_kind_enum, (int)scorer->kind));
    if (scorer->kind == SCORER_EXPRESSION)
        check_score(checking, scorer);
    else if (scorer->kind == SCORER_BOUNDS)
        check_bounds(checking, part_path(checking, "min"), scorer);
    else if (scorer->kind && !scorer->value)
        rv_wrong(checking->cx, part_path(checking, "value"), "is missing");
    if (scorer->kind == SCORER_REGEX)
        check_pattern(checking, "value", scorer->value);
    if (scorer->weight < 0)
        rv_wrong(checking->cx, part_path(checking, "weight"), "is below 0");
}

static void check_scorers(struct checking *checking, const struct scorer *scorers, size_t n)
{
    if (n > PLAN_SCORERS_MAX) {
        rv_wrong(checking->cx, "scorers", "has more than %d scorers", PLAN_SCORERS_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        checking->path = rv_printf(checking->cx, "scorers[%zu]", i);
        check_scorer(checking, &scorers[i]);
        for (size_t k = 0; k < i; k++)
            if (rv_text_same(scorers[k].name, scorers[i].name))
                rv_wrong(checking->cx, part_path(checking, "name"),
                         "is the name of another scorer");
    }
}

/* The work of a check grows with these, so they are looked at before anything else. */
static bool is_small(struct rv_ctx *cx, const struct workflow_spec *spec)
{
    size_t needs = 0;

    for (size_t i = 0; i < spec->n_nodes; i++)
        needs += spec->nodes[i].n_needs;
    if (spec->n_nodes > PLAN_NODES_MAX)
        rv_wrong(cx, "nodes", "has more than %d nodes", PLAN_NODES_MAX);
    if (needs > PLAN_NEEDS_MAX)
        rv_wrong(cx, "nodes", "have more than %d needs together", PLAN_NEEDS_MAX);
    return spec->n_nodes <= PLAN_NODES_MAX && needs <= PLAN_NEEDS_MAX;
}

/* The order of the nodes; NULL, with the circle noted, when there is none. */
static const struct dag_order *check_order(struct rv_ctx *cx, const struct workflow_spec *spec)
{
    const struct dag *dag = dag_new(cx, spec->nodes, spec->n_nodes);
    const char *cycle = dag ? dag_cycle(cx, dag, spec->nodes) : NULL;

    if (cycle)
        rv_wrong(cx, "nodes", "go round in a circle: %s", cycle);
    return dag && !cycle ? dag_order_new(cx, dag) : NULL;
}

void workflow_check(struct rv_ctx *cx, const struct workflow_spec *spec)
{
    struct checking checking = { .cx = cx, .nodes = spec->nodes, .n_nodes = spec->n_nodes };

    if (!is_small(cx, spec))
        return;
    if (spec->n_nodes == 0)
        rv_wrong(cx, "nodes", "is empty");
    for (checking.at = 0; checking.at < (int64_t)spec->n_nodes; checking.at++) {
        checking.path = rv_printf(cx, "nodes[%lld]", (long long)checking.at);
        check_node(&checking);
    }
    checking.order = check_order(cx, spec);
    for (checking.at = 0; checking.at < (int64_t)spec->n_nodes; checking.at++) {
        checking.path = rv_printf(cx, "nodes[%lld]", (long long)checking.at);
        spec_each_expression(cx, &node_record, &spec->nodes[checking.at], check_expression,
                             &checking);
    }
    checking.path = "";
    check_limits(&checking, spec->limits);
    check_scorers(&checking, spec->scorers, spec->n_scorers);
}

static void check_tools(struct checking *checking, const struct agent_spec *spec)
{
    if (spec->n_tools > PLAN_TOOLS_MAX) {
        rv_wrong(checking->cx, "tools", "has more than %d tools", PLAN_TOOLS_MAX);
        return;
    }
    for (size_t i = 0; i < spec->n_tools; i++) {
        const char *path = rv_printf(checking->cx, "tools[%zu]", i);

        check_name(checking, path, spec->tools[i]);
        for (size_t k = 0; k < i; k++)
            if (rv_text_same(spec->tools[k], spec->tools[i]))
                rv_wrong(checking->cx, path, "names \"%s\" twice", spec->tools[i]);
    }
}

void agent_check(struct rv_ctx *cx, const struct agent_spec *spec)
{
    struct checking checking = { .cx = cx, .path = "" };

    check_tools(&checking, spec);
    check_words(&checking, "model", spec->model);
    check_words(&checking, "system_prompt", spec->system_prompt);
    check_range(&checking, "max_iterations", spec->max_iterations, 800);
    check_model(&checking, "", spec->max_output_tokens, spec->temperature);
    check_limits(&checking, spec->limits);
    check_scorers(&checking, spec->scorers, spec->n_scorers);
}

void tool_check(struct rv_ctx *cx, const struct tool_spec *spec)
{
    struct checking checking = { .cx = cx, .path = "" };

    check_range(&checking, "timeout_ms", spec->timeout_ms, 3600 * 1000);
    check_http(&checking, spec->http);
    checking.path = "http";
    if (spec->http)
        spec_each_expression(cx, &http_spec_record, spec->http, check_expression, &checking);
    checking.path = "";
    if (spec->parameters && spec->parameters[0] != '{')
        rv_wrong(cx, "parameters", "is not an object (a JSON Schema)");
}
