#include "domain/expression.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t next_word(struct cel_value text, size_t *at)
{
    size_t start;

    while (*at < text.len && is_blank(text.text[*at]))
        ++*at;
    start = *at;
    while (*at < text.len && !is_blank(text.text[*at]))
        ++*at;
    return start;
}

static struct cel_value words(struct cel_run *run, const struct cel_value *args, size_t n_args)
{
    struct cel_value text = args[0], *items;
    size_t n = 0, i = 0;

    (void)n_args;
    for (size_t at = 0, start; start = next_word(text, &at), at > start;)
        n++;
    items = cel_room(run, (n + 1) * sizeof(*items));
    if (!items)
        return cel_spent(run);
    for (size_t at = 0, start; start = next_word(text, &at), at > start;)
        items[i++] = cel_string(text.text + start, at - start);
    return cel_list_of(cel_ctx(run), items, n);
}

const struct cel_function expression_functions[] = {
    { "words", CEL_BOTH, "s:Ls", words, true },
    { 0 },
};
