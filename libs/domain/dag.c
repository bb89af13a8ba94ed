#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "domain/plan.h"
#include "domain/template.h"

enum { CYCLE_SHOWN = 16 };

/* A list of task numbers that grows while the shape is worked out. */
struct numbers {
    int64_t *items;
    size_t n, room;
};

static void add(struct rv_ctx *cx, struct numbers *list, int64_t number)
{
    if (list->n == list->room) {
        int64_t *more = rv_new_array(cx, int64_t, list->room ? list->room * 2 : 4);

        if (list->n)
            memcpy(more, list->items, list->n * sizeof(*more));
        list->items = more;
        list->room = list->room ? list->room * 2 : 4;
    }
    list->items[list->n++] = number;
}

int64_t node_find(const struct node *nodes, size_t n_nodes, const char *node_id, size_t len)
{
    for (size_t i = 0; i < n_nodes; i++)
        if (nodes[i].node_id && strncmp(nodes[i].node_id, node_id, len) == 0 &&
            nodes[i].node_id[len] == '\0')
            return (int64_t)i;
    return -1;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One name for one set of capabilities, whatever their order was. */
static const char *class_of(struct rv_ctx *cx, const struct node *node)
{
    const char **sorted = rv_new_array(cx, const char *, node->n_requires + 1);
    auto_buf name = { 0 };

    if (node->n_requires == 0)
        return "any";
    memcpy(sorted, node->requires, node->n_requires * sizeof(*sorted));
    qsort(sorted, node->n_requires, sizeof(*sorted), by_text);
    for (size_t i = 0; i < node->n_requires; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
            rv_buf_printf(&name, "%s%s", i ? "+" : "", sorted[i]);
    return rv_strndup(cx, name.data, name.len);
}

struct walking {
    struct rv_ctx *cx;
    const char *path;
    spec_expression_fn *each;
    void *arg;
};

static void say_template(void *arg, const char *text)
{
    const struct walking *walking = arg;

    walking->each(walking->arg, walking->path, EXPRESSION_TEMPLATE, text);
}

/* A ${{ where nothing is evaluated is told too: whoever wrote it expects a value there. */
static void walk_text(struct walking walking, const struct rv_field *field, const char *text)
{
    if (field->flags & RV_CONDITION)
        walking.each(walking.arg, walking.path, EXPRESSION_CONDITION, text);
    else if (field->kind == RV_KIND_JSON && field->flags & RV_TEMPLATE)
        template_each_in_json(walking.cx, text, say_template, &walking);
    else if (field->kind == RV_KIND_TEXT && template_is(text))
        walking.each(walking.arg, walking.path,
                     field->flags & RV_TEMPLATE ? EXPRESSION_TEMPLATE : EXPRESSION_NONE, text);
}

static void walk(struct walking walking, const struct rv_record *record, const void *object)
{
    const char *path = walking.path;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];
        const char *first;

        if (!rv_field_is_set(field, object))
            continue;
        first = *(const char *const *)rv_field_in(field, object);
        walking.path = rv_printf(walking.cx, "%s%s%s", path, *path ? "." : "", field->name);
        if (field->kind == RV_KIND_TEXT || field->kind == RV_KIND_JSON)
            walk_text(walking, field, first);
        else if (field->kind == RV_KIND_RECORD)
            walk(walking, field->element, first);
        for (size_t n = 0; field->kind == RV_KIND_LIST && n < rv_field_count_in(field, object);
             n++) {
            struct walking inside = walking;

            inside.path = rv_printf(walking.cx, "%s[%zu]", walking.path, n);
            walk(inside, field->element, first + n * field->element->size);
        }
    }
}

void spec_each_expression(struct rv_ctx *cx, const struct rv_record *record, const void *object,
                          spec_expression_fn *each, void *arg)
{
    walk((struct walking){ cx, "", each, arg }, record, object);
}

struct reading {
    struct rv_ctx *cx;
    const struct node *nodes;
    size_t n_nodes;
    struct numbers reads;
};

static void note_read(void *arg, const char *node_id)
{
    struct reading *reading = arg;
    int64_t number =
        node_id ? node_find(reading->nodes, reading->n_nodes, node_id, strlen(node_id)) : -1;

    for (size_t i = 0; i < reading->reads.n; i++)
        if (reading->reads.items[i] == number)
            return;
    if (number >= 0)
        add(reading->cx, &reading->reads, number);
}

/* What cannot be compiled was refused before it came here, or it fails when it runs. */
static void note_reads(void *arg, const char *path, enum expression_kind kind, const char *text)
{
    struct reading *reading = arg;
    const struct cel_program *program;
    struct rv_ctx scratch;

    (void)path;
    rv_ctx_init(&scratch);
    if (kind != EXPRESSION_NONE &&
        expression_compile(&scratch, EXPRESSION_STEP, kind, text, &program) == RV_OK)
        expression_each_step(&scratch, program, note_read, reading);
    rv_ctx_release(&scratch);
}

static bool is_conditional(const struct node *nodes, size_t n_nodes)
{
    for (size_t i = 0; i < n_nodes; i++)
        if (nodes[i].condition || nodes[i].n_edges)
            return true;
    return false;
}

static const int64_t *numbers_of(struct rv_ctx *cx, const struct dag *dag, const struct node *nodes,
                                 size_t i)
{
    int64_t *numbers = rv_new_array(cx, int64_t, nodes[i].n_needs);

    for (size_t k = 0; k < nodes[i].n_needs; k++)
        numbers[k] = node_find(nodes, dag->n, nodes[i].needs[k], strlen(nodes[i].needs[k]));
    return numbers;
}

