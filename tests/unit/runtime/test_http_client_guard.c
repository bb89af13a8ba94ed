#include <stdio.h>

#include "runtime/http_client.h"
#include "runtime/http_client_guard.h"
#include "support/rv_test.h"

#define ALLOWED                                                                                    \
    "127.0.0.1:8099, 10.0.0.0/8,models.internal:443,[fd00::/8]:8443,::1,192.168.1.0/25,bare"

static const struct {
    const char *allow, *host;
    int port;
    const char *address;
    bool may;
} rows[] = {
    /* clang-format off */
    { "", "a", 443, "8.8.8.8", true },
    { "", "a", 80, "1.1.1.1", true },
    { NULL, "a", 80, "1.1.1.1", true },
    { "", "a", 8000, "93.184.216.34", true },
    { "", "a", 9000, "93.184.216.34", true },
    { "", "a", 443, "2606:4700::1111", true },
    { "", "a", 443, "2a00:1450::1", true },
    { "", "a", 443, "9.255.255.255", true },
    { "", "a", 443, "11.0.0.0", true },
    { "", "a", 443, "100.63.255.255", true },
    { "", "a", 443, "100.128.0.0", true },
    { "", "a", 443, "126.255.255.255", true },
    { "", "a", 443, "128.0.0.0", true },
    { "", "a", 443, "172.15.255.255", true },
    { "", "a", 443, "172.32.0.0", true },
    { "", "a", 443, "192.167.255.255", true },
    { "", "a", 443, "192.169.0.0", true },
    { "", "a", 443, "198.20.0.0", true },
    { "", "a", 443, "223.255.255.255", true },

    { "", "a", 22, "8.8.8.8", false },
    { "", "a", 25, "8.8.8.8", false },
    { "", "a", 5432, "8.8.8.8", false },
    { "", "a", 7999, "8.8.8.8", false },
    { "", "a", 9001, "8.8.8.8", false },
    { "", "a", 443, "0.0.0.0", false },
    { "", "a", 443, "0.1.2.3", false },
    { "", "a", 443, "10.0.0.1", false },
    { "", "a", 443, "10.255.255.255", false },
    { "", "a", 443, "100.64.0.0", false },
    { "", "a", 443, "100.127.255.255", false },
    { "", "a", 443, "127.0.0.1", false },
    { "", "a", 443, "127.255.255.254", false },
    { "", "localhost", 443, "127.0.0.1", false },
    { "", "a", 80, "169.254.169.254", false },
    { "", "a", 443, "172.16.0.1", false },
    { "", "a", 443, "172.31.255.255", false },
    { "", "a", 443, "192.0.0.8", false },
    { "", "a", 443, "192.0.2.1", false },
    { "", "a", 443, "192.88.99.1", false },
    { "", "a", 443, "192.168.0.1", false },
    { "", "a", 443, "198.18.0.1", false },
    { "", "a", 443, "198.19.255.255", false },
    { "", "a", 443, "198.51.100.7", false },
    { "", "a", 443, "203.0.113.7", false },
    { "", "a", 443, "224.0.0.1", false },
    { "", "a", 443, "239.255.255.255", false },
    { "", "a", 443, "240.0.0.1", false },
    { "", "a", 443, "255.255.255.255", false },
    { "", "a", 443, "::", false },
    { "", "a", 443, "::1", false },
    { "", "a", 443, "::7f00:1", false },
    { "", "a", 443, "::ffff:127.0.0.1", false },
    { "", "a", 443, "::ffff:8.8.8.8", false },
    { "", "a", 443, "64:ff9b::7f00:1", false },
    { "", "a", 443, "64:ff9b:1::1", false },
    { "", "a", 443, "100::1", false },
    { "", "a", 443, "2001::1", false },
    { "", "a", 443, "2001:db8::1", false },
    { "", "a", 443, "2002:7f00:1::", false },
    { "", "a", 443, "fc00::1", false },
    { "", "a", 443, "fdff::1", false },
    { "", "a", 443, "fe80::1", false },
    { "", "a", 443, "febf::1", false },
    { "", "a", 443, "fec0::1", false },
    { "", "a", 443, "ff02::1", false },
    { "", "a", 443, "nonsense", false },
    { "", "a", 443, "", false },

    { ALLOWED, "a", 8099, "127.0.0.1", true },
    { ALLOWED, "a", 8098, "127.0.0.1", false },
    { ALLOWED, "a", 8099, "127.0.0.2", false },
    { ALLOWED, "a", 8099, "::ffff:127.0.0.1", false },
    { ALLOWED, "a", 5432, "10.1.2.3", true },
    { ALLOWED, "a", 443, "11.1.2.3", true },
    { ALLOWED, "a", 5432, "11.1.2.3", false },
    { ALLOWED, "models.internal", 443, "172.16.0.1", true },
    { ALLOWED, "Models.Internal.", 443, "172.16.0.1", true },
    { ALLOWED, "models.internal", 80, "172.16.0.1", false },
    { ALLOWED, "xmodels.internal", 443, "172.16.0.1", false },
    { ALLOWED, "models.internal.evil.com", 443, "172.16.0.1", false },
    { ALLOWED, "a", 8443, "fd12::1", true },
    { ALLOWED, "a", 443, "fd12::1", false },
    { ALLOWED, "a", 6379, "::1", true },
    { ALLOWED, "a", 1, "192.168.1.127", true },
    { ALLOWED, "a", 443, "192.168.1.128", false },
    { ALLOWED, "bare", 12345, "127.0.0.9", true },
    { "*", "a", 22, "127.0.0.1", true },
    { "*", "a", 22, "::ffff:127.0.0.1", true },
    { "0.0.0.0/0", "a", 22, "127.0.0.1", true },
    { "0.0.0.0/0", "a", 22, "::1", false },
    { "10.0.0.0/8:443", "a", 443, "10.0.0.1", true },
    { "10.0.0.0/8:443", "a", 80, "10.0.0.1", false },
    /* clang-format on */
};

