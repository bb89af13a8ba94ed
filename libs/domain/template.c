#define _GNU_SOURCE /* memmem */

#include "domain/template.h"

#include <string.h>

bool template_is(const char *text)
{
    return text && strstr(text, "${{");
}

static bool has_hex4(const char *digits)
{
    return strspn(digits, "0123456789abcdefABCDEF") >= 4;
}

static unsigned hex4(const char *digits)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];

        code = code << 4 | (unsigned)(c <= '9' ? c - '0' : (c | ' ') - 'a' + 10);
    }
    return code;
}

static char *put_utf8(char *to, unsigned code)
{
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (int i = n - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    to[0] = (char)(n == 1 ? code : first[n] | code);
    return to + n;
}

/* The escape behind a backslash at *@at; what it stands for is never longer than it. */
static char *put_escape(char *to, const char **at)
{
    static const char from[] = "bfnrt", stands[] = "\b\f\n\r\t";
    const char *letter = strchr(from, **at);
    unsigned code;

    if (**at != 'u' || !has_hex4(*at + 1)) {
        *to = letter ? stands[letter - from] : **at;
        ++*at;
        return to + 1;
    }
    code = hex4(*at + 1);
    *at += 5;
    if (code >= 0xd800 && code < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
        has_hex4(*at + 2) && (hex4(*at + 2) & 0xfc00) == 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(*at + 2) - 0xdc00);
        *at += 6;
    }
    return put_utf8(to, code);
}

/* The string that begins behind the quote at *@at, which is moved behind its end. */
static const char *read_string(struct rv_ctx *cx, const char **at)
{
    char *text = rv_new_array(cx, char, strlen(*at) + 1), *to = text;

    while (**at && **at != '"') {
        if (**at == '\\' && (*at)[1]) {
            ++*at;
            to = put_escape(to, at);
        } else {
            *to++ = *(*at)++;
        }
    }
    *to = '\0';
    *at += **at == '"';
    return text;
}

static void skip_string(const char **at)
{
    while (**at && **at != '"')
        *at += **at == '\\' && (*at)[1] ? 2 : 1;
    *at += **at == '"';
}

void template_each_in_json(struct rv_ctx *cx, const char *json,
                           void (*each)(void *arg, const char *text), void *arg)
{
    while (*json) {
        const char *start, *end;

        if (*json++ != '"')
            continue;
        start = end = json;
        skip_string(&json);
        if (json[strspn(json, " \t\r\n")] == ':' ||
            !memmem(start, (size_t)(json - start), "${{", 3))
            continue;
        each(arg, read_string(cx, &end));
    }
}
