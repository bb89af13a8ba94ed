#pragma once

/*
 * Documents: what people write in YAML and `reeve apply` brings to the gateway:
 *
 *     kind: workflow
 *     project: demo
 *     name: brief
 *     spec: { nodes: … }
 *
 * Everything that can be known without a server is checked here, so that a file is refused as a
 * whole, with line and column, before anything of it is applied.
 */

#include "cli.h"

struct document_kind {
    const char *kind;
    const char *path;               /* of its list: "/v1/workflows" */
    const struct rv_record *record; /* of the spec */
    bool flat;                      /* the spec's fields stand beside the name, without "spec" */
    enum { WITHOUT_PROJECT, WITH_PROJECT, MAYBE_PROJECT } project;
    void (*check)(struct rv_ctx *cx, const void *object);
};
extern const struct document_kind document_kinds[]; /* in the order in which they are applied */

struct document {
    const struct document_kind *kind;
    const char *project, *name;
    json_t *spec;
    const char *file, *text; /* where it was written */
    size_t text_len, index;
};

/* Every document of a file, a folder or stdin ("-"), sorted by kind, checked. All that is wrong
 * is said at once, each as "file:line:column: path". */
rv_result documents_read(struct cli *cli, const char *path, struct document **documents, size_t *n);

/* What the gateway is sent: to be made, or changed when the name is taken. */
json_t *document_body(struct cli *cli, const struct document *document);

/* Whether @there, as the gateway has it, says all that the document says, and nothing more. */
bool document_same(struct cli *cli, const struct document *document, json_t *there);

/* Gives the details of a refusal by the gateway their places in the file. */
void document_locate(struct cli *cli, const struct document *document);
