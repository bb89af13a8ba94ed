#include "cel/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/text.h"
#include "cel/program.h"

enum {
    PATTERN_MAX = 4096, /* bytes */
    STEPS_FIRST = 256,  /* of the first try; each further one may do more */
    STEPS_MORE = 8,
    STEPS_PER_COST = 16,
    MATCHING_COST = 1500, /* 24 KB */
    HEAP_MAX_KIB = 1024,
    DEPTH_MAX = 10000,
};

struct cel_regex {
    pcre2_code *code;
};

static void *take(size_t size, void *cx)
{
    return rv_arena_alloc(((struct rv_ctx *)cx)->arena, size);
}

static void give_back(void *memory, void *cx)
{
    (void)memory;
    (void)cx;
}

static const char *message_of(struct rv_ctx *cx, int error, size_t at)
{
    PCRE2_UCHAR text[120];

    pcre2_get_error_message(error, text, sizeof(text));
    return rv_printf(cx, "the pattern is wrong at %zu: %s", at + 1, (const char *)text);
}

/* As RE2 reads it: UTF-8, \d and \w are ASCII, $ is the very end, newlines are \n. */
static pcre2_code *compile(struct rv_ctx *cx, const char *pattern, size_t len, const char **why)
{
    pcre2_general_context *general = pcre2_general_context_create(take, give_back, cx);
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    pcre2_code *code;
    size_t at;
    int error;

    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, 100);
    code = pcre2_compile((PCRE2_SPTR)pattern, len,
                         PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP,
                         &error, &at, context);
    if (!code)
        *why = message_of(cx, error, at);
    return code;
}

const struct cel_regex *cel_regex_compile(struct rv_ctx *cx, const char *pattern, size_t len,
                                          const char **why)
{
    struct cel_regex *regex = rv_new(cx, struct cel_regex);
    auto_buf translated = { 0 };

    if (len > PATTERN_MAX) {
        *why = "the pattern is too long";
        return NULL;
    }
    if (!rv_utf8_ok(pattern, len)) {
        *why = "the pattern is not UTF-8";
        return NULL;
    }
    *why = cel_regex_translate(pattern, len, &translated);
    if (*why)
        return NULL;
    regex->code = compile(cx, translated.data, translated.len, why);
    return regex->code ? regex : NULL;
}

/* What matching needs, made once for an evaluation: it is large. */
struct cel_matching {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static struct cel_matching *matching_of(struct cel_run *run)
{
    pcre2_general_context *general;

    if (run->matching || !cel_spend(run, MATCHING_COST))
        return run->matching;
    general = pcre2_general_context_create(take, give_back, run->cx);
    run->matching = rv_new(run->cx, struct cel_matching);
    run->matching->context = pcre2_match_context_create(general);
    run->matching->data = pcre2_match_data_create(1, general);
    pcre2_set_depth_limit(run->matching->context, DEPTH_MAX);
    pcre2_set_heap_limit(run->matching->context, HEAP_MAX_KIB);
    return run->matching;
}

/* One try with at most @steps of backtracking. */
static int try(const struct cel_matching *matching, const struct cel_regex *regex,
               struct cel_value text, uint32_t steps)
{
    pcre2_set_match_limit(matching->context, steps);
    return pcre2_match(regex->code, (PCRE2_SPTR)(text.len ? text.text : ""), text.len, 0,
                       PCRE2_NO_UTF_CHECK, matching->data, matching->context);
}

static bool out_of_limits(int result)
{
    return result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT ||
           result == PCRE2_ERROR_HEAPLIMIT || result == PCRE2_ERROR_NOMEMORY;
}

/*
 * PCRE2 does not tell how many steps a match took, so it is tried with few first, and paid before
 * it is tried with more: what is paid is near what was done, and never below it.
 */
struct cel_value cel_regex_match(struct cel_run *run, const struct cel_regex *regex,
                                 struct cel_value text)
{
    struct cel_matching *matching = matching_of(run);

    if (!rv_utf8_ok(text.text, text.len))
        return cel_fail(run, "matches(): the text is not UTF-8");
    for (uint32_t steps = STEPS_FIRST; matching; steps *= STEPS_MORE) {
        int result;

        if (!cel_spend(run, steps / STEPS_PER_COST + text.len / 8))
            break;
        result = try(matching, regex, text, steps);
        if (result >= 0 || result == PCRE2_ERROR_NOMATCH)
            return cel_bool(result >= 0);
        if (!out_of_limits(result))
            return cel_fail(run, "matches() failed");
        if (result != PCRE2_ERROR_MATCHLIMIT || steps > UINT32_MAX / STEPS_MORE)
            break;
    }
    return cel_spent(run);
}
