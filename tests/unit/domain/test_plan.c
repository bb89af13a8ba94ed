#include "support/rv_test.h"

#include "domain/plan.h"
#include "runtime/codec.h"

/* A document that is refused, and what whoever wrote it is told. */
struct bad {
    const char *document, *path, *why;
};

#define COUNT(list)     (sizeof(list) / sizeof((list)[0]))
#define WORKFLOW(nodes) "{\"nodes\":[" nodes "]}"
#define NODE(more)      WORKFLOW("{\"node_id\":\"a\"," more "}")
#define MAP(checks)     NODE("\"kind\":\"map\",\"map\":{\"checks\":[" checks "]}")
#define CHECK(holds)    "{\"name\":\"c\",\"condition\":\"" holds "\"}"
#define NOOP(id, more)  "{\"node_id\":\"" id "\",\"kind\":\"noop\"" more "}"
#define HTTP(http)      NODE("\"kind\":\"http\",\"http\":{\"url\":\"http://x\"" http "}")
#define SCORED(scorers) "{\"nodes\":[" NOOP("a", "") "],\"scorers\":[" scorers "]}"
#define SCORER(more)    "{\"name\":\"s\",\"path\":\"output\"," more "}"
#define AGENT(more)     "{\"system_prompt\":\"be good\"" more "}"
#define TOOL(more)      "{\"description\":\"d\"," more "}"

static void check(struct rv_ctx *cx, const struct rv_record *record, const char *document)
{
    void *spec = rv_arena_alloc(cx->arena, record->size);

    memset(&cx->error, 0, sizeof(cx->error));
    if (rv_json_read(cx, document, strlen(document), RV_JSON_STRICT,
                     (struct rv_out){ record, spec }) != RV_OK)
        return;
    if (record == &workflow_spec_record)
        workflow_check(cx, spec);
    else if (record == &agent_spec_record)
        agent_check(cx, spec);
    else
        tool_check(cx, spec);
}

static void assert_good(struct rv_ctx *cx, const struct rv_record *record,
                        const char *const *documents, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(cx, record, documents[i]);
        if (cx->error.n_details || cx->error.status)
            fail_msg("%s: %s %s %s", documents[i], cx->error.text, cx->error.details[0].path,
                     cx->error.details[0].message);
    }
}

static void assert_bad(struct rv_ctx *cx, const struct rv_record *record, const struct bad *rows,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rv_detail *first = &cx->error.details[0];

        check(cx, record, rows[i].document);
        if (cx->error.n_details == 0)
            fail_msg("%s: was taken", rows[i].document);
        if (strcmp(first->path, rows[i].path) != 0 || strcmp(first->message, rows[i].why) != 0)
            fail_msg("%s: \"%s\" %s", rows[i].document, first->path, first->message);
    }
}

static void good_workflows_are_taken(void **state)
{
    static const char *const documents[] = {
        NODE("\"kind\":\"noop\""),
        WORKFLOW(NOOP("b", ",\"needs\":[\"a\"]") "," NOOP("a", "")),
        HTTP(",\"headers\":{\"x\":\"${{ input.key }}\"},\"body\":{\"a\":[1]}"),
        NODE("\"kind\":\"llm\",\"llm\":{\"prompt\":\"hi ${{ run.run_id }}\",\"temperature\":2}"),
        NODE("\"kind\":\"agent\",\"agent\":{\"agent\":\"helper\",\"prompt\":\"${{ input }}\"}"),
        NODE("\"kind\":\"map\",\"map\":{\"value\":{\"n\":\"${{ input[\\\"a b\\\"][0] }}\"}}"),
        WORKFLOW(NOOP("a", "") ",{\"node_id\":\"b\",\"kind\":\"map\",\"needs\":[\"a\"],"
                               "\"map\":{\"value\":\"${{ steps.a.output }}\"}}"),
        MAP(CHECK("input.name.matches('^[a-z]+$')")),
        NODE("\"kind\":\"noop\",\"condition\":\"input.go\""),
        WORKFLOW(NOOP("a", "") "," NOOP(
            "b", ",\"needs\":[\"a\"],\"condition\":\"!steps.a.skipped\","
                 "\"edges\":[{\"needs\":\"a\",\"condition\":\"steps['a'].output == 1\"}]")),
        NODE("\"kind\":\"noop\",\"retry\":{\"max_attempts\":20},\"timeout_ms\":86400000"),
        SCORED(SCORER("\"kind\":\"regex\",\"value\":\"\\\\$[0-9]\\\"x\"")),
        SCORED(SCORER("\"kind\":\"bounds\",\"min\":\"0.5\"")),
        "{\"nodes\":[" NOOP("a", "") "],\"limits\":{\"cost_microusd\":5}}",
    };

    assert_good(*state, &workflow_spec_record, documents, COUNT(documents));
}

