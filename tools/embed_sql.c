/*
 * embed_sql <out.c> [<in.sql>…]: turns files of named statements into struct rv_sql, declares them
 * in <out>.h beside it, and lists them in store_statements[].
 *
 * `-- name: budget_lock` begins a statement, which ends with the next one or with the file. A
 * :field in it becomes $n, a :field[] an array's $n, and a :*type $n::type[], whose elements are
 * whole records; a ::cast, a :=, a 'text', a "name" and a -- comment are left alone.
 */

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 48, NAME_SIZE = 64, STATEMENTS_MAX = 2000, FILE_MAX = 1 << 20 };

struct statement {
    char name[NAME_SIZE];
    struct {
        char name[NAME_SIZE];
        const char *form; /* of enum rv_sql_form */
    } params[PARAMS_MAX];
    int param_count;
    bool begun, ended; /* its first word and its ; have been seen */
};

static FILE *code, *header;
static char names[STATEMENTS_MAX][NAME_SIZE];
static int n_names;

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

__attribute__((noreturn)) static void die(const char *what, const char *which)
{
    fprintf(stderr, "embed_sql: %s: %s\n", which, what);
    exit(1);
}

static void take_name(const char *from, size_t len, char *name, const char *which)
{
    if (len == 0 || len >= NAME_SIZE)
        die("a name is missing, or longer than 63 characters", which);
    memcpy(name, from, len);
    name[len] = '\0';
}

/* The number of a parameter; a field used both alone and as an array is two. */
static int param_number(struct statement *s, const char *from, size_t len, const char *form)
{
    char name[NAME_SIZE];

    take_name(from, len, name, s->name);
    for (int i = 0; i < s->param_count; i++)
        if (strcmp(s->params[i].form, form) == 0 && strcmp(s->params[i].name, name) == 0)
            return i + 1;
    if (s->param_count == PARAMS_MAX)
        die("more than 48 parameters", s->name);
    strcpy(s->params[s->param_count].name, name);
    s->params[s->param_count].form = form;
    return ++s->param_count;
}

static void put(char c)
{
    if (c == '\n')
        fputs("\\n\"\n    \"", code);
    else if (c == '"' || c == '\\')
        fprintf(code, "\\%c", c);
    else if (c == '\t')
        fputc(' ', code);
    else
        fputc(c, code);
}

static void upper(const char *name, char *out)
{
    do
        *out++ = (char)toupper((unsigned char)*name);
    while (*name++);
}

static void end(struct statement *s)
{
    if (!s->name[0])
        return;
    fputs("\",\n    {", code);
    for (int i = 0; i < s->param_count; i++)
        fprintf(code, " { \"%s\", %s },", s->params[i].name, s->params[i].form);
    fprintf(code, "%s },\n    %d, %d,\n};\n", s->param_count ? "" : " { 0 }", s->param_count,
            n_names - 1);
    s->name[0] = '\0';
}

/* @line: what follows "-- name: ". */
static void begin(struct statement *s, const char *line, const char *path)
{
    char symbol[NAME_SIZE];

    *s = (struct statement){ 0 };
    take_name(line, strspn(line, lower), s->name, path);
    for (int i = 0; i < n_names; i++)
        if (strcmp(names[i], s->name) == 0)
            die("two statements of this name", s->name);
    if (n_names == STATEMENTS_MAX)
        die("too many statements", path);
    strcpy(names[n_names++], s->name);

    upper(s->name, symbol);
    fprintf(header, "extern const struct rv_sql SQL_%s;\n", symbol);
    fprintf(code, "\nconst struct rv_sql SQL_%s = {\n    \"%s\",\n    \"", symbol, s->name);
}

/* Copies a 'text' or a "name" whole; a doubled quote inside is two of them side by side. */
static const char *put_quoted(const struct statement *s, const char *p)
{
    const char *close = strchr(p + 1, *p);

    if (!close)
        die("a quote is not closed", s->name);
    while (p <= close)
        put(*p++);
    return p;
}

static const char *put_param(struct statement *s, const char *p)
{
    size_t len = strspn(p + 1, lower);
    bool array = strncmp(p + 1 + len, "[]", 2) == 0;

    fprintf(code, "$%d", param_number(s, p + 1, len, array ? "RV_SQL_ARRAY" : "RV_SQL_ONE"));
    return p + 1 + len + (array ? 2 : 0);
}

static const char *put_rows(struct statement *s, const char *p)
{
    size_t len = strspn(p + 2, lower);

    fprintf(code, "$%d::%.*s[]", param_number(s, p + 2, len, "RV_SQL_ROWS"), (int)len, p + 2);
    return p + 2 + len;
}

/* Copies one thing of a statement and returns where the next one begins. */
static const char *put_next(struct statement *s, const char *p)
{
    bool space = isspace((unsigned char)*p);

    if (s->ended && !space)
        die("something follows its semicolon", s->name);
    if (space && !s->begun)
        return p + 1;
    s->begun = true;
    if (*p == '\'' || *p == '"')
        return put_quoted(s, p);
    if (*p == ':' && (p[1] == ':' || p[1] == '=')) {
        put(*p++);
        put(*p++);
        return p;
    }
    if (*p == ':' && (islower((unsigned char)p[1]) || p[1] == '_'))
        return put_param(s, p);
    if (*p == ':' && p[1] == '*')
        return put_rows(s, p);
    if (*p == ';')
        s->ended = true;
    else if (!s->ended)
        put(*p);
    return p + 1;
}

static void embed(const char *path)
{
    static const char marker[] = "-- name: ";
    static char text[FILE_MAX];
    struct statement s = { 0 };
    FILE *in = fopen(path, "r");
    size_t len = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

    if (!in || ferror(in) || len == sizeof(text) - 1)
        die("cannot be read, or is larger than 1 MiB", path);
    fclose(in);
    text[len] = '\0';
    for (const char *p = text; *p;) {
        if (strncmp(p, marker, strlen(marker)) == 0) {
            end(&s);
            begin(&s, p + strlen(marker), path);
        }
        if (strncmp(p, "--", 2) == 0)
            p += strcspn(p, "\n");
        else if (s.name[0])
            p = put_next(&s, p);
        else if (!isspace((unsigned char)*p++))
            die("text before the first -- name:", path);
    }
    end(&s);
}

static void list_statements(void)
{
    fprintf(header,
            "\nenum { SQL_STATEMENT_COUNT = %d };\n"
            "extern const struct rv_sql *const store_statements[]; /* ends with NULL */\n",
            n_names);
    fputs("\nconst struct rv_sql *const store_statements[] = {\n", code);
    for (int i = 0; i < n_names; i++) {
        char symbol[NAME_SIZE];

        upper(names[i], symbol);
        fprintf(code, "    &SQL_%s,\n", symbol);
    }
    fputs("    NULL,\n};\n", code);
}

int main(int argc, char **argv)
{
    char path[4096];

    if (argc < 2)
        die("wants <out.c> [<in.sql>…]", "usage");
    snprintf(path, sizeof(path), "%.*sh", (int)strlen(argv[1]) - 1, argv[1]);
    code = fopen(argv[1], "w");
    header = fopen(path, "w");
    if (!code || !header)
        die("cannot be written", argv[1]);

    fputs("#pragma once\n\n#include \"runtime/db.h\"\n\n", header);
    fputs("#include \"sql.h\"\n", code);
    for (int i = 2; i < argc; i++)
        embed(argv[i]);
    list_statements();
    return fclose(code) || fclose(header);
}
