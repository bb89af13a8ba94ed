#include "contract/dead_letters.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "contract/subjects.h"
#include "domain/dead_letter.h"
#include "runtime/bus.h"

/* What a stranger wrote may be any bytes; only text can be said on. */
static const char *as_text(struct rv_ctx *cx, const char *bytes)
{
    char *text = rv_strdup(cx, bytes ? bytes : "");
    size_t len = strlen(text);

    for (size_t i = 0, width; i < len; i += width) {
        width = rv_utf8_next(text + i, len - i, NULL);
        if (width == 0) {
            text[i] = '?';
            width = 1;
        }
    }
    return text;
}

void dead_letter_tell(struct rv_ctx *cx, struct rv_bus *bus, const char *service,
                      const struct rv_dead *dead)
{
    size_t len = dead->len < DEAD_LETTER_BYTES_MAX ? dead->len : DEAD_LETTER_BYTES_MAX;
    const struct dead_letter letter = { .service = service,
                                        .subject = as_text(cx, dead->subject),
                                        .reason = as_text(cx, dead->reason),
                                        .payload = { dead->bytes, len },
                                        .deliveries = dead->deliveries };

    if (rv_bus_tell(cx, bus, &SUBJ_DEAD_LETTER, &letter, 1) != RV_OK)
        rv_log_failure(cx, "a dead letter is lost", letter.subject);
}

void dead_letter_bury(struct rv_ctx *cx, struct rv_runtime *runtime, const struct rv_dead *dead)
{
    dead_letter_tell(cx, runtime->bus, runtime->service->name, dead);
}
