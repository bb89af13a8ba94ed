/* Holds the README's chapter about expressions to what the places bind. */

#include <stdio.h>

#include "base/buf.h"
#include "domain/expression.h"
#include "support/rv_test.h"

static char chapter[64 * 1024];

static int read_chapter(void **state)
{
    FILE *readme = fopen(README, "r");
    char line[1024];
    bool inside = false;

    (void)state;
    while (readme && fgets(line, sizeof(line), readme)) {
        if (strncmp(line, "## ", 3) == 0)
            inside = strcmp(line, "## Expressions\n") == 0;
        if (inside && strlen(chapter) + strlen(line) < sizeof(chapter))
            strcat(chapter, line);
    }
    if (readme)
        fclose(readme);
    return *chapter ? 0 : -1;
}

/* The row of the table in which every name of @place stands; NULL: there is none. */
static const char *row_of(struct rv_ctx *cx, enum expression_place place)
{
    auto_buf names = { 0 };

    for (const struct cel_variable *v = expression_sees(place); v->name; v++)
        rv_buf_printf(&names, "%s`%s`", names.len ? ", " : "", v->name);
    rv_buf_text(&names, " |\n");
    return strstr(chapter, rv_strndup(cx, names.data, names.len));
}

static void the_readme_says_what_every_place_sees(void **state)
{
    for (size_t i = 0; i < expression_place_enum.count; i++)
        if (!row_of(*state, (enum expression_place)expression_place_enum.rows[i].value))
            fail_msg("README.md, Expressions: no row says what a %s sees",
                     expression_place_enum.rows[i].word);
}

int main(void)
{
    const struct CMUnitTest tests[] = { RV_TEST(the_readme_says_what_every_place_sees) };

    return cmocka_run_group_tests(tests, read_chapter, NULL);
}
