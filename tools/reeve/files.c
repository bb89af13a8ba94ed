/*
 * `reeve files DIR`: a small file server on loopback, so that a workflow has something real to
 * read. GET / lists, GET /name answers the text, ?find=words the lines that hold any of them, best
 * first, ?from=&count= a range of lines; ?delay_ms= answers late, for tests of crashes.
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "runtime/http_server.h"

#include "commands.h"

enum { FILE_MAX = 4 * 1024 * 1024, WORDS_MAX = 16, BEST_MAX = 8, DELAY_MAX_MS = 60000 };

struct ask {
    const char *find; /* NULL: not asked for */
    int64_t from, count, delay_ms;
    bool ok;
};

struct line {
    const char *text;
    size_t len, no;
    int hits;
};

static bool read_query(void *arg, const char *name, const char *value)
{
    struct ask *ask = arg;

    if (strcmp(name, "find") == 0)
        ask->find = value;
    else if (strcmp(name, "from") == 0)
        ask->ok &= rv_text_int(value, &ask->from) && ask->from > 0;
    else if (strcmp(name, "count") == 0)
        ask->ok &= rv_text_int(value, &ask->count) && ask->count > 0;
    else if (strcmp(name, "delay_ms") == 0)
        ask->ok &= rv_text_int(value, &ask->delay_ms) && ask->delay_ms >= 0 &&
                   ask->delay_ms <= DELAY_MAX_MS;
    else
        ask->ok = false;
    return true;
}

static bool holds(const char *line, size_t len, const char *word, size_t word_len)
{
    for (size_t i = 0; i + word_len <= len; i++)
        if (strncasecmp(line + i, word, word_len) == 0)
            return true;
    return false;
}

/* How many of the words occur in the line. */
static int hits_of(const char *line, size_t len, const char *words)
{
    int hits = 0;

    for (int n = 0; *words && n < WORDS_MAX; n++) {
        size_t word_len;

        words += strspn(words, " \t,;+");
        word_len = strcspn(words, " \t,;+");
        hits += word_len > 1 && holds(line, len, words, word_len);
        words += word_len;
    }
    return hits;
}

/* Keeps the best lines, best first; of equals the earlier one. */
static void keep_best(struct line best[BEST_MAX], struct line line)
{
    for (int i = 0; i < BEST_MAX && line.hits > 0; i++)
        if (line.hits > best[i].hits) {
            struct line worse = best[i];

            best[i] = line;
            line = worse;
        }
}

static bool next_line(const char **at, struct line *line)
{
    if (!**at)
        return false;
    line->text = *at;
    line->len = strcspn(*at, "\n");
    line->no++;
    *at += line->len + (line->text[line->len] == '\n');
    return true;
}

static void put_line(struct rv_buf *out, const struct line *line)
{
    rv_buf_add(out, line->text, line->len);
    rv_buf_char(out, '\n');
}

static void find_lines(const char *text, const char *words, struct rv_buf *out)
{
    struct line best[BEST_MAX] = { { 0 } }, line = { 0 };

    while (next_line(&text, &line)) {
        line.hits = hits_of(line.text, line.len, words);
        keep_best(best, line);
    }
    for (int i = 0; i < BEST_MAX && best[i].hits > 0; i++)
        put_line(out, &best[i]);
    if (best[0].hits == 0)
        rv_buf_text(out, "(no line holds any of these words)\n");
}

static void cut_lines(const char *text, int64_t from, int64_t count, struct rv_buf *out)
{
    struct line line = { 0 };

    while (next_line(&text, &line))
        if ((int64_t)line.no >= from && (int64_t)line.no < from + count)
            put_line(out, &line);
    if (out->len == 0)
        rv_buf_text(out, "(there are no such lines)\n");
}

static void list_files(const char *folder, struct rv_buf *out)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            rv_buf_printf(out, "%s\n", entry->d_name);
    if (dir)
        closedir(dir);
}

/* Plain names only: nothing outside of the folder, nothing hidden. */
static bool read_text(const char *folder, const char *name, struct rv_buf *text)
{
    char path[4096], bytes[4096];
    struct stat st;
    size_t n;
    FILE *file;

    if (!*name || *name == '.' || strchr(name, '/'))
        return false;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX ? fopen(path, "rb")
                                                                                 : NULL;
    if (!file)
        return false;
    rv_buf_text(text, "");
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        rv_buf_add(text, bytes, n);
    fclose(file);
    return true;
}

static int answer_of(const char *folder, const char *path, const struct ask *ask,
                     struct rv_buf *out)
{
    auto_buf text = { 0 };

    if (strcmp(path, "/") == 0) {
        list_files(folder, out);
        return 200;
    }
    if (!ask->ok) {
        rv_buf_text(out, "takes ?find=words, ?from=1&count=20, ?delay_ms=100\n");
        return 400;
    }
    if (!read_text(folder, path + 1, &text)) {
        rv_buf_text(out, "there is no such file\n");
        return 404;
    }
    if (ask->find)
        find_lines(text.data, ask->find, out);
    else if (ask->from || ask->count)
        cut_lines(text.data, ask->from ? ask->from : 1, ask->count ? ask->count : 20, out);
    else
        rv_buf_add(out, text.data, text.len);
    return 200;
}

struct served {
    const char *folder;
    struct rv_http_request *request;
};

static void *serve(void *arg)
{
    struct served *served = arg;
    struct rv_http_request *request = served->request;
    struct ask ask = { .ok = true };
    auto_buf out = { 0 };
    int status = 405;

    rv_http_query(request, read_query, &ask);
    if (ask.ok)
        rv_sleep_ms(ask.delay_ms);
    rv_buf_text(&out, "");
    if (strcmp(rv_http_method(request), "GET") == 0 || strcmp(rv_http_method(request), "HEAD") == 0)
        status = answer_of(served->folder, rv_http_path(request), &ask, &out);
    rv_http_answer(request, status, "text/plain; charset=utf-8", NULL, out.data, out.len);
    free(served);
    return NULL;
}

/* A thread a request: this serves a demo, and the delays must not wait for each other. */
static bool take(void *folder, struct rv_http_request *request)
{
    struct served *served = malloc(sizeof(*served));
    pthread_t thread;

    if (!served)
        return false;
    *served = (struct served){ folder, request };
    if (pthread_create(&thread, NULL, serve, served) != 0) {
        free(served);
        return false;
    }
    pthread_detach(thread);
    return true;
}

enum rv_status command_files(struct cli *cli)
{
    const char *folder = cli->args[0];
    struct rv_http_options options = {
        .listen = cli->options.listen ? cli->options.listen : "127.0.0.1:0",
        .threads = 1,
        .connections = 64,
        .body_bytes = 1024,
        .take = take,
        .arg = rv_strdup(cli->cx, folder),
    };
    struct rv_http_server *server;
    struct stat st;
    sigset_t stop;
    int got;

    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
        return cli_misuse(cli, "%s is not a folder", folder);
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    RV_TRY(cli->cx, rv_http_open(cli->cx, &options, &server));
    printf("http://127.0.0.1:%d\n", rv_http_port(server));
    fflush(stdout);
    sigwait(&stop, &got);
    rv_http_close(server, 1000);
    return RV_OK;
}