static void bad_nodes_are_refused(void **state)
{
    /* clang-format off */
    static const struct bad rows[] = {
        { "{}", "nodes", "is missing" },
        { WORKFLOW(""), "nodes", "is empty" },
        { WORKFLOW("{\"kind\":\"noop\"}"), "nodes[0].node_id", "is missing" },
        { WORKFLOW(NOOP("A", "")), "nodes[0].node_id", "is not a name: a-z, 0-9, - and _, at most 63" },
        { WORKFLOW(NOOP("a", "") "," NOOP("a", "")), "nodes[1].node_id", "is the name of another node" },
        { NODE("\"kind\":\"http\""), "nodes[0].http", "is missing: the kind is http" },
        { NODE("\"kind\":\"noop\",\"map\":{}"), "nodes[0].map", "does not go with the kind noop" },
        { WORKFLOW(NOOP("a", ",\"needs\":[\"b\"]")), "nodes[0].needs[0]", "names \"b\", which does not exist" },
        { WORKFLOW(NOOP("a", "") "," NOOP("b", ",\"needs\":[\"a\",\"a\"]")), "nodes[1].needs[1]", "names \"a\" twice" },
        { WORKFLOW(NOOP("a", ",\"needs\":[\"a\",\"a\"]")), "nodes[0].needs", "names more nodes than there are" },
        { WORKFLOW(NOOP("a", ",\"needs\":[\"a\"]")), "nodes", "go round in a circle: a → a" },
        { WORKFLOW(NOOP("a", ",\"needs\":[\"b\"]") "," NOOP("b", ",\"needs\":[\"a\"]")), "nodes", "go round in a circle: a → b → a" },
        { WORKFLOW(NOOP("a", ",\"requires\":[\"G.P\"]")), "nodes[0].requires[0]", "is not a name: a-z, 0-9, - and _, at most 63" },
        { WORKFLOW(NOOP("a", ",\"requires\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]")), "nodes[0].requires", "has more than 8 names" },
        { WORKFLOW(NOOP("a", ",\"timeout_ms\":-1")), "nodes[0].timeout_ms", "is not between 0 and 86400000" },
        { WORKFLOW(NOOP("a", ",\"retry\":{\"max_attempts\":21}")), "nodes[0].retry.max_attempts", "is not between 0 and 20" },
        { WORKFLOW(NOOP("a", ",\"retry\":{\"initial_ms\":3600001}")), "nodes[0].retry.initial_ms", "is not between 0 and 3600000" },
        { HTTP(",\"headers\":[\"x\"]"), "nodes[0].http.headers", "is not an object" },
        { NODE("\"kind\":\"llm\",\"llm\":{\"prompt\":\"p\",\"max_output_tokens\":9223372036854775807}"), "nodes[0].llm.max_output_tokens", "is not between 0 and 1000000" },
        { NODE("\"kind\":\"llm\",\"llm\":{\"prompt\":\"p\",\"temperature\":2.5}"), "nodes[0].llm.temperature", "is not between 0 and 2" },
        { NODE("\"kind\":\"agent\",\"agent\":{\"agent\":\"My Agent\",\"prompt\":\"p\"}"), "nodes[0].agent.agent", "is not a name: a-z, 0-9, - and _, at most 63" },
        { "{\"nodes\":[" NOOP("a", "") "],\"limits\":{\"duration_ms\":-5}}", "limits.duration_ms", "is not between 0 and 31622400000" },
    };
    /* clang-format on */

    assert_bad(*state, &workflow_spec_record, rows, COUNT(rows));
}

