#pragma once

/*
 * What the tests of the executor start from: scheduler, policy and budget as real processes, a
 * model and a web server of the test's own, and plans that use them.
 */

#include "contract/subjects.h"
#include "domain/identity.h"
#include "domain/work.h"
#include "runtime/bus.h"
#include "runtime/db.h"
#include "support/fake_llm.h"
#include "support/rv_test.h"
#include "support/stack.h"

#define PROJECT "01990000-0000-7000-8000-0000000000aa"
#define PLAN(n) "01990000-0000-8000-8000-0000000000" n

#define PLAN_CHAIN PLAN("c1") /* noop, then maps of input.who */
#define PLAN_CHECK PLAN("c2") /* holds when input.n is 2 */
#define PLAN_LOST  PLAN("c3") /* looks at what is not there */
#define PLAN_FORK  PLAN("c4") /* left when input.left, else right and beyond; they join */
#define PLAN_LARGE PLAN("c5") /* the same with twenty steps beside it */
#define PLAN_HTTP  PLAN("d1") /* GET /page, then POST /store */
#define PLAN_AGENT PLAN("e1") /* an agent of the fake model, with the tool look: GET /look/{q} */
#define PLAN_FAN   PLAN("f1") /* twelve llm steps side by side */
#define PLAN_SIM   PLAN("e2") /* an agent of the built-in model, with the tool look: GET /doc */
#define PLAN_SHORT PLAN("e3") /* one llm step with little time, tried three times */

extern struct stack stack;
extern struct rv_bus *bus;
extern struct rv_db_options db;
extern struct fake_llm *fake;
extern const struct fake_turn two_turns[2]; /* calls look, then answers {"answer":42} */

int open_suite(void **state);
int close_suite(void **state);

struct stack_service *start_executor(const char *extra); /* one more setting, or NULL */
const char *create(struct rv_ctx *cx, const char *plan_id, const char *input); /* the run_id */
struct run read_run(struct rv_ctx *cx, const char *run_id);
struct run wait_for(struct rv_ctx *cx, const char *run_id, enum run_state state);
void wait_asked(size_t n);                               /* until the model was asked so often */
int64_t number(struct rv_ctx *cx, const char *sql_text); /* AS task_no */
int64_t number_of(struct rv_ctx *cx, const char *sql_text, const char *run_id); /* ends in it */
int64_t calls_of(struct rv_ctx *cx, const char *run_id);
void script_sql(struct rv_ctx *cx, const char *text);
