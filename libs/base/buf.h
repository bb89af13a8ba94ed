#pragma once

/*
 * Buf: bytes that grow, with one owner and a release. Always terminated with a NUL once something
 * was added. Like the arena it never fails: out of memory ends the process. With an arena its bytes
 * are the arena's, and a release does nothing.
 */

#include <stddef.h>
#include <stdint.h>

struct rv_arena;

struct rv_buf {
    char *data;
    size_t len, size;
    struct rv_arena *arena; /* NULL: the heap */
};

void rv_buf_add(struct rv_buf *buf, const void *bytes, size_t len);
void rv_buf_text(struct rv_buf *buf, const char *text);
void rv_buf_char(struct rv_buf *buf, char c);
void rv_buf_int(struct rv_buf *buf, int64_t number);
void rv_buf_double(struct rv_buf *buf,
                   double number); /* reads back the same; null when not finite */
void rv_buf_printf(struct rv_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void rv_buf_json(struct rv_buf *buf,
                 const char *text); /* as a JSON string, quoted; bad UTF-8: \ufffd */
void rv_buf_base64(struct rv_buf *buf, const void *bytes, size_t len); /* with padding */
void rv_buf_drop(struct rv_buf *buf, size_t len);                      /* the first @len bytes */
void rv_buf_clear(struct rv_buf *buf);                                 /* empty, keeps its memory */
void rv_buf_release(struct rv_buf *buf);
#define auto_buf __attribute__((cleanup(rv_buf_release))) struct rv_buf
