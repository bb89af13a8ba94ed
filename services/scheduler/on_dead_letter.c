#include <string.h>

#include "base/id.h"
#include "contract/subjects.h"
#include "domain/dead_letter.h"
#include "runtime/stream.h"
#include "scheduler.h"
#include "store/sql.h"

enum { REQUEUE_TIMEOUT_MS = 3000 };

/* Whoever tells is not believed: what is too long is cut, and what is missing is refused alone. */
static bool is_whole(const struct dead_letter *letter)
{
    return letter->service && letter->subject && letter->deliveries >= 0;
}

RV_BATCH_HANDLER(on_dead_letter, struct scheduler_service *service,
                 const struct dead_letter *letters, void *nothing, size_t n)
{
    struct dead_letter *good = rv_new_array(cx, struct dead_letter, n);
    size_t n_good = 0;

    for (size_t i = 0; i < n; i++) {
        struct dead_letter *letter = &good[n_good];

        *letter = letters[i];
        if (!is_whole(letter))
            continue;
        if (!letter->reason)
            letter->reason = "nobody said why";
        if (letter->deliveries == 0)
            letter->deliveries = 1;
        if (letter->payload.len > DEAD_LETTER_BYTES_MAX)
            letter->payload.len = DEAD_LETTER_BYTES_MAX;
        if (!letter->payload.data)
            letter->payload = (struct rv_bytes){ (const uint8_t *)"", 0 };
        n_good++;
    }
    if (n_good == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_exec(cx, &SQL_DEAD_LETTERS_PARK, rv_in_many(dead_letter, good, n_good)));
    rv_count(&scheduler_metric_rows[METRIC_DEAD_LETTERS], (int64_t)n_good);
    return RV_OK;
}

/* Only a stream keeps what is put back until somebody reads it. */
static bool is_on_a_stream(const char *subject)
{
    for (const struct rv_stream *const *at = contract_streams; *at; at++)
        if (strncmp(subject, (*at)->subjects, strlen((*at)->subjects) - 1) == 0)
            return true;
    return false;
}

RV_HANDLER(on_dead_letter_requeue, struct scheduler_service *service,
           const struct dead_letter_ref *ask, struct dead_letter *letter)
{
    struct rv_publish item;

    if (!ask->dead_letter_id || !rv_id_is(ask->dead_letter_id))
        return rv_fail(cx, RV_INVALID, "dead_letter_id is not a UUID");
    RV_TRY(cx, rv_db_one(cx, &SQL_DEAD_LETTER_TAKE, rv_in(dead_letter_ref, ask),
                         rv_out(dead_letter, letter)));
    if (letter->payload.len == DEAD_LETTER_BYTES_MAX)
        return rv_fail(cx, RV_CONFLICT, "it was cut when it was parked and cannot be put back");
    if (!is_on_a_stream(letter->subject))
        return rv_fail(cx, RV_CONFLICT, "nothing keeps what is said on %s", letter->subject);
    item = (struct rv_publish){ .subject = letter->subject,
                                .bytes = letter->payload.data,
                                .len = letter->payload.len };
    RV_TRY(cx, rv_stream_publish(cx, service->runtime->bus, &item, 1, REQUEUE_TIMEOUT_MS));
    return rv_db_one(cx, &SQL_DEAD_LETTER_REQUEUED, rv_in(dead_letter_ref, ask),
                     rv_out(dead_letter, letter));
}