static void bad_expressions_are_refused_where_they_stand(void **state)
{
    /* clang-format off */
    static const struct bad rows[] = {
        { HTTP(",\"body\":\"${{ input.x\""), "nodes[0].http.body", "1:12: the expression ends before \"}}\"" },
        { HTTP(",\"body\":\"${{ }}\""), "nodes[0].http.body", "1:5: } where an expression was expected" },
        { HTTP(",\"body\":\"${{ 1 + }}\""), "nodes[0].http.body", "1:9: } where an expression was expected" },
        { HTTP(",\"body\":\"${{ secrets.key }}\""), "nodes[0].http.body", "1:5: there is no variable \"secrets\"" },
        { HTTP(",\"body\":\"${{ 1 + 'a' }}\""), "nodes[0].http.body", "1:7: no such overload: _+_(int, string)" },
        { HTTP(",\"body\":\"two\\nlines ${{ inputs }}\""), "nodes[0].http.body", "2:11: there is no variable \"inputs\"" },
        { HTTP(",\"body\":\"${{ steps.b.output }}\""), "nodes[0].http.body", "names the step \"b\", which does not exist" },
        { HTTP(",\"body\":\"${{ steps['no-such'].output }}\""), "nodes[0].http.body", "names the step \"no-such\", which does not exist" },
        { HTTP(",\"body\":\"${{ steps[input.x].output }}\""), "nodes[0].http.body", "does not say which step: write steps.<node_id> or steps[\"<node_id>\"]" },
        { HTTP(",\"body\":{\"deep\":[\"${{ steps.a.output }}\"]}"), "nodes[0].http.body", "names the step \"a\", which does not come before this one" },
        { HTTP(",\"headers\":{\"x\":\"${{ nothing }}\"}"), "nodes[0].http.headers", "1:5: there is no variable \"nothing\"" },
        { WORKFLOW(NOOP("b", "") ",{\"node_id\":\"a\",\"kind\":\"llm\",\"llm\":{\"prompt\":\"${{ steps.b.output }}\"}}"), "nodes[1].llm.prompt", "names the step \"b\", which does not come before this one" },
        { HTTP(",\"method\":\"${{ input.m }}\""), "nodes[0].http.method", "has a ${{ in it, and is taken as it stands" },
        { MAP("{\"name\":\"c\"}"), "nodes[0].map.checks[0].condition", "is missing" },
        { MAP(CHECK("x")), "nodes[0].map.checks[0].condition", "1:1: there is no variable \"x\"" },
        { MAP(CHECK("input.x.matches('(')")), "nodes[0].map.checks[0].condition", "1:17: a ( is not closed" },
        { MAP(CHECK("1 + 1")), "nodes[0].map.checks[0].condition", "1:3: the expression gives int where bool is wanted" },
        { NODE("\"kind\":\"noop\",\"condition\":\"steps.a.skipped\""), "nodes[0].condition", "names the step \"a\", which does not come before this one" },
        { WORKFLOW(NOOP("a", "") "," NOOP("b", ",\"edges\":[{\"needs\":\"a\",\"condition\":\"true\"}]")), "nodes[1].edges[0].needs", "is \"a\", which is not among the needs" },
        { WORKFLOW(NOOP("a", "") "," NOOP("b", ",\"needs\":[\"a\"],\"edges\":[{\"needs\":\"a\",\"condition\":\"true\"},{\"needs\":\"a\",\"condition\":\"true\"}]")), "nodes[1].edges[1].needs", "has two conditions" },
    };
    /* clang-format on */

    assert_bad(*state, &workflow_spec_record, rows, COUNT(rows));
}

