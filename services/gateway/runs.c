/* /v1/runs and what belongs to a run, for reading; and its cancel. */

#include "asks.h"
#include "contract/subjects.h"
#include "domain/score.h"
#include "domain/work.h"
#include "routes.h"
#include "run_answer.h"
#include "store/sql.h"
#include "views.h"

enum { CALLS_PER_TASK = 1000000 }; /* as the statement says */

RV_HANDLER(route_run_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_RUNS, ask_in(run_page, &ask), &run_record, &rows));
    *page = page_of(cx, &run_record, rows, ask.limit, "run_id");
    return RV_OK;
}

RV_HANDLER(route_run_get, struct call *call, const struct ask *ask, struct run *run)
{
    return run_read(cx, ask->tenant_id, ask->key_project, ask->id, run);
}

static rv_result see(struct rv_ctx *cx, struct rv_rows runs, struct run *run)
{
    if (runs.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such run");
    *run = *(const struct run *)runs.items;
    return RV_OK;
}

/* Rows that belong to a run, and whether the run may be seen, in one flight. */
static rv_result read_part(struct rv_ctx *cx, const struct ask *ask, const struct rv_sql *sql,
                           const struct rv_record *record, struct rv_rows *rows, struct run *run)
{
    struct rv_rows runs;

    RV_TRY(cx, rv_db_read(cx, &SQL_GATEWAY_RUN_SEE, ask_in(run_ref, ask), &run_record, &runs));
    RV_TRY(cx, rv_db_rows(cx, sql, ask_in(run_part, ask), record, rows));
    return see(cx, runs, run);
}

RV_HANDLER(route_run_tasks, struct call *call, const struct ask *asked, struct page *page)
{
    const struct task *tasks;
    struct rv_rows rows;
    struct run run;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PART_DEFAULT, PART_MAX, &ask));
    RV_TRY(cx, read_part(cx, &ask, &SQL_GATEWAY_RUN_TASKS, &task_record, &rows, &run));
    *page = page_of(cx, &task_record, rows, ask.limit, "task_no");
    tasks = rows.items;
    if (page->has_more)
        page->next_cursor = rv_printf(cx, "%lld", (long long)tasks[page->n].task_no);
    return RV_OK;
}

RV_HANDLER(route_run_steps, struct call *call, const struct ask *asked, struct page *page)
{
    const struct task_call *steps;
    struct rv_rows rows;
    struct run run;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PART_DEFAULT, PART_MAX, &ask));
    RV_TRY(cx, read_part(cx, &ask, &SQL_GATEWAY_RUN_STEPS, &task_call_record, &rows, &run));
    *page = page_of(cx, &task_call_record, rows, ask.limit, "task_no");
    steps = rows.items;
    if (page->has_more)
        page->next_cursor = rv_printf(
            cx, "%lld",
            (long long)(steps[page->n].task_no * CALLS_PER_TASK + steps[page->n].call_no));
    return RV_OK;
}

RV_HANDLER(route_run_evaluations, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct run run;

    RV_TRY(cx, read_part(cx, asked, &SQL_GATEWAY_RUN_EVALUATIONS, &evaluation_record, &rows, &run));
    *page = (struct page){ .items = rows.items, .n = rows.n };
    return RV_OK;
}

RV_HANDLER(route_run_decision, struct call *call, const struct ask *ask, struct decision *decision)
{
    struct decision wanted = { .tenant_id = ask->tenant_id };
    struct rv_rows rows;
    struct run run;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_RUN_SEE, ask_in(run_ref, ask), &run_record, &rows));
    RV_TRY(cx, see(cx, rows, &run));
    wanted.decision_id = run.decision_id;
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DECISION_GET, rv_in(decision, &wanted), &decision_record,
                          &rows));
    if (rows.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no decision is kept for this run");
    *decision = *(const struct decision *)rows.items;
    return RV_OK;
}

RV_HANDLER(route_run_budget, struct call *call, const struct ask *ask, struct run_budget *budget)
{
    struct hold_row wanted = { .tenant_id = ask->tenant_id };
    struct rv_rows usage, holds;
    struct run run;

    RV_TRY(cx, read_part(cx, ask, &SQL_GATEWAY_RUN_USAGE, &usage_record, &usage, &run));
    wanted.hold_id = run.hold_id;
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_HOLD_GET, rv_in(hold_row, &wanted), &hold_row_record,
                          &holds));
    *budget = (struct run_budget){ .run_id = run.run_id,
                                   .hold = holds.n ? holds.items : NULL,
                                   .usage = usage.items,
                                   .n_usage = usage.n };
    return RV_OK;
}

static rv_result illegal(struct rv_ctx *cx, const struct run_controlled *answer)
{
    const char *state = rv_enum_word(&run_state_enum, (int)answer->state);

    rv_fail(cx, RV_CONFLICT, "a run that is %s cannot be cancelled", state);
    cx->error.reason =
        rv_printf(cx, "{\"reason\":\"invalid_state_transition\",\"current_state\":\"%s\"}", state);
    return RV_CONFLICT;
}

/* Answers with the run as it is after the word: cancelling, or cancelled at once. */
RV_HANDLER(route_run_cancel, struct call *call, const struct ask *ask, struct run *run)
{
    struct run_control control = { .tenant_id = ask->tenant_id,
                                   .run_id = ask->id,
                                   .verb = RUN_CANCEL,
                                   .reason = ask->reason,
                                   .by = call->caller->key_id };
    struct run_controlled answer = { 0 };

    RV_TRY(cx, run_read(cx, ask->tenant_id, ask->key_project, ask->id, run));
    RV_TRY(cx, call_ask(cx, call, &SUBJ_RUN_CONTROL, &control, &answer));
    if (answer.verdict == CONTROL_NOT_FOUND)
        return rv_fail(cx, RV_NOT_FOUND, "no such run");
    if (answer.verdict == CONTROL_ILLEGAL ||
        (answer.verdict == CONTROL_ALREADY && run_is_over(answer.state) &&
         answer.state != RUN_CANCELLED))
        return illegal(cx, &answer);
    RV_TRY(cx, rv_db_tenant(cx, ask->tenant_id));
    return run_read(cx, ask->tenant_id, ask->key_project, ask->id, run);
}
