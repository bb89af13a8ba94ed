#include "executor/provider.h"

#include <string.h>

enum { MESSAGE_OVERHEAD = 16, REQUEST_OVERHEAD = 64 };

/* clang-format off */
static const struct rv_field llm_tool_call_fields[] = {
    RV_TEXT(llm_tool_call, id, 0),
    RV_TEXT(llm_tool_call, name, 0),
    RV_TEXT(llm_tool_call, arguments, 0),
};
static RV_RECORD(llm_tool_call, llm_tool_call_fields);

static const struct rv_field llm_answer_fields[] = {
    RV_TEXT(llm_answer, content, 0),
    RV_LIST(llm_answer, tool_calls, llm_tool_call, 0),
    RV_TEXT(llm_answer, finish_reason, 0),
    RV_INT(llm_answer,  tokens_in, 0),
    RV_INT(llm_answer,  tokens_cached, 0),
    RV_INT(llm_answer,  tokens_out, 0),
    RV_BOOL(llm_answer, estimated, 0),
};
RV_RECORD(llm_answer, llm_answer_fields);
/* clang-format on */

static int64_t bytes_of(const char *text)
{
    return text ? (int64_t)strlen(text) : 0;
}

int64_t llm_request_bytes(const struct llm_request *request)
{
    int64_t bytes = REQUEST_OVERHEAD;

    for (size_t i = 0; i < request->n_messages; i++) {
        const struct llm_message *message = &request->messages[i];

        bytes += bytes_of(message->content) + MESSAGE_OVERHEAD;
        for (size_t j = 0; j < message->n_tool_calls; j++)
            bytes += bytes_of(message->tool_calls[j].name) +
                     bytes_of(message->tool_calls[j].arguments) + MESSAGE_OVERHEAD;
    }
    for (size_t i = 0; i < request->n_tools; i++)
        bytes += bytes_of(request->tools[i]->tool) + bytes_of(request->tools[i]->description) +
                 bytes_of(request->tools[i]->parameters) + 2 * MESSAGE_OVERHEAD;
    return bytes;
}
