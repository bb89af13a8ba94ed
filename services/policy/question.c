/* Questions to humans: asked once per thing, answered for ever. */

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/id.h"
#include "policy.h"
#include "store/sql.h"

/* An approval as it is asked for. */
struct question {
    const char *tenant_id, *approval_id, *project_id;
    enum subject_kind subject;
    const char *run_id;
    int64_t task_no, call_no;
    const char *decision_id, *title, *detail, *approver_role;
    int64_t expires_ms; /* from now */
};

/* What has become of it. */
struct answered {
    const char *tenant_id, *approval_id;
    enum subject_kind subject;
    const char *run_id;
    int64_t task_no, call_no;
    enum approval_state state;
    const char *decided_by, *feedback;
    bool same; /* it was about the same facts */
};

/* clang-format off */
static const struct rv_field answered_fields[] = {
    RV_UUID(answered, tenant_id, 0),
    RV_UUID(answered, approval_id, 0),
    RV_ENUM(answered, subject, subject_kind, 0),
    RV_UUID(answered, run_id, 0),
    RV_INT(answered, task_no, 0),
    RV_INT(answered, call_no, 0),
    RV_ENUM(answered, state, approval_state, 0),
    RV_TEXT(answered, decided_by, 0),
    RV_TEXT(answered, feedback, 0),
    RV_BOOL(answered, same, 0),
};
static RV_RECORD(answered, answered_fields);

static const struct rv_field question_fields[] = {
    RV_UUID(question, tenant_id, 0),
    RV_UUID(question, approval_id, 0),
    RV_UUID(question, project_id, 0),
    RV_ENUM(question, subject, subject_kind, 0),
    RV_UUID(question, run_id, 0),
    RV_INT(question, task_no, 0),
    RV_INT(question, call_no, 0),
    RV_UUID(question, decision_id, 0),
    RV_TEXT(question, title, 0),
    RV_JSON(question, detail, 0),
    RV_TEXT(question, approver_role, 0),
    RV_INT(question, expires_ms, 0),
};
static RV_RECORD(question, question_fields);
/* clang-format on */

static const char *title_of(struct rv_ctx *cx, const struct policy_ask *ask)
{
    if (ask->title)
        return ask->title;
    return rv_printf(cx, "%s of %s", rv_enum_word(&subject_kind_enum, (int)ask->subject),
                     ask->workflow   ? ask->workflow
                     : ask->n_agents ? ask->agents[0]
                                     : "a run");
}

static struct question question_of(struct rv_ctx *cx, const struct policy_service *service,
                                   const struct policy_ask *ask, const struct decision *decision)
{
    return (struct question){ .tenant_id = ask->tenant_id,
                              .approval_id = rv_id_new(cx),
                              .project_id = ask->project_id,
                              .subject = ask->subject,
                              .run_id = ask->run_id,
                              .task_no = ask->task_no,
                              .call_no = ask->call_no,
                              .decision_id = decision->decision_id,
                              .title = title_of(cx, ask),
                              .detail = decision->facts,
                              .approver_role = decision->approver_role,
                              .expires_ms = service->config.approval_ttl_ms };
}

static const char *words_of(struct rv_ctx *cx, const struct answered *approval)
{
    const char *word = rv_enum_word(&approval_state_enum, (int)approval->state);
    const char *text = approval->decided_by ? rv_printf(cx, "%s by %s", word, approval->decided_by)
                                            : rv_printf(cx, "the approval is %s", word);

    return approval->feedback ? rv_printf(cx, "%s: %s", text, approval->feedback) : text;
}

/* What the answer so far makes of the decision: a yes allows, silence waits, all else denies. */
static void apply(struct rv_ctx *cx, const struct answered *approval, struct decision *decision)
{
    decision->approval_id = approval->approval_id;
    if (approval->state == APPROVAL_PENDING)
        return;
    decision->effect = EFFECT_DENY;
    decision->reason = words_of(cx, approval);
    if (approval->state != APPROVAL_APPROVED)
        return;
    if (approval->same)
        decision->effect = EFFECT_ALLOW;
    else
        decision->reason = rv_printf(cx, "%s, but for something else", words_of(cx, approval));
}

static const char *key_of(struct rv_ctx *cx, const char *tenant_id, const char *run_id,
                          enum subject_kind subject, int64_t task_no, int64_t call_no)
{
    char *key = rv_printf(cx, "%s/%s/%d/%" PRId64 "/%" PRId64, tenant_id, run_id, (int)subject,
                          task_no, call_no);

    for (char *p = key; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    return key;
}

static void drop_hash(void *hash)
{
    rv_hash_free(hash, NULL);
}

static struct rv_hash *index_of(struct rv_ctx *cx, struct rv_rows rows)
{
    struct rv_hash *by_key = rv_hash_new();
    struct answered *approval = rows.items;

    rv_defer(cx, drop_hash, by_key);
    for (size_t i = 0; i < rows.n; i++, approval++)
        rv_hash_put(by_key,
                    key_of(cx, approval->tenant_id, approval->run_id, approval->subject,
                           approval->task_no, approval->call_no),
                    approval);
    return by_key;
}

rv_result ask_humans(struct rv_ctx *cx, struct policy_service *service,
                     const struct policy_ask *asks, struct decision **decisions, size_t n)
{
    struct question *questions = rv_new_array(cx, struct question, n);
    struct rv_rows rows;
    struct rv_hash *by_key;

    for (size_t i = 0; i < n; i++)
        questions[i] = question_of(cx, service, &asks[i], decisions[i]);
    RV_TRY(cx, rv_db_exec(cx, &SQL_APPROVALS_ADD, rv_in_many(question, questions, n)));
    RV_TRY(cx, rv_db_rows(cx, &SQL_APPROVALS_OF, rv_in_many(question, questions, n),
                          &answered_record, &rows));
    by_key = index_of(cx, rows);
    for (size_t i = 0; i < n; i++) {
        const struct answered *approval =
            rv_hash_get(by_key, key_of(cx, asks[i].tenant_id, asks[i].run_id, asks[i].subject,
                                       asks[i].task_no, asks[i].call_no));

        if (!approval)
            return rv_fail(cx, RV_INTERNAL, "no approval for run %s", asks[i].run_id);
        apply(cx, approval, decisions[i]);
    }
    return RV_OK;
}
