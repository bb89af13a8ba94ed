#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"

enum { COLUMNS_MAX = 12, CELL_MAX = 60 };

const char *show_colour(enum show_colour colour)
{
    static const char *const sequences[] = { "\033[0m",  "\033[1m",  "\033[2m",
                                             "\033[32m", "\033[31m", "\033[33m" };
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (!isatty(STDOUT_FILENO) || (no && *no) || (term && strcmp(term, "dumb") == 0))
        return "";
    return sequences[colour];
}

enum show_colour show_colour_of(const char *word)
{
    static const struct {
        const char *word;
        enum show_colour colour;
    } words[] = {
        { "completed", SHOW_GREEN },  { "approved", SHOW_GREEN },
        { "allow", SHOW_GREEN },      { "ready", SHOW_GREEN },
        { "failed", SHOW_RED },       { "denied", SHOW_RED },
        { "deny", SHOW_RED },         { "rejected", SHOW_RED },
        { "cancelled", SHOW_YELLOW }, { "paused", SHOW_YELLOW },
        { "pending", SHOW_YELLOW },   { "require_approval", SHOW_YELLOW },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].colour;
    return SHOW_PLAIN;
}

static const char *show_time(struct rv_ctx *cx, int64_t ms)
{
    char *text = ms > 0 ? rv_strdup(cx, rv_time_text(cx, ms)) : rv_strdup(cx, "");

    if (strlen(text) >= 19) {
        text[10] = ' ';
        text[19] = '\0'; /* to the second, UTC */
    }
    return text;
}

static const char *show_number(struct rv_ctx *cx, int64_t number, enum show_kind kind)
{
    switch (kind) {
    case SHOW_USD:
        return rv_text_show_usd(cx, number);
    case SHOW_TIME:
        return show_time(cx, number);
    case SHOW_MS:
        return rv_text_show_ms(cx, number);
    case SHOW_TEXT:
    case SHOW_COUNT:
    case SHOW_YES:
        break;
    }
    return rv_printf(cx, "%" PRId64, number);
}

const char *show_cell(struct rv_ctx *cx, json_t *object, const struct show_column *column)
{
    json_t *value = rv_json_at(object, column->path);

    if (!value || json_is_null(value))
        return "";
    if (column->kind == SHOW_YES)
        return json_is_true(value) ? "yes" : "no";
    if (json_is_integer(value))
        return show_number(cx, json_integer_value(value), column->kind);
    return json_is_string(value) ? json_string_value(value) : rv_json_text(cx, value);
}

bool show_raw(struct cli *cli, json_t *value)
{
    if (cli->options.get) {
        json_t *at = rv_json_at(value, cli->options.get);

        puts(json_is_string(at) ? json_string_value(at) : rv_json_text(cli->cx, at));
        return true;
    }
    if (cli->options.json)
        puts(rv_json_text(cli->cx, value));
    return cli->options.json;
}

/* In one line, and not too long; a text may hold anything. */
static const char *tame(struct rv_ctx *cx, const char *text, size_t at_most)
{
    size_t len = strlen(text), keep = rv_utf8_cut(text, len, at_most);
    char *copy = keep < len ? rv_printf(cx, "%.*s…", (int)keep, text) : rv_strdup(cx, text);

    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    return copy;
}

static void put_cell(const char *text, int width, bool right, const char *colour)
{
    int gap = width - rv_utf8_width(text);

    printf("%*s%s%s%s%*s  ", right && gap > 0 ? gap : 0, "", colour, text,
           *colour ? show_colour(SHOW_PLAIN) : "", !right && gap > 0 ? gap : 0, "");
}

static bool is_right(const struct show_column *column)
{
    return column->kind == SHOW_USD || column->kind == SHOW_MS || column->kind == SHOW_COUNT;
}

static void put_table(const char *const *cells, size_t n_rows, size_t n,
                      const struct show_column *columns)
{
    int width[COLUMNS_MAX] = { 0 };

    for (size_t c = 0; c < n; c++) {
        width[c] = rv_utf8_width(columns[c].title);
        for (size_t r = 0; r < n_rows; r++)
            if (rv_utf8_width(cells[r * n + c]) > width[c])
                width[c] = rv_utf8_width(cells[r * n + c]);
    }
    for (size_t c = 0; c < n; c++)
        put_cell(columns[c].title, c + 1 < n ? width[c] : 0, is_right(&columns[c]),
                 show_colour(SHOW_BOLD));
    putchar('\n');
    for (size_t r = 0; r < n_rows; r++, putchar('\n'))
        for (size_t c = 0; c < n; c++) {
            const char *cell = cells[r * n + c];
            enum show_colour colour = show_colour_of(cell);

            put_cell(cell, c + 1 < n ? width[c] : 0, is_right(&columns[c]),
                     colour == SHOW_PLAIN ? "" : show_colour(colour));
        }
}

void show_list(struct cli *cli, const json_t *items, const struct show_column *columns)
{
    size_t n = 0, n_rows = json_array_size(items);
    const char **cells;

    if (show_raw(cli, (json_t *)(uintptr_t)items))
        return;
    while (columns[n].title)
        n++;
    cells = rv_new_array(cli->cx, const char *, n_rows *n + 1);
    for (size_t r = 0; r < n_rows; r++)
        for (size_t c = 0; c < n; c++)
            cells[r * n + c] =
                tame(cli->cx, show_cell(cli->cx, json_array_get(items, r), &columns[c]), CELL_MAX);
    put_table(cells, n_rows, n, columns);
    if (n_rows == 0)
        puts("(none)");
}

void show_object(struct cli *cli, json_t *object, const struct show_column *columns)
{
    if (show_raw(cli, object))
        return;
    for (const struct show_column *c = columns; c->title; c++) {
        const char *text = show_cell(cli->cx, object, c);
        enum show_colour colour = show_colour_of(text);

        if (*text)
            printf("%s%-14s%s %s%s%s\n", show_colour(SHOW_FAINT), c->title, show_colour(SHOW_PLAIN),
                   colour == SHOW_PLAIN ? "" : show_colour(colour), text,
                   colour == SHOW_PLAIN ? "" : show_colour(SHOW_PLAIN));
    }
}
