/* A request head of any lines is served or refused with a status; a target that is served is a
 * clean path; a head laid out as the parser leaves it is what it seems, and not with a byte more.
 */

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runtime/http_guard.h"

enum { FIELDS = 120, ARGS = RV_HTTP_ARGS_MAX };

static void must(bool true_)
{
    if (!true_)
        abort();
}

static void check_no(const struct rv_http_no *no)
{
    must(no->status >= 400 && no->status < 600 && no->message && no->message[0]);
}

static void check_path(const char *path)
{
    must(rv_utf8_ok(path, strlen(path)));
    for (const char *c = path; *c; c++)
        must((unsigned char)*c >= 0x20 && *c != 0x7f);
    if (strcmp(path, "*") == 0)
        return;
    must(path[0] == '/' && !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"));
    must(!rv_text_ends(path, "/..") && !rv_text_ends(path, "/."));
}

static void read_target(const char *target, const char *host)
{
    char *room = malloc(strlen(target) + 2), *query = NULL;
    struct rv_http_no no = { 0 };
    const char *path = NULL;
    struct rv_http_field args[ARGS];
    size_t n;

    if (!rv_http_target(target, host, room, &path, &query, &no)) {
        check_no(&no);
    } else {
        check_path(path);
        if (!rv_http_args(query, args, &n, &no))
            check_no(&no);
        else
            must(n <= ARGS && (n == 0 || args[n - 1].name[0]));
    }
    free(room);
}

static char *next_line(char **text)
{
    char *line = strsep(text, "\n");

    return line ? line : "";
}

/* Writes @head down as the parser leaves it: NULs where blanks, colons and line ends were. */
static size_t lay_out(struct rv_http_head *head, struct rv_http_field *fields, char *at)
{
    char *start = at;
    struct rv_http_head laid = { .fields = fields, .n_fields = head->n_fields };

    laid.method = at;
    at = stpcpy(at, head->method) + 1;
    laid.target = at;
    at = stpcpy(at, head->target) + 1;
    laid.version = at;
    at = stpcpy(at, head->version) + 2;
    for (size_t i = 0; i < head->n_fields; i++) {
        struct rv_http_field field = { at, NULL };

        at = stpcpy(at, fields[i].name) + 1;
        *at++ = ' ';
        field.value = at;
        at = stpcpy(at, fields[i].value) + 2;
        fields[i] = field;
    }
    *head = laid;
    return (size_t)(at + 2 - start);
}

static void check_layout(struct rv_http_head *head, struct rv_http_field *fields, size_t len)
{
    char *room = calloc(1, len + 4 * FIELDS + 64);
    size_t bytes = lay_out(head, fields, room);

    must(rv_http_layout(head, strlen(head->target), bytes));
    must(!rv_http_layout(head, strlen(head->target) + 1, bytes));
    must(!rv_http_layout(head, strlen(head->target), bytes + 1));
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *room = malloc(len + 1), *text = room;
    struct rv_http_field fields[FIELDS] = { 0 };
    struct rv_http_head head = { .fields = fields };
    struct rv_http_no no = { 0 };

    memcpy(room, bytes, len);
    room[len] = '\0';
    head.method = next_line(&text);
    head.target = next_line(&text);
    head.version = next_line(&text);
    while (text && head.n_fields < FIELDS) {
        char *value = strsep(&text, "\n"), *name = strsep(&value, ":");

        fields[head.n_fields++] =
            (struct rv_http_field){ name, value ? value : name + strlen(name) };
    }
    if (!rv_http_guard(&head, &no))
        check_no(&no);
    else
        must(head.n_fields <= RV_HTTP_FIELDS_MAX && strlen(head.target) <= RV_HTTP_TARGET_MAX);
    if (!rv_http_guard_trailers(fields, head.n_fields, &no))
        check_no(&no);
    read_target(head.target, rv_http_field(fields, head.n_fields, "host"));
    check_layout(&head, fields, len);
    free(room);
    return 0;
}
