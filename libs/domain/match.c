#include "domain/match.h"

#include <ctype.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

RV_ENUM_DEFINE(match_op, MATCH_OPS)

enum { PATTERN_MAX = 500, SUBJECT_MAX = 64 * 1024, REPEATS_MAX = 1000, SHOWN_MAX = 80 };

/* Words that may quote what came from outside, so they are cut between characters only. */
static void say(char *why, size_t why_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(char *why, size_t why_size, const char *format, ...)
{
    size_t whole = 0, next, len;
    va_list args;

    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    len = strlen(why);
    while ((next = rv_utf8_next(why + whole, len - whole, NULL)) > 0)
        whole += next;
    why[whole] = '\0';
}

/* As many bytes of @text as are worth showing: for %.*s. */
static int shown(const char *text)
{
    return (int)rv_utf8_cut(text, strlen(text), SHOWN_MAX);
}

static const char *first(struct match_value value)
{
    return value.n ? value.texts[0] : "";
}

static bool equal(struct match_value a, struct match_value b)
{
    double x, y;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (strcmp(a.texts[i], b.texts[i]) != 0 &&
            !(rv_text_double(a.texts[i], &x) && rv_text_double(b.texts[i], &y) && x == y))
            return false;
    return true;
}

static bool contains(struct match_value in, const char *what)
{
    if (!in.list)
        return strstr(first(in), what) != NULL;
    for (size_t i = 0; i < in.n; i++)
        if (strcmp(in.texts[i], what) == 0)
            return true;
    return false;
}

/* The larger bound of "{2,5}" at @at. */
static long interval_max(const char *at)
{
    char *end;
    long low = strtol(at + 1, &end, 10), high = *end == ',' ? strtol(end + 1, &end, 10) : 0;

    return high > low ? high : low;
}

/*
 * What makes a matcher slow or large is counted repeats inside each other (they are written out
 * when it is compiled) and back references.
 */
static const char *pattern_cost(const char *pattern)
{
    long product = 1;

    for (const char *p = pattern; *p; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            if (isdigit((unsigned char)*p))
                return "uses a back reference";
        } else if (*p == '{') {
            long times = interval_max(p);

            if (times > REPEATS_MAX || (product *= times > 1 ? times : 1) > REPEATS_MAX)
                return "repeats more than 1000 times";
        }
    }
    return NULL;
}

bool match_pattern_ok(const char *pattern, char *why, size_t why_size)
{
    const char *cost = pattern_cost(pattern);
    regex_t compiled;
    int got;

    if (strlen(pattern) > PATTERN_MAX || cost) {
        if (cost)
            say(why, why_size, "%s", cost);
        else
            say(why, why_size, "is longer than %d bytes", PATTERN_MAX);
        return false;
    }
    got = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (got != 0)
        regerror(got, &compiled, why, why_size);
    else
        regfree(&compiled);
    return got == 0;
}

static bool regex_holds(const char *text, const char *pattern, char *why, size_t why_size)
{
    regex_t compiled;
    bool holds;

    if (strlen(text) > SUBJECT_MAX) {
        say(why, why_size, "the text is longer than %d bytes", SUBJECT_MAX);
        return false;
    }
    if (!match_pattern_ok(pattern, why, why_size) ||
        regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    holds = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    if (!holds)
        say(why, why_size, "\"%.*s\" does not match \"%.*s\"", shown(text), text, shown(pattern),
            pattern);
    return holds;
}

static bool number_holds(double seen, struct match_value right, bool at_least, char *why,
                         size_t why_size)
{
    double bound;

    if (!rv_text_double(first(right), &bound)) {
        say(why, why_size, "the bound \"%.*s\" is not a number", shown(first(right)), first(right));
        return false;
    }
    if (at_least ? seen >= bound : seen <= bound)
        return true;
    say(why, why_size, "%g is %s %g", seen, at_least ? "below" : "above", bound);
    return false;
}

static bool bound_holds(bool at_least, struct match_value left, struct match_value right, char *why,
                        size_t why_size)
{
    double seen;

    if (rv_text_double(first(left), &seen))
        return number_holds(seen, right, at_least, why, why_size);
    say(why, why_size, "\"%.*s\" is not a number", shown(first(left)), first(left));
    return false;
}

static bool plain_holds(enum match_op op, struct match_value left, struct match_value right,
                        char *why, size_t why_size)
{
    bool equals = op == MATCH_EQUALS;

    if (equals ? equal(left, right) : contains(left, first(right)))
        return true;
    say(why, why_size, "\"%.*s\" does not %s \"%.*s\"", shown(first(left)), first(left),
        equals ? "equal" : "contain", shown(first(right)), first(right));
    return false;
}

bool match_holds(enum match_op op, struct match_value left, struct match_value right, char *why,
                 size_t why_size)
{
    why[0] = '\0';
    switch (op) {
    case MATCH_EQUALS:
    case MATCH_CONTAINS:
        return plain_holds(op, left, right, why, why_size);
    case MATCH_REGEX:
        return regex_holds(first(left), first(right), why, why_size);
    case MATCH_AT_LEAST:
    case MATCH_AT_MOST:
        return bound_holds(op == MATCH_AT_LEAST, left, right, why, why_size);
    }
    say(why, why_size, "there is no such comparison");
    return false;
}
