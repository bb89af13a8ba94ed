#include "support/rv_test.h"

#include "base/text.h"
#include "domain/plan.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define TEXTS(name, ...)                                                                           \
    .name = (const char *[]){ __VA_ARGS__ }, .n_##name = COUNT(((const char *[]){ __VA_ARGS__ }))
#define NEEDS(...)    TEXTS(needs, __VA_ARGS__)
#define REQUIRES(...) TEXTS(requires, __VA_ARGS__)

/* read → (count, mail) → done, written down in another order; alone needs nobody. */
static const struct node diamond[] = {
    { .node_id = "done", NEEDS("count", "mail") },
    { .node_id = "read" },
    { .node_id = "count", NEEDS("read") },
    { .node_id = "mail", NEEDS("read") },
    { .node_id = "alone" },
};
enum { DONE, READ, COUNT_, MAIL, ALONE };

static void a_dag_knows_who_waits_for_whom(void **state)
{
    struct dag *dag = dag_new(*state, diamond, COUNT(diamond));

    assert_int_equal(dag->n, 5);
    assert_int_equal(dag->nodes[READ].n_after, 2);
    assert_int_equal(dag->nodes[READ].after[0], COUNT_);
    assert_int_equal(dag->nodes[READ].after[1], MAIL);
    assert_int_equal(dag->nodes[DONE].n_needs, 2);
    assert_int_equal(dag->nodes[DONE].n_after, 0);
}

static void roots_need_nobody_and_nobody_needs_ends(void **state)
{
    struct dag *dag = dag_new(*state, diamond, COUNT(diamond));

    assert_int_equal(dag->n_roots, 2);
    assert_int_equal(dag->roots[0], READ);
    assert_int_equal(dag->roots[1], ALONE);
    assert_int_equal(dag->n_ends, 2);
    assert_int_equal(dag->ends[0], DONE);
    assert_int_equal(dag->ends[1], ALONE);
}

static void a_need_that_names_nobody_makes_no_dag(void **state)
{
    const struct node nodes[] = { { .node_id = "a", NEEDS("b") } };

    assert_null(dag_new(*state, nodes, 1));
}

static void what_comes_before_is_known_over_any_distance(void **state)
{
    const struct dag_order *order = dag_order_new(*state, dag_new(*state, diamond, COUNT(diamond)));

    assert_true(dag_precedes(order, READ, COUNT_));
    assert_true(dag_precedes(order, READ, DONE));
    assert_false(dag_precedes(order, DONE, READ));
    assert_false(dag_precedes(order, COUNT_, MAIL));
    assert_false(dag_precedes(order, READ, READ));
    assert_false(dag_precedes(order, ALONE, DONE));
}

static struct node *chain(struct rv_ctx *cx, size_t n)
{
    struct node *nodes = rv_new_array(cx, struct node, n);

    for (size_t i = 0; i < n; i++) {
        nodes[i].node_id = rv_printf(cx, "n%zu", i);
        nodes[i].needs = rv_new_array(cx, const char *, 1);
        nodes[i].n_needs = i > 0;
        nodes[i].needs[0] = i ? nodes[i - 1].node_id : NULL;
    }
    return nodes;
}

static void the_longest_chain_is_one_of_many_words(void **state)
{
    struct rv_ctx *cx = *state;
    const struct node *nodes = chain(cx, PLAN_NODES_MAX);
    const struct dag *dag = dag_new(cx, nodes, PLAN_NODES_MAX);
    const struct dag_order *order = dag_order_new(cx, dag);

    assert_null(dag_cycle(cx, dag, nodes));
    assert_true(dag_precedes(order, 0, PLAN_NODES_MAX - 1));
    assert_true(dag_precedes(order, 63, 64));
    assert_false(dag_precedes(order, PLAN_NODES_MAX - 1, 0));
    assert_int_equal(dag->n_roots, 1);
    assert_int_equal(dag->n_ends, 1);
}

