#include <string.h>

#include "base/text.h"
#include "domain/plan.h"
#include "domain/template.h"

/* What is being looked at, so that every mistake has its path. */
struct checking {
    struct rv_ctx *cx;
    const struct node *nodes;
    size_t n_nodes;
    const struct dag *dag; /* NULL while the needs are not in order */
    int64_t at;            /* the node; -1: not in a workflow */
    const char *path;
};

static const char *part_path(const struct checking *checking, const char *rest)
{
    return rv_printf(checking->cx, "%s%s%s", checking->path, *checking->path ? "." : "", rest);
}

static void check_step_reference(const struct checking *checking, const char *path,
                                 const struct template_part *part)
{
    struct rv_ctx *cx = checking->cx;
    const char *id;
    size_t len;
    int64_t number;

    if (!template_step(part->text, part->len, &id, &len)) {
        rv_wrong(cx, path, "\"%.*s\" is not input…, run… or steps.<node_id>…", (int)part->len,
                 part->text);
        return;
    }
    number = node_find(checking->nodes, checking->n_nodes, id, len);
    if (number < 0)
        rv_wrong(cx, path, "names the step \"%.*s\", which does not exist", (int)len, id);
    else if (checking->dag && !dag_precedes(cx, checking->dag, number, checking->at))
        rv_wrong(cx, path, "names the step \"%.*s\", which does not come before this one", (int)len,
                 id);
}

static bool about(const struct template_part *part, const char *root)
{
    size_t len = strlen(root);

    return part->len >= len && strncmp(part->text, root, len) == 0 &&
           (part->len == len || part->text[len] == '.' || part->text[len] == '[');
}

struct text_check {
    const struct checking *checking;
    const char *path;
};

static bool check_part(void *arg, const struct template_part *part)
{
    struct text_check *text = arg;

    if (!part->expression)
        return true;
    if (!template_path_ok(part->text, part->len) && !memchr(part->text, '\\', part->len))
        rv_wrong(text->checking->cx, text->path, "\"%.*s\" is not a path", (int)part->len,
                 part->text);
    else if (!about(part, "input") && !about(part, "run"))
        check_step_reference(text->checking, text->path, part);
    return true;
}

