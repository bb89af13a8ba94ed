#include "executor/sim_tools.h"

#include <string.h>

#include "base/text.h"
#include "runtime/json.h"

enum { ROUNDS_MAX = 4, KEYWORDS = 6, ENOUGH = 16 };

struct choice {
    const struct tool_spec *tool;
    json_t *arguments;
    int score;
};

static bool was_used(const struct llm_request *request, size_t first, const char *tool)
{
    for (size_t i = first; i < request->n_messages; i++)
        for (size_t j = 0; j < request->messages[i].n_tool_calls; j++)
            if (rv_text_same(request->messages[i].tool_calls[j].name, tool))
                return true;
    return false;
}

/* The first value of @key anywhere inside @json. */
static json_t *find_value(json_t *json, const char *key)
{
    json_t *found = json_object_get(json, key), *value;
    const char *name;
    size_t i;

    if (json_is_string(found) || json_is_integer(found))
        return found;
    json_object_foreach(json, name, value) if ((found = find_value(value, key))) return found;
    json_array_foreach(json, i, value) if ((found = find_value(value, key))) return found;
    return NULL;
}

/* What a tool result said under that name: a search gives the ids that a reader takes. */
static json_t *from_results(struct rv_ctx *cx, const struct llm_request *request, size_t first,
                            const char *key)
{
    for (size_t i = first; i < request->n_messages; i++) {
        const char *text = request->messages[i].content;
        json_error_t error;
        json_t *json, *found;

        if (strcmp(request->messages[i].role, "tool") != 0 || !text)
            continue;
        json = rv_json_own(cx, rv_json_load(text, strlen(text), &error));
        found = json ? find_value(json, key) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* What a prompt says of its own: a URL for a url. */
static json_t *url_of(struct rv_ctx *cx, const char *question)
{
    const char *at =
        strstr(question, "http://") ? strstr(question, "http://") : strstr(question, "https://");
    size_t len = at ? strcspn(at, " \t\r\n\"'<>)],") : 0;

    while (len > 0 && strchr(".;:!?", at[len - 1]))
        len--;
    return len > 0 ? json_string(rv_strndup(cx, at, len)) : NULL;
}

/* The question's own words, as they stand in it. */
static const char *keywords(struct rv_ctx *cx, const struct sim_reading *reading)
{
    auto_buf text = { 0 };

    for (size_t i = 0; i < reading->words.n && i < KEYWORDS; i++)
        rv_buf_printf(&text, "%s%s", i > 0 ? " " : "", reading->words.raw[i]);
    return rv_strndup(cx, text.data ? text.data : "", text.len);
}

static json_t *make_text(struct rv_ctx *cx, const struct sim_reading *reading, const char *name)
{
    json_t *url = strstr(name, "url") ? url_of(cx, reading->question) : NULL;

    return url ? url : json_string(keywords(cx, reading));
}

/* A new reference. */
static json_t *make_argument(struct rv_ctx *cx, const struct sim_reading *reading, const char *name,
                             json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    json_t *fallback = json_object_get(schema, "default");
    json_t *choices = json_object_get(schema, "enum");

    if (fallback)
        return json_incref(fallback);
    if (json_array_size(choices) > 0)
        return json_incref(json_array_get(choices, 0));
    if (rv_text_same(type, "integer"))
        return json_integer(3);
    if (rv_text_same(type, "number"))
        return json_real(1.0);
    if (rv_text_same(type, "boolean"))
        return json_true();
    if (rv_text_same(type, "array"))
        return json_pack("[s]", keywords(cx, reading));
    if (rv_text_same(type, "object"))
        return json_object();
    return make_text(cx, reading, name);
}

static bool is_required(json_t *schema, const char *name)
{
    json_t *required = json_object_get(schema, "required"), *one;
    size_t i;

    json_array_foreach(required, i,
                       one) if (rv_text_same(json_string_value(one), name)) return true;
    return false;
}

/* Arguments by the tool's schema; @found is how many of them came out of results. */
static json_t *make_arguments(struct rv_ctx *cx, const struct llm_request *request,
                              const struct sim_reading *reading, const struct tool_spec *tool,
                              int *found)
{
    const char *text = tool->parameters ? tool->parameters : "{}", *name;
    json_t *made = rv_json_own(cx, json_object()), *schema, *property;
    json_error_t error;

    schema = rv_json_own(cx, rv_json_load(text, strlen(text), &error));
    json_object_foreach(json_object_get(schema, "properties"), name, property)
    {
        json_t *result = from_results(cx, request, reading->first, name);

        if (result)
            json_object_set(made, name, result);
        else if (is_required(schema, name) || json_object_size(made) == 0)
            json_object_set_new(made, name, make_argument(cx, reading, name, property));
        *found += result != NULL;
    }
    return made;
}

/* A tool is suitable when its words are the question's; one that reads on from a result is more so.
 */
static void consider(struct rv_ctx *cx, const struct llm_request *request,
                     const struct sim_reading *reading, const struct tool_spec *tool,
                     struct choice *best)
{
    const char *text =
        rv_printf(cx, "%s %s", tool->tool, tool->description ? tool->description : "");
    int overlap = sim_overlap(cx, &reading->words, text, strlen(text)), found = 0;
    struct choice choice = { .tool = tool };

    if (overlap == 0 && (tool->effect == EFFECT_WRITE || tool->effect == EFFECT_DESTRUCTIVE))
        return; /* nobody asked for that */
    choice.arguments = make_arguments(cx, request, reading, tool, &found);
    choice.score = 1 + (overlap < 3 ? 4 * overlap : 12) + 16 * (found > 0);
    if (choice.score > best->score)
        *best = choice;
}

struct llm_tool_call *sim_call_tool(struct rv_ctx *cx, const struct llm_request *request,
                                    const struct sim_reading *reading)
{
    struct choice best = { 0 };
    struct llm_tool_call *call;

    if (reading->rounds >= ROUNDS_MAX)
        return NULL;
    for (size_t i = 0; i < request->n_tools; i++)
        if (!was_used(request, reading->first, request->tools[i]->tool))
            consider(cx, request, reading, request->tools[i], &best);
    if (!best.tool || (reading->results > 0 && reading->best >= ENOUGH && best.score < 16))
        return NULL;
    call = rv_new(cx, struct llm_tool_call);
    *call = (struct llm_tool_call){ rv_printf(cx, "call_%zu", reading->rounds + 1), best.tool->tool,
                                    rv_json_text(cx, best.arguments) };
    return call;
}
