#pragma once

/* What the files of the checker share. */

#include "cel/program.h"

/* A variable of a type, and what it was before it was bound. */
struct cel_binding {
    uint32_t var;
    const struct cel_type *before;
};

struct cel_checker {
    struct rv_ctx *cx;
    const struct cel_env *env;
    const struct cel_source *source;
    const struct cel_type **locals; /* types of the variables of macros, by slot */
    const struct cel_type **bound;  /* what variables of types stand for; NULL: not known yet */
    uint32_t n_vars, room;
    struct cel_binding *trail; /* what was bound, to be taken back */
    size_t n_trail, trail_room;
    int64_t steps_left; /* when none are, types are dyn: small texts can have huge ones */
};

/* A type that is not known yet. */
const struct cel_type *cel_fresh(struct cel_checker *checker);

/* What is known of @type at its top: never a bound variable. */
const struct cel_type *cel_follow(const struct cel_checker *checker, const struct cel_type *type);

/* @type with all that is known put in, and dyn for the rest. */
const struct cel_type *cel_settled(struct cel_checker *checker, const struct cel_type *type);

/* Whether a value of type @from can stand where @to is wanted; binds variables as it goes. */
bool cel_unify(struct cel_checker *checker, const struct cel_type *to, const struct cel_type *from);

/* The same, and binds nothing when it cannot. */
bool cel_assignable(struct cel_checker *checker, const struct cel_type *to,
                    const struct cel_type *from);

/* Of two types that can be unified, the one that takes values of both. */
const struct cel_type *cel_general(struct cel_checker *checker, const struct cel_type *a,
                                   const struct cel_type *b);

/* The type of either value: cel_general if they can be unified, else dyn. */
const struct cel_type *cel_joined(struct cel_checker *checker, const struct cel_type *a,
                                  const struct cel_type *b);

/* Takes back what was bound since checker->n_trail was @mark. */
void cel_take_back(struct cel_checker *checker, size_t mark);

/* Each gives NULL when the expression is refused. */
const struct cel_type *cel_check_expr(struct cel_checker *checker, struct cel_expr *expr);
const struct cel_type *cel_check_call(struct cel_checker *checker, struct cel_expr *expr);
const struct cel_type *cel_check_macro(struct cel_checker *checker, struct cel_expr *expr);
const struct cel_type *cel_check_field(struct cel_checker *checker, const struct cel_expr *expr,
                                       const struct cel_type *target);
const struct cel_type *cel_type_refused(struct cel_checker *checker, size_t at, const char *format,
                                        ...) __attribute__((format(printf, 3, 4)));
