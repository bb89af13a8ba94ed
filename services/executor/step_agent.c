#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "executor/agent_tool.h"

/* Steps that talk with a model: llm asks once, agent goes on as long as the model calls tools. */

enum { ITERATIONS = 20, ITERATIONS_MAX = 800 };

/* ```json … ``` around an answer is the model's habit, not the answer. */
static const char *without_fences(struct rv_ctx *cx, const char *text)
{
    const char *end;

    while (isspace((unsigned char)*text))
        text++;
    if (!rv_text_starts(text, "```"))
        return text;
    text += strcspn(text, "\n");
    end = strstr(text, "```");
    return end ? rv_strndup(cx, text, (size_t)(end - text)) : text;
}

static const char *text_output(struct rv_ctx *cx, const char *text)
{
    auto_buf out = { 0 };

    rv_buf_text(&out, "{\"text\":");
    rv_buf_json(&out, text);
    rv_buf_char(&out, '}');
    return rv_strndup(cx, out.data, out.len);
}

/* Whether the model's last turn is an output; @why says what is wrong with it. */
static bool conclude(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                     const struct llm_answer *answer, const char **why)
{
    const char *text = answer->content ? answer->content : "";
    json_error_t error;
    json_t *json;

    if (talk->request.format != FORMAT_JSON) {
        work->output = text_output(cx, text);
        return true;
    }
    text = without_fences(cx, text);
    json = rv_json_own(cx, rv_json_load(text, strlen(text), &error));
    if (json_is_object(json) || json_is_array(json)) {
        work->output = rv_json_text(cx, json);
        return true;
    }
    *why = json ? "it is not a JSON object" : rv_printf(cx, "line %d: %s", error.line, error.text);
    return false;
}

static rv_result use_tools(struct rv_ctx *cx, struct work *work, struct talk *talk,
                           const struct llm_answer *answer)
{
    for (size_t i = 0; i < answer->n_tool_calls; i++) {
        const char *content;

        RV_TRY(cx, agent_tool(cx, work, talk, &answer->tool_calls[i], &content));
        talk_add(cx, talk,
                 (struct llm_message){ .role = "tool",
                                       .content = content,
                                       .tool_call_id = answer->tool_calls[i].id });
    }
    return RV_OK;
}

static rv_result converse(struct rv_ctx *cx, struct work *work, struct talk *talk,
                          int64_t iterations)
{
    bool corrected = false;
    const char *why = "";

    RV_TRY(cx, journal_open(cx, work));
    for (int64_t i = 0; i < iterations; i++) {
        struct llm_answer answer = { 0 };

        RV_TRY(cx, talk_turn(cx, work, talk, &answer));
        talk_add(cx, talk,
                 (struct llm_message){ .role = "assistant",
                                       .content = answer.content,
                                       .tool_calls = answer.tool_calls,
                                       .n_tool_calls = answer.n_tool_calls });
        if (answer.n_tool_calls > 0) {
            RV_TRY(cx, use_tools(cx, work, talk, &answer));
            continue;
        }
        if (conclude(cx, work, talk, &answer, &why))
            return RV_OK;
        if (corrected) /* another attempt would only read the same answers from the journal */
            return step_fails(cx, work, "output_not_json", false, "the answer is not JSON: %s",
                              why);
        corrected = true;
        talk_add(cx, talk,
                 (struct llm_message){ .role = "user",
                                       .content = rv_printf(cx,
                                                            "That was not valid JSON (%s). "
                                                            "Answer again with one JSON "
                                                            "object and nothing else.",
                                                            why) });
    }
    return step_fails(cx, work, "iteration_limit", false, "no answer after %lld model calls",
                      (long long)iterations);
}

static void open_with(struct rv_ctx *cx, struct talk *talk, const char *system, const char *prompt)
{
    if (system && *system)
        talk_add(cx, talk, (struct llm_message){ .role = "system", .content = system });
    talk_add(cx, talk, (struct llm_message){ .role = "user", .content = prompt });
}

rv_result step_llm(struct rv_ctx *cx, struct work *work)
{
    const struct llm_spec *spec = work->node->llm;
    const char *system, *prompt;
    struct talk talk;

    RV_TRY(cx, talk_open(cx, work, spec->model, &talk));
    talk.request.max_output_tokens = spec->max_output_tokens;
    talk.request.temperature = spec->temperature;
    talk.request.format = spec->output_format;
    RV_TRY(cx, step_facts(cx, work));
    RV_TRY(cx, expr_text(cx, &work->expr, "llm.system_prompt", spec->system_prompt, &system));
    RV_TRY(cx, expr_text(cx, &work->expr, "llm.prompt", spec->prompt, &prompt));
    open_with(cx, &talk, system, prompt);
    return converse(cx, work, &talk, 2);
}

static rv_result give_tools(struct rv_ctx *cx, struct work *work, const struct agent_spec *agent,
                            struct talk *talk)
{
    const struct tool_spec **tools = rv_new_array(cx, const struct tool_spec *, agent->n_tools);

    for (size_t i = 0; i < agent->n_tools; i++) {
        tools[i] = plan_tool(work->plan, agent->tools[i]);
        if (!tools[i] || !tools[i]->http)
            return step_fails(cx, work, "plan_broken", false, "the plan has no tool %s",
                              agent->tools[i]);
    }
    talk->request.tools = tools;
    talk->request.n_tools = agent->n_tools;
    return RV_OK;
}

rv_result step_agent(struct rv_ctx *cx, struct work *work)
{
    const struct agent_call *call = work->node->agent;
    const struct agent_spec *agent = plan_agent(work->plan, call->agent);
    int64_t iterations;
    const char *prompt;
    struct talk talk;

    if (!agent)
        return step_fails(cx, work, "plan_broken", false, "the plan has no agent %s", call->agent);
    RV_TRY(cx, talk_open(cx, work, agent->model, &talk));
    talk.agent = agent->agent;
    talk.request.max_output_tokens = agent->max_output_tokens;
    talk.request.temperature = agent->temperature;
    talk.request.format = agent->output_format;
    RV_TRY(cx, give_tools(cx, work, agent, &talk));
    RV_TRY(cx, step_facts(cx, work));
    RV_TRY(cx, expr_text(cx, &work->expr, "agent.prompt", call->prompt, &prompt));
    open_with(cx, &talk, agent->system_prompt, prompt);
    iterations = agent->max_iterations > 0 ? agent->max_iterations : ITERATIONS;
    return converse(cx, work, &talk, iterations < ITERATIONS_MAX ? iterations : ITERATIONS_MAX);
}