static void bad_scorers_are_refused(void **state)
{
    /* clang-format off */
    static const struct bad rows[] = {
        { SCORED(SCORER("\"kind\":\"equals\"")), "scorers[0].value", "is missing" },
        { SCORED(SCORER("\"kind\":\"bounds\"")), "scorers[0].min", "or max is missing" },
        { SCORED(SCORER("\"kind\":\"bounds\",\"max\":\"much\"")), "scorers[0].min", "or max is not a number" },
        { SCORED(SCORER("\"kind\":\"regex\",\"value\":\"[\"")), "scorers[0].value", "is not a pattern: Invalid regular expression" },
        { SCORED(SCORER("\"kind\":\"regex\",\"value\":[\"a\"]")), "scorers[0].value", "is not a text: a pattern is one" },
        { SCORED(SCORER("\"kind\":\"equals\",\"value\":1,\"weight\":-1")), "scorers[0].weight", "is below 0" },
        { SCORED(SCORER("\"kind\":\"equals\",\"value\":1") "," SCORER("\"kind\":\"equals\",\"value\":2")), "scorers[1].name", "is the name of another scorer" },
    };
    /* clang-format on */

    assert_bad(*state, &workflow_spec_record, rows, COUNT(rows));
}

static void agents_are_checked(void **state)
{
    static const char *const good[] = { AGENT(""),
                                        AGENT(",\"tools\":[\"a\",\"b\"],\"temperature\":1") };
    /* clang-format off */
    static const struct bad bad[] = {
        { "{}", "system_prompt", "is missing" },
        { AGENT(",\"tools\":[\"a b\"]"), "tools[0]", "is not a name: a-z, 0-9, - and _, at most 63" },
        { AGENT(",\"tools\":[\"a\",\"a\"]"), "tools[1]", "names \"a\" twice" },
        { AGENT(",\"max_iterations\":801"), "max_iterations", "is not between 0 and 800" },
        { AGENT(",\"max_output_tokens\":-1"), "max_output_tokens", "is not between 0 and 1000000" },
        { AGENT(",\"temperature\":-0.1"), "temperature", "is not between 0 and 2" },
        { "{\"system_prompt\":\"${{ input }}\"}", "system_prompt", "has a ${{ in it, and is taken as it stands" },
        { AGENT(",\"limits\":{\"tokens\":-1}"), "limits.tokens", "is not between 0 and 2305843009213693951" },
    };
    /* clang-format on */

    assert_good(*state, &agent_spec_record, good, COUNT(good));
    assert_bad(*state, &agent_spec_record, bad, COUNT(bad));
}

static void tools_are_checked(void **state)
{
    static const char *const good[] = {
        TOOL("\"http\":{\"url\":\"http://x/{id}\"},\"parameters\":{\"type\":\"object\"}"),
    };
    /* clang-format off */
    static const struct bad bad[] = {
        { TOOL("\"effect\":\"read\""), "http", "is missing" },
        { TOOL("\"http\":{\"url\":\"u\"},\"parameters\":[1]"), "parameters", "is not an object (a JSON Schema)" },
        { TOOL("\"http\":{\"url\":\"u\"},\"timeout_ms\":3600001"), "timeout_ms", "is not between 0 and 3600000" },
        { TOOL("\"http\":{\"url\":\"u\",\"headers\":\"x\"}"), "http.headers", "is not an object" },
        { TOOL("\"http\":{\"url\":\"u/${{ steps.a.output }}\"}"), "http.url", "names the step \"a\", which does not exist" },
    };
    /* clang-format on */

    assert_good(*state, &tool_spec_record, good, COUNT(good));
    assert_bad(*state, &tool_spec_record, bad, COUNT(bad));
}

/* All of them at once, so that nobody has to send it again for each. */
static void every_mistake_is_told(void **state)
{
    struct rv_ctx *cx = *state;

    check(cx, &workflow_spec_record,
          WORKFLOW(NOOP("A", ",\"timeout_ms\":-1") "," NOOP("b", ",\"needs\":[\"c\"]")));
    assert_int_equal(cx->error.n_details, 3);
    assert_string_equal(cx->error.details[0].path, "nodes[0].node_id");
    assert_string_equal(cx->error.details[1].path, "nodes[0].timeout_ms");
    assert_string_equal(cx->error.details[2].path, "nodes[1].needs[0]");
}

