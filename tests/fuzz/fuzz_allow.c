/* A list of allowed places is read or refused with words; it only adds to what is allowed without
 * one, and an address in another spelling is the same address. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/http_client_guard.h"

static void must(bool true_)
{
    if (!true_)
        abort();
}

/* clang-format off */
static const char *const addresses[] = {
    "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "192.168.0.1", "0.0.0.0", "93.184.216.34",
    "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "2606:2800:220:1::1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
};
static const char *const inside[] = { "127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "::ffff:127.0.0.1" };
/* clang-format on */

static void only_adds(const struct rv_http_allow *allow, const struct rv_http_allow *nothing)
{
    static const int ports[] = { 22, 80, 443, 8099, 8443 };

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        for (size_t p = 0; p < sizeof(ports) / sizeof(ports[0]); p++)
            must(!rv_http_may_reach_text(nothing, "models.internal", ports[p], addresses[i]) ||
                 rv_http_may_reach_text(allow, "models.internal", ports[p], addresses[i]));
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
        must(!rv_http_may_reach_text(nothing, "models.internal", 443, inside[i]));
}

/* As bytes of a socket address and as text: the same verdict. */
static void says_the_same(const struct rv_http_allow *allow, const uint8_t *bytes)
{
    struct sockaddr_in six_less = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    char text[INET6_ADDRSTRLEN];
    int port = 80 + bytes[0] % 2 * 363;

    memcpy(&six_less.sin_addr, bytes, 4);
    memcpy(&six.sin6_addr, bytes, 16);
    inet_ntop(AF_INET, &six_less.sin_addr, text, sizeof(text));
    must(rv_http_may_reach(allow, "a.b", port, (const struct sockaddr *)&six_less) ==
         rv_http_may_reach_text(allow, "a.b", port, text));
    inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
    must(rv_http_may_reach(allow, "a.b", port, (const struct sockaddr *)&six) ==
         rv_http_may_reach_text(allow, "a.b", port, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1), why[80] = "";
    struct rv_http_allow *nothing = rv_http_allow_new("", why, sizeof(why)), *allow;

    memcpy(text, bytes, len);
    text[len] = '\0';
    must(nothing != NULL);
    allow = rv_http_allow_new(text, why, sizeof(why));
    if (allow)
        only_adds(allow, nothing);
    else
        must(why[0] && strlen(why) < sizeof(why));
    if (allow && len >= 16)
        says_the_same(allow, bytes);
    rv_http_may_reach_text(nothing, text, 443, text);
    rv_http_allow_free(allow);
    rv_http_allow_free(nothing);
    free(text);
    return 0;
}
