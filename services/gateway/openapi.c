#include "openapi.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { RECORDS_MAX = 256 };

/* What may be said in the query of a request that has a body, too. */
static const char *const in_query[] = { "wait", "upsert", NULL };

/* The records that the document has to describe, each once. */
struct schemas {
    const struct rv_record *records[RECORDS_MAX];
    size_t n;
};

static void collect(struct schemas *schemas, const struct rv_record *record);

static void collect_parts(struct schemas *schemas, const struct rv_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].element && !(record->fields[i].flags & RV_SECRET))
            collect(schemas, record->fields[i].element);
}

static void collect(struct schemas *schemas, const struct rv_record *record)
{
    for (size_t i = 0; i < schemas->n; i++)
        if (strcmp(schemas->records[i]->name, record->name) == 0)
            return;
    if (schemas->n == RECORDS_MAX)
        return;
    schemas->records[schemas->n++] = record;
    collect_parts(schemas, record);
}

static bool is_in_path(const struct rv_route *route, const char *name)
{
    const char *at = strstr(route->path, name);

    return at && at[-1] == '{' && at[strlen(name)] == '}';
}

static bool has_body(const struct rv_route *route)
{
    return strcmp(route->method, "GET") != 0 && strcmp(route->method, "DELETE") != 0;
}

static bool is_in_query(const struct rv_route *route, const struct rv_field *field)
{
    if (is_in_path(route, field->name) || (field->flags & (RV_SECRET | RV_READONLY)))
        return false;
    if (!has_body(route))
        return true;
    for (const char *const *name = in_query; *name; name++)
        if (strcmp(*name, field->name) == 0)
            return true;
    return false;
}

/* A record with some of the fields of another. */
static struct rv_record *some_fields(struct rv_ctx *cx, const struct rv_record *record,
                                     const struct rv_route *route, bool is_body)
{
    struct rv_field *fields = rv_new_array(cx, struct rv_field, record->field_count);
    struct rv_record *some = rv_new(cx, struct rv_record);

    *some = *record;
    some->fields = fields;
    some->field_count = 0;
    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];
        bool ours = is_body ? (field->flags & (RV_SECRET | RV_READONLY)) != 0
                            : (field->flags & RV_SECRET) != 0;

        if (!ours && !(is_body && is_in_path(route, field->name)))
            fields[some->field_count++] = *field;
    }
    return some;
}

/* The schema of one field: that of a record which has no other, without its wrapping. */
static rv_result add_field_schema(struct rv_ctx *cx, struct rv_buf *into,
                                  const struct rv_field *field)
{
    struct rv_field alone = *field;
    struct rv_record one = { "one", 0, &alone, 1 };
    const char *text, *start, *end;

    alone.flags = RV_REQUIRED;
    RV_TRY(cx, rv_json_schema(cx, &one, &text));
    start =
        strstr(text, "\"properties\":{") + strlen("\"properties\":{\"\":") + strlen(field->name);
    end = strstr(start, "},\"required\"");
    rv_buf_add(into, start, (size_t)(end - start));
    return RV_OK;
}

static rv_result add_parameters(struct rv_ctx *cx, struct rv_buf *into,
                                const struct rv_route *route)
{
    const struct rv_record *in = route->in;
    const char *before = ",\"parameters\":[";

    for (size_t i = 0; in && i < in->field_count; i++) {
        const struct rv_field *field = &in->fields[i];
        bool path = is_in_path(route, field->name);

        if (!path && !is_in_query(route, field))
            continue;
        rv_buf_printf(into, "%s{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":", before,
                      field->name, path ? "path" : "query", path ? "true" : "false");
        RV_TRY(cx, add_field_schema(cx, into, field));
        rv_buf_char(into, '}');
        before = ",";
    }
    if (before[1] == '\0')
        rv_buf_char(into, ']');
    return RV_OK;
}

static rv_result add_body(struct rv_ctx *cx, struct rv_buf *into, const struct rv_route *route)
{
    const struct rv_record *body;
    const char *schema;

    if (!route->in || !has_body(route))
        return RV_OK;
    body = some_fields(cx, route->in, route, true);
    if (body->field_count == 0)
        return RV_OK;
    RV_TRY(cx, rv_json_schema(cx, body, &schema));
    rv_buf_printf(into, ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":%s}}}",
                  schema);
    return RV_OK;
}

static void add_content(struct rv_buf *into, const struct rv_route *route)
{
    const char *name = route->out ? route->out->name : NULL;

    if (!name)
        return;
    rv_buf_text(into, ",\"content\":{\"application/json\":{\"schema\":");
    if (route->list)
        rv_buf_printf(
            into,
            "{\"type\":\"object\",\"required\":[\"data\",\"has_more\"],\"properties\":{"
            "\"data\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/%s\"}},"
            "\"has_more\":{\"type\":\"boolean\"},"
            "\"next_cursor\":{\"type\":[\"string\",\"null\"]}}}",
            name);
    else
        rv_buf_printf(into, "{\"$ref\":\"#/components/schemas/%s\"}", name);
    rv_buf_char(into, '}');
    if (route->stream)
        rv_buf_text(into, ",\"text/event-stream\":{\"schema\":{\"type\":\"string\"}}");
    rv_buf_char(into, '}');
}

static void add_responses(struct rv_buf *into, const struct rv_route *route)
{
    rv_buf_printf(into, ",\"responses\":{\"%d\":{\"description\":\"done\"",
                  route->status ? route->status : 200);
    add_content(into, route);
    rv_buf_text(into, "},\"4XX\":{\"$ref\":\"#/components/responses/refused\"},"
                      "\"5XX\":{\"$ref\":\"#/components/responses/failed\"}}");
}

