#include "executor/openai_wire.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* clang-format off */
static const struct rv_field wire_function_fields[] = {
    RV_TEXT(wire_function, name, 0),
    RV_TEXT(wire_function, arguments, 0),
};
static RV_RECORD(wire_function, wire_function_fields);
static const struct rv_field wire_tool_call_fields[] = {
    RV_INT(wire_tool_call,  index, 0),
    RV_TEXT(wire_tool_call, id, 0),
    RV_SUB(wire_tool_call,  function, wire_function, 0),
};
static RV_RECORD(wire_tool_call, wire_tool_call_fields);
static const struct rv_field wire_message_fields[] = {
    RV_TEXT(wire_message, content, 0),
    RV_TEXT(wire_message, refusal, 0),
    RV_LIST(wire_message, tool_calls, wire_tool_call, 0),
};
static RV_RECORD(wire_message, wire_message_fields);
static const struct rv_field wire_choice_fields[] = {
    RV_SUB(wire_choice,  delta, wire_message, 0),
    RV_SUB(wire_choice,  message, wire_message, 0),
    RV_TEXT(wire_choice, finish_reason, 0),
};
static RV_RECORD(wire_choice, wire_choice_fields);
static const struct rv_field wire_cached_fields[] = {
    RV_INT(wire_cached, cached_tokens, 0),
};
static RV_RECORD(wire_cached, wire_cached_fields);
static const struct rv_field wire_usage_fields[] = {
    RV_INT(wire_usage, prompt_tokens, 0),
    RV_INT(wire_usage, completion_tokens, 0),
    RV_SUB(wire_usage, prompt_tokens_details, wire_cached, 0),
};
static RV_RECORD(wire_usage, wire_usage_fields);
static const struct rv_field wire_error_fields[] = {
    RV_TEXT(wire_error, message, 0),
    RV_TEXT(wire_error, type, 0),
    RV_JSON(wire_error, code, 0),
};
static RV_RECORD(wire_error, wire_error_fields);
static const struct rv_field wire_chunk_fields[] = {
    RV_LIST(wire_chunk, choices, wire_choice, 0),
    RV_SUB(wire_chunk,  usage, wire_usage, 0),
    RV_SUB(wire_chunk,  error, wire_error, 0),
};
RV_RECORD(wire_chunk, wire_chunk_fields);
/* clang-format on */

static void add_tool_calls(struct rv_buf *into, const struct llm_message *message)
{
    rv_buf_text(into, ",\"tool_calls\":[");
    for (size_t i = 0; i < message->n_tool_calls; i++) {
        const struct llm_tool_call *call = &message->tool_calls[i];

        rv_buf_text(into,
                    i > 0 ? ",{\"type\":\"function\",\"id\":" : "{\"type\":\"function\",\"id\":");
        rv_buf_json(into, call->id);
        rv_buf_text(into, ",\"function\":{\"name\":");
        rv_buf_json(into, call->name);
        rv_buf_text(into, ",\"arguments\":");
        rv_buf_json(into, call->arguments);
        rv_buf_text(into, "}}");
    }
    rv_buf_char(into, ']');
}

static void add_message(struct rv_buf *into, const struct llm_message *message)
{
    rv_buf_text(into, "{\"role\":");
    rv_buf_json(into, message->role);
    rv_buf_text(into, ",\"content\":");
    if (message->content)
        rv_buf_json(into, message->content);
    else
        rv_buf_text(into, "null");
    if (message->n_tool_calls > 0)
        add_tool_calls(into, message);
    if (message->tool_call_id) {
        rv_buf_text(into, ",\"tool_call_id\":");
        rv_buf_json(into, message->tool_call_id);
    }
    rv_buf_char(into, '}');
}

