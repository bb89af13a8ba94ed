#include "runtime/http_client_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "runtime/http_client.h"

enum { ROW_MAX = 300 };

struct net {
    int family;
    unsigned bits;
    uint8_t bytes[16];
};

struct row {
    enum { EVERYTHING, NETWORK, NAME } kind;
    struct net net;
    char name[256];
    int port; /* 0: any */
};

struct rv_http_allow {
    size_t n_rows;
    struct row rows[];
};

static const char *const denied[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",    "::/96",
    "::ffff:0:0/96", "64:ff9b::/96",    "64:ff9b:1::/48", "100::/64",       "2001::/23",
    "2001:db8::/32", "2002::/16",       "fc00::/7",       "fe80::/10",      "fec0::/10",
    "ff00::/8",
};

/* "10.0.0.0/8", "::1": an address alone is a network of one. */
static bool parse_net(const char *text, struct net *net)
{
    char address[INET6_ADDRSTRLEN + 1];
    size_t len = strcspn(text, "/");
    int64_t bits;

    *net = (struct net){ .family = strchr(text, ':') ? AF_INET6 : AF_INET };
    net->bits = net->family == AF_INET ? 32 : 128;
    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(net->family, address, net->bytes) != 1)
        return false;
    if (text[len] == '\0')
        return true;
    if (!rv_text_int(text + len + 1, &bits) || bits < 0 || bits > net->bits)
        return false;
    net->bits = (unsigned)bits;
    return true;
}

static bool contains(const struct net *net, const struct net *one)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    if (net->family != one->family || memcmp(net->bytes, one->bytes, whole) != 0)
        return false;
    return rest == 0 || (net->bytes[whole] ^ one->bytes[whole]) >> (8 - rest) == 0;
}

static bool parse_port(const char *text, int *port)
{
    int64_t value;

    if (!rv_text_int(text, &value) || value < 1 || value > 65535)
        return false;
    *port = (int)value;
    return true;
}

/* Cuts ":port" and brackets off @text, which is changed. */
static char *cut_port(char *text, int *port)
{
    char *end = *text == '[' ? strchr(text, ']') : NULL, *colon = strchr(text, ':');

    *port = 0;
    if (end) {
        *end = '\0';
        return end[1] == '\0' || (end[1] == ':' && parse_port(end + 2, port)) ? text + 1 : NULL;
    }
    if (!colon || strchr(colon + 1, ':'))
        return text; /* no port, or a bare IPv6 address */
    *colon = '\0';
    return parse_port(colon + 1, port) ? text : NULL;
}

/* A name has a letter; so a mistyped address is not taken for one. */
static bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    size_t len = strlen(text);

    return len > 0 && len < 254 && strspn(text, all) == len && strpbrk(text, letters) &&
           strncasecmp(text, "0x", 2) != 0;
}

static bool parse_row(char *text, struct row *row)
{
    char *host = cut_port(text, &row->port);

    if (!host)
        return false;
    if (strcmp(host, "*") == 0 && row->port == 0)
        row->kind = EVERYTHING;
    else if (parse_net(host, &row->net))
        row->kind = NETWORK;
    else if (is_name(host))
        row->kind = NAME;
    else
        return false;
    snprintf(row->name, sizeof(row->name), "%.*s", (int)sizeof(row->name) - 1,
             row->kind == NAME ? host : "");
    return true;
}

static size_t count_rows(const char *text)
{
    size_t n = 1;

    for (; *text; text++)
        n += *text == ',';
    return n;
}

static bool add_row(struct rv_http_allow *allow, const char *text, size_t len, char *why,
                    size_t why_size)
{
    char row[ROW_MAX];

    while (len > 0 && *text == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    if (len == 0)
        return true;
    snprintf(row, sizeof(row), "%.*s", (int)len, text);
    if (len < sizeof(row) && parse_row(row, &allow->rows[allow->n_rows])) {
        allow->n_rows++;
        return true;
    }
    snprintf(why, why_size,
             "\"%.*s\" is not *, an address, a network or a name, with or without a port",
             (int)(len < ROW_MAX ? len : ROW_MAX), text);
    return false;
}

struct rv_http_allow *rv_http_allow_new(const char *text, char *why, size_t why_size)
{
    const char *at = text ? text : "";
    struct rv_http_allow *allow = calloc(1, sizeof(*allow) + count_rows(at) * sizeof(struct row));

    if (!allow)
        abort();
    while (*at) {
        size_t len = strcspn(at, ",");

        if (!add_row(allow, at, len, why, why_size)) {
            free(allow);
            return NULL;
        }
        at += len + (at[len] == ',');
    }
    return allow;
}

void rv_http_allow_free(struct rv_http_allow *allow)
{
    free(allow);
}

bool rv_http_allow_check(const char *allow, char *why, size_t why_size)
{
    struct rv_http_allow *parsed = rv_http_allow_new(allow, why, why_size);

    rv_http_allow_free(parsed);
    return parsed != NULL;
}

static bool same_name(const char *host, const char *name)
{
    size_t len = strlen(host);

    if (len > 0 && host[len - 1] == '.')
        len--; /* "models.internal." is the same place */
    return strlen(name) == len && strncasecmp(host, name, len) == 0;
}

static bool row_allows(const struct row *row, const char *host, int port, const struct net *one)
{
    if (row->port != 0 && row->port != port)
        return false;
    return row->kind == EVERYTHING || (row->kind == NETWORK && contains(&row->net, one)) ||
           (row->kind == NAME && same_name(host, row->name));
}

static bool is_public(const struct net *one)
{
    struct net net;

    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
        if (!parse_net(denied[i], &net) || contains(&net, one))
            return false;
    return true;
}

static bool judge(const struct rv_http_allow *allow, const char *host, int port,
                  const struct net *one)
{
    for (size_t i = 0; allow && i < allow->n_rows; i++)
        if (row_allows(&allow->rows[i], host, port, one))
            return true;
    return (port == 80 || port == 443 || (port >= 8000 && port <= 9000)) && is_public(one);
}

bool rv_http_may_reach(const struct rv_http_allow *allow, const char *host, int port,
                       const struct sockaddr *address)
{
    struct net one = { .family = address->sa_family };

    if (one.family == AF_INET)
        memcpy(one.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    else if (one.family == AF_INET6)
        memcpy(one.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    else
        return false;
    return judge(allow, host, port, &one);
}

bool rv_http_may_reach_text(const struct rv_http_allow *allow, const char *host, int port,
                            const char *address)
{
    struct net one;

    return parse_net(address, &one) && judge(allow, host, port, &one);
}