static void fill_node(struct rv_ctx *cx, struct dag *dag, const struct node *nodes, size_t i)
{
    struct reading reading = { .cx = cx, .nodes = nodes, .n_nodes = dag->n };

    spec_each_expression(cx, &node_record, &nodes[i], note_reads, &reading);
    dag->nodes[i].class_name = class_of(cx, &nodes[i]);
    dag->nodes[i].n_needs = (int64_t)nodes[i].n_needs;
    dag->nodes[i].reads = reading.reads.items;
    dag->nodes[i].n_reads = reading.reads.n;
    if (dag->conditional)
        dag->nodes[i].needs = numbers_of(cx, dag, nodes, i);
}

struct dag *dag_new(struct rv_ctx *cx, const struct node *nodes, size_t n_nodes)
{
    struct dag *dag = rv_new(cx, struct dag);
    struct numbers *after = rv_new_array(cx, struct numbers, n_nodes);
    struct numbers roots = { 0 }, ends = { 0 };

    dag->n = n_nodes;
    dag->conditional = is_conditional(nodes, n_nodes);
    dag->nodes = rv_new_array(cx, struct dag_node, n_nodes);
    for (size_t i = 0; i < n_nodes; i++) {
        fill_node(cx, dag, nodes, i);
        for (size_t k = 0; k < nodes[i].n_needs; k++) {
            int64_t before =
                node_find(nodes, n_nodes, nodes[i].needs[k], strlen(nodes[i].needs[k]));

            if (before < 0)
                return NULL;
            add(cx, &after[before], (int64_t)i);
        }
        if (nodes[i].n_needs == 0)
            add(cx, &roots, (int64_t)i);
    }
    for (size_t i = 0; i < n_nodes; i++) {
        dag->nodes[i].after = after[i].items;
        dag->nodes[i].n_after = after[i].n;
        if (after[i].n == 0)
            add(cx, &ends, (int64_t)i);
    }
    dag->roots = roots.items, dag->n_roots = roots.n;
    dag->ends = ends.items, dag->n_ends = ends.n;
    return dag;
}

/* The nodes in an order in which they can be done; @left: how many needs of each stay open. */
static struct numbers order_of(struct rv_ctx *cx, const struct dag *dag, int64_t **left)
{
    struct numbers ready = { 0 };

    *left = rv_new_array(cx, int64_t, dag->n);
    for (size_t i = 0; i < dag->n; i++) {
        (*left)[i] = dag->nodes[i].n_needs;
        if ((*left)[i] == 0)
            add(cx, &ready, (int64_t)i);
    }
    for (size_t i = 0; i < ready.n; i++) {
        const struct dag_node *node = &dag->nodes[ready.items[i]];

        for (size_t k = 0; k < node->n_after; k++)
            if (--(*left)[node->after[k]] == 0)
                add(cx, &ready, node->after[k]);
    }
    return ready;
}

static int64_t stuck_need(const struct dag *dag, const struct node *nodes, const int64_t *left,
                          int64_t at)
{
    for (size_t k = 0; k < nodes[at].n_needs; k++) {
        const char *id = nodes[at].needs[k];
        int64_t before = node_find(nodes, dag->n, id, strlen(id));

        if (left[before] > 0)
            return before;
    }
    return at;
}

/* Walks back from @at among those that stay open until it meets itself: a node of a circle. */
static int64_t find_circle(struct rv_ctx *cx, const struct dag *dag, const struct node *nodes,
                           const int64_t *left, int64_t at)
{
    bool *seen = rv_new_array(cx, bool, dag->n);

    for (; !seen[at]; at = stuck_need(dag, nodes, left, at))
        seen[at] = true;
    return at;
}

const char *dag_cycle(struct rv_ctx *cx, const struct dag *dag, const struct node *nodes)
{
    int64_t *left, at = 0;
    struct numbers circle = { 0 };
    auto_buf text = { 0 };

    if (order_of(cx, dag, &left).n == dag->n)
        return NULL;
    while (left[at] == 0)
        at++;
    at = find_circle(cx, dag, nodes, left, at);
    do
        add(cx, &circle, at);
    while ((at = stuck_need(dag, nodes, left, at)) != circle.items[0]);
    rv_buf_text(&text, nodes[at].node_id);
    for (size_t i = circle.n; i-- > 0 && circle.n - i <= CYCLE_SHOWN;)
        rv_buf_printf(&text, " \xe2\x86\x92 %s", nodes[circle.items[i]].node_id);
    if (circle.n > CYCLE_SHOWN)
        rv_buf_text(&text, " \xe2\x86\x92 \xe2\x80\xa6");
    return rv_strndup(cx, text.data, text.len);
}

/* A row of bits for each node: who comes before it. */
struct dag_order {
    size_t words;
    uint64_t *rows;
};

const struct dag_order *dag_order_new(struct rv_ctx *cx, const struct dag *dag)
{
    struct dag_order *order = rv_new(cx, struct dag_order);
    int64_t *left;
    struct numbers sorted = order_of(cx, dag, &left);

    order->words = (dag->n + 63) / 64;
    order->rows = rv_new_array(cx, uint64_t, dag->n * order->words);
    for (size_t i = 0; i < sorted.n; i++) {
        const struct dag_node *node = &dag->nodes[sorted.items[i]];
        const uint64_t *mine = &order->rows[(size_t)sorted.items[i] * order->words];

        for (size_t k = 0; k < node->n_after; k++) {
            uint64_t *row = &order->rows[(size_t)node->after[k] * order->words];

            for (size_t w = 0; w < order->words; w++)
                row[w] |= mine[w];
            row[sorted.items[i] / 64] |= UINT64_C(1) << sorted.items[i] % 64;
        }
    }
    return order;
}

bool dag_precedes(const struct dag_order *order, int64_t before, int64_t after)
{
    return order->rows[(size_t)after * order->words + (size_t)before / 64] >> before % 64 & 1;
}
