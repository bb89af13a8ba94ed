#pragma once

/*
 * Jobs: tasks in our hands, from the claim until the scheduler has answered the report. A job
 * owns all its texts in one block of memory; it is in one queue at a time and has one owner, but
 * the keeper may set its flags at any time.
 */

#include <stdatomic.h>

#include "domain/work.h"
#include "executor/plans.h"

/* Why a job must stop; the first reason stays. */
enum job_stop {
    JOB_GOES_ON,
    JOB_CANCELLED,   /* somebody wants it to end: say so */
    JOB_LOST,        /* it is somebody else's by now: say nothing */
    JOB_HANDED_BACK, /* we end: somebody else shall do it */
};

struct job {
    struct job *next;         /* of its queue */
    struct job *kept, *keeps; /* the keeper's list */
    struct task_claimed claimed;
    struct pinned_plan *pinned;
    const struct node *node; /* of the pinned plan */
    size_t bytes;            /* of its texts: about what the next task of the run will have */
    bool has_slot;           /* a place in the room is counted for it */
    _Atomic int64_t renewed_ms, lease_ms; /* on CLOCK_BOOTTIME */
    _Atomic int stop;                     /* enum job_stop */

    /* What is to be reported. */
    enum outcome outcome;
    char *output; /* JSON, malloc'ed; NULL: none */
    char code[48], message[400];
    bool retryable;
    bool alone, refused; /* it goes in a message of its own; the first report was not taken */
    char approval_id[40];
    int64_t retry_after_ms;
    int64_t again_at_ms; /* monotonic: not sent before */
    unsigned sends;

    char texts[]; /* of @claimed */
};

/* A copy of what was claimed, whose lease begins at @asked_ms: before the claim was sent. */
struct job *job_new(const struct task_claimed *claimed, int64_t asked_ms);
void job_free(struct job *job); /* NULL is fine */

int64_t job_clock_ms(void); /* runs on while the machine sleeps */
int64_t job_lease_left_ms(const struct job *job);

/* Whether outside effects may begin: less than 60 % of the lease has passed since its renewal. */
bool job_is_fresh(const struct job *job);

/* Asks the job to stop; false when it was asked before. */
bool job_stop(struct job *job, enum job_stop why);
enum job_stop job_stopped(const struct job *job);

void job_completes(struct job *job, const char *output); /* JSON or NULL; copied */
void job_fails(struct job *job, const char *code, bool retryable, const char *message);
