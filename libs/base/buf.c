#include "base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { FIRST_SIZE = 256 };

static char *grow(const struct rv_buf *buf, size_t size)
{
    char *data = buf->arena ? rv_arena_alloc(buf->arena, size) : realloc(buf->data, size);

    if (!data) {
        fputs("out of memory\n", stderr);
        abort();
    }
    if (buf->arena && buf->len)
        memcpy(data, buf->data, buf->len);
    return data;
}

/* Room for @more bytes and a NUL. */
static char *room(struct rv_buf *buf, size_t more)
{
    size_t need;

    if (__builtin_add_overflow(buf->len, more, &need) || __builtin_add_overflow(need, 1, &need))
        abort();
    if (need > buf->size) {
        size_t size = buf->size ? buf->size : FIRST_SIZE;

        while (size < need)
            size = size > need / 2 ? need : size * 2;
        if (size < buf->size * 2)
            size = buf->size * 2;
        buf->data = grow(buf, size);
        buf->size = size;
    }
    return buf->data + buf->len;
}

static void grown(struct rv_buf *buf, size_t by)
{
    buf->len += by;
    buf->data[buf->len] = '\0';
}

void rv_buf_add(struct rv_buf *buf, const void *bytes, size_t len)
{
    char *to = room(buf, len);

    if (len)
        memcpy(to, bytes, len);
    grown(buf, len);
}

void rv_buf_text(struct rv_buf *buf, const char *text)
{
    rv_buf_add(buf, text, strlen(text));
}

void rv_buf_char(struct rv_buf *buf, char c)
{
    *room(buf, 1) = c;
    grown(buf, 1);
}

void rv_buf_int(struct rv_buf *buf, int64_t number)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--at = '-';
    rv_buf_add(buf, at, (size_t)(digits + sizeof(digits) - at));
}

/* 15 digits look like what a human wrote; where they lose something, 17 never do. */
void rv_buf_double(struct rv_buf *buf, double number)
{
    char text[40];
    double back;

    if (!isfinite(number)) {
        rv_buf_text(buf, "null");
        return;
    }
    snprintf(text, sizeof(text), "%.15g", number);
    for (char *c = text; *c; c++)
        if (*c == ',') /* a locale's point */
            *c = '.';
    if (!rv_text_double(text, &back) || back < number || back > number) {
        snprintf(text, sizeof(text), "%.17g", number);
        for (char *c = text; *c; c++)
            if (*c == ',')
                *c = '.';
    }
    rv_buf_text(buf, text);
    if (!strpbrk(text, ".e"))
        rv_buf_text(buf, ".0");
}

/* Most of what is said has room: only what has not is made twice. */
void rv_buf_printf(struct rv_buf *buf, const char *format, ...)
{
    char *to = room(buf, 0);
    size_t left = buf->size - buf->len;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(to, left, format, args);
    va_end(args);
    if (len < 0) {
        *to = '\0';
        return;
    }
    if ((size_t)len >= left) {
        to = room(buf, (size_t)len);
        va_start(args, format);
        vsnprintf(to, (size_t)len + 1, format, args);
        va_end(args);
    }
    grown(buf, (size_t)len);
}

static void add_escaped(struct rv_buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(named, c) : NULL;

    if (found)
        rv_buf_add(buf, (char[]){ '\\', letters[found - named] }, 2);
    else
        rv_buf_add(buf, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

void rv_buf_json(struct rv_buf *buf, const char *text)
{
    const char *end = text + strlen(text), *from = text;

    room(buf, (size_t)(end - text) + 2);
    rv_buf_char(buf, '"');
    while (text < end) {
        unsigned char c = (unsigned char)*text;
        size_t whole = c < 0x80 ? 1 : rv_utf8_next(text, (size_t)(end - text), NULL);

        if (whole > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            text += whole;
            continue;
        }
        rv_buf_add(buf, from, (size_t)(text - from));
        if (whole > 0)
            add_escaped(buf, c);
        else
            rv_buf_text(buf, "\\ufffd");
        from = ++text;
    }
    rv_buf_add(buf, from, (size_t)(text - from));
    rv_buf_char(buf, '"');
}

void rv_buf_base64(struct rv_buf *buf, const void *bytes, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    char *to = room(buf, (len + 2) / 3 * 4), *start = to;

    for (; len >= 3; at += 3, len -= 3) {
        *to++ = letters[at[0] >> 2];
        *to++ = letters[(at[0] & 3) << 4 | at[1] >> 4];
        *to++ = letters[(at[1] & 15) << 2 | at[2] >> 6];
        *to++ = letters[at[2] & 63];
    }
    if (len > 0) {
        unsigned second = len == 2 ? at[1] : 0;

        *to++ = letters[at[0] >> 2];
        *to++ = letters[(at[0] & 3) << 4 | second >> 4];
        *to++ = len == 2 ? letters[(second & 15) << 2] : '=';
        *to++ = '=';
    }
    grown(buf, (size_t)(to - start));
}

void rv_buf_drop(struct rv_buf *buf, size_t len)
{
    if (len > buf->len)
        len = buf->len;
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    buf->data[buf->len] = '\0';
}

void rv_buf_clear(struct rv_buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void rv_buf_release(struct rv_buf *buf)
{
    if (!buf->arena)
        free(buf->data);
    *buf = (struct rv_buf){ .arena = buf->arena };
}
