/* The small readers: keys, times, ids, places, numbers, globs, UTF-8, redaction. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/place.h"
#include "base/redact.h"
#include "base/text.h"
#include "base/time.h"
#include "runtime/secret.h"

static void read_time(struct rv_ctx *cx, const char *text)
{
    int64_t ms, again;

    if (rv_time_parse(text, &ms) && (!rv_time_parse(rv_time_text(cx, ms), &again) || again != ms))
        if (ms >= -62135596800000 && ms <= 253402300799999) /* years of four digits */
            abort();
}

static void read_place(const char *text)
{
    struct rv_place_step step;
    auto_buf again = { 0 };

    while (rv_place_next(&text, &step))
        if (step.is_key)
            rv_place_key(&again, step.key);
        else
            rv_place_index(&again, step.index);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    auto_buf clean = { 0 }, json = { 0 };
    struct rv_key key;
    struct rv_ctx cx;
    const char *text;
    int64_t number;
    double real;

    rv_ctx_init(&cx);
    text = rv_strndup(&cx, (const char *)bytes, len);
    rv_key_parse(&cx, text, &key);
    read_time(&cx, text);
    read_place(text);
    rv_traceparent_parse(&cx, text);
    rv_id_key(text);
    rv_text_int(text, &number);
    rv_text_double(text, &real);
    rv_text_duration(text, &number);
    rv_text_base64(&cx, text, &len);
    rv_text_glob(text, text + strlen(text) / 2);
    rv_text_distance(text, "name");
    rv_utf8_width(text);
    rv_redact_text(&clean, text);
    rv_buf_json(&json, text);
    if (!rv_utf8_ok(json.data, json.len))
        abort();
    rv_ctx_release(&cx);
    return 0;
}