/* -- sizes: a check of what is too large must not take long either --------------------------- */

static void what_is_too_large_is_refused_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct workflow_spec many = { .nodes = rv_new_array(cx, struct node, PLAN_NODES_MAX + 1),
                                  .n_nodes = PLAN_NODES_MAX + 1 };
    struct node all = { .node_id = "a",
                        .needs = rv_new_array(cx, const char *, PLAN_NEEDS_MAX + 1),
                        .n_needs = PLAN_NEEDS_MAX + 1 };
    struct workflow_spec needy = { .nodes = &all, .n_nodes = 1 };

    workflow_check(cx, &many);
    workflow_check(cx, &needy);
    assert_int_equal(cx->error.n_details, 2);
    assert_string_equal(cx->error.details[0].message, "has more than 2000 nodes");
    assert_string_equal(cx->error.details[1].message, "have more than 20000 needs together");
}

/* As large as it may be: 2000 nodes, 20000 needs, each of which is read. */
static void the_largest_workflow_is_checked_in_little_memory(void **state)
{
    struct rv_ctx *cx = *state;
    struct node *nodes = rv_new_array(cx, struct node, PLAN_NODES_MAX);
    struct workflow_spec spec = { .nodes = nodes, .n_nodes = PLAN_NODES_MAX };

    for (size_t i = 0; i < PLAN_NODES_MAX; i++) {
        struct llm_spec *llm = nodes[i].llm = rv_new(cx, struct llm_spec);

        nodes[i].node_id = rv_printf(cx, "n%zu", i);
        nodes[i].kind = STEP_LLM;
        nodes[i].needs = rv_new_array(cx, const char *, 10);
        llm->prompt = "";
        for (size_t k = 1; k <= 10 && k <= i; k++) {
            nodes[i].needs[nodes[i].n_needs++] = nodes[i - k].node_id;
            llm->prompt = rv_printf(cx, "%s ${{ steps.n%zu.output }}", llm->prompt, i - k);
        }
    }
    workflow_check(cx, &spec);
    assert_int_equal(cx->error.n_details, 0);
    assert_true(rv_arena_bytes(cx->arena) < 32 * 1024 * 1024);
}

static void a_plan_finds_its_agents_and_tools_by_name(void **state)
{
    struct agent_spec agents[] = { { .agent = "helper" }, { .agent = "judge" } };
    struct tool_spec tools[] = { { .tool = "search" } };
    struct plan plan = { .agents = agents, .n_agents = 2, .tools = tools, .n_tools = 1 };

    assert_ptr_equal(plan_agent(&plan, "judge"), &agents[1]);
    assert_null(plan_agent(&plan, "search"));
    assert_ptr_equal(plan_tool(&plan, "search"), &tools[0]);
    assert_null(plan_tool(&plan, NULL));
}

static void a_plan_spends_when_a_step_calls_a_model(void **state)
{
    static const bool spends[] = { [STEP_LLM] = true, [STEP_AGENT] = true, [STEP_HTTP] = false };

    for (size_t i = 0; i < step_kind_enum.count; i++) {
        struct node nodes[] = { { .kind = STEP_NOOP },
                                { .kind = (enum step_kind)step_kind_enum.rows[i].value } };
        struct plan plan = { .nodes = nodes, .n_nodes = 2 };

        assert_int_equal(plan_spends(&plan),
                         nodes[1].kind < COUNT(spends) && spends[nodes[1].kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(good_workflows_are_taken),
        RV_TEST(bad_nodes_are_refused),
        RV_TEST(bad_expressions_are_refused_where_they_stand),
        RV_TEST(bad_scorers_are_refused),
        RV_TEST(agents_are_checked),
        RV_TEST(tools_are_checked),
        RV_TEST(every_mistake_is_told),
        RV_TEST(what_is_too_large_is_refused_at_once),
        RV_TEST(the_largest_workflow_is_checked_in_little_memory),
        RV_TEST(a_plan_finds_its_agents_and_tools_by_name),
        RV_TEST(a_plan_spends_when_a_step_calls_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