static void judges_the_address_that_is_reached(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[128];
        struct rv_http_allow *allow = rv_http_allow_new(rows[i].allow, why, sizeof(why));

        if (!allow)
            fail_msg("%s: %s", rows[i].allow, why);
        if (rv_http_may_reach_text(allow, rows[i].host, rows[i].port, rows[i].address) !=
            rows[i].may)
            fail_msg("row %zu: %s %s %d", i, rows[i].host, rows[i].address, rows[i].port);
        rv_http_allow_free(allow);
    }
}

static void reads_allow_lists_or_says_why_not(void **state)
{
    static const char *const fine[] = { NULL,
                                        "",
                                        " ",
                                        ",",
                                        "*",
                                        "a",
                                        "a:1",
                                        "1.2.3.4",
                                        "[::1]:80",
                                        "::1/128",
                                        "fe80::1,b-c.d_e:65535" };
    static const char *const wrong[] = {
        "1.2.3", "1.2.3.4/33", "1.2.3.4/",   "1.2.3.4:",  "a:0",       "a:65536", "a:b",
        "[::1",  "[::1]x",     "::1/129",    "http://a",  "a/b",       "*:80",    "*.a",
        "a b",   "0x7f.1",     "1.2.3.4/-1", "256.1.1.1", "a,,b,1.2.3"
    };
    char why[256];

    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        assert_true(rv_http_allow_check(fine[i], why, sizeof(why)));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (rv_http_allow_check(wrong[i], why, sizeof(why)))
            fail_msg("%s", wrong[i]);
    assert_false(rv_http_allow_check("a,1.2.3", why, sizeof(why)));
    assert_string_equal(
        why, "\"1.2.3\" is not *, an address, a network or a name, with or without a port");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_the_address_that_is_reached),
        cmocka_unit_test(reads_allow_lists_or_says_why_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
