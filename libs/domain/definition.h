#pragma once

/*
 * Definitions: what people write down to be run: projects, and in them agents, tools and workflows,
 * each in versions that never change. A run pins a plan made of the versions it was started with.
 */

#include "domain/plan.h"

struct project {
    const char *tenant_id, *project_id;
    const char *name, *description;
    int64_t rev;             /* of the project itself: its ETag */
    int64_t definitions_rev; /* rises with every change of what is in it */
    int64_t created_at_ms, updated_at_ms;
};

/* An agent, a tool or a workflow: its id is called agent_id, tool_id or workflow_id. */
struct definition {
    const char *tenant_id, *key_project; /* whoever asks: never from a body */
    const char *id;
    const char *project_id, *project; /* asked for by either; said by id */
    const char *name;
    int64_t version;
    void *spec;  /* struct agent_spec, tool_spec or workflow_spec */
    bool upsert; /* when the name is taken: a new version, unless nothing changes */
    int64_t created_at_ms, updated_at_ms;
};

#define DEFINITION_KINDS(X)                                                                        \
    X(DEFINITION_AGENT, 1, "agent")                                                                \
    X(DEFINITION_TOOL, 2, "tool")                                                                  \
    X(DEFINITION_WORKFLOW, 3, "workflow")
RV_ENUM_DECLARE(definition_kind, DEFINITION_KINDS)

/* A definition of any kind as it is kept, in its current version. */
struct definition_row {
    const char *tenant_id, *definition_id, *project_id;
    enum definition_kind kind;
    const char *name;
    int64_t version;
    const char *spec; /* JSON */
    bool same;        /* found by name: the spec given is the one it has */
    const char *created_by;
    int64_t created_at_ms, updated_at_ms;
};

/* As a client sees and makes them; <kind>_change is a new version of one. */
extern const struct rv_record project_record, definition_row_record, agent_record, tool_record,
    workflow_record, agent_change_record, tool_change_record, workflow_change_record;
