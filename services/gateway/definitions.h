#pragma once

/* Definitions: agents, tools and workflows, which differ by one row of a table. */

#include "asks.h"
#include "gateway.h"

struct kind {
    enum definition_kind kind;
    const char *path; /* "/v1/agents" */
    const struct rv_record *record, *spec;
    void (*check)(struct rv_ctx *cx, const void *spec);
};
extern const struct kind kinds[];

/* The spec of @row as the struct of its kind. */
rv_result definition_spec(struct rv_ctx *cx, const struct definition_row *row, void **spec);
