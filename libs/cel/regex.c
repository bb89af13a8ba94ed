#include "cel/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cel/program.h"

enum {
    PATTERN_MAX = 4096, /* bytes */
    STEPS_FIRST = 256,  /* of the first try; each further one may do more */
    STEPS_MORE = 8,
    STEPS_PER_COST = 16,
    PATTERN_PER_COST = 64,   /* bytes of a pattern that make its steps dearer */
    HEAP_MAX_KIB = 8 * 1024, /* of an evaluation; doubling to it takes as much again */
    BYTES_PER_COST = 256,
};

/* What PCRE2 takes its memory from, and how much it took. */
struct memory {
    struct rv_ctx *cx;
    size_t bytes;
};

struct cel_regex {
    struct memory memory;
    pcre2_code *code;
    size_t dear; /* what a step costs more than one of a short pattern */
};

static void *take(size_t size, void *arg)
{
    struct memory *memory = arg;

    memory->bytes += size;
    return rv_arena_alloc(memory->cx->arena, size);
}

static void give_back(void *bytes, void *memory)
{
    (void)bytes;
    (void)memory;
}

static const char *message_of(struct rv_ctx *cx, int error)
{
    PCRE2_UCHAR text[120];

    pcre2_get_error_message(error, text, sizeof(text));
    return rv_printf(cx, "the pattern is wrong: %s", (const char *)text);
}

/*
 * PCRE2 counts steps anew for each place where a match may begin. So nothing is searched for: the
 * pattern is anchored, and what stands before a match is a part of it that is counted too.
 */
static const char before[] = "(?s:.*?)(?:", behind[] = ")";

/*
 * As RE2 reads it: UTF-8, \d and \w are ASCII, $ is the very end, newlines are \n. Without
 * automatic possessification, for what a repetition gives back is counted, and what it scans is
 * not.
 */
static pcre2_code *compile(struct memory *memory, const char *pattern, size_t len, const char **why)
{
    pcre2_general_context *general;
    pcre2_compile_context *context;
    pcre2_code *code;
    size_t at;
    int error;

    general = pcre2_general_context_create(take, give_back, memory);
    context = pcre2_compile_context_create(general);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, 100);
    code = pcre2_compile((PCRE2_SPTR)pattern, len,
                         PCRE2_ANCHORED | PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_NO_AUTO_POSSESS,
                         &error, &at, context);
    if (!code)
        *why = message_of(memory->cx, error);
    return code;
}

const struct cel_regex *cel_regex_compile(struct rv_ctx *cx, const char *pattern, size_t len,
                                          size_t *bytes, const char **why)
{
    struct cel_regex *regex = rv_new(cx, struct cel_regex);
    struct rv_buf translated = { .arena = cx->arena };
    bool anchored = len > 0 && pattern[0] == '^' && !memchr(pattern, '|', len);

    *bytes = sizeof(*regex);
    if (len > PATTERN_MAX) {
        *why = "the pattern is too long";
        return NULL;
    }
    if (!rv_utf8_ok(pattern, len)) {
        *why = "the pattern is not UTF-8";
        return NULL;
    }
    rv_buf_text(&translated, anchored ? "" : before);
    *why = cel_regex_translate(pattern, len, &translated);
    *bytes += translated.len;
    if (*why)
        return NULL;
    rv_buf_text(&translated, anchored ? "" : behind);
    regex->memory.cx = cx;
    regex->code = compile(&regex->memory, translated.data, translated.len, why);
    *bytes += regex->memory.bytes;
    regex->dear = translated.len / PATTERN_PER_COST + 1;
    return regex->code ? regex : NULL;
}

/* What matching needs, made once for an evaluation. */
struct cel_matching {
    struct memory memory;
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static struct cel_matching *matching_of(struct cel_run *run)
{
    struct cel_matching *matching = run->matching;
    pcre2_general_context *general;

    if (matching)
        return matching;
    run->matching = matching = rv_new(run->cx, struct cel_matching);
    matching->memory.cx = run->cx;
    general = pcre2_general_context_create(take, give_back, &matching->memory);
    matching->context = pcre2_match_context_create(general);
    matching->data = pcre2_match_data_create(1, general);
    pcre2_set_heap_limit(matching->context, HEAP_MAX_KIB);
    return matching;
}

/* One try with at most @steps of backtracking. What is taken for it is kept for the next. */
static int attempt(struct cel_run *run, const struct cel_regex *regex, struct cel_value text,
                   uint32_t steps)
{
    struct cel_matching *matching = matching_of(run);
    int result;

    pcre2_set_match_limit(matching->context, steps);
    result = pcre2_match(regex->code, (PCRE2_SPTR)(text.len ? text.text : ""), text.len, 0,
                         PCRE2_NO_UTF_CHECK, matching->data, matching->context);
    if (!cel_spend(run, matching->memory.bytes / BYTES_PER_COST))
        result = PCRE2_ERROR_HEAPLIMIT;
    matching->memory.bytes = 0;
    return result;
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
    if (!rv_utf8_ok(text.text, text.len))
        return cel_fail(run, "matches(): the text is not UTF-8");
    for (uint32_t steps = STEPS_FIRST; steps <= UINT32_MAX / STEPS_MORE; steps *= STEPS_MORE) {
        int result;

        if (!cel_spend(run, steps / STEPS_PER_COST * regex->dear + text.len / 8))
            break;
        result = attempt(run, regex, text, steps);
        if (result >= 0 || result == PCRE2_ERROR_NOMATCH)
            return cel_bool(result >= 0);
        if (!out_of_limits(result))
            return cel_fail(run, "matches() failed");
        if (result != PCRE2_ERROR_MATCHLIMIT)
            break;
    }
    return cel_spent(run);
}