static void add_tool(struct rv_buf *into, const struct tool_spec *tool)
{
    rv_buf_text(into, "{\"type\":\"function\",\"function\":{\"name\":");
    rv_buf_json(into, tool->tool);
    rv_buf_text(into, ",\"description\":");
    rv_buf_json(into, tool->description ? tool->description : "");
    rv_buf_text(into, ",\"parameters\":");
    rv_buf_text(into,
                tool->parameters ? tool->parameters : "{\"type\":\"object\",\"properties\":{}}");
    rv_buf_text(into, "}}");
}

const char *openai_request(struct rv_ctx *cx, const struct llm_request *request, bool old_limit)
{
    auto_buf body = { 0 };

    rv_buf_text(&body, "{\"model\":");
    rv_buf_json(&body, request->model);
    rv_buf_text(&body, ",\"messages\":[");
    for (size_t i = 0; i < request->n_messages; i++) {
        rv_buf_text(&body, i > 0 ? "," : "");
        add_message(&body, &request->messages[i]);
    }
    rv_buf_char(&body, ']');
    for (size_t i = 0; i < request->n_tools; i++) {
        rv_buf_text(&body, i > 0 ? "," : ",\"tools\":[");
        add_tool(&body, request->tools[i]);
    }
    rv_buf_text(&body, request->n_tools > 0 ? "]" : "");
    rv_buf_printf(&body, ",\"%s\":%lld", old_limit ? "max_tokens" : "max_completion_tokens",
                  (long long)request->max_output_tokens);
    if (request->temperature > 0) {
        rv_buf_text(&body, ",\"temperature\":");
        rv_buf_double(&body, request->temperature);
    }
    if (request->format == FORMAT_JSON && request->n_tools == 0)
        rv_buf_text(&body, ",\"response_format\":{\"type\":\"json_object\"}");
    rv_buf_text(&body, ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    return rv_strndup(cx, body.data, body.len);
}

/*
 * Fragments of a tool call belong together by their index; but some servers give every call the
 * index 0, so a new id at an index begins a new call.
 */
static struct openai_call *call_for(struct openai_answer *answer,
                                    const struct wire_tool_call *piece)
{
    size_t most = sizeof(answer->calls) / sizeof(answer->calls[0]);
    struct openai_call *call;

    for (size_t i = answer->n_calls; i-- > 0;) {
        call = &answer->calls[i];
        if (call->index != piece->index)
            continue;
        if (piece->id && *piece->id && call->id.len > 0 && strcmp(call->id.data, piece->id) != 0)
            break;
        return call;
    }
    if (answer->n_calls == most)
        return NULL;
    call = &answer->calls[answer->n_calls++];
    call->index = piece->index;
    return call;
}

static void add_call(struct openai_answer *answer, const struct wire_tool_call *piece,
                     const struct llm_conn *conn)
{
    struct openai_call *call = call_for(answer, piece);
    const struct wire_function *function = piece->function;

    if (!call)
        return;
    if (piece->id && call->id.len == 0)
        rv_buf_text(&call->id, piece->id);
    if (function && function->name && call->name.len == 0)
        rv_buf_text(&call->name, function->name);
    if (function && function->arguments) {
        rv_buf_text(&call->arguments, function->arguments);
        if (conn && conn->on_delta)
            conn->on_delta(conn->arg, "tool_args", function->arguments, strlen(function->arguments),
                           call - answer->calls);
    }
}

static void add_message_piece(struct openai_answer *answer, const struct wire_message *piece,
                              const struct llm_conn *conn)
{
    const char *text = piece->content && *piece->content ? piece->content : piece->refusal;

    if (text && *text) {
        rv_buf_text(&answer->content, text);
        if (conn && conn->on_delta)
            conn->on_delta(conn->arg, "text", text, strlen(text), 0);
    }
    for (size_t i = 0; i < piece->n_tool_calls; i++)
        add_call(answer, &piece->tool_calls[i], conn);
}

static void add_error(struct openai_answer *answer, const struct wire_error *error)
{
    answer->failed = true;
    snprintf(answer->error, sizeof(answer->error), "%s", error->message ? error->message : "?");
    snprintf(answer->error_type, sizeof(answer->error_type), "%s", error->type ? error->type : "");
    snprintf(answer->error_code, sizeof(answer->error_code), "%s", error->code ? error->code : "");
}

static void add_usage(struct openai_answer *answer, const struct wire_usage *usage)
{
    answer->counted = usage->prompt_tokens > 0 || usage->completion_tokens > 0;
    answer->tokens_in = usage->prompt_tokens;
    answer->tokens_out = usage->completion_tokens;
    if (usage->prompt_tokens_details)
        answer->tokens_cached = usage->prompt_tokens_details->cached_tokens;
}

static void add_chunk(struct openai_answer *answer, const struct wire_chunk *chunk,
                      const struct llm_conn *conn)
{
    if (chunk->error)
        add_error(answer, chunk->error);
    if (chunk->usage)
        add_usage(answer, chunk->usage);
    if (chunk->n_choices == 0)
        return;
    if (chunk->choices[0].delta)
        add_message_piece(answer, chunk->choices[0].delta, conn);
    if (chunk->choices[0].message)
        add_message_piece(answer, chunk->choices[0].message, conn);
    if (chunk->choices[0].finish_reason)
        snprintf(answer->finish, sizeof(answer->finish), "%s", chunk->choices[0].finish_reason);
}

bool openai_add(struct openai_answer *answer, const char *json, size_t len,
                const struct llm_conn *conn)
{
    struct wire_chunk chunk = { 0 };
    struct rv_ctx scratch;
    bool good;

    rv_ctx_init(&scratch);
    good = rv_json_read(&scratch, json, len, RV_JSON_LENIENT, rv_out(wire_chunk, &chunk)) == RV_OK;
    if (good)
        add_chunk(answer, &chunk, conn);
    rv_ctx_release(&scratch);
    return good;
}

bool openai_begun(const struct openai_answer *answer)
{
    return answer->content.len > 0 || answer->n_calls > 0 || answer->counted;
}

static const char *finish_reason(struct rv_ctx *cx, const struct openai_answer *answer)
{
    if (answer->n_calls > 0)
        return "tool_calls";
    if (strcmp(answer->finish, "length") == 0 || strcmp(answer->finish, "content_filter") == 0)
        return rv_strdup(cx, answer->finish);
    return "stop";
}

void openai_finish(struct rv_ctx *cx, const struct openai_answer *answer,
                   const struct llm_request *request, struct llm_answer *out)
{
    size_t bytes = answer->content.len;

    *out = (struct llm_answer){
        .content = answer->content.len > 0
                       ? rv_strndup(cx, answer->content.data, answer->content.len)
                       : NULL,
        .tool_calls = rv_new_array(cx, struct llm_tool_call, answer->n_calls),
        .n_tool_calls = answer->n_calls,
        .finish_reason = finish_reason(cx, answer),
        .tokens_in = answer->tokens_in,
        .tokens_cached = answer->tokens_cached,
        .tokens_out = answer->tokens_out,
        .estimated = !answer->counted,
    };
    for (size_t i = 0; i < answer->n_calls; i++) {
        const struct openai_call *call = &answer->calls[i];

        out->tool_calls[i] = (struct llm_tool_call){
            call->id.len > 0 ? rv_strdup(cx, call->id.data) : rv_printf(cx, "call_%zu", i),
            rv_strdup(cx, call->name.data ? call->name.data : ""),
            rv_strdup(cx, call->arguments.len > 0 ? call->arguments.data : "{}"),
        };
        bytes += call->arguments.len + call->name.len;
    }
    if (out->estimated) {
        out->tokens_in = (llm_request_bytes(request) + 3) / 4;
        out->tokens_out = ((int64_t)bytes + 3) / 4;
    }
}

void openai_release(struct openai_answer *answer)
{
    rv_buf_release(&answer->content);
    for (size_t i = 0; i < answer->n_calls; i++) {
        rv_buf_release(&answer->calls[i].id);
        rv_buf_release(&answer->calls[i].name);
        rv_buf_release(&answer->calls[i].arguments);
    }
}