static void check_text(void *arg, const char *path, const char *text)
{
    const struct checking *checking = arg;
    struct text_check check = { checking, part_path(checking, path) };

    if (!template_each(text, check_part, &check))
        rv_wrong(checking->cx, check.path, "has a ${{ without its }}");
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

static void check_needs(struct checking *checking, const struct node *node)
{
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

static void check_checks(struct checking *checking, const struct node *node)
{
    for (size_t i = 0; node->map && i < node->map->n_checks; i++) {
        const struct check_spec *check = &node->map->checks[i];
        size_t len = check->against ? strlen(check->against) : 0;
        char why[160];

        if (check->op == MATCH_REGEX && len > 2 && !strstr(check->against, "${{") &&
            !match_pattern_ok(rv_strndup(checking->cx, check->against + 1, len - 2), why, sizeof(why)))
            rv_wrong(checking->cx, part_path(checking, rv_printf(checking->cx, "map.checks[%zu].against", i)),
                     "is not a pattern: %s", why);
    }
}

static void check_node(struct checking *checking)
{
    const struct node *node = &checking->nodes[checking->at];

    check_name(checking, "node_id", node->node_id);
    check_parts(checking, node);
    check_needs(checking, node);
    check_checks(checking, node);
    check_range(checking, "timeout_ms", node->timeout_ms, 24 * 3600 * 1000LL);
    if (node->retry) {
        check_range(checking, "retry.max_attempts", node->retry->max_attempts, PLAN_ATTEMPTS_MAX);
        check_range(checking, "retry.initial_ms", node->retry->initial_ms, 3600 * 1000);
    }
    for (size_t k = 0; k < node->n_requires; k++)
        check_name(checking, rv_printf(checking->cx, "requires[%zu]", k), node->requires[k]);
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

static void check_scorers(struct rv_ctx *cx, const struct scorer *scorers, size_t n)
{
    char why[160];
    double bound;

    for (size_t i = 0; i < n; i++) {
        const struct scorer *s = &scorers[i];
        size_t len = s->value ? strlen(s->value) : 0;

        if (s->kind != SCORER_BOUNDS && s->kind && !s->value)
            rv_wrong(cx, rv_printf(cx, "scorers[%zu].value", i), "is missing");
        if (s->kind == SCORER_BOUNDS && !s->min && !s->max)
            rv_wrong(cx, rv_printf(cx, "scorers[%zu].min", i), "or max is missing");
        if ((s->min && !rv_text_double(s->min, &bound)) || (s->max && !rv_text_double(s->max, &bound)))
            rv_wrong(cx, rv_printf(cx, "scorers[%zu].min", i), "or max is not a number");
        if (s->kind == SCORER_REGEX && len > 2 &&
            !match_pattern_ok(rv_strndup(cx, s->value + 1, len - 2), why, sizeof(why)))
            rv_wrong(cx, rv_printf(cx, "scorers[%zu].value", i), "is not a pattern: %s", why);
        if (s->weight < 0)
            rv_wrong(cx, rv_printf(cx, "scorers[%zu].weight", i), "is below 0");
        for (size_t k = 0; k < i; k++)
            if (rv_text_same(scorers[k].name, s->name))
                rv_wrong(cx, rv_printf(cx, "scorers[%zu].name", i), "is the name of another scorer");
    }
}

void workflow_check(struct rv_ctx *cx, const struct workflow_spec *spec)
{
    struct checking checking = { .cx = cx, .nodes = spec->nodes, .n_nodes = spec->n_nodes };
    const char *cycle;

    if (spec->n_nodes > PLAN_NODES_MAX) {
        rv_wrong(cx, "nodes", "has more than %d nodes", PLAN_NODES_MAX);
        return;
    }
    if (spec->n_nodes == 0)
        rv_wrong(cx, "nodes", "is empty");
    for (checking.at = 0; checking.at < (int64_t)spec->n_nodes; checking.at++) {
        checking.path = rv_printf(cx, "nodes[%lld]", (long long)checking.at);
        check_node(&checking);
    }
    checking.dag = dag_new(cx, spec->nodes, spec->n_nodes);
    cycle = checking.dag ? dag_cycle(cx, checking.dag, spec->nodes) : NULL;
    if (cycle)
        rv_wrong(cx, "nodes", "go round in a circle: %s", cycle);
    for (checking.at = 0; checking.at < (int64_t)spec->n_nodes; checking.at++) {
        checking.path = rv_printf(cx, "nodes[%lld]", (long long)checking.at);
        node_each_text(cx, &spec->nodes[checking.at], check_text, &checking);
    }
    checking.path = "";
    check_limits(&checking, spec->limits);
    check_scorers(cx, spec->scorers, spec->n_scorers);
}

void agent_check(struct rv_ctx *cx, const struct agent_spec *spec)
{
    struct checking checking = { .cx = cx, .path = "" };

    if (spec->n_tools > PLAN_TOOLS_MAX)
        rv_wrong(cx, "tools", "has more than %d tools", PLAN_TOOLS_MAX);
    for (size_t i = 0; i < spec->n_tools; i++)
        check_name(&checking, rv_printf(cx, "tools[%zu]", i), spec->tools[i]);
    check_range(&checking, "max_iterations", spec->max_iterations, 800);
    check_range(&checking, "max_output_tokens", spec->max_output_tokens, 1000000);
    check_limits(&checking, spec->limits);
    check_scorers(cx, spec->scorers, spec->n_scorers);
}

void tool_check(struct rv_ctx *cx, const struct tool_spec *spec)
{
    struct checking checking = { .cx = cx, .path = "" };

    check_range(&checking, "timeout_ms", spec->timeout_ms, 3600 * 1000);
    if (spec->parameters && spec->parameters[0] != '{')
        rv_wrong(cx, "parameters", "is not an object (a JSON Schema)");
}
