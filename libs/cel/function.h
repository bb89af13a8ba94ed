#pragma once

/*
 * Functions: the rows a library is made of, ours and the host's. A host's rows hide ours of the
 * same name.
 *
 * A row is one overload; rows of one name stand next to each other. The signature is written in
 * letters, arguments first, then a colon and the result ("ss:b" takes two strings, says a bool):
 *
 *     b bool   i int   u uint   d double   s string   y bytes   n null   t timestamp   D duration
 *     T type   * dyn   # any number        A B C any type, the same wherever the letter stands
 *     L? list of ?     M?? map             O? optional          ?~ the one before, repeated
 *
 *     <name AB>  a type of the host's own, with its parameters; no value of ours is one
 *
 * so that "LAA:b" is a list and one of its elements. The receiver of a method is its first
 * argument. A function must be pure: same arguments, same value, nothing seen outside.
 */

#include "cel/value.h"

struct cel_run;

enum cel_style {
    CEL_CALL = 1,   /* size(x) */
    CEL_METHOD = 2, /* x.size() */
    CEL_BOTH = 3,
};

enum { CEL_ARGS_MAX = 64 }; /* arguments of one call */

struct cel_function {
    const char *name; /* "size", "math.least", "_+_" */
    enum cel_style style;
    const char *signature;
    struct cel_value (*call)(struct cel_run *run, const struct cel_value *args, size_t n_args);
    bool by_size; /* costs what its arguments weigh, not just one */
};

/*
 * The head of what a row calls, for there are many of them, and the row:
 *
 *     static CEL_FUNCTION(text_size)
 *     {
 *         return cel_int(args[0].len);
 *     }
 *
 *     static const struct cel_function functions[] = {
 *         { "textSize", CEL_BOTH, "s:i", text_size, false },
 *         { 0 },
 *     };
 */
#define CEL_FUNCTION(name)                                                                         \
    struct cel_value name(struct cel_run *run __attribute__((unused)),                             \
                          const struct cel_value *args __attribute__((unused)),                    \
                          size_t n_args __attribute__((unused)))

/* The value that says what went wrong: return cel_fail(run, "%s is not a zone", name); */
struct cel_value cel_fail(struct cel_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Takes @cost from what this evaluation may still spend. False when that is used up: return what
 * cel_spent says, which no || absorbs.
 */
bool cel_spend(struct cel_run *run, size_t cost);
struct cel_value cel_spent(struct cel_run *run);

/* Where the result of the call may be put. */
struct rv_ctx *cel_ctx(struct cel_run *run);

/* @size bytes for the result, paid for; NULL when that is more than may be spent. */
void *cel_room(struct cel_run *run, size_t size);

/* Equality and order as the language has them, across int, uint and double. @run pays for what is
 * looked at. */
bool cel_equal(struct cel_run *run, struct cel_value a, struct cel_value b);

/* -1, 0, 1; 2 when there is no order between them (NaN, other kinds). */
int cel_compare(struct cel_value a, struct cel_value b);
