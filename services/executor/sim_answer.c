#include "executor/sim_answer.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "runtime/json.h"

enum {
    QUESTION_MAX = 400,
    KEYS_MAX = 12,
    KEY_MAX = 40,
    TEXT_SENTENCES = 3,
    BRIEF_SENTENCES = 4,
    QUOTES = 3,
    QUOTES_MIN = 2
};

/* Texts inside a JSON value are read as they are; other texts as a whole. */
static void read_json(struct rv_ctx *cx, struct sim_sentences *sentences, json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_string(json))
        sim_read(cx, sentences, json_string_value(json));
    json_object_foreach(json, key, value) read_json(cx, sentences, value);
    json_array_foreach(json, i, value) read_json(cx, sentences, value);
}

static void read_result(struct rv_ctx *cx, struct sim_sentences *sentences, const char *text)
{
    json_error_t error;
    json_t *json = *text == '{' || *text == '[' ? rv_json_load(text, strlen(text), &error) : NULL;

    rv_json_own(cx, json);
    if (json)
        read_json(cx, sentences, json);
    else
        sim_read(cx, sentences, text);
}

/* The end of what is asked: a prompt that goes on with a text to read asks in its beginning. */
static size_t question_len(const char *prompt)
{
    size_t len = strlen(prompt);
    const char *gap = strstr(prompt, "\n\n");

    if (len <= QUESTION_MAX)
        return len;
    if (gap && gap - prompt <= QUESTION_MAX)
        return (size_t)(gap - prompt);
    return rv_utf8_cut(prompt, len, QUESTION_MAX);
}

static void read_messages(struct rv_ctx *cx, const struct llm_request *request,
                          struct sim_reading *reading)
{
    for (size_t i = reading->first; i < request->n_messages; i++) {
        const struct llm_message *message = &request->messages[i];

        reading->rounds += message->n_tool_calls > 0;
        if (strcmp(message->role, "tool") != 0 || !message->content ||
            rv_text_starts(message->content, "error:"))
            continue;
        reading->results++;
        read_result(cx, &reading->sentences, message->content);
    }
}

void sim_reading_init(struct rv_ctx *cx, const struct llm_request *request,
                      struct sim_reading *reading)
{
    const char *prompt = "";
    size_t len;

    *reading = (struct sim_reading){ 0 };
    for (size_t i = 0; i < request->n_messages; i++)
        if (strcmp(request->messages[i].role, "user") == 0 && reading->first == 0) {
            prompt = request->messages[i].content ? request->messages[i].content : "";
            reading->first = i + 1;
        }
    len = question_len(prompt);
    reading->question = rv_strndup(cx, prompt, len);
    reading->words = sim_words(cx, prompt, len);
    read_messages(cx, request, reading);
    if (prompt[len] || reading->results == 0)
        read_result(cx, &reading->sentences, prompt[len] ? prompt + len : prompt);
    sim_rank(cx, &reading->sentences, &reading->words);
    for (size_t i = 0; i < reading->sentences.n; i++)
        if (reading->sentences.all[i].score > reading->best)
            reading->best = reading->sentences.all[i].score;
}

static const char *joined(struct rv_ctx *cx, const struct sim_reading *reading, size_t n)
{
    const struct sim_sentence *best[8];
    auto_buf text = { 0 };

    n = sim_best(cx, &reading->sentences, n, best);
    for (size_t i = 0; i < n; i++) {
        rv_buf_text(&text, i > 0 ? " " : "");
        rv_buf_add(&text, best[i]->text, best[i]->len);
    }
    if (n == 0)
        rv_buf_printf(&text, "There is nothing to read about: %s", reading->question);
    return rv_strndup(cx, text.data, text.len);
}

static json_t *quotes(struct rv_ctx *cx, const struct sim_reading *reading, size_t n)
{
    const struct sim_sentence *best[8];
    json_t *list = json_array();

    n = sim_best(cx, &reading->sentences, n, best);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_stringn(best[i]->text, best[i]->len));
    return list;
}

