/*
 * subjects_doc: writes the catalogue of everything that is said on the bus, as Markdown, from the
 * tables of libs/contract. proto/README.md is what it says; tests/contract/test_catalogue.sh holds
 * them together.
 */

#include <stdio.h>
#include <string.h>

#include "contract/subjects.h"

/* clang-format off */
static const struct kind {
    enum rv_speech speech;
    const char *word, *doc;
} kinds[] = {
    { RV_REQUEST, "request", "one record asked, one answered" },
    { RV_BATCH,   "batch",   "any number of records asked, one answer each, in the same order; "
                             "batches are joined by appending their bytes" },
    { RV_NEWS,    "news",    "any number of records told; nobody answers, and it may be lost" },
    { RV_EVENT,   "event",   "one record said once, heard by whoever subscribes" },
};
/* clang-format on */
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const char *word_of(enum rv_speech speech)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].speech == speech)
            return kinds[i].word;
    return "";
}

/* The stream that keeps what is said on @subject; NULL: none does. */
static const struct rv_stream *stream_of(const struct rv_subject *subject)
{
    size_t len = strlen(subject->name);

    for (const struct rv_stream *const *stream = contract_streams; *stream; stream++)
        if (strncmp((*stream)->subjects, subject->name, len) == 0 &&
            strcmp((*stream)->subjects + len, ".>") == 0)
            return *stream;
    return NULL;
}

/* "BudgetPut" of "budget_put": how protobuf spells a record's name. */
static void print_message(const struct rv_record *record)
{
    char before = '_';

    if (!record) {
        printf("–");
        return;
    }
    putchar('`');
    for (const char *c = record->name; *c; before = *c++)
        if (*c != '_')
            putchar(before == '_' && *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    putchar('`');
}

/* reeve.<service>.<verb>: the service is who knows. Events are kept by a stream, or by nobody. */
static void print_who(const struct rv_subject *subject)
{
    const char *service = strchr(subject->name, '.') + 1;
    const struct rv_stream *stream = stream_of(subject);

    if (subject->speech != RV_EVENT)
        printf("%.*s", (int)strcspn(service, "."), service);
    else if (stream)
        printf("kept by %s", stream->name);
    else
        printf("kept by nobody");
}

static void print_subjects(void)
{
    printf("## Subjects\n\n"
           "| subject | kind | asked or said | answered | who answers, hears or keeps |\n"
           "|---|---|---|---|---|\n");
    for (const struct rv_subject *const *at = contract_subjects; *at; at++) {
        printf("| `%s%s` | %s | ", (*at)->name, (*at)->speech == RV_EVENT ? ".>" : "",
               word_of((*at)->speech));
        print_message((*at)->in.record);
        printf(" | ");
        print_message((*at)->out.record);
        printf(" | ");
        print_who(*at);
        printf(" |\n");
    }
}

static void print_streams(void)
{
    printf("\n## Streams\n\n"
           "A service that needs a stream creates it on one replica when it is missing, and "
           "changes nothing "
           "that is there.\n\n"
           "| stream | subjects | keeps | for at most | at most |\n|---|---|---|---|---|\n");
    for (const struct rv_stream *const *at = contract_streams; *at; at++)
        printf("| %s | `%s` | %s | %lld h | %lld MiB |\n", (*at)->name, (*at)->subjects,
               (*at)->work_queue ? "until one consumer has acknowledged it" : "what is newest",
               (long long)(*at)->max_age_ms / 3600000, (long long)(*at)->max_bytes / 1048576);
}

int main(void)
{
    printf("# What is said on the bus\n\n"
           "<!-- Written by `subjects_doc` from libs/contract: do not edit. -->\n\n"
           "Every message is protobuf of `reeve/v1`. A batch and news travel as the message "
           "`<Name>Batch`, with one repeated field\n`items`. Failures are answered as headers "
           "(`Reeve-Status`) with text.\n\n");
    for (size_t i = 0; i < KINDS; i++)
        printf("- **%s**: %s.\n", kinds[i].word, kinds[i].doc);
    printf("\n");
    print_subjects();
    print_streams();
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
