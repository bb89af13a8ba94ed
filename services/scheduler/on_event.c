#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "batch.h"
#include "store/sql.h"

/* An addition that was made before: an event carries the key it was added under. */
struct known_event {
    const char *tenant_id, *run_id, *key;
    int64_t run_seq;
};
/* clang-format off */
static const struct rv_field known_event_fields[] = {
    RV_UUID(known_event, tenant_id, 0),
    RV_UUID(known_event, run_id, 0),
    RV_TEXT(known_event, key, 0),
    RV_INT(known_event,  run_seq, 0),
};
static RV_RECORD(known_event, known_event_fields);
/* clang-format on */

enum { DATA_BYTES_MAX = 64 * 1024 };

/* A type goes into a subject, so only those there are. */
static bool is_type(const char *type)
{
    for (size_t i = 0; event_types[i]; i++)
        if (strcmp(event_types[i], type) == 0)
            return true;
    return false;
}

static bool is_whole(const struct event_add *add)
{
    return add->tenant_id && add->run_id && add->type && add->key && rv_id_is(add->tenant_id) &&
           rv_id_is(add->run_id) && is_type(add->type) && strlen(add->key) <= RV_ID_LEN &&
           (!add->data || (add->data[0] == '{' && strlen(add->data) <= DATA_BYTES_MAX));
}

/* The same addition may stand in one unit of work twice. */
static int64_t added_above(const struct event_add *adds, const struct event_added *answers,
                           size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (answers[j].run_seq && strcmp(adds[j].run_id, adds[i].run_id) == 0 &&
            strcmp(adds[j].tenant_id, adds[i].tenant_id) == 0 &&
            strcmp(adds[j].type, adds[i].type) == 0 && strcmp(adds[j].key, adds[i].key) == 0)
            return answers[j].run_seq;
    return 0;
}

/* {"key":"…"} joined with the data given. */
static const char *with_key(struct rv_ctx *cx, const struct event_add *add)
{
    const char *rest = add->data && strcmp(add->data, "{}") != 0 ? add->data + 1 : NULL;
    auto_buf buf = { 0 };

    rv_buf_text(&buf, "{\"key\":");
    rv_buf_json(&buf, add->key);
    rv_buf_printf(&buf, "%s%s", rest ? "," : "", rest ? rest : "}");
    return rv_strndup(cx, buf.data, buf.len);
}

static int64_t added_before(const struct rv_rows *known, const struct event_add *add)
{
    for (size_t i = 0; i < known->n; i++) {
        const struct known_event *row = &((const struct known_event *)known->items)[i];

        if (strcmp(row->run_id, add->run_id) == 0 && strcmp(row->key, add->key) == 0)
            return row->run_seq;
    }
    return 0;
}

RV_BATCH_HANDLER(on_event_add, struct scheduler_service *service, const struct event_add *adds,
                 struct event_added *answers, size_t n)
{
    struct event_add *good = rv_new_array(cx, struct event_add, n);
    struct task_ref *refs = rv_new_array(cx, struct task_ref, n);
    struct rv_rows known = { 0 };
    size_t n_good = 0;
    struct batch batch;

    for (size_t i = 0; i < n; i++)
        if (is_whole(&adds[i])) {
            refs[n_good] = (struct task_ref){ adds[i].tenant_id, adds[i].run_id, 0 };
            good[n_good++] = adds[i];
        }
    batch_init(&batch, cx, service);
    if (n_good == 0)
        return RV_OK;
    RV_TRY(cx, batch_load(&batch, refs, n_good, false));
    RV_TRY(cx, rv_db_rows(cx, &SQL_EVENTS_BY_KEY, rv_in_many(event_add, good, n_good),
                          &known_event_record, &known));
    for (size_t i = 0; i < n; i++) {
        struct progress *p =
            is_whole(&adds[i]) ? batch_run(&batch, adds[i].tenant_id, adds[i].run_id) : NULL;

        answers[i].run_id = adds[i].run_id;
        answers[i].run_seq = p ? added_before(&known, &adds[i]) : 0;
        if (p && !answers[i].run_seq)
            answers[i].run_seq = added_above(adds, answers, i);
        if (p && !answers[i].run_seq)
            answers[i].run_seq =
                progress_event(p, adds[i].type, NULL, with_key(cx, &adds[i]))->run_seq;
    }
    return batch_save(&batch);
}
