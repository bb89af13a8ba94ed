#pragma once

/*
 * A gateway with the real policy, budget and scheduler behind it, and what its tests need: the
 * projects "demo" (with the workflows "two", "forbidden" and "careful", and 1000 micro-dollars) and
 * "other", a key of every role, one of another tenant and one that is bound to "other".
 */

#include <unistd.h>

#include "domain/identity.h"
#include "gateway_talk.h"
#include "look.h"
#include "runtime/bus.h"
#include "support/stack.h"

#define TENANT_OTHER "00000000-0000-7000-8000-000000000002"

enum { HOUSE_SCHEDULER = 2, HOUSE_GATEWAY = 3 }; /* their places among the stack's services */

extern struct stack stack;
extern struct rv_bus *bus;
extern int port;
extern const char *admin, *stranger, *bound, *keys[ROLE_ORG_ADMIN + 1];
extern const char *project_id, *workflow_id;

int house_start(void **state);
int house_stop(void **state);

/* One request with the administrator's key. */
struct said ask(struct rv_ctx *cx, const char *method, const char *path, const char *body);

/* Posts a document and returns the text of its field @id; lives as long as the house. */
const char *make(struct rv_ctx *cx, const char *path, const char *id, const char *body);
const char *new_run(struct rv_ctx *cx); /* of "two" */
