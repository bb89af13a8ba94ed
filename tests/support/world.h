#pragma once

/*
 * World: the whole suite, real processes on a private Postgres and NATS, and a client that speaks
 * to its gateway as an administrator. What e2e and fault tests start from.
 */

#include "base/ctx.h"
#include "runtime/http_client.h"
#include "runtime/json.h"
#include "support/stack.h"

enum { WORLD_REPLICAS_MAX = 2 };

enum world_part {
    WORLD_POLICY,
    WORLD_BUDGET,
    WORLD_SCHEDULER,
    WORLD_EVALUATOR,
    WORLD_EXECUTOR,
    WORLD_GATEWAY,
    WORLD_PARTS,
};

struct world_options {
    size_t replicas;        /* of every service; 0: 1 */
    const char *lease;      /* "2s": so that tests need not wait long */
    const char *const *env; /* more settings for all; ends with NULL; may be NULL */
};

struct world {
    struct stack stack;
    size_t replicas;
    struct stack_service *parts[WORLD_PARTS][WORLD_REPLICAS_MAX];
    int gateway_ports[WORLD_REPLICAS_MAX];
    char key[80], key_file[160];
    char project_id[40];
    const char *env[48];
    char room[16][200];
    size_t n_env, n_room;
};

extern const char *const world_names[WORLD_PARTS]; /* "policy" … */

bool world_start(struct world *world, const struct world_options *options);
void world_stop(struct world *world);

/* Kills one with SIGKILL and starts it again; @env NULL: as it was. */
bool world_restart(struct world *world, enum world_part part, size_t replica,
                   const char *const *env);
bool world_wait_ready(struct world *world);

/* One request with the administrator's key. @body NULL: none. The JSON is the ctx's; NULL when the
 * answer has none. Returns the status; 0: no answer. */
int world_call(struct rv_ctx *cx, struct rv_http_client *client, const struct world *world,
               size_t replica, const char *method, const char *path, const char *key,
               const char *body, json_t **json);
struct rv_http_client *world_client(void);

/* Makes the project "test", a policy that allows, a budget of @budget_microusd, and the workflow
 * "chain" of @steps noop steps one after the other. */
bool world_furnish(struct world *world, int64_t budget_microusd, int steps);

/* Posts a document ("/v1/workflows", …) and expects 201. */
bool world_make(struct world *world, const char *path, const char *body);
