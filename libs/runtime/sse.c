#include "runtime/sse.h"

#include <stdlib.h>
#include <string.h>

/* One line of a field; what a line may not hold (CR, LF) ends it early. */
static void add_line(struct rv_buf *into, const char *name, const char *value)
{
    rv_buf_text(into, name);
    rv_buf_text(into, ": ");
    rv_buf_add(into, value, strcspn(value, "\r\n"));
    rv_buf_char(into, '\n');
}

/* Every line of @text, ended by LF, CR or CRLF, as a field of its own. */
static void add_lines(struct rv_buf *into, const char *name, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, "\r\n");

        add_line(into, name, text);
        if (!text[len])
            return;
        text += len + (text[len] == '\r' && text[len + 1] == '\n' ? 2 : 1);
    }
}

void rv_sse_write(struct rv_buf *into, const char *id, const char *event, const char *data)
{
    if (id)
        add_line(into, "id", id);
    if (event)
        add_line(into, "event", event);
    add_lines(into, "data", data);
    rv_buf_char(into, '\n');
}

void rv_sse_comment(struct rv_buf *into, const char *text)
{
    add_lines(into, "", text);
    rv_buf_char(into, '\n');
}

struct rv_sse_reader {
    struct rv_buf line, data, event, id;
    size_t bytes_max;
    bool has_data, after_cr, started;
};

struct rv_sse_reader *rv_sse_reader_new(size_t event_bytes_max)
{
    struct rv_sse_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        abort();
    reader->bytes_max = event_bytes_max;
    rv_buf_text(&reader->line, "");
    rv_buf_text(&reader->data, "");
    rv_buf_text(&reader->event, "");
    rv_buf_text(&reader->id, "");
    return reader;
}

void rv_sse_reader_free(struct rv_sse_reader *reader)
{
    if (!reader)
        return;
    rv_buf_release(&reader->line);
    rv_buf_release(&reader->data);
    rv_buf_release(&reader->event);
    rv_buf_release(&reader->id);
    free(reader);
}

typedef bool each_fn(void *arg, const struct rv_sse_event *event); /* as rv_sse_feed has it */

static bool dispatch(struct rv_sse_reader *reader, each_fn *each, void *arg)
{
    struct rv_sse_event event = {
        .event = reader->event.len ? reader->event.data : "message",
        .id = reader->id.data,
        .data = reader->data.data,
        .len = reader->data.len,
    };
    bool go_on = !reader->has_data || each(arg, &event);

    rv_buf_clear(&reader->data);
    rv_buf_clear(&reader->event);
    reader->has_data = false;
    return go_on;
}

static void set(struct rv_buf *to, const char *value, size_t len)
{
    rv_buf_clear(to);
    rv_buf_add(to, value, len);
}

/* name, name: value or name:value; a name that we do not know (retry too) says nothing to us. */
static void take_field(struct rv_sse_reader *reader)
{
    const char *line = reader->line.data, *end = line + reader->line.len;
    size_t name = 0;
    const char *value;

    while (line + name < end && line[name] != ':')
        name++;
    value = line + name + (line + name < end);
    value += value < end && *value == ' ';

    if (name == 4 && memcmp(line, "data", 4) == 0) {
        if (reader->has_data)
            rv_buf_char(&reader->data, '\n');
        rv_buf_add(&reader->data, value, (size_t)(end - value));
        reader->has_data = true;
    } else if (name == 5 && memcmp(line, "event", 5) == 0) {
        set(&reader->event, value, (size_t)(end - value));
    } else if (name == 2 && memcmp(line, "id", 2) == 0 &&
               !memchr(value, '\0', (size_t)(end - value))) {
        set(&reader->id, value, (size_t)(end - value));
    }
}

static bool end_line(struct rv_sse_reader *reader, each_fn *each, void *arg)
{
    static const char bom[] = "\xef\xbb\xbf";

    if (!reader->started && reader->line.len >= 3 && memcmp(reader->line.data, bom, 3) == 0)
        rv_buf_drop(&reader->line, 3);
    reader->started = true;
    if (reader->line.len == 0)
        return dispatch(reader, each, arg);
    if (reader->line.data[0] != ':')
        take_field(reader);
    rv_buf_clear(&reader->line);
    return true;
}

static size_t up_to_newline(const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && bytes[at] != '\n' && bytes[at] != '\r')
        at++;
    return at;
}

bool rv_sse_feed(struct rv_sse_reader *reader, const char *bytes, size_t len,
                 bool (*each)(void *arg, const struct rv_sse_event *event), void *arg)
{
    while (len > 0) {
        size_t text = up_to_newline(bytes, len);
        bool second_half = text == 0 && reader->after_cr && *bytes == '\n';

        if (reader->line.len + reader->data.len + text > reader->bytes_max)
            return false;
        rv_buf_add(&reader->line, bytes, text);
        reader->after_cr = text < len && bytes[text] == '\r';
        if (text < len && !second_half && !end_line(reader, each, arg))
            return false;
        text += text < len;
        bytes += text;
        len -= text;
    }
    return true;
}