const char *openapi_id(struct rv_ctx *cx, const struct rv_route *route)
{
    char *id = rv_printf(cx, "%s%s", route->method, route->path), *to = id;

    for (const char *c = id; *c; c++)
        if (isalnum((unsigned char)*c))
            *to++ = (char)tolower((unsigned char)*c);
        else if (to > id && to[-1] != '_' && *c != '}')
            *to++ = '_';
    *to = '\0';
    return id;
}

static void add_who(struct rv_buf *into, const struct rv_route *route)
{
    const char *before = ",\"x-roles\":[";

    if (route->roles == MAY_ANYBODY) {
        rv_buf_text(into, ",\"security\":[]");
        return;
    }
    for (size_t i = 0; i < role_enum.count; i++)
        if (role_may((enum role)role_enum.rows[i].value, route->roles)) {
            rv_buf_printf(into, "%s\"%s\"", before, role_enum.rows[i].word);
            before = ",";
        }
    rv_buf_char(into, ']');
}

static rv_result add_operation(struct rv_ctx *cx, struct rv_buf *into, const struct rv_route *route)
{
    char *method = rv_strdup(cx, route->method);

    for (char *c = method; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    rv_buf_printf(into, "\"%s\":{\"operationId\":\"%s\",\"summary\":", method,
                  openapi_id(cx, route));
    rv_buf_json(into, route->summary);
    add_who(into, route);
    RV_TRY(cx, add_parameters(cx, into, route));
    RV_TRY(cx, add_body(cx, into, route));
    add_responses(into, route);
    rv_buf_char(into, '}');
    return RV_OK;
}

static bool is_first_of_path(const struct rv_route *routes, const struct rv_route *route)
{
    for (const struct rv_route *r = routes; r < route; r++)
        if (strcmp(r->path, route->path) == 0)
            return false;
    return true;
}

static rv_result add_path(struct rv_ctx *cx, struct rv_buf *into, const struct rv_route *first)
{
    const char *before = "";

    rv_buf_printf(into, "\"%s\":{", first->path);
    for (const struct rv_route *route = first; route->method; route++)
        if (strcmp(route->path, first->path) == 0) {
            rv_buf_text(into, before);
            RV_TRY(cx, add_operation(cx, into, route));
            before = ",";
        }
    rv_buf_char(into, '}');
    return RV_OK;
}

static rv_result add_schemas(struct rv_ctx *cx, struct rv_buf *into, const struct rv_route *routes)
{
    struct schemas *schemas = rv_new(cx, struct schemas);

    for (const struct rv_route *route = routes; route->method; route++) {
        if (route->in)
            collect_parts(schemas, route->in);
        if (route->out)
            collect(schemas, route->out);
    }
    for (size_t i = 0; i < schemas->n; i++) {
        const struct rv_record *record = schemas->records[i];
        const char *schema;

        RV_TRY(cx, rv_json_schema(cx, some_fields(cx, record, NULL, false), &schema));
        rv_buf_printf(into, "%s\"%s\":%s", i ? "," : "", record->name, schema);
    }
    return RV_OK;
}

static const char error_schema[] =
    "{\"type\":\"object\",\"required\":[\"error\",\"request_id\"],\"properties\":{\"error\":{"
    "\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{"
    "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},\"hint\":{\"type\":"
    "\"string\"},"
    "\"details\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"path\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}}}}}},"
    "\"request_id\":{\"type\":\"string\"}}}";
static const char problem_schema[] =
    "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\"],\"properties\":{"
    "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":"
    "\"integer\"},"
    "\"detail\":{\"type\":\"string\"},\"instance\":{\"type\":\"string\"},\"code\":{\"type\":"
    "\"string\"},"
    "\"request_id\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":{"
    "\"type\":\"object\",\"properties\":{\"pointer\":{\"type\":\"string\"},"
    "\"detail\":{\"type\":\"string\"}}}}}}";

static void add_error_response(struct rv_buf *into, const char *name, const char *words)
{
    rv_buf_printf(into,
                  "\"%s\":{\"description\":\"%s\",\"content\":{"
                  "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/error\"}},"
                  "\"application/problem+json\":{\"schema\":{"
                  "\"$ref\":\"#/components/schemas/problem\"}}}}",
                  name, words);
}

rv_result openapi_print(struct rv_ctx *cx, const struct rv_route *routes, struct rv_buf *into)
{
    const char *before = "";

    rv_buf_text(into, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"reeve\",\"version\":\"1\","
                      "\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},"
                      "\"servers\":[{\"url\":\"/\"}],"
                      "\"security\":[{\"bearer\":[]},{\"api_key\":[]}],\"paths\":{");
    for (const struct rv_route *route = routes; route->method; route++)
        if (is_first_of_path(routes, route)) {
            rv_buf_text(into, before);
            RV_TRY(cx, add_path(cx, into, route));
            before = ",";
        }
    rv_buf_text(into, "},\"components\":{\"securitySchemes\":{"
                      "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                      "\"api_key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"}},"
                      "\"responses\":{");
    add_error_response(into, "refused", "the request cannot be done as it is");
    rv_buf_char(into, ',');
    add_error_response(into, "failed", "it may work later");
    rv_buf_printf(into, "},\"schemas\":{\"error\":%s,\"problem\":%s,", error_schema,
                  problem_schema);
    RV_TRY(cx, add_schemas(cx, into, routes));
    rv_buf_text(into, "}}}");
    return RV_OK;
}
