/* The half of text.h that knows UTF-8. */

#include "base/text.h"

#include <string.h>

size_t rv_utf8_next(const char *text, size_t len, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *at = (const unsigned char *)text;
    size_t bytes;
    uint32_t c;

    if (len == 0)
        return 0;
    bytes = at[0] < 0x80             ? 1
            : (at[0] & 0xe0) == 0xc0 ? 2
            : (at[0] & 0xf0) == 0xe0 ? 3
            : (at[0] & 0xf8) == 0xf0 ? 4
                                     : 0;
    if (bytes == 0 || bytes > len)
        return 0;
    c = bytes == 1 ? at[0] : at[0] & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3f);
    }
    if (c < least[bytes] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (code)
        *code = c;
    return bytes;
}

/* Eight bytes at a time while they are plain ASCII, which is nearly always. */
bool rv_utf8_ok(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        uint64_t eight;
        size_t bytes;

        while (len - at >= sizeof(eight)) {
            memcpy(&eight, text + at, sizeof(eight));
            if (eight & 0x8080808080808080u)
                break;
            at += sizeof(eight);
        }
        if (at == len)
            break;
        bytes = rv_utf8_next(text + at, len - at, NULL);
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

size_t rv_utf8_cut(const char *text, size_t len, size_t at_most)
{
    if (len <= at_most)
        return len;
    while (at_most > 0 && ((unsigned char)text[at_most] & 0xc0) == 0x80)
        at_most--;
    return at_most;
}

/* What terminals agree on; the long tail of emoji sequences is left alone. */
static int width_of(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        int width;
    } rows[] = {
        { 0x0000, 0x001f, 0 },   { 0x007f, 0x009f, 0 },   { 0x0300, 0x036f, 0 },
        { 0x1100, 0x115f, 2 },   { 0x200b, 0x200f, 0 },   { 0x20d0, 0x20ff, 0 },
        { 0x2e80, 0x303e, 2 },   { 0x3041, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 },
        { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },   { 0xfe20, 0xfe2f, 0 },
        { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },
        { 0x1f300, 0x1f64f, 2 }, { 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (c >= rows[i].from && c <= rows[i].to)
            return rows[i].width;
    return 1;
}

int rv_utf8_width(const char *text)
{
    size_t len = strlen(text);
    int width = 0;

    while (len > 0) {
        uint32_t code = '?';
        size_t bytes = rv_utf8_next(text, len, &code);

        width += width_of(code);
        bytes += bytes == 0;
        text += bytes;
        len -= bytes;
    }
    return width;
}

void rv_utf8_mend(char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len;) {
        size_t bytes = rv_utf8_next(text + i, len - i, NULL);

        if (bytes == 0)
            text[i] = '?';
        i += bytes ? bytes : 1;
    }
}
