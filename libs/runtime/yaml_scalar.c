#include "runtime/yaml_scalar.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Words of the core schema; what YAML 1.1 added (yes, NO, on, 12:30, dates) is text. */
static const struct {
    const char *yaml, *json;
} words[] = {
    { "", "null" },       { "~", "null" },      { "null", "null" },   { "Null", "null" },
    { "NULL", "null" },   { "true", "true" },   { "True", "true" },   { "TRUE", "true" },
    { "false", "false" }, { "False", "false" }, { "FALSE", "false" },
};

static bool is_special(const char *text)
{
    static const char *const specials[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN" };

    text += *text == '-' || *text == '+';
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (strcmp(text, specials[i]) == 0)
            return true;
    return false;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *text)
{
    size_t whole, part = 0;

    text += *text == '-' || *text == '+';
    whole = digits(text);
    text += whole;
    if (*text == '.') {
        part = digits(text + 1);
        text += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '-' || text[1] == '+');
        if (digits(text) == 0)
            return false;
        text += digits(text);
    }
    return *text == '\0';
}

static bool is_in_base(const char *text, const char *prefix, const char *all)
{
    size_t len = strlen(text), start = strlen(prefix);

    return len > start && strncmp(text, prefix, start) == 0 &&
           strspn(text + start, all) == len - start;
}

/* 0x1F, 0o17: false when they do not fit. */
static bool in_base(const char *text, int base, int64_t *out)
{
    static const char all[] = "0123456789abcdef";

    *out = 0;
    for (; *text; text++) {
        int digit = (int)(strchr(all, *text | (*text >= 'A' ? 32 : 0)) - all);

        if (__builtin_mul_overflow(*out, base, out) || __builtin_add_overflow(*out, digit, out))
            return false;
    }
    return true;
}

static const char *add_int(struct rv_buf *into, bool fits, const int64_t *number)
{
    if (!fits)
        return "does not fit in 64 bits; put it in quotes";
    rv_buf_int(into, *number);
    return NULL;
}

static const char *add_float(struct rv_buf *into, const char *text)
{
    double number;

    if (!rv_text_double(text + (*text == '+'), &number))
        return "is too large a number";
    rv_buf_double(into, number);
    return NULL;
}

const char *rv_yaml_plain(struct rv_buf *into, const char *text)
{
    const char *unsigned_ = text + (*text == '-' || *text == '+');
    int64_t number = 0;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i].yaml) == 0) {
            rv_buf_text(into, words[i].json);
            return NULL;
        }
    if (is_special(text))
        return "is not a number that JSON knows";
    if (is_in_base(text, "0x", "0123456789abcdefABCDEF"))
        return add_int(into, in_base(text + 2, 16, &number), &number);
    if (is_in_base(text, "0o", "01234567"))
        return add_int(into, in_base(text + 2, 8, &number), &number);
    if (*unsigned_ && !unsigned_[digits(unsigned_)])
        return add_int(into, rv_text_int(text + (*text == '+'), &number), &number);
    if (is_float(text))
        return add_float(into, text);
    rv_buf_json(into, text);
    return NULL;
}
