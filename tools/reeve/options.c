#define _GNU_SOURCE

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli.h"

enum option_kind { OPTION_TEXT, OPTION_INT, OPTION_FLAG };

struct option_row {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    size_t offset;
    const char *value, *doc;
};

#define ROW(letter, kind, member, text, value, doc)                                                \
    {                                                                                              \
        text, letter, kind, offsetof(struct cli_options, member), value, doc                       \
    }

/* clang-format off */
static const struct option_row rows[] = {
    ROW('h', OPTION_FLAG, help,      "help",      NULL,    "what the command does and takes"),
    ROW(0,   OPTION_FLAG, json,      "json",      NULL,    "answer in JSON, for scripts"),
    ROW(0,   OPTION_TEXT, get,       "get",       "PATH",  "answer with the value at this path only"),
    ROW(0,   OPTION_TEXT, url,       "url",       "URL",   "the gateway; else REEVE_URL, else the data folder's, else http://127.0.0.1:8000"),
    ROW(0,   OPTION_TEXT, data,      "data",      "DIR",   "the data folder; else REEVE_DATA, else ./.reeve"),
    ROW('p', OPTION_TEXT, project,   "project",   "NAME",  "the project"),
    ROW(0,   OPTION_INT,  port,      "port",      "N",     "of the HTTP API; 0: any free one; else the last one, else 8000"),
    ROW(0,   OPTION_INT,  executors, "executors", "N",     "how many executors to run (1)"),
    ROW(0,   OPTION_FLAG, detach,    "detach",    NULL,    "go on in the background once all is ready"),
    ROW('f', OPTION_TEXT, file,      "file",      "PATH",  "a file, a folder, or - for standard input"),
    ROW(0,   OPTION_FLAG, dry_run,   "dry-run",   NULL,    "say what would change, and change nothing"),
    ROW('a', OPTION_TEXT, agent,     "agent",     "NAME",  "run this agent instead of a workflow"),
    ROW('i', OPTION_TEXT, input,     "input",     "JSON",  "the run's input; @FILE reads it from a file"),
    ROW(0,   OPTION_TEXT, limits,    "limits",    "JSON",  "what the run may use at most: {\"cost_microusd\", \"tokens\"}"),
    ROW('k', OPTION_TEXT, key,       "key",       "TEXT",  "idempotency key: the same key twice makes one run"),
    ROW('w', OPTION_FLAG, watch,     "watch",     NULL,    "show its events until it is over"),
    ROW(0,   OPTION_TEXT, wait,      "wait",      "TIME",  "wait at most this long for its end, like 30s"),
    ROW(0,   OPTION_TEXT, state,     "state",     "WORD",  "only those in this state"),
    ROW('n', OPTION_INT,  limit,     "limit",     "N",     "at most so many (50)"),
    ROW(0,   OPTION_TEXT, reason,    "reason",    "TEXT",  "why, for the record"),
    ROW(0,   OPTION_TEXT, role,      "role",      "ROLE",  "viewer, operator, agent_admin, workflow_admin or org_admin"),
    ROW(0,   OPTION_TEXT, listen,    "listen",    "ADDR",  "where to listen, like 127.0.0.1:8099"),
    ROW('r', OPTION_TEXT, run,       "run",       "ID",    "only of this run"),
    ROW(0,   OPTION_TEXT, since,     "since",     "SEQ",   "only events after this one"),
    ROW(0,   OPTION_FLAG, all,       "all",       NULL,    "also those that are over"),
    ROW(0,   OPTION_TEXT, facts,     "facts",     "PATH",  "a JSON object, at most 1 MiB: its keys are the variables; - for standard input"),
    ROW(0,   OPTION_TEXT, types,     "types",     "PATH",  "a JSON object, at most 1 MiB, like {\"tags\": \"list(string)\"}: no other variables"),
    ROW(0,   OPTION_FLAG, template,  "template",  NULL,    "a text with ${{ expressions }} in it, not an expression"),
    ROW(0,   OPTION_INT,  size,      "size",      "N",     "elements and bytes that a variable has at most (1000)"),
};
/* clang-format on */

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]), LONG_BASE = 256 };

/* What all commands take. */
static const char everybody[] = "help json get url data";

static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *word = list; *word; word += strspn(word, " ")) {
        size_t word_len = strcspn(word, " ");

        if (word_len == len && memcmp(word, name, len) == 0)
            return true;
        word += word_len;
    }
    return false;
}

static bool takes(const struct command *command, const struct option_row *row)
{
    return listed(everybody, row->name) || listed(command->options, row->name);
}

static bool set(struct cli *cli, const struct option_row *row, const char *text)
{
    void *place = (char *)&cli->options + row->offset;

    if (!takes(cli->command, row)) {
        fprintf(stderr, "reeve %s: takes no --%s\n", cli->command->name, row->name);
        return false;
    }
    if (row->kind == OPTION_FLAG)
        *(bool *)place = true;
    else if (row->kind == OPTION_TEXT)
        *(const char **)place = text;
    else if (!rv_text_int(text, place) || *(int64_t *)place < 0) {
        fprintf(stderr, "reeve %s: --%s takes a whole number, not \"%s\"\n", cli->command->name,
                row->name, text);
        return false;
    }
    return true;
}

static void fill(struct option longs[N_ROWS + 1], char shorts[3 * N_ROWS + 2])
{
    char *at = shorts;

    for (int i = 0; i < N_ROWS; i++) {
        bool value = rows[i].kind != OPTION_FLAG;

        longs[i] = (struct option){ .name = rows[i].name,
                                    .has_arg = value ? required_argument : no_argument,
                                    .val = LONG_BASE + i };
        if (rows[i].letter) {
            *at++ = rows[i].letter;
            if (value)
                *at++ = ':';
        }
    }
    *at = '\0';
    longs[N_ROWS] = (struct option){ 0 };
}

static const struct option_row *row_of(int got)
{
    for (int i = 0; i < N_ROWS; i++)
        if (got == LONG_BASE + i || (rows[i].letter && got == rows[i].letter))
            return &rows[i];
    return NULL;
}

bool options_read(struct cli *cli, int argc, char **argv)
{
    struct option longs[N_ROWS + 1];
    char shorts[3 * N_ROWS + 2];
    int got;

    cli->options = (struct cli_options){ .port = -1, .executors = 1, .limit = 50, .size = 1000 };
    fill(longs, shorts);
    optind = 1;
    while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row = row_of(got);

        if (!row || !set(cli, row, optarg)) /* getopt has said what is wrong */
            return false;
    }
    cli->args = (const char *const *)&argv[optind];
    cli->n_args = (size_t)(argc - optind);
    return true;
}

void options_describe(const struct command *command, FILE *out)
{
    for (int i = 0; i < N_ROWS; i++) {
        char left[40], letter[5] = "";

        if (!takes(command, &rows[i]))
            continue;
        if (rows[i].letter)
            snprintf(letter, sizeof(letter), "-%c, ", rows[i].letter);
        snprintf(left, sizeof(left), "%4s--%s %s", letter, rows[i].name,
                 rows[i].value ? rows[i].value : "");
        fprintf(out, "  %-24s %s\n", left, rows[i].doc);
    }
}
