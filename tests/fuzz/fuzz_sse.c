/* A stream means the same however it is cut. */

#include <stdlib.h>
#include <string.h>

#include "runtime/sse.h"

static bool note(void *arg, const struct rv_sse_event *event)
{
    rv_buf_printf(arg, "[%s|%s|", event->event, event->id);
    rv_buf_add(arg, event->data, event->len);
    return true;
}

static bool read_in_pieces(const char *bytes, size_t len, size_t piece, struct rv_buf *heard)
{
    struct rv_sse_reader *reader = rv_sse_reader_new(100000);
    bool read = true;

    for (size_t at = 0; read && at < len; at += piece)
        read = rv_sse_feed(reader, bytes + at, len - at < piece ? len - at : piece, note, heard);
    rv_sse_reader_free(reader);
    return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t piece = len ? 1 + bytes[0] % 7 : 1;
    auto_buf whole = { 0 }, cut = { 0 };

    if (len > 50000)
        return 0;
    rv_buf_text(&whole, "");
    rv_buf_text(&cut, "");
    if (!read_in_pieces((const char *)bytes, len, len + 1, &whole) ||
        !read_in_pieces((const char *)bytes, len, piece, &cut) || whole.len != cut.len ||
        memcmp(whole.data, cut.data, cut.len) != 0)
        abort();
    return 0;
}
