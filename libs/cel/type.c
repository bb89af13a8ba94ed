#include "cel/type.h"

#include <assert.h>

static const struct cel_type plain[CEL_TYPE_KINDS] = {
#define PLAIN(kind_) [kind_] = { .kind = kind_, .params = { &plain[CEL_T_DYN], &plain[CEL_T_DYN] } }
    PLAIN(CEL_T_DYN),    PLAIN(CEL_T_NULL),     PLAIN(CEL_T_BOOL),     PLAIN(CEL_T_INT),
    PLAIN(CEL_T_UINT),   PLAIN(CEL_T_DOUBLE),   PLAIN(CEL_T_STRING),   PLAIN(CEL_T_BYTES),
    PLAIN(CEL_T_LIST),   PLAIN(CEL_T_MAP),      PLAIN(CEL_T_TYPE),     PLAIN(CEL_T_TIMESTAMP),
    PLAIN(CEL_T_RECORD), PLAIN(CEL_T_DURATION), PLAIN(CEL_T_ERROR),    PLAIN(CEL_T_OPTIONAL),
    PLAIN(CEL_T_VAR),    PLAIN(CEL_T_WRAPPER),  PLAIN(CEL_T_ABSTRACT),
#undef PLAIN
};

/* Which type values of a kind have. */
static const enum cel_type_kind of_kind[CEL_KINDS] = {
    [CEL_NONE] = CEL_T_ERROR,        [CEL_ERROR] = CEL_T_ERROR,   [CEL_NULL] = CEL_T_NULL,
    [CEL_BOOL] = CEL_T_BOOL,         [CEL_INT] = CEL_T_INT,       [CEL_UINT] = CEL_T_UINT,
    [CEL_DOUBLE] = CEL_T_DOUBLE,     [CEL_STRING] = CEL_T_STRING, [CEL_BYTES] = CEL_T_BYTES,
    [CEL_LIST] = CEL_T_LIST,         [CEL_MAP] = CEL_T_MAP,       [CEL_TIMESTAMP] = CEL_T_TIMESTAMP,
    [CEL_DURATION] = CEL_T_DURATION, [CEL_TYPE] = CEL_T_TYPE,     [CEL_OPTIONAL] = CEL_T_OPTIONAL,
};

const struct cel_type *cel_type(enum cel_type_kind kind)
{
    assert(kind < CEL_TYPE_KINDS);
    return &plain[kind];
}

const struct cel_type *cel_type_of(struct cel_value value)
{
    return cel_type(of_kind[value.kind]);
}

const char *cel_kind_name(enum cel_kind kind)
{
    return cel_type_name(cel_type(of_kind[kind]));
}

static const struct cel_type *made(struct rv_ctx *cx, enum cel_type_kind kind,
                                   const struct cel_type *first, const struct cel_type *second)
{
    struct cel_type *type = rv_new(cx, struct cel_type);

    *type = (struct cel_type){ .kind = kind, .params = { first, second } };
    return type;
}

const struct cel_type *cel_type_list(struct rv_ctx *cx, const struct cel_type *element)
{
    return made(cx, CEL_T_LIST, element, NULL);
}

const struct cel_type *cel_type_map(struct rv_ctx *cx, const struct cel_type *key,
                                    const struct cel_type *value)
{
    return made(cx, CEL_T_MAP, key, value);
}

const struct cel_type *cel_type_optional(struct rv_ctx *cx, const struct cel_type *held)
{
    return made(cx, CEL_T_OPTIONAL, held, NULL);
}

const struct cel_type *cel_type_wrapper(struct rv_ctx *cx, const struct cel_type *wrapped)
{
    return made(cx, CEL_T_WRAPPER, wrapped, NULL);
}

const struct cel_type *cel_type_record(struct rv_ctx *cx, const struct rv_record *record)
{
    struct cel_type *type = rv_new(cx, struct cel_type);

    *type = (struct cel_type){ .kind = CEL_T_RECORD, .record = record };
    return type;
}

unsigned cel_type_params(const struct cel_type *type)
{
    unsigned n = 0;

    switch (type->kind) {
    case CEL_T_MAP:
        return 2;
    case CEL_T_LIST:
    case CEL_T_OPTIONAL:
    case CEL_T_WRAPPER:
        return 1;
    case CEL_T_ABSTRACT:
        while (n < CEL_TYPE_PARAMS && type->params[n])
            n++;
        return n;
    default:
        return 0;
    }
}