/* Names in `marks` or "marks" that could be keys. */
static void find_keys(struct rv_ctx *cx, const char *text, const char **keys, size_t *n)
{
    for (const char *p = text; text && *p && *n < KEYS_MAX; p++) {
        size_t len = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
        bool known = false;
        char *key;

        if ((*p != '`' && *p != '"') || p[1 + len] != *p || len < 2 || len > KEY_MAX ||
            !islower((unsigned char)p[1]))
            continue;
        key = rv_strndup(cx, p + 1, len);
        for (size_t i = 0; i < *n; i++)
            known = known || strcmp(keys[i], key) == 0;
        if (!known && strcmp(key, "json") != 0)
            keys[(*n)++] = key;
        p += len + 1;
    }
}

static bool is_one_of(const char *key, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(key, *words) == 0)
            return true;
    return false;
}

/* A value for a key, by what its name says; @size is how many sentences a text may have. */
static json_t *value_for(struct rv_ctx *cx, const struct sim_reading *reading, const char *key,
                         size_t size)
{
    static const char *const lists[] = { "quotes", "evidence", "citations",  "points", "key_points",
                                         "facts",  "findings", "highlights", NULL };
    static const char *const titles[] = { "title", "topic", "subject", "headline", NULL };
    static const char *const numbers[] = { "confidence", "score", "rating", NULL };
    size_t n_quotes = size < QUOTES_MIN ? QUOTES_MIN : size < QUOTES ? size : QUOTES;

    if (is_one_of(key, lists))
        return quotes(cx, reading, n_quotes);
    if (is_one_of(key, titles))
        return json_string(rv_strndup(
            cx, reading->question, rv_utf8_cut(reading->question, strlen(reading->question), 80)));
    if (is_one_of(key, numbers))
        return json_real(reading->best > 0 ? 0.75 : 0.25);
    if (rv_text_starts(key, "is_") || rv_text_starts(key, "has_"))
        return json_boolean(reading->best > 0);
    return json_string(joined(cx, reading, size));
}

static const char *object(struct rv_ctx *cx, const struct sim_reading *reading,
                          const char *const *keys, size_t n_keys, size_t size)
{
    json_t *made = rv_json_own(cx, json_object());

    for (size_t i = 0; i < n_keys; i++)
        json_object_set_new(made, keys[i], value_for(cx, reading, keys[i], size));
    return rv_json_text(cx, made);
}

/* The first words of @text that are no more than @most tokens. */
static const char *cut_to(struct rv_ctx *cx, const char *text, int64_t most)
{
    size_t len = strlen(text);

    while (len > 0 && sim_tokens(rv_strndup(cx, text, len)) > most) {
        len = rv_utf8_cut(text, len, len > 16 ? len - len / 8 : len - 1);
        while (len > 0 && !isspace((unsigned char)text[len - 1]) && len > 8)
            len--;
    }
    return rv_strndup(cx, text, len);
}

const char *sim_answer(struct rv_ctx *cx, const struct llm_request *request,
                       const struct sim_reading *reading, bool *cut)
{
    const char *keys[KEYS_MAX] = { NULL }, *said = "";
    bool as_json = request->format == FORMAT_JSON;
    size_t n_keys = 0, most = as_json ? BRIEF_SENTENCES : TEXT_SENTENCES;

    for (size_t i = 0; as_json && i < request->n_messages; i++)
        if (strcmp(request->messages[i].role, "system") == 0)
            find_keys(cx, request->messages[i].content, keys, &n_keys);
    if (as_json && n_keys == 0)
        find_keys(cx, reading->question, keys, &n_keys);
    if (as_json && n_keys == 0)
        keys[n_keys++] = "text";
    for (size_t size = most; size > 0; size--) {
        said = as_json ? object(cx, reading, keys, n_keys, size) : joined(cx, reading, size);
        if (sim_tokens(said) <= request->max_output_tokens)
            return said;
    }
    *cut = true;
    return cut_to(cx, said, request->max_output_tokens);
}
