/*
 * embed_migrations <out.c> [<NNNN_what.sql>…]: turns migrations into the table that
 * store/migrate.c applies. They are given in order; two of one number are refused.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 4 };

__attribute__((noreturn)) static void die(const char *what, const char *which)
{
    fprintf(stderr, "embed_migrations: %s: %s\n", which, what);
    exit(1);
}

static long version_of(const char *name)
{
    if (strspn(name, "0123456789") != DIGITS || name[DIGITS] != '_')
        die("a migration is named NNNN_what.sql", name);
    return strtol(name, NULL, 10);
}

static void put_text(FILE *code, FILE *in)
{
    fputs("      \"", code);
    for (int c; (c = fgetc(in)) != EOF;) {
        if (c == '\n')
            fputs("\\n\"\n      \"", code);
        else if (c == '"' || c == '\\')
            fprintf(code, "\\%c", c);
        else if (c == '?')
            fputs("\\?", code); /* no trigraphs */
        else
            fputc(c, code);
    }
    fputs("\" },\n", code);
}

static long embed(FILE *code, const char *path, long last)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    long version = version_of(name);
    FILE *in = fopen(path, "r");

    if (!in)
        die("cannot be read", path);
    if (version <= last)
        die("its number is not above the one before it", name);
    fprintf(code, "    { %ld, \"%.*s\",\n", version, (int)(strlen(name) - strlen(".sql")), name);
    put_text(code, in);
    fclose(in);
    return version;
}

int main(int argc, char **argv)
{
    FILE *code = argc < 2 ? NULL : fopen(argv[1], "w");
    long last = 0;

    if (!code)
        die("wants <out.c> [<NNNN_what.sql>…]", "usage");
    fputs("#include \"store/migrate.h\"\n\nconst struct store_migration store_migrations[] = {\n",
          code);
    for (int i = 2; i < argc; i++)
        last = embed(code, argv[i], last);
    fputs("    { 0, NULL, NULL },\n};\n", code);
    return fclose(code) != 0;
}
