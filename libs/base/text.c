#define _GNU_SOURCE /* strtod_l */
#include "base/text.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

bool rv_text_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool rv_text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool rv_text_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text), end = strlen(suffix);

    return len >= end && memcmp(text + len - end, suffix, end) == 0;
}

/* Past one character; a stray byte counts as one. */
static const char *past_one(const char *text)
{
    for (text++; ((unsigned char)*text & 0xc0) == 0x80;)
        text++;
    return text;
}

/* Only the last star is ever tried again: what stands before it has matched for good. */
bool rv_text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *again = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (*pattern == '?') {
            pattern++;
            text = past_one(text);
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = again = past_one(again);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* Digits from *@at on; false when there is none or they do not fit. */
static bool digits(const char **at, bool negative, int64_t *out)
{
    const char *start = *at;

    *out = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        int64_t digit = negative ? '0' - **at : **at - '0';

        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, digit, out))
            return false;
    }
    return *at > start;
}

bool rv_text_int(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    int64_t number;

    text += negative;
    if (!digits(&text, negative, &number) || *text)
        return false;
    *out = number;
    return true;
}

static locale_t plain_locale;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

bool rv_text_double(const char *text, double *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char *end;
    double number;

    if (!*text || text[strspn(text, "0123456789+-.eE")] || *text == '+')
        return false;
    pthread_once(&once, make_plain_locale);
    number = strtod_l(text, &end, plain_locale);
    if (*end || !isfinite(number))
        return false;
    *out = number;
    return true;
}

bool rv_text_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    int64_t number;

    if (!digits(&text, false, &number))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text, units[i].unit) == 0)
            return !__builtin_mul_overflow(number, units[i].ms, out_ms);
    return false;
}

const char *rv_text_show_ms(struct rv_ctx *cx, int64_t ms)
{
    int64_t s = ms / 1000, min = s / 60, h = min / 60;

    if (ms < 1000)
        return rv_printf(cx, "%" PRId64 " ms", ms);
    if (s < 60)
        return rv_printf(cx, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    if (min < 60)
        return rv_printf(cx, "%" PRId64 " min %" PRId64 " s", min, s % 60);
    if (h < 24)
        return rv_printf(cx, "%" PRId64 " h %" PRId64 " min", h, min % 60);
    return rv_printf(cx, "%" PRId64 " d %" PRId64 " h", h / 24, h % 24);
}

const char *rv_text_show_usd(struct rv_ctx *cx, int64_t microusd)
{
    uint64_t amount = microusd < 0 ? -(uint64_t)microusd : (uint64_t)microusd;

    return rv_printf(cx, "%s$%" PRIu64 ".%06" PRIu64, microusd < 0 ? "-" : "", amount / 1000000,
                     amount % 1000000);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein with neighbours changing places as one change: the last three rows of it. */
size_t rv_text_distance(const char *a, const char *b)
{
    enum { NAME_MAX_BYTES = 63 };
    size_t rows[3][NAME_MAX_BYTES + 1], a_len = strlen(a), b_len = strlen(b);

    if (a_len > NAME_MAX_BYTES || b_len > NAME_MAX_BYTES)
        return a_len + b_len;
    for (size_t i = 0; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

uint8_t *rv_text_base64(struct rv_ctx *cx, const char *text, size_t *len)
{
    size_t n = strlen(text), pad = 0;
    uint8_t *bytes = rv_new_array(cx, uint8_t, n / 4 * 3 + 1);

    if (n % 4)
        return NULL;
    while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < n; i++) {
        int value = i >= n - pad ? 0 : base64_value(text[i]);
        size_t at = i / 4 * 3;

        if (value < 0)
            return NULL;
        if (i % 4 == 0)
            bytes[at] = (uint8_t)(value << 2);
        else if (i % 4 == 1)
            bytes[at] |= (uint8_t)(value >> 4), bytes[at + 1] = (uint8_t)(value << 4);
        else if (i % 4 == 2)
            bytes[at + 1] |= (uint8_t)(value >> 2), bytes[at + 2] = (uint8_t)(value << 6);
        else
            bytes[at + 2] |= (uint8_t)value;
    }
    *len = n / 4 * 3 - pad;
    if (pad && bytes[*len]) /* bits that nobody would read: two texts for the same bytes */
        return NULL;
    return bytes;
}

bool rv_text_is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return len >= 1 && len <= 63 && !text[len] && *text != '_' && *text != '-';
}
