#include "runtime/http_guard.h"
#include "support/rv_test.h"

enum { AT_MOST = 4 };

static const struct {
    const char *method, *target, *version;
    struct rv_http_field fields[AT_MOST];
    int status; /* 0: fine */
} heads[] = {
    /* clang-format off */
    { "GET", "/", "HTTP/1.1", { { "Host", "a" } }, 0 },
    { "GET", "/", "HTTP/1.0", { { 0 } }, 0 },
    { "GET", "/", "HTTP/1.1", { { "host", "a.b-c:8080" } }, 0 },
    { "GET", "/", "HTTP/1.1", { { "Host", "[2001:db8::1]:443" } }, 0 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "X-Name", "b\xc3\xa9 \t c" } }, 0 },
    { "M-SEARCH", "*", "HTTP/1.1", { { "Host", "a" } }, 0 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "0" } }, 0 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "Chunked" } }, 0 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Expect", "100-Continue" } }, 0 },
    { "GET", "/?a={b}|c", "HTTP/1.1", { { "Host", "a" } }, 0 },

    { "", "/", "HTTP/1.1", { { "Host", "a" } }, 400 },
    { "G T", "/", "HTTP/1.1", { { "Host", "a" } }, 400 },
    { "GETGETGETGETGETGETGETGETGETGETGET", "/", "HTTP/1.1", { { "Host", "a" } }, 400 },
    { "GET", "/\\a", "HTTP/1.1", { { "Host", "a" } }, 400 },
    { "GET", "/<a>", "HTTP/1.1", { { "Host", "a" } }, 400 },
    { "GET", "/ a", "HTTP/1.1", { { "Host", "a" } }, 400 },
    { "GET", "/", "HTTP/1.9", { { "Host", "a" } }, 505 },
    { "GET", "/", "", { { "Host", "a" } }, 505 },
    { "GET", "/", "HTTP/1.1", { { 0 } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "HOST", "a" } }, 400 },
    { "GET", "/", "HTTP/1.0", { { "Host", "a" }, { "Host", "b" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a:b" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a:65536" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a:80:80" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "[::1" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "[]" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "[::1]x" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a,b" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "", "b" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "A ", "b" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "A\xc3\xa9", "b" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "A", "b\nc" } }, 400 },
    { "GET", "/", "HTTP/1.1", { { "Host", "a" }, { "A", "\x80" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "1" }, { "content-length", "1" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "1,1" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "9999999999999999999" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "1" }, { "Transfer-Encoding", "chunked" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "chunked, chunked" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "xchunked" } }, 400 },
    { "POST", "/", "HTTP/1.0", { { "Transfer-Encoding", "chunked" } }, 400 },
    { "POST", "/", "HTTP/1.1", { { "Host", "a" }, { "Expect", "" } }, 417 },
    /* clang-format on */
};

static void knows_a_head_to_refuse(void **state)
{
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct rv_http_head head = { heads[i].method, heads[i].target, heads[i].version,
                                     heads[i].fields, 0 };
        struct rv_http_no no = { 0, "fine" };

        while (head.n_fields < AT_MOST && heads[i].fields[head.n_fields].name)
            head.n_fields++;
        if (rv_http_guard(&head, &no) != (heads[i].status == 0) || no.status != heads[i].status)
            fail_msg("row %zu: %d %s", i, no.status, no.message);
    }
}

static void refuses_too_many_fields(void **state)
{
    struct rv_http_field fields[RV_HTTP_FIELDS_MAX + 1] = { { "Host", "a" } };
    struct rv_http_head head = { "GET", "/", "HTTP/1.1", fields, RV_HTTP_FIELDS_MAX };
    struct rv_http_no no;

    for (size_t i = 1; i <= RV_HTTP_FIELDS_MAX; i++)
        fields[i] = (struct rv_http_field){ "A", "b" };
    assert_true(rv_http_guard(&head, &no));
    head.n_fields++;
    assert_false(rv_http_guard(&head, &no));
    assert_int_equal(no.status, 431);
}

static void refuses_trailers_that_frame(void **state)
{
    struct rv_http_field fields[RV_HTTP_TRAILERS_MAX + 1];
    struct rv_http_no no;

    for (size_t i = 0; i <= RV_HTTP_TRAILERS_MAX; i++)
        fields[i] = (struct rv_http_field){ "A", "b" };
    assert_true(rv_http_guard_trailers(fields, 0, &no));
    assert_true(rv_http_guard_trailers(fields, RV_HTTP_TRAILERS_MAX, &no));
    assert_false(rv_http_guard_trailers(fields, RV_HTTP_TRAILERS_MAX + 1, &no));
    fields[0].name = "transfer-encoding";
    assert_false(rv_http_guard_trailers(fields, 1, &no));
}

