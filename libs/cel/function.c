#include "cel/function.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "cel/functions.h"

static const struct cel_function *const tables[] = {
    cel_fn_compare, cel_fn_number,  cel_fn_string,   cel_fn_convert,  cel_fn_time, cel_fn_lists,
    cel_fn_math,    cel_fn_strings, cel_fn_optional, cel_fn_encoders, cel_fn_sets,
};

static const struct cel_function *find_in(const struct cel_function *rows, const char *name,
                                          size_t *n_functions)
{
    const struct cel_function *first;

    while (rows->name && (rows->name[0] != name[0] || strcmp(rows->name, name) != 0))
        rows++;
    first = rows;
    while (rows->name && strcmp(rows->name, name) == 0)
        rows++;
    *n_functions = (size_t)(rows - first);
    return rows > first ? first : NULL;
}

const struct cel_function *cel_functions_find(const struct cel_env *env, const char *name,
                                              size_t *n_functions)
{
    const struct cel_function *found = NULL;

    if (env->functions)
        found = find_in(env->functions, name, n_functions);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !found; i++)
        found = find_in(tables[i], name, n_functions);
    return found;
}

static uint32_t kinds_of(char letter)
{
    static const struct {
        char letter;
        enum cel_kind kind;
    } rows[] = {
        { 'b', CEL_BOOL },     { 'i', CEL_INT },   { 'u', CEL_UINT },      { 'd', CEL_DOUBLE },
        { 's', CEL_STRING },   { 'y', CEL_BYTES }, { 't', CEL_TIMESTAMP }, { 'D', CEL_DURATION },
        { 'n', CEL_NULL },     { 'T', CEL_TYPE },  { 'L', CEL_LIST },      { 'M', CEL_MAP },
        { 'O', CEL_OPTIONAL },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].letter == letter)
            return 1u << rows[i].kind;
    if (letter == '#')
        return 1u << CEL_INT | 1u << CEL_UINT | 1u << CEL_DOUBLE;
    assert(strchr("ABC*<", letter));
    return UINT32_MAX;
}

/* Behind the type that begins at @signature, with what it is of. */
static const char *past_type(const char *signature)
{
    char letter = *signature++;
    int n_params;

    if (letter == '<') {
        for (signature += strcspn(signature, " >"); *signature != '>';)
            signature = *signature == ' ' ? signature + 1 : past_type(signature);
        return signature + 1;
    }
    n_params = letter == 'M' ? 2 : letter == 'L' || letter == 'O' ? 1 : 0;

    while (n_params-- > 0)
        signature = past_type(signature);
    return signature;
}

uint32_t cel_signature_kinds(const char **signature)
{
    uint32_t kinds = kinds_of(**signature);

    *signature = past_type(*signature);
    return kinds;
}

size_t cel_signature_count(const char *signature, bool *many)
{
    size_t n = 0;

    *many = false;
    while (*signature != ':') {
        if (*signature == '~') {
            *many = true;
            signature++;
        } else {
            signature = past_type(signature);
            n++;
        }
    }
    return n;
}

struct cel_value cel_fail(struct cel_run *run, const char *format, ...)
{
    struct cel_error *error;
    char text[240];
    va_list args;

    if (!cel_spend(run, 8))
        return cel_spent(run);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    rv_utf8_mend(text);
    error = rv_new(run->cx, struct cel_error);
    *error = (struct cel_error){ .text = rv_strdup(run->cx, text), .at = run->at };
    return (struct cel_value){ .kind = CEL_ERROR, .error = error };
}

bool cel_spend(struct cel_run *run, size_t cost)
{
    if (run->cost_left < 0 || cost > (size_t)run->cost_left) {
        run->cost_left = -1;
        run->spent = true;
        return false;
    }
    run->cost_left -= (int64_t)cost;
    return true;
}

struct cel_value cel_spent(struct cel_run *run)
{
    struct cel_error *error = rv_new(run->cx, struct cel_error);

    run->spent = true;
    *error = (struct cel_error){ .text = "the expression costs more than it may", .at = run->at };
    return (struct cel_value){ .kind = CEL_ERROR, .error = error };
}

struct rv_ctx *cel_ctx(struct cel_run *run)
{
    return run->cx;
}

void *cel_room(struct cel_run *run, size_t size)
{
    return cel_spend(run, size / 16 + 1) ? rv_arena_alloc(run->cx->arena, size) : NULL;
}

struct cel_value cel_copy(struct cel_run *run, enum cel_kind kind, const char *text, size_t len)
{
    char *room = cel_room(run, len + 1);

    if (!room)
        return cel_spent(run);
    if (len)
        memcpy(room, text, len);
    return kind == CEL_BYTES ? cel_bytes(room, len) : cel_string(room, len);
}
