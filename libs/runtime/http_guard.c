#include "runtime/http_guard.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool refuse(struct rv_http_no *no, int status, const char *message)
{
    *no = (struct rv_http_no){ status, message };
    return false;
}

/* RFC 9110 §5.6.2 */
static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (!*text)
        return false;
    for (; *text; text++) {
        bool alnum = (*text >= '0' && *text <= '9') || ((*text | 32) >= 'a' && (*text | 32) <= 'z');

        if (!alnum && !strchr(others, *text))
            return false;
    }
    return true;
}

static bool is_clean(const char *text, bool tab)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 ? *c != '\t' || !tab : *c == 0x7f)
            return false;
    return rv_utf8_ok(text, strlen(text));
}

static bool line_ok(const struct rv_http_head *head, struct rv_http_no *no)
{
    size_t len = strlen(head->target);

    if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
        return refuse(no, 505, "the HTTP version is neither 1.0 nor 1.1");
    if (!is_token(head->method))
        return refuse(no, 400, "the method is malformed");
    if (strlen(head->method) > 32)
        return refuse(no, 400, "the method is too long");
    if (len > RV_HTTP_TARGET_MAX)
        return refuse(no, 414, "the request target is longer than 8 KiB");
    for (size_t i = 0; i < len; i++)
        if (head->target[i] <= 0x20 || head->target[i] >= 0x7f ||
            strchr("\"#<>\\", head->target[i]))
            return refuse(no, 400, "the request target has a character that must be encoded");
    return true;
}

static bool fields_ok(const struct rv_http_field *fields, size_t n, struct rv_http_no *no)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += strlen(fields[i].name) + strlen(fields[i].value) + 4;
        if (!is_token(fields[i].name))
            return refuse(no, 400, "a header name is malformed");
        if (!is_clean(fields[i].value, true))
            return refuse(no, 400, "a header value has a character that is not allowed");
    }
    if (n > RV_HTTP_FIELDS_MAX || bytes > RV_HTTP_HEAD_MAX)
        return refuse(no, 431, "the header is too large");
    return true;
}

static size_t count(const struct rv_http_head *head, const char *name, const char **value)
{
    size_t found = 0;

    for (size_t i = 0; i < head->n_fields; i++)
        if (strcasecmp(head->fields[i].name, name) == 0 && found++ == 0)
            *value = head->fields[i].value;
    return found;
}

static bool port_ok(const char *text)
{
    int64_t port;

    return strspn(text, "0123456789") == strlen(text) &&
           (!*text || (strlen(text) <= 5 && rv_text_int(text, &port) && port <= 65535));
}

/* uri-host [ ":" port ]: a name, an IPv4 address, or an IPv6 address in brackets. */
static bool host_ok(const char *host)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    static const char v6[] = "abcdefABCDEF0123456789:.";
    size_t len;

    if (*host == '[') {
        len = strspn(host + 1, v6);
        if (len < 2 || host[len + 1] != ']')
            return false;
        len += 2;
    } else {
        len = strspn(host, name);
    }
    return len > 0 && len <= 255 && (!host[len] || (host[len] == ':' && port_ok(host + len + 1)));
}

static bool routing_ok(const struct rv_http_head *head, struct rv_http_no *no)
{
    const char *value = NULL;
    size_t hosts = count(head, "Host", &value);

    if (hosts > 1 || (hosts == 0 && strcmp(head->version, "HTTP/1.1") == 0))
        return refuse(no, 400, "there must be exactly one Host");
    if (hosts == 1 && !host_ok(value))
        return refuse(no, 400, "Host is malformed");
    if (count(head, "Expect", &value) > 0 && strcasecmp(value, "100-continue") != 0)
        return refuse(no, 417, "Expect is not 100-continue");
    return true;
}

static bool framing_ok(const struct rv_http_head *head, struct rv_http_no *no)
{
    const char *length = NULL, *coding = NULL;
    size_t lengths = count(head, "Content-Length", &length);
    size_t codings = count(head, "Transfer-Encoding", &coding);

    if (lengths > 0 && codings > 0)
        return refuse(no, 400, "Content-Length and Transfer-Encoding are both there");
    if (lengths > 1 || codings > 1)
        return refuse(no, 400, "the length of the body is said more than once");
    if (lengths &&
        (!*length || strlen(length) > 18 || strspn(length, "0123456789") != strlen(length)))
        return refuse(no, 400, "Content-Length is not a number");
    if (codings && strcmp(head->version, "HTTP/1.1") != 0)
        return refuse(no, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (codings && strcasecmp(coding, "chunked") != 0)
        return refuse(no, 400, "Transfer-Encoding is not chunked");
    return true;
}

bool rv_http_guard(const struct rv_http_head *head, struct rv_http_no *no)
{
    return line_ok(head, no) && fields_ok(head->fields, head->n_fields, no) &&
           routing_ok(head, no) && framing_ok(head, no);
}

bool rv_http_guard_trailers(const struct rv_http_field *fields, size_t n, struct rv_http_no *no)
{
    static const char *const never[] = { "Content-Length", "Transfer-Encoding",
                                         "Host",           "Authorization",
                                         "Cookie",         NULL };

    if (n > RV_HTTP_TRAILERS_MAX)
        return refuse(no, 431, "there are more than 8 trailers");
    for (size_t i = 0; never[i]; i++)
        if (rv_http_field(fields, n, never[i]))
            return refuse(no, 400, "a trailer says what only a header may");
    return fields_ok(fields, n, no);
}

const char *rv_http_field(const struct rv_http_field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(fields[i].name, name) == 0)
            return fields[i].value;
    return NULL;
}

/* One field at @at: name, the NUL that was a colon, blanks, value, two NULs that were CR LF. */
static const char *after_field(const struct rv_http_field *field, const char *at, const char *end)
{
    const char *value = at + strlen(field->name) + 1;

    if (field->name != at || field->value < value || field->value + strlen(field->value) + 2 > end)
        return NULL;
    for (; value < field->value; value++)
        if (*value != ' ' && *value != '\t')
            return NULL;
    value += strlen(value);
    return value[0] || value[1] ? NULL : value + 2;
}

bool rv_http_layout(const struct rv_http_head *head, size_t target_len, size_t bytes)
{
    const char *at = head->method + strlen(head->method) + 1, *end = head->method + bytes;

    if (head->target != at || head->version != at + target_len + 1)
        return false;
    at = head->version + strlen(head->version);
    if (at + 4 > end || at[0] || at[1])
        return false;
    at += 2;
    for (size_t i = 0; i < head->n_fields && at; i++)
        at = after_field(&head->fields[i], at, end - 2);
    return at && at + 2 == end && !at[0] && !at[1];
}