/* What the parser leaves of a head: NULs where blanks, colons and line ends were. */
static bool lies_well(const char *bytes, size_t len, size_t target_len, size_t n,
                      const size_t at[][2])
{
    struct rv_http_field fields[AT_MOST];
    size_t target = strlen(bytes) + 1;
    struct rv_http_head head = { bytes, bytes + target, bytes + target + target_len + 1, fields,
                                 n };

    for (size_t i = 0; i < n; i++)
        fields[i] = (struct rv_http_field){ bytes + at[i][0], bytes + at[i][1] };
    return rv_http_layout(&head, target_len, len);
}

static void sees_what_lies_between_the_lines(void **state)
{
    static const char fine[] = "GET\0/a\0HTTP/1.1\0\0Host\0 a\0\0A\0b\0\0\0"; /* + the last NUL */
    static const char target[] = "GET\0/a\0x\0HTTP/1.1\0\0Host\0a\0\0\0";
    static const char value[] = "GET\0/a\0HTTP/1.1\0\0Host\0a\0b\0\0\0";
    static const char feed[] = "GET\0/a\0HTTP/1.1\0\0Host\0a\0A\0b\0\0\0";
    static const char rest[] = "GET\0/a\0HTTP/1.1\0\0Host\0a\0\0b\0\0\0";
    static const size_t two[][2] = { { 17, 23 }, { 26, 28 } }, one[][2] = { { 17, 22 } };
    static const size_t fed[][2] = { { 17, 22 }, { 24, 26 } }, moved[][2] = { { 26, 23 } };

    assert_true(lies_well(fine, sizeof(fine), 2, 2, two));
    assert_false(lies_well(fine, sizeof(fine), 2, 1, two));
    assert_false(lies_well(fine, sizeof(fine) - 1, 2, 2, two));
    assert_false(lies_well(fine, sizeof(fine), 2, 1, moved));
    assert_false(lies_well(target, sizeof(target), 2, 0, NULL));
    assert_false(lies_well(value, sizeof(value), 2, 1, one));
    assert_false(lies_well(feed, sizeof(feed), 2, 2, fed));
    assert_false(lies_well(rest, sizeof(rest), 2, 1, one));
}

static const struct {
    const char *target, *path, *query; /* path NULL: refused */
} targets[] = {
    { "/", "/", "" },
    { "/a/b", "/a/b", "" },
    { "/a/b/", "/a/b/", "" },
    { "/a?", "/a", "" },
    { "/a?b=c?d", "/a", "b=c?d" },
    { "/%61%2e%2e%2E", "/a...", "" },
    { "/a+b", "/a+b", "" },
    { "/%E2%82%AC", "/\xe2\x82\xac", "" },
    { "http://here/a?b", "/a", "b" },
    { "HTTPS://HERE", "/", "" },
    { "http://here?x", "/", "x" },
    { "*", "*", "" },
    { "", NULL, NULL },
    { "a", NULL, NULL },
    { "?a", NULL, NULL },
    { "http://there/a", NULL, NULL },
    { "ftp://here/a", NULL, NULL },
    { "//a", NULL, NULL },
    { "/a//b", NULL, NULL },
    { "/.", NULL, NULL },
    { "/..", NULL, NULL },
    { "/a/../b", NULL, NULL },
    { "/a/%2e./b", NULL, NULL },
    { "/a%2fb", NULL, NULL },
    { "/%00", NULL, NULL },
    { "/%", NULL, NULL },
    { "/%1", NULL, NULL },
    { "/%g1", NULL, NULL },
    { "/%7f", NULL, NULL },
    { "/%c0%af", NULL, NULL },
    { "/%ed%a0%80", NULL, NULL },
    { "/%ff", NULL, NULL },
};

static void reads_a_target_or_refuses_it(void **state)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char room[64], *query;
        const char *path;
        struct rv_http_no no;
        bool fine = rv_http_target(targets[i].target, "here", room, &path, &query, &no);

        if (fine != (targets[i].path != NULL))
            fail_msg("%s", targets[i].target);
        if (!fine)
            continue;
        assert_string_equal(path, targets[i].path);
        assert_string_equal(query, targets[i].query);
    }
}

static void decodes_arguments(void **state)
{
    char query[] = "a=1&&b=x+y%20z&c&d=&e==&%c3%a9=%26";
    struct rv_http_field args[RV_HTTP_ARGS_MAX];
    struct rv_http_no no;
    size_t n;

    assert_true(rv_http_args(query, args, &n, &no));
    assert_int_equal(n, 6);
    assert_string_equal(args[1].value, "x y z");
    assert_string_equal(args[2].name, "c");
    assert_string_equal(args[2].value, "");
    assert_string_equal(args[4].value, "=");
    assert_string_equal(args[5].name, "\xc3\xa9");
    assert_string_equal(args[5].value, "&");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_a_head_to_refuse),
        cmocka_unit_test(refuses_too_many_fields),
        cmocka_unit_test(refuses_trailers_that_frame),
        cmocka_unit_test(sees_what_lies_between_the_lines),
        cmocka_unit_test(reads_a_target_or_refuses_it),
        cmocka_unit_test(decodes_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
