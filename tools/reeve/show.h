#pragma once

/*
 * Show: JSON objects as tables for people. With --json the JSON goes out as it came, with --get
 * only the value at that path. Colours on a terminal only, and not when NO_COLOR is set.
 */

#include "cli.h"

enum show_kind { SHOW_TEXT, SHOW_USD, SHOW_TIME, SHOW_MS, SHOW_COUNT, SHOW_YES };

struct show_column {
    const char *title, *path; /* a dotted path into the object */
    enum show_kind kind;
};

/* @columns end with a row without a title. */
void show_list(struct cli *cli, const json_t *items, const struct show_column *columns);
void show_object(struct cli *cli, json_t *object, const struct show_column *columns);

/* True when --json or --get has taken care of it. */
bool show_raw(struct cli *cli, json_t *value);

/* One value of an object, as a cell shows it; "" for null. */
const char *show_cell(struct rv_ctx *cx, json_t *object, const struct show_column *column);

enum show_colour { SHOW_PLAIN, SHOW_BOLD, SHOW_FAINT, SHOW_GREEN, SHOW_RED, SHOW_YELLOW };
const char *show_colour(enum show_colour colour);  /* the escape sequence, or "" */
enum show_colour show_colour_of(const char *word); /* of a state: green completed, red failed … */
