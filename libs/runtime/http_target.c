/* The request target of http_guard.h: path and query, decoded and refused. */

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "runtime/http_guard.h"

static bool refuse(struct rv_http_no *no, const char *message)
{
    *no = (struct rv_http_no){ 400, message };
    return false;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place; false for a bad escape or an encoded NUL. */
static bool decode(char *text, bool plus)
{
    char *into = text;

    for (; *text; text++) {
        char c = *text;

        if (c == '%') {
            int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);

            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            text += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        *into++ = c;
    }
    *into = '\0';
    return true;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static bool has_encoded_slash(const char *text)
{
    for (; *text; text++)
        if (text[0] == '%' && text[1] == '2' && (text[2] | 32) == 'f')
            return true;
    return false;
}

/* No segment may be empty (but the last), "." or "..". */
static bool segments_ok(const char *path)
{
    while (*path == '/') {
        size_t len = strcspn(path + 1, "/");

        if ((len == 0 && path[1]) || (len == 1 && path[1] == '.') ||
            (len == 2 && path[1] == '.' && path[2] == '.'))
            return false;
        path += len + 1;
    }
    return true;
}

/* Skips scheme and authority of an absolute target; NULL when it is for somebody else. */
static const char *origin_form(const char *target, const char *host)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    size_t len;

    if (scheme == 0)
        return *target == '/' || strcmp(target, "*") == 0 ? target : NULL;
    len = strcspn(target + scheme, "/?");
    if (!host || strlen(host) != len || strncasecmp(host, target + scheme, len) != 0)
        return NULL;
    return target + scheme + len;
}

bool rv_http_target(const char *target, const char *host, char *room, const char **path,
                    char **query, struct rv_http_no *no)
{
    const char *from = origin_form(target, host);
    size_t len;

    if (!from)
        return refuse(no, "the request target is not a path here");
    len = strcspn(from, "?");
    memcpy(room, from, len);
    room[len] = '\0';
    *path = len ? room : "/";
    *query = room + len + 1;
    memcpy(*query, from + len + (from[len] == '?'), strlen(from + len + (from[len] == '?')) + 1);

    if (has_encoded_slash(room))
        return refuse(no, "the path has an encoded slash");
    if (!decode(room, false))
        return refuse(no, "the path has a bad percent escape");
    if (has_control(room) || !rv_utf8_ok(room, strlen(room)))
        return refuse(no, "the path is not clean UTF-8");
    if (!segments_ok(room))
        return refuse(no, "the path has an empty or a dot segment");
    return true;
}

static bool arg_ok(struct rv_http_field *arg, char *name, char *value, struct rv_http_no *no)
{
    if (!decode(name, true) || !decode(value, true))
        return refuse(no, "the query has a bad percent escape");
    if (!*name || has_control(name) || !rv_utf8_ok(name, strlen(name)) ||
        !rv_utf8_ok(value, strlen(value)))
        return refuse(no, "the query is not clean UTF-8");
    *arg = (struct rv_http_field){ name, value };
    return true;
}

bool rv_http_args(char *query, struct rv_http_field *args, size_t *n, struct rv_http_no *no)
{
    char *next = query;

    *n = 0;
    while (next) {
        char *arg = strsep(&next, "&");
        char *name = strsep(&arg, "=");
        static char nothing[] = "";

        if (!*name && !arg)
            continue; /* "a=1&&b=2", or no query at all */
        if (*n == RV_HTTP_ARGS_MAX)
            return refuse(no, "the query has more than 100 arguments");
        if (!arg_ok(&args[(*n)++], name, arg ? arg : nothing, no))
            return false;
    }
    return true;
}
