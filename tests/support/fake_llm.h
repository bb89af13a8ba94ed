#pragma once

/*
 * A model for tests: speaks like an OpenAI-compatible server on loopback, says what a script
 * tells it, and counts what it was asked. It also serves pages, for tools to read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One answer. All zero: says "ok". */
struct fake_turn {
    int status;                   /* 0: 200; an error has @body, or a plausible one */
    const char *content;          /* what it says */
    const char *tool, *arguments; /* or a call of a tool; twice with @twice, both at index 0 */
    bool twice;
    const char *body;        /* or this, as it is */
    const char *retry_after; /* header of an error: seconds */
    size_t cut_after;        /* ends after so many bytes; 0: says all */
    size_t piece;            /* bytes at a time; 0: 64 */
    int64_t slow_ms;         /* before each piece */
    bool whole;              /* one JSON object, though it was asked to stream */
    bool uncounted;          /* without usage */
};

struct fake_llm;

/* @port 0: any. After the last turn it says that one again. The script is the caller's. */
struct fake_llm *fake_llm_start(int port, const struct fake_turn *script, size_t n);
void fake_llm_stop(struct fake_llm *fake); /* NULL is fine */
void fake_llm_script(struct fake_llm *fake, const struct fake_turn *script, size_t n);

const char *fake_llm_url(const struct fake_llm *fake); /* http://127.0.0.1:<port>/v1 */
int fake_llm_port(const struct fake_llm *fake);
size_t fake_llm_asked(struct fake_llm *fake);                    /* completions so far */
bool fake_llm_was_told(struct fake_llm *fake, const char *text); /* in the last request's body */

/* GET or any other method on @path is answered with @body; at most 16 pages. */
void fake_llm_page(struct fake_llm *fake, const char *path, int status, const char *body);
void fake_llm_slow_page(struct fake_llm *fake, const char *path,
                        int64_t slow_ms);                       /* before it answers */
size_t fake_llm_read(struct fake_llm *fake, const char *path);  /* how often */
bool fake_llm_key_seen(struct fake_llm *fake, const char *key); /* an Idempotency-Key of a page */
