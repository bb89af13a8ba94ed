#include "domain/definition.h"

RV_ENUM_DEFINE(definition_kind, DEFINITION_KINDS)

/* clang-format off */
static const struct rv_field project_fields[] = {
    RV_UUID(project, tenant_id, RV_SECRET | RV_READONLY),
    RV_UUID(project, project_id, RV_READONLY),
    RV_TEXT(project, name, RV_REQUIRED),
    RV_TEXT(project, description, RV_UNSET),
    RV_INT(project,  rev, RV_READONLY),
    RV_INT(project,  definitions_rev, RV_SECRET | RV_READONLY),
    RV_INT(project,  created_at_ms, RV_READONLY),
    RV_INT(project,  updated_at_ms, RV_READONLY),
};
RV_RECORD(project, project_fields);

static const struct rv_field definition_row_fields[] = {
    RV_UUID(definition_row, tenant_id, 0),
    RV_UUID(definition_row, definition_id, 0),
    RV_UUID(definition_row, project_id, 0),
    RV_ENUM(definition_row, kind, definition_kind, 0),
    RV_TEXT(definition_row, name, 0),
    RV_INT(definition_row,  version, 0),
    RV_JSON(definition_row, spec, 0),
    RV_BOOL(definition_row, same, 0),
    RV_TEXT(definition_row, created_by, 0),
    RV_INT(definition_row,  created_at_ms, 0),
    RV_INT(definition_row,  updated_at_ms, 0),
};
RV_RECORD(definition_row, definition_row_fields);

/* The three kinds differ in the name of their id and in what their spec is. */
#define OURS (RV_SECRET | RV_READONLY)
#define ID(kind_, flags_)                                                                          \
    { .name = #kind_ "_id", .kind = RV_KIND_UUID, .flags = (flags_),                               \
      .offset = offsetof(struct definition, id) }
#define SPEC(kind_)                                                                                \
    { .name = "spec", .kind = RV_KIND_RECORD, .flags = RV_REQUIRED,                                \
      .offset = offsetof(struct definition, spec), .element = &kind_##_spec_record }
#define KIND(kind_)                                                                                \
    static const struct rv_field kind_##_fields[] = {                                              \
        RV_UUID(definition, tenant_id, OURS),                                                      \
        RV_UUID(definition, key_project, OURS),                                                    \
        ID(kind_, RV_READONLY),                                                                    \
        RV_UUID(definition, project_id, 0),                                                        \
        RV_TEXT(definition, project, RV_UNSET),                                                    \
        RV_TEXT(definition, name, RV_REQUIRED),                                                    \
        RV_INT(definition,  version, RV_READONLY),                                                 \
        SPEC(kind_),                                                                               \
        RV_BOOL(definition, upsert, RV_UNSET),                                                     \
        RV_INT(definition,  created_at_ms, RV_READONLY),                                           \
        RV_INT(definition,  updated_at_ms, RV_READONLY),                                           \
    };                                                                                             \
    const struct rv_record kind_##_record = {                                                      \
        #kind_, sizeof(struct definition), kind_##_fields,                                         \
        sizeof(kind_##_fields) / sizeof(kind_##_fields[0])                                         \
    };                                                                                             \
    static const struct rv_field kind_##_change_fields[] = {                                       \
        RV_UUID(definition, tenant_id, OURS),                                                      \
        RV_UUID(definition, key_project, OURS),                                                    \
        ID(kind_, 0),                                                                              \
        SPEC(kind_),                                                                               \
    };                                                                                             \
    const struct rv_record kind_##_change_record = {                                               \
        #kind_ "_change", sizeof(struct definition), kind_##_change_fields,                        \
        sizeof(kind_##_change_fields) / sizeof(kind_##_change_fields[0])                           \
    };
KIND(agent)
KIND(tool)
KIND(workflow)
/* clang-format on */
