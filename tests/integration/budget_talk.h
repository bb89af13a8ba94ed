#pragma once

/* What the tests of the budget service say to it, and how they look into its books. */

#include "contract/subjects.h"
#include "domain/budget.h"
#include "runtime/bus.h"
#include "support/rv_test.h"
#include "support/stack.h"

enum { ASK_MS = 20000 };

/* A tenant of the test's own, with a project and a connection; shared by its threads. */
struct books {
    struct rv_bus *bus;
    const char *tenant_id, *project_id;
};

struct books books_open(struct rv_ctx *cx, struct rv_bus *bus);

/* A budget of the project (or, without, of all projects). */
struct budget put_budget(struct rv_ctx *cx, const struct books *books, const char *project_id,
                         const char *name, int64_t microusd, int64_t tokens);
struct budget look(struct rv_ctx *cx, const struct budget *budget); /* as it is now */

/* A run's hold, and a call's. hold_ids are new ones; change what a test needs before asking. */
struct hold_ask run_hold(struct rv_ctx *cx, const struct books *books, int64_t microusd,
                         int64_t tokens);
struct hold_ask call_hold(struct rv_ctx *cx, const struct hold_ask *run, int64_t tokens_in,
                          int64_t tokens_out); /* of sim: 0.15 and 0.6 micro-dollars a token */

struct hold ask_hold(struct rv_ctx *cx, const struct books *books, const struct hold_ask *ask);
struct settled settle(struct rv_ctx *cx, const struct books *books, const struct hold_ask *hold,
                      int64_t tokens_in, int64_t tokens_out);
struct settled settle_as(struct rv_ctx *cx, const struct books *books,
                         const struct settle_ask *ask);

/* The ledger, read from its first entry, gives the accounts; holds add up to what budgets hold. */
void assert_books_balance(void);
