#pragma once

/*
 * Stack: a Postgres, a NATS and services of a test's own, on loopback, thrown away afterwards.
 *
 * Everything lives in one folder under /tmp and on free ports. Whatever is started dies with the
 * test, however that ends. Every wait has a deadline; what does not come in time is a false, with
 * words on stderr. Works as root (Postgres then runs as the user postgres) and as anybody else.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum stack_flags {
    STACK_POSTGRES = 1 << 0,
    STACK_NATS = 1 << 1,     /* with JetStream */
    STACK_MIGRATED = 1 << 2, /* the schema stands */
    STACK_DURABLE = 1 << 3,  /* fsync on: for benchmarks and crashes */
    STACK_ALL = STACK_POSTGRES | STACK_NATS | STACK_MIGRATED,
};

enum { STACK_SERVICES_MAX = 32, STACK_WAIT_MS = 30000 };

struct stack_service {
    char name[32];
    char log[128];
    const char *const *env; /* "NAME=value"…; ends with NULL; may be NULL */
    int health_port;
    pid_t pid; /* 0: not running */
};

struct stack {
    char home[96];
    char postgres_url[96], nats_url[64]; /* also in the environment: REEVE_POSTGRES_URL … */
    int postgres_port, nats_port;
    unsigned flags;
    pid_t postgres, nats;
    struct stack_service services[STACK_SERVICES_MAX];
    size_t n_services;
    bool failed; /* a test sets it: stack_stop then shows what the logs complain of */
};

bool stack_start(struct stack *stack, unsigned flags);
void stack_stop(struct stack *stack);

/*
 * Starts reeve-<name> from REEVE_BIN_DIR, or from the build this test belongs to; several of one
 * name are several instances. NULL when there is no such program. @env must outlive the stack.
 */
struct stack_service *stack_service_start(struct stack *stack, const char *name,
                                          const char *const *env);
bool stack_service_wait_ready(struct stack_service *service); /* /readyz says 200 */
bool stack_service_signal(struct stack_service *service,
                          int signal); /* SIGKILL, SIGTERM: and waits */
bool stack_service_restart(struct stack *stack, struct stack_service *service);

/* Sends Postgres @signal (SIGINT fast, SIGQUIT immediate, SIGKILL), and starts it again. */
bool stack_postgres_stop(struct stack *stack, int signal);
bool stack_postgres_start(struct stack *stack);
bool stack_postgres_restart(struct stack *stack, int signal);

/* Kills NATS, deletes all it has stored if @wipe, and starts it again on the same port. */
bool stack_nats_stop(struct stack *stack);
bool stack_nats_start(struct stack *stack);
bool stack_nats_restart(struct stack *stack, bool wipe);
