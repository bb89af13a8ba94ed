#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "document.h"

static char path[64];

static const char *write_file(const char *text)
{
    int fd;

    snprintf(path, sizeof(path), "/tmp/reeve-document.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static enum rv_status read_text(struct cli *cli, struct rv_ctx *cx, const char *text,
                                struct document **documents, size_t *n)
{
    enum rv_status status;

    *cli = (struct cli){ .cx = cx };
    status = documents_read(cli, write_file(text), documents, n);
    unlink(path);
    return status;
}

#define HEAD "kind: workflow\nproject: demo\nname: w\nspec:\n"

static const struct {
    const char *text, *where, *what;
} wrong[] = {
    /* clang-format off */
    { "kind: wokflow\nname: w\n",                            ":1:7: kind",                 "is none of project, tool" },
    { "kind: workflow\nname: w\n",                           ":1:1: project",              "is not set" },
    { "kind: project\nname: A B\n",                          ":2:7: name",                 "is not a name" },
    { "kind: project\nproject: x\nname: a\n",                ":2:10: project",             "does not go with this kind" },
    { HEAD "  nodes:\n    - { node_id: a, kind: nope }\n",   ":6:27: spec.nodes[0].kind",  "is not one of" },
    { HEAD "  nodes:\n    - { node_id: a, kind: noop, x: 1 }\n", ":6:36: spec.nodes[0].x", "is unknown" },
    { HEAD "  nodes:\n    - { node_id: a, kind: noop, needs: [b] }\n", ":6:41: spec.nodes[0].needs[0]", "" },
    { HEAD "  3\n",                                          ":5:3: spec",                 "is not an object" },
    { "kind: policy\nname: p\nspec: { rules: [{ rule: a, effect: deny, approver_role: viewer }] }\n",
      ":3:57: spec.rules[0].approver_role", "goes with the effect require_approval only" },
    { "kind: budget\nname: b\nspec: { limit_microusd: lots }\n", ":3:25: spec.limit_microusd", "" },
    { "kind: budget\nname: b\nspec: { spent_microusd: 3 }\n", ":3:25: spec.spent_microusd", "" },
    { "kind: budget\nname: b\nwhat: 3\n",                    ":3:7: what",                 "is unknown" },
    /* clang-format on */
};

static void says_file_line_column_and_path_of_every_mistake(void **state)
{
    struct document *documents;
    struct cli cli;
    size_t n;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rv_ctx cx;

        rv_ctx_init(&cx);
        assert_int_equal(read_text(&cli, &cx, wrong[i].text, &documents, &n), RV_INVALID);
        assert_true(cx.error.n_details > 0);
        if (!strstr(cx.error.details[0].path, wrong[i].where) ||
            !strstr(cx.error.details[0].message, wrong[i].what))
            fail_msg("%zu: %s %s", i, cx.error.details[0].path, cx.error.details[0].message);
        rv_ctx_release(&cx);
    }
}

static void says_mistakes_of_all_documents_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct document *documents;
    struct cli cli;
    size_t n;

    assert_int_equal(
        read_text(&cli, cx, "kind: a\nname: x\n---\nkind: b\nname: y\n", &documents, &n),
        RV_INVALID);
    assert_int_equal(cx->error.n_details, 2);
    assert_non_null(strstr(cx->error.details[1].path, ":4:7: kind"));
}

static void bad_yaml_has_a_place_too(void **state)
{
    struct rv_ctx *cx = *state;
    struct document *documents;
    struct cli cli;
    size_t n;

    assert_int_equal(read_text(&cli, cx, "kind: [a\nname: x\n", &documents, &n), RV_INVALID);
    assert_non_null(strstr(cx->error.text, "line 2"));
}

static void sorts_so_that_what_is_needed_comes_first(void **state)
{
    struct rv_ctx *cx = *state;
    struct document *documents;
    struct cli cli;
    size_t n;

    assert_ok(cx, read_text(&cli, cx,
                            HEAD "  nodes: [{ node_id: a, kind: noop }]\n---\n"
                                 "kind: budget\nname: b\nspec: { limit_microusd: 5 }\n---\n---\n"
                                 "kind: project\nname: demo\n",
                            &documents, &n));
    assert_int_equal(n, 3);
    assert_string_equal(documents[0].kind->kind, "project");
    assert_string_equal(documents[1].kind->kind, "workflow");
    assert_string_equal(documents[2].kind->kind, "budget");
}

static void knows_whether_the_gateway_has_it_already(void **state)
{
    static const struct {
        const char *there;
        bool same;
    } rows[] = {
        { "{\"name\":\"w\",\"version\":3,\"spec\":{\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\"}"
          "]}}",
          true },
        { "{\"name\":\"w\",\"spec\":{\"nodes\":[{\"kind\":\"noop\",\"needs\":[],\"node_id\":\"a\"}]"
          "}}",
          true },
        { "{\"name\":\"w\",\"spec\":{\"nodes\":[{\"node_id\":\"b\",\"kind\":\"noop\"}]}}", false },
        { "{\"name\":\"w\",\"spec\":{\"nodes\":[{\"node_id\":\"a\",\"kind\":\"noop\","
          "\"timeout_ms\":5}]}}",
          false },
        { "{\"name\":\"w\"}", false },
    };
    struct rv_ctx *cx = *state;
    struct document *documents;
    struct cli cli;
    size_t n;

    assert_ok(cx,
              read_text(&cli, cx, HEAD "  nodes: [{ node_id: a, kind: noop }]\n", &documents, &n));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *there;

        assert_ok(cx, rv_json_parse(cx, rows[i].there, strlen(rows[i].there), "it", &there));
        assert_int_equal(document_same(&cli, &documents[0], there), rows[i].same);
    }
}

static void places_of_the_gateways_refusals_are_those_of_the_file(void **state)
{
    struct rv_ctx *cx = *state;
    struct document *documents;
    struct cli cli;
    size_t n;

    assert_ok(cx,
              read_text(&cli, cx,
                        "kind: policy\nname: p\nspec:\n  rules:\n    - { rule: a, effect: deny }\n",
                        &documents, &n));
    rv_wrong(cx, "rules[0].effect", "is not liked");
    rv_wrong(cx, "name", "is taken");
    document_locate(&cli, &documents[0]);
    assert_non_null(strstr(cx->error.details[0].path, ":5:26: spec.rules[0].effect"));
    assert_non_null(strstr(cx->error.details[1].path, ":2:7: name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(says_file_line_column_and_path_of_every_mistake),
        RV_TEST(says_mistakes_of_all_documents_at_once),
        RV_TEST(bad_yaml_has_a_place_too),
        RV_TEST(sorts_so_that_what_is_needed_comes_first),
        RV_TEST(knows_whether_the_gateway_has_it_already),
        RV_TEST(places_of_the_gateways_refusals_are_those_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
