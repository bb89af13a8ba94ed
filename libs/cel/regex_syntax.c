#define _GNU_SOURCE /* memmem */
/* From RE2's syntax to PCRE2's: what only PCRE2 knows is refused, what it reads otherwise spelled
 * out. */

#include <string.h>

#include "base/buf.h"
#include "cel/regex.h"

enum { REPEAT_MAX = 1000 };

/* What may stand behind a backslash besides marks: RE2's list. Digits are back references. */
static const char escapes[] = "aftnrvdDsSwWbBAzQEpPx";

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static const char *escape_refused(char c)
{
    if (c >= '1' && c <= '9')
        return "back references are not allowed";
    if (c == '0' || !is_alnum(c) || strchr(escapes, c))
        return NULL;
    return "there is no such escape";
}

/* Behind "(?": flags, or a named group. */
static const char *group_refused(const char *at, const char *end)
{
    bool flags = false;

    if (at < end && *at == 'P')
        return end - at > 1 && at[1] == '<' ? NULL : "(?P is for names: (?P<name>…)";
    if (at < end && *at == '<')
        return end - at > 1 && (at[1] == '=' || at[1] == '!') ? "lookbehind is not allowed" : NULL;
    if (at < end && (*at == '=' || *at == '!'))
        return "lookahead is not allowed";
    for (; at < end && strchr("imsU-", *at) && *at; at++)
        flags = *at != '-';
    if (at == end || (*at != ':' && *at != ')') || (*at == ')' && !flags))
        return "there is no such group";
    return NULL;
}

/* "{n,m}" at @at: how many bytes it has, 0 when it is only text. */
static size_t counted(const char *at, const char *end, long *most)
{
    const char *from = at++;
    long number = 0;

    *most = 0;
    if (at == end || *at < '0' || *at > '9')
        return 0;
    for (; at < end && ((*at >= '0' && *at <= '9') || *at == ','); at++) {
        number = *at == ',' ? 0 : number * 10 + (*at - '0');
        if (number > *most)
            *most = number;
        if (number > REPEAT_MAX)
            number = REPEAT_MAX + 1;
    }
    return at < end && *at == '}' ? (size_t)(at - from) + 1 : 0;
}

/* A pattern on its way into PCRE2's syntax. */
struct translating {
    const char *at, *end;
    struct rv_buf *out;
    const char *why; /* it is refused; NULL: not so far */
    bool in_class;
    int n_open; /* brackets */
};

static void pass(struct translating *translating, size_t bytes)
{
    if (bytes > (size_t)(translating->end - translating->at))
        bytes = (size_t)(translating->end - translating->at);
    rv_buf_add(translating->out, translating->at, bytes);
    translating->at += bytes;
}

/* Two digits, or any number of them in braces. */
static bool is_hexadecimal(const struct translating *translating)
{
    const char *at = translating->at + 2, *end = translating->end;

    if (end - at < 2)
        return false;
    return *at == '{' ? is_hex(at[1]) : is_hex(*at) && is_hex(at[1]);
}

/* RE2's \s has no vertical tab, PCRE2's has. */
static void pass_escape(struct translating *translating)
{
    static const struct {
        char letter;
        const char *outside, *in_class;
    } rows[] = {
        { 'v', "\\x0b", "\\x0b" },
        { 's', "[\\t\\n\\f\\r ]", "\\t\\n\\f\\r " },
        { 'S', "[^\\t\\n\\f\\r ]", "\\S\\x0b" },
    };
    char letter = translating->end - translating->at > 1 ? translating->at[1] : 0;

    translating->why = letter ? escape_refused(letter) : "a backslash at the end";
    if (letter == 'b' && translating->in_class)
        translating->why = "there is no such escape";
    if (letter == 'x' && !is_hexadecimal(translating))
        translating->why = "\\x lacks digits";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].letter == letter) {
            rv_buf_text(translating->out,
                        translating->in_class ? rows[i].in_class : rows[i].outside);
            translating->at += 2;
            return;
        }
    }
    pass(translating, 2);
}

/* The bytes up to and with @close; all that is left when it does not come. */
static size_t up_to(const struct translating *translating, const char *close)
{
    size_t left = (size_t)(translating->end - translating->at);
    const char *found = memmem(translating->at, left, close, 2);

    return found ? (size_t)(found - translating->at) + 2 : left;
}

static bool is_next(const struct translating *translating, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(translating->end - translating->at) >= len &&
           memcmp(translating->at, text, len) == 0;
}

/* From "[" on: a ] that comes first is a letter. */
static void pass_class(struct translating *translating)
{
    translating->in_class = true;
    pass(translating, is_next(translating, "[^") ? 2 : 1);
    if (is_next(translating, "]"))
        pass(translating, 1);
    while (translating->at < translating->end && *translating->at != ']' && !translating->why) {
        if (*translating->at == '\\' && translating->end - translating->at > 1)
            pass_escape(translating);
        else
            pass(translating, is_next(translating, "[:") ? up_to(translating, ":]") : 1);
    }
    pass(translating, 1);
    translating->in_class = false;
}

/* How many bytes of a repetition are next, and the most that it counts; 0: it is none. */
static size_t repetition(const struct translating *translating, long *most)
{
    *most = 0;
    if (translating->at == translating->end)
        return 0;
    if (*translating->at == '{')
        return counted(translating->at, translating->end, most);
    return strchr("*+?", *translating->at) && *translating->at ? 1 : 0;
}

/* A repetition, a ? behind it that makes it lazy, and nothing more of the kind. */
static void pass_repetition(struct translating *translating, size_t bytes, long most)
{
    if (most > REPEAT_MAX)
        translating->why = "a repetition is over 1000";
    pass(translating, bytes);
    if (is_next(translating, "?"))
        pass(translating, 1);
    if (repetition(translating, &most) > 0)
        translating->why = "a repetition of a repetition is not allowed";
}

static void pass_bracket(struct translating *translating)
{
    if (is_next(translating, "(*"))
        translating->why = "verbs are not allowed";
    if (is_next(translating, "(?"))
        translating->why = group_refused(translating->at + 2, translating->end);
    translating->n_open += is_next(translating, "(") ? 1 : -1;
    if (translating->n_open < 0)
        translating->why = "a ) closes nothing";
    pass(translating, is_next(translating, "(?") ? 2 : 1);
}

static void pass_one(struct translating *translating)
{
    const char *at = translating->at;
    size_t bytes;
    long most = 0;

    if (is_next(translating, "\\Q")) {
        pass(translating, up_to(translating, "\\E"));
        rv_buf_text(translating->out, "\\E"); /* may be missing, may come twice */
    } else if (*at == '\\') {
        pass_escape(translating);
    } else if (*at == '[') {
        pass_class(translating);
    } else if (*at == '(' || *at == ')') {
        pass_bracket(translating);
    } else if ((bytes = repetition(translating, &most)) > 0) {
        pass_repetition(translating, bytes, most);
    } else {
        pass(translating, 1);
    }
}

const char *cel_regex_translate(const char *pattern, size_t len, struct rv_buf *out)
{
    struct translating translating = { .at = pattern, .end = pattern + len, .out = out };

    rv_buf_text(out, "");
    while (translating.at < translating.end && !translating.why)
        pass_one(&translating);
    if (!translating.why && translating.n_open > 0)
        translating.why = "a ( is not closed";
    return translating.why;
}