static void circles_are_told_as_they_go_round(void **state)
{
    const struct {
        struct node nodes[4];
        size_t n;
        const char *circle;
    } rows[] = {
        { { { .node_id = "a" } }, 1, NULL },
        { { { .node_id = "a", NEEDS("a") } }, 1, "a → a" },
        { { { .node_id = "a", NEEDS("b") }, { .node_id = "b", NEEDS("a") } }, 2, "a → b → a" },
        { { { .node_id = "a", NEEDS("c") },
            { .node_id = "b", NEEDS("a") },
            { .node_id = "c", NEEDS("b") },
            { .node_id = "d", NEEDS("c") } },
          4,
          "a → b → c → a" },
        { { { .node_id = "in" },
            { .node_id = "a", NEEDS("in", "b") },
            { .node_id = "b", NEEDS("in", "a") },
            { .node_id = "out", NEEDS("in") } },
          4,
          "a → b → a" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *circle = dag_cycle(cx, dag_new(cx, rows[i].nodes, rows[i].n), rows[i].nodes);

        if (!rv_text_same(circle, rows[i].circle))
            fail_msg("row %zu: %s", i, circle ? circle : "no circle");
    }
}

static void a_large_circle_is_told_in_few_words(void **state)
{
    struct rv_ctx *cx = *state;
    struct node *nodes = chain(cx, PLAN_NODES_MAX);
    const char *circle;

    nodes[0].n_needs = 1;
    nodes[0].needs[0] = nodes[PLAN_NODES_MAX - 1].node_id;
    circle = dag_cycle(cx, dag_new(cx, nodes, PLAN_NODES_MAX), nodes);
    assert_true(strlen(circle) < 300);
    assert_true(rv_text_ends(circle, "→ …"));
}

static void what_a_node_requires_names_its_class(void **state)
{
    const struct node nodes[] = {
        { .node_id = "a" },
        { .node_id = "b", REQUIRES("gpu") },
        { .node_id = "c", REQUIRES("web", "gpu") },
        { .node_id = "d", REQUIRES("gpu", "web", "gpu") },
    };
    const struct dag *dag = dag_new(*state, nodes, COUNT(nodes));

    assert_string_equal(dag->nodes[0].class_name, "any");
    assert_string_equal(dag->nodes[1].class_name, "gpu");
    assert_string_equal(dag->nodes[2].class_name, "gpu+web");
    assert_string_equal(dag->nodes[3].class_name, "gpu+web");
}

static void a_node_reads_the_steps_that_its_texts_name(void **state)
{
    static struct http_spec post = {
        .url = "http://x/${{ steps.read.output.id }}",
        .body = "{\"a\":\"${{steps.count.output}} ${{steps.read.output}}\"}"
    };
    static struct check_spec check = { .name = "c",
                                       .condition = "steps[\"read\"].output == input.x" };
    static struct map_spec map = { .value = "1", .checks = &check, .n_checks = 1 };
    const struct node nodes[] = {
        { .node_id = "read" },
        { .node_id = "count", .kind = STEP_MAP, .map = &map },
        { .node_id = "post", .kind = STEP_HTTP, .http = &post },
    };
    const struct dag *dag = dag_new(*state, nodes, COUNT(nodes));

    assert_int_equal(dag->nodes[0].n_reads, 0);
    assert_int_equal(dag->nodes[1].n_reads, 1);
    assert_int_equal(dag->nodes[1].reads[0], 0);
    assert_int_equal(dag->nodes[2].n_reads, 2);
    assert_int_equal(dag->nodes[2].reads[0], 0);
    assert_int_equal(dag->nodes[2].reads[1], 1);
}

static void where_steps_may_be_skipped_a_node_knows_its_needs(void **state)
{
    const char *needs[] = { "read" };
    const struct node nodes[] = {
        { .node_id = "read", .condition = "input.x" },
        { .node_id = "count", .needs = needs, .n_needs = 1 },
    };
    const struct dag *dag = dag_new(*state, nodes, COUNT(nodes));

    assert_true(dag->conditional);
    assert_int_equal(dag->nodes[1].n_reads, 0);
    assert_int_equal(dag->nodes[1].needs[0], 0);
}

static void a_node_is_found_by_its_whole_name(void **state)
{
    assert_int_equal(node_find(diamond, COUNT(diamond), "mail", 4), MAIL);
    assert_int_equal(node_find(diamond, COUNT(diamond), "mailbox", 4), MAIL);
    assert_int_equal(node_find(diamond, COUNT(diamond), "mai", 3), -1);
    assert_int_equal(node_find(diamond, COUNT(diamond), "mails", 5), -1);
    assert_int_equal(node_find(diamond, 0, "mail", 4), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_dag_knows_who_waits_for_whom),
        RV_TEST(roots_need_nobody_and_nobody_needs_ends),
        RV_TEST(a_need_that_names_nobody_makes_no_dag),
        RV_TEST(what_comes_before_is_known_over_any_distance),
        RV_TEST(the_longest_chain_is_one_of_many_words),
        RV_TEST(circles_are_told_as_they_go_round),
        RV_TEST(a_large_circle_is_told_in_few_words),
        RV_TEST(what_a_node_requires_names_its_class),
        RV_TEST(where_steps_may_be_skipped_a_node_knows_its_needs),
        RV_TEST(a_node_reads_the_steps_that_its_texts_name),
        RV_TEST(a_node_is_found_by_its_whole_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
