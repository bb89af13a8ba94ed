#include "executor/agent_tool.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "executor/http_act.h"

enum { TOOL_TIMEOUT_MS = 30000, CONTENT_MAX = 64 * 1024, ERROR_MAX = 2000, NAME_MAX_LEN = 64 };

static void add_encoded(struct rv_buf *into, const char *text)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            rv_buf_char(into, *text);
        else
            rv_buf_printf(into, "%%%02X", (unsigned)(unsigned char)*text);
}

/* The argument that "{name}" at @at means; NULL: it is no such thing. */
static json_t *argument_at(const char *at, json_t *arguments, size_t *len)
{
    size_t n = strcspn(at + 1, "{}");
    char name[NAME_MAX_LEN + 1];

    if (n == 0 || n > NAME_MAX_LEN || at[1 + n] != '}')
        return NULL;
    memcpy(name, at + 1, n);
    name[n] = '\0';
    *len = n + 2;
    return json_object_get(arguments, name);
}

const char *agent_fill(struct rv_ctx *cx, const char *text, json_t *arguments, bool encode)
{
    auto_buf out = { 0 };

    while (*text) {
        size_t len = 1;
        json_t *value = *text == '{' ? argument_at(text, arguments, &len) : NULL;
        const char *word = !value                  ? NULL
                           : json_is_string(value) ? json_string_value(value)
                                                   : rv_json_text(cx, value);

        if (!word)
            rv_buf_char(&out, *text++);
        else if (encode)
            add_encoded(&out, word);
        else
            rv_buf_text(&out, word);
        text += word ? len : 0;
    }
    return rv_strndup(cx, out.data ? out.data : "", out.len);
}

/* Every text of a body; one that is a whole "{name}" keeps the argument's type. A new reference. */
static json_t *fill_body(struct rv_ctx *cx, json_t *body, json_t *arguments)
{
    const char *text = json_string_value(body), *key;
    json_t *made, *value;
    size_t len = 0, i;

    if (text) {
        value = *text == '{' ? argument_at(text, arguments, &len) : NULL;
        if (value && text[len] == '\0')
            return json_incref(value);
        return json_string(agent_fill(cx, text, arguments, false));
    }
    if (!json_is_object(body) && !json_is_array(body))
        return json_incref(body);
    made = json_is_object(body) ? json_object() : json_array();
    json_object_foreach(body, key, value)
        json_object_set_new(made, key, fill_body(cx, value, arguments));
    json_array_foreach(body, i, value) json_array_append_new(made, fill_body(cx, value, arguments));
    return made;
}

static const struct tool_spec *find_tool(const struct talk *talk, const char *name)
{
    for (size_t i = 0; i < talk->request.n_tools; i++)
        if (rv_text_same(talk->request.tools[i]->tool, name))
            return talk->request.tools[i];
    return NULL;
}

static const char *missing(struct rv_ctx *cx, const struct tool_spec *tool, json_t *arguments)
{
    const char *text = tool->parameters ? tool->parameters : "{}";
    json_error_t error;
    json_t *schema = rv_json_own(cx, rv_json_load(text, strlen(text), &error)), *name;
    size_t i;

    json_array_foreach(json_object_get(schema, "required"), i, name)
    {
        if (json_is_string(name) && !json_object_get(arguments, json_string_value(name)))
            return json_string_value(name);
    }
    return NULL;
}

/* What is wrong with the call, in words for the model; NULL: nothing. */
static const char *check(struct rv_ctx *cx, const struct tool_spec *tool,
                         const struct llm_tool_call *call, json_t **arguments)
{
    const char *text = call->arguments && *call->arguments ? call->arguments : "{}", *name;
    json_error_t error;

    if (!tool)
        return rv_printf(cx, "error: there is no tool %s", call->name);
    *arguments = rv_json_own(cx, rv_json_load(text, strlen(text), &error));
    if (!*arguments)
        return rv_printf(cx, "error: the arguments are not JSON: %s", error.text);
    if (!json_is_object(*arguments))
        return "error: the arguments are not a JSON object";
    name = missing(cx, tool, *arguments);
    return name ? rv_printf(cx, "error: the argument %s is missing", name) : NULL;
}

