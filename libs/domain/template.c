#include "domain/template.h"

#include <ctype.h>
#include <string.h>

enum { PATH_MAX_LEN = 256 };

static struct template_part trimmed(const char *text, size_t len)
{
    while (len && isspace((unsigned char)*text))
        text++, len--;
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    return (struct template_part){ text, len, true };
}

bool template_each(const char *text, bool (*each)(void *arg, const struct template_part *part),
                   void *arg)
{
    while (*text) {
        const char *open = strstr(text, "${{");
        const char *close = open ? strstr(open, "}}") : NULL;
        struct template_part words = { text, open ? (size_t)(open - text) : strlen(text), false };
        struct template_part inside;

        if (words.len && !each(arg, &words))
            return true;
        if (!open)
            return true;
        if (!close)
            return false;
        inside = trimmed(open + 3, (size_t)(close - open) - 3);
        if (!each(arg, &inside))
            return true;
        text = close + 2;
    }
    return true;
}

bool template_is_one(const char *text, struct template_part *part)
{
    size_t len = strlen(text);

    if (len < 5 || strncmp(text, "${{", 3) != 0 || strstr(text, "}}") != text + len - 2)
        return false;
    *part = trimmed(text + 3, len - 5);
    return true;
}

static size_t name_len(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-'))
        n++;
    return n;
}

/* The length of "[12]" or "[\"a key\"]" at @text; 0 when it is neither. */
static size_t index_len(const char *text, size_t len)
{
    const char *close = memchr(text, ']', len);
    size_t inside = close ? (size_t)(close - text) - 1 : 0;

    if (inside == 0)
        return 0;
    if (text[1] == '"')
        return inside > 2 && text[inside] == '"' ? inside + 2 : 0;
    for (size_t i = 1; i <= inside; i++)
        if (!isdigit((unsigned char)text[i]))
            return 0;
    return inside <= 9 ? inside + 2 : 0;
}

bool template_path_ok(const char *text, size_t len)
{
    size_t at = name_len(text, len);

    if (at == 0 || len > PATH_MAX_LEN)
        return false;
    while (at < len) {
        size_t n = text[at] == '.'   ? name_len(text + at + 1, len - at - 1)
                   : text[at] == '[' ? index_len(text + at, len - at)
                                     : 0;

        if (n == 0)
            return false;
        at += text[at] == '.' ? n + 1 : n;
    }
    return true;
}

bool template_step(const char *text, size_t len, const char **node_id, size_t *node_id_len)
{
    static const char root[] = "steps.";

    if (len <= sizeof(root) - 1 || strncmp(text, root, sizeof(root) - 1) != 0)
        return false;
    *node_id = text + sizeof(root) - 1;
    *node_id_len = name_len(*node_id, len - (sizeof(root) - 1));
    return *node_id_len > 0;
}
