#include "runtime/config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SECRET_MAX = 64 * 1024 };

RV_SETTINGS_TABLE(common_rows, rv_common_config, RV_COMMON_SETTINGS)

const struct rv_setting *rv_common_settings(void)
{
    return common_rows();
}

static bool parse_bytes(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = { { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { "", 1 } };
    char number[24];

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t len = strlen(text) - strlen(units[i].unit);

        if (!rv_text_ends(text, units[i].unit))
            continue;
        if (len == 0 || len >= sizeof(number))
            return false;
        memcpy(number, text, len);
        number[len] = '\0';
        return rv_text_int(number, out) && *out >= 0 &&
               !__builtin_mul_overflow(*out, units[i].bytes, out);
    }
    return false;
}

/* Whether @text is one of the words before the colon of @doc. */
static bool is_choice(const char *doc, const char *text)
{
    size_t len = strlen(text);

    for (const char *word = doc; len > 0; word += strcspn(word, "|:") + 1) {
        size_t word_len = strcspn(word, "|:");

        if (word_len == len && memcmp(word, text, len) == 0)
            return true;
        if (word[word_len] != '|')
            return false;
    }
    return false;
}

/* What was read from files: as long as the process. */
static struct kept {
    struct kept *next;
    char text[];
} * kept;

/* The first line of the file that <ENV>_FILE names; NULL: there is no such setting or file. */
static const char *read_secret(const char *env, bool *named)
{
    char name[128];
    const char *path;
    struct kept *secret;
    FILE *file;
    size_t len;

    snprintf(name, sizeof(name), "%s_FILE", env);
    path = getenv(name);
    *named = path != NULL;
    file = path ? fopen(path, "r") : NULL;
    if (!file)
        return NULL;
    secret = malloc(sizeof(*secret) + SECRET_MAX);
    if (!secret)
        abort();
    len = fread(secret->text, 1, SECRET_MAX - 1, file);
    fclose(file);
    secret->text[len] = '\0';
    secret->text[strcspn(secret->text, "\r\n")] = '\0';
    secret->next = kept;
    kept = secret;
    return secret->text;
}

static bool set(const struct rv_setting *setting, void *config, const char *text)
{
    void *place = (char *)config + setting->offset;

    switch (setting->kind) {
    case RV_SETTING_CHOICE:
        *(const char **)place = text;
        return is_choice(setting->doc, text);
    case RV_SETTING_TEXT:
    case RV_SETTING_SECRET:
        *(const char **)place = text;
        return true;
    case RV_SETTING_INT:
        return rv_text_int(text, place);
    case RV_SETTING_DURATION:
        return rv_text_duration(text, place);
    case RV_SETTING_BYTES:
        return parse_bytes(text, place);
    case RV_SETTING_BOOL:
        *(bool *)place = strcmp(text, "true") == 0;
        return *(bool *)place || strcmp(text, "false") == 0;
    }
    return false;
}

static bool read_one(const struct rv_setting *setting, void *config, FILE *errors)
{
    const char *text = getenv(setting->env);
    bool named = false;

    if (!text && setting->kind == RV_SETTING_SECRET)
        text = read_secret(setting->env, &named);
    if (!text && named) {
        fprintf(errors, "%s_FILE names a file that cannot be read\n", setting->env);
        return false;
    }
    if (!text)
        text = setting->fallback;
    if (!text)
        fprintf(errors, "%s is not set: %s\n", setting->env, setting->doc);
    else if (set(setting, config, text))
        return true;
    else if (setting->kind == RV_SETTING_SECRET)
        fprintf(errors, "%s has a value that does not fit: %s\n", setting->env, setting->doc);
    else
        fprintf(errors, "%s has a value that does not fit (\"%s\"): %s\n", setting->env, text,
                setting->doc);
    return false;
}

bool rv_config_read(const struct rv_setting *settings, void *config, FILE *errors)
{
    bool good = true;

    for (const struct rv_setting *s = settings; s->env; s++)
        good = read_one(s, config, errors) && good;
    return good;
}

void rv_config_describe(const struct rv_setting *settings, FILE *out)
{
    for (const struct rv_setting *s = settings; s->env; s++) {
        const char *fallback = !s->fallback ? "(required)" : *s->fallback ? s->fallback : "\"\"";

        fprintf(out, "  %-28s %-34s %s\n", s->env, fallback, s->doc);
    }
}

void rv_config_print(const struct rv_setting *settings, const void *config, FILE *out)
{
    for (const struct rv_setting *s = settings; s->env; s++) {
        const void *place = (const char *)config + s->offset;

        fprintf(out, "%s=", s->env);
        switch (s->kind) {
        case RV_SETTING_TEXT:
        case RV_SETTING_CHOICE:
            fprintf(out, "%s\n", *(const char *const *)place);
            break;
        case RV_SETTING_SECRET:
            fprintf(out, "%s\n", **(const char *const *)place ? "***" : "");
            break;
        case RV_SETTING_BOOL:
            fprintf(out, "%s\n", *(const bool *)place ? "true" : "false");
            break;
        case RV_SETTING_DURATION:
            fprintf(out, "%" PRId64 "ms\n", *(const int64_t *)place);
            break;
        case RV_SETTING_INT:
        case RV_SETTING_BYTES:
            fprintf(out, "%" PRId64 "\n", *(const int64_t *)place);
            break;
        }
    }
}
