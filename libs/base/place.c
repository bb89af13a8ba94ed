#include "base/place.h"

#include <string.h>

#include "base/text.h"

enum { INDEX_MAX = 100000000 };

static size_t plain_len(const char *key)
{
    return strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
}

void rv_place_key(struct rv_buf *place, const char *key)
{
    size_t len = plain_len(key);
    char cut[RV_PLACE_KEY_MAX + 1];

    if (len > 0 && !key[len] && len <= RV_PLACE_KEY_MAX) {
        if (place->len)
            rv_buf_char(place, '.');
        rv_buf_add(place, key, len);
        return;
    }
    len = rv_utf8_cut(key, strlen(key), RV_PLACE_KEY_MAX);
    memcpy(cut, key, len);
    cut[len] = '\0';
    rv_buf_char(place, '[');
    rv_buf_json(place, cut);
    rv_buf_char(place, ']');
}

void rv_place_index(struct rv_buf *place, size_t index)
{
    rv_buf_printf(place, "[%zu]", index);
}

/* name */
static const char *plain_key(const char *at, struct rv_place_step *step)
{
    size_t len = plain_len(at);

    if (len == 0 || len > RV_PLACE_KEY_MAX)
        return NULL;
    step->is_key = true;
    memcpy(step->key, at, len);
    return at + len;
}

/* ["so"]: the escapes are those of JSON, of which only \" and \\ are read back. */
static const char *quoted_key(const char *at, struct rv_place_step *step)
{
    size_t len = 0;

    step->is_key = true;
    for (at += 2; *at && *at != '"'; at++) {
        if ((*at == '\\' && !*++at) || len == RV_PLACE_KEY_MAX)
            return NULL;
        step->key[len++] = *at;
    }
    return at[0] == '"' && at[1] == ']' ? at + 2 : NULL;
}

/* [12] */
static const char *index_of(const char *at, struct rv_place_step *step)
{
    size_t digits = strspn(at + 1, "0123456789");

    if (digits == 0 || at[1 + digits] != ']')
        return NULL;
    for (at++; *at != ']'; at++) {
        step->index = step->index * 10 + (size_t)(*at - '0');
        if (step->index > INDEX_MAX)
            return NULL;
    }
    return at + 1;
}

bool rv_place_next(const char **place, struct rv_place_step *step)
{
    const char *at = *place;

    *step = (struct rv_place_step){ 0 };
    if (!at || !*at)
        return false;
    at = *at != '['     ? plain_key(at, step)
         : at[1] == '"' ? quoted_key(at, step)
                        : index_of(at, step);
    if (at && *at == '.' && plain_len(at + 1) > 0)
        at++;
    else if (at && *at && *at != '[')
        at = NULL;
    *place = at;
    return at != NULL;
}
