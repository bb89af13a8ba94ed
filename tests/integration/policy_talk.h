#pragma once

/* What the tests of the policy service say to it. */

#include "contract/subjects.h"
#include "domain/policy.h"
#include "runtime/bus.h"
#include "support/rv_test.h"

enum { ASK_MS = 20000 };

struct policy put_policy(struct rv_ctx *cx, struct rv_bus *bus, const char *tenant_id,
                         const char *name, struct rule *rules, size_t n_rules);

/* May this tenant run brief, in a project of its own, for 1000 micro-dollars? */
struct policy_ask about_run(struct rv_ctx *cx, const char *tenant_id);
struct decision decide(struct rv_ctx *cx, struct rv_bus *bus, const struct policy_ask *ask);
