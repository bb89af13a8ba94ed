#pragma once

/*
 * Yaml: documents that people write, as JSON text. YAML 1.2 core scalars; anchors yes, merge keys,
 * complex keys, duplicate keys, tags other than !!str and bad UTF-8 no. Depth 64, 10,000 nodes
 * with aliases counted each time they are used, 1 MiB.
 */

#include "base/ctx.h"

struct rv_yaml {
    const char *json; /* one document */
    int line;         /* where it begins, from 1 */
};

/* Every document of @text; a mistake is RV_INVALID and says line and column. */
rv_result rv_yaml_read(struct rv_ctx *cx, const char *text, size_t len, struct rv_yaml **documents,
                       size_t *n_documents);

/*
 * Where the value at @path ("spec.nodes[2].kind") of document @index stands, from 1; when there is
 * none, where the nearest one stands that should hold it; 0 when there is no such document.
 */
rv_result rv_yaml_where(struct rv_ctx *cx, const char *text, size_t len, size_t index,
                        const char *path, int *line, int *column);