static rv_result render(struct rv_ctx *cx, struct work *work, const struct tool_spec *tool,
                        json_t *arguments, struct http_ask *ask)
{
    const struct http_spec *spec = tool->http;
    const char *place = rv_printf(cx, "tool %s", tool->tool), *url;
    char *method = rv_strdup(cx, spec->method ? spec->method : "GET");

    for (char *c = method; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    *ask = (struct http_ask){
        .method = method,
        .effect = tool->effect ? tool->effect : EFFECT_DESTRUCTIVE,
        .timeout_ms = tool->timeout_ms > 0 ? tool->timeout_ms : TOOL_TIMEOUT_MS,
    };
    RV_TRY(cx, expr_text(cx, &work->expr, place, spec->url, &url));
    ask->url = agent_fill(cx, url, arguments, true);
    RV_TRY(cx, expr_json(cx, &work->expr, place, spec->headers, &ask->headers));
    RV_TRY(cx, expr_json(cx, &work->expr, place, spec->body, &ask->body));
    if (ask->headers)
        ask->headers = rv_json_own(cx, fill_body(cx, ask->headers, arguments));
    if (ask->body)
        ask->body = rv_json_own(cx, fill_body(cx, ask->body, arguments));
    else if (!http_reads(method))
        ask->body = arguments;
    return RV_OK;
}

/* What the model reads of it. */
static const char *content_of(struct rv_ctx *cx, const struct http_got *got)
{
    const char *body = got->body ? got->body : "";

    if (got->status == 0)
        return rv_printf(cx, "error: %s", got->failure ? got->failure : "nothing came");
    if (got->status >= 400)
        return rv_printf(cx, "error: the tool answered %lld: %.*s", (long long)got->status,
                         (int)rv_utf8_cut(body, strlen(body), ERROR_MAX), body);
    return body;
}

static rv_result act(struct rv_ctx *cx, struct work *work, const struct permit *permit,
                     const struct http_ask *ask, struct http_got *got)
{
    static const struct used nothing = { .released = true };
    enum rv_status status;

    if (permit->denied) {
        got->failure = rv_printf(cx, "denied by policy: %s", permit->reason);
        got->code = "policy_denied";
        return RV_OK;
    }
    status = http_act(cx, work, ask, got);
    if (got->body) /* no more is kept than the model will read */
        got->body =
            rv_strndup(cx, got->body, rv_utf8_cut(got->body, strlen(got->body), CONTENT_MAX));
    if (status == RV_UNPROCESSABLE) {
        got->failure = http_clean(cx, cx->error.text, strlen(cx->error.text));
        return RV_OK;
    }
    if (status != RV_OK)
        govern_tell_settled(cx, work, permit->hold_id, &nothing);
    return status;
}

/* Governed, done, recorded: a denial too, so that the next attempt hears the same. */
static rv_result make(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                      const struct tool_spec *tool, struct http_ask *ask, struct http_got *got)
{
    struct govern_ask govern = { .subject = ABOUT_TOOL,
                                 .call_no = work->call_no,
                                 .agent = talk->agent,
                                 .tool = tool->tool,
                                 .tool_effect = rv_enum_word(&tool_effect_enum, (int)ask->effect) };
    int64_t started_at_ms = rv_now_ms(), start_ms = rv_monotonic_ms();
    struct permit permit = { 0 };
    struct made_call made = { .kind = CALL_TOOL,
                              .name = tool->tool,
                              .permit = &permit,
                              .frame = rv_in(http_got, got),
                              .started_at_ms = started_at_ms };

    ask->key = http_key(cx, work, work->call_no);
    RV_TRY(cx, govern_call(cx, work, &govern, &permit));
    RV_TRY(cx, act(cx, work, &permit, ask, got));
    made.request = http_shown(cx, ask);
    made.took_ms = rv_monotonic_ms() - start_ms;
    made.used.released = permit.denied;
    if (got->status == 0 || got->status >= 400)
        made.error = rv_strndup(cx, content_of(cx, got),
                                rv_utf8_cut(content_of(cx, got), strlen(content_of(cx, got)), 500));
    RV_TRY(cx, http_got_json(cx, got, FORMAT_TEXT, &made.response));
    return journal_add(cx, work, &made);
}

rv_result agent_tool(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                     const struct llm_tool_call *call, const char **content)
{
    const struct tool_spec *tool = find_tool(talk, call->name);
    const struct task_call *recorded;
    struct http_got got = { .tool_call_id = call->id };
    json_t *arguments = NULL;
    struct http_ask ask;

    *content = check(cx, tool, call, &arguments);
    if (*content)
        return RV_OK;
    RV_TRY(cx, render(cx, work, tool, arguments, &ask));
    RV_TRY(cx, journal_next(cx, work, CALL_TOOL, &recorded));
    if (recorded)
        RV_TRY(cx, rv_msgpack_read(cx, recorded->frame, rv_out(http_got, &got)));
    else
        RV_TRY(cx, make(cx, work, talk, tool, &ask, &got));
    if (!rv_text_same(got.tool_call_id, call->id))
        return step_fails(cx, work, "journal_broken", false, "call %lld answered another one",
                          (long long)work->call_no);
    *content = content_of(cx, &got);
    return RV_OK;
}
