#define _GNU_SOURCE /* memrchr */
#include "base/redact.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const char *const names[] = {
    "authorization", "api_key", "apikey", "password", "passwd", "passphrase", "token", "secret",
    "cookie", "private_key", "client_secret", "credential", "credentials", "ticket",
};
/* clang-format on */

/* Same letters, with - and _ alike and no case. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a == '-' ? *b != '_' : tolower((unsigned char)*a) != *b)
            return false;
    return *a == *b;
}

bool rv_redact_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t word = strlen(names[i]);

        if (len < word || !same_name(name + len - word, names[i]))
            continue;
        if (len == word || name[len - word - 1] == '_' || name[len - word - 1] == '-')
            return true;
    }
    return false;
}

static size_t letters(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

/* What stands at @text: how much of it may be shown, and how much behind that may not. */
struct secret {
    size_t shown, hidden;
};

/* <prefix>_<12>_<40>: the id may be seen, it names the key; the rest is the key. */
static struct secret own_key(const char *text)
{
    size_t prefix = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    size_t id = prefix >= 2 && text[prefix] == '_' ? letters(text + prefix + 1) : 0;
    size_t shown = prefix + id + 2;

    if (id != 12 || text[shown - 1] != '_' || letters(text + shown) < 40)
        return (struct secret){ 0 };
    return (struct secret){ shown, letters(text + shown) };
}

static struct secret foreign_key(const char *text)
{
    size_t len =
        strspn(text + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    return len >= 8 ? (struct secret){ 3, len } : (struct secret){ 0 };
}

static struct secret scheme(const char *text, size_t word)
{
    size_t blank = strspn(text + word, " ");
    size_t len = strcspn(text + word + blank, " \t\r\n\"',;");

    return blank && len >= 8 ? (struct secret){ word + blank, len } : (struct secret){ 0 };
}

/* ://user:password@host */
static struct secret url_password(const char *text)
{
    size_t authority = strcspn(text + 3, "/?# \t\r\n\"'"),
           user = strcspn(text + 3, ":@/?# \t\r\n\"'");
    const char *at = memrchr(text + 3, '@', authority);

    if (!at || text[3 + user] != ':' || at < text + 3 + user)
        return (struct secret){ 0 };
    return (struct secret){ 4 + user, (size_t)(at - (text + 4 + user)) };
}

static struct secret secret_at(const char *text, bool word_starts)
{
    if (*text == ':')
        return strncmp(text, "://", 3) == 0 ? url_password(text) : (struct secret){ 0 };
    if (!word_starts || !isalpha((unsigned char)*text))
        return (struct secret){ 0 };
    if (strncasecmp(text, "bearer ", 7) == 0)
        return scheme(text, 6);
    if (strncasecmp(text, "basic ", 6) == 0)
        return scheme(text, 5);
    if (strncmp(text, "sk-", 3) == 0)
        return foreign_key(text);
    return own_key(text);
}

void rv_redact_text(struct rv_buf *into, const char *text)
{
    const char *from = text;
    bool word_starts = true;

    while (*text) {
        struct secret found = secret_at(text, word_starts);

        if (found.hidden) {
            rv_buf_add(into, from, (size_t)(text - from) + found.shown);
            rv_buf_text(into, RV_REDACTED);
            from = text += found.shown + found.hidden;
            word_starts = true;
            continue;
        }
        word_starts = !isalnum((unsigned char)*text) && *text != '_';
        text++;
    }
    rv_buf_text(into, from);
}
