#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/time.h"

/* A call to the kernel costs more than an id: random bytes are fetched by the pocketful. */
static _Thread_local struct {
    uint8_t bytes[512];
    size_t left;
    int64_t last_ms;
    unsigned counter;
} mine;

/* A forked child must not hand out what its parent holds. */
static void forget(void)
{
    mine.left = 0;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget);
}

static void fetch(void *to, size_t len)
{
    uint8_t *at = to;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

static void take_random(void *to, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_forks);
    if (mine.left < len) {
        fetch(mine.bytes, sizeof(mine.bytes));
        mine.left = sizeof(mine.bytes);
    }
    mine.left -= len;
    memcpy(to, mine.bytes + mine.left, len);
    memset(mine.bytes + mine.left, 0, len);
}

static char *add_hex(char *to, const uint8_t *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *to++ = hex[bytes[i] >> 4];
        *to++ = hex[bytes[i] & 15];
    }
    *to = '\0';
    return to;
}

/*
 * The 12 bits behind the time count within a millisecond, from a random start in the lower half.
 * When they run over, or the clock steps back, the id's time goes on by itself.
 */
static void next_moment(const uint8_t random[2])
{
    int64_t now = rv_now_ms();

    if (now <= mine.last_ms && ++mine.counter <= 0xfff)
        return;
    mine.last_ms = now > mine.last_ms ? now : mine.last_ms + 1;
    mine.counter = (random[0] << 8 | random[1]) & 0x7ff;
}

void rv_id_write(char id[RV_ID_LEN + 1])
{
    static const size_t parts[] = { 4, 2, 2, 2, 6 };
    uint8_t bytes[16];
    const uint8_t *from = bytes;

    take_random(bytes + 6, 10);
    next_moment(bytes + 6);
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(mine.last_ms >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | mine.counter >> 8);
    bytes[7] = (uint8_t)mine.counter;
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); from += parts[i++]) {
        id = add_hex(id, from, parts[i]);
        if (i < 4)
            *id++ = '-';
    }
}

const char *rv_id_new(struct rv_ctx *cx)
{
    char *id = rv_new_array(cx, char, RV_ID_LEN + 1);

    rv_id_write(id);
    return id;
}

/* One more than a hex digit is worth; 0: it is none. */
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static unsigned hex_value(char c)
{
    return digit_values[(unsigned char)c] - 1u;
}

bool rv_id_bytes(const char *text, uint8_t bytes[16])
{
    static const uint8_t places[16] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };
    unsigned wrong = 0; /* the upper bits of what is no digit */

    if (strnlen(text, RV_ID_LEN + 1) != RV_ID_LEN)
        return false;
    for (size_t i = 0; i < sizeof(places); i++) {
        unsigned high = hex_value(text[places[i]]), low = hex_value(text[places[i] + 1]);

        wrong |= high | low;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return wrong < 16 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

bool rv_id_is(const char *text)
{
    uint8_t bytes[16];

    return rv_id_bytes(text, bytes);
}

/* @count hex digits of @text as a number, dashes passed over. */
static uint64_t digits_of(const char *text, int count)
{
    uint64_t number = 0;

    for (; count > 0; text++)
        if (*text != '-') {
            number = number << 4 | hex_value(*text);
            count--;
        }
    return number;
}

int64_t rv_id_time_ms(const char *id)
{
    return rv_id_is(id) && id[14] == '7' ? (int64_t)digits_of(id, 12) : 0;
}

int64_t rv_id_key(const char *id)
{
    return rv_id_is(id) ? (int64_t)digits_of(id + 19, 16) : 0;
}

static const char *random_hex(struct rv_ctx *cx, size_t len)
{
    char *text = rv_new_array(cx, char, len * 2 + 1);
    uint8_t bytes[16];

    take_random(bytes, len);
    bytes[0] |= bytes[0] == 0; /* never all zero */
    add_hex(text, bytes, len);
    return text;
}

const char *rv_trace_new(struct rv_ctx *cx)
{
    return random_hex(cx, 16);
}

const char *rv_traceparent(struct rv_ctx *cx, const char *trace_id)
{
    return rv_printf(cx, "00-%s-%s-01", trace_id, random_hex(cx, 8));
}

/* Lower-case hex, and not all of it 0. */
static bool is_trace_part(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") >= len && strspn(text, "0") < len;
}

/* version-trace-span-flags; versions that are not born yet may say more behind another dash. */
const char *rv_traceparent_parse(struct rv_ctx *cx, const char *header)
{
    enum { LEN = 55 };
    bool known;

    if (!header || strlen(header) < LEN || strspn(header, "0123456789abcdef") != 2)
        return NULL;
    known = strncmp(header, "00", 2) == 0;
    if (strncmp(header, "ff", 2) == 0 || header[2] != '-' || header[35] != '-' ||
        header[52] != '-' || !is_trace_part(header + 3, 32) || !is_trace_part(header + 36, 16) ||
        strspn(header + 53, "0123456789abcdef") != 2)
        return NULL;
    if (header[LEN] && (known || header[LEN] != '-'))
        return NULL;
    return rv_strndup(cx, header + 3, 32);
}
