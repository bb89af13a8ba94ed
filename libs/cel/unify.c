/* Types with unknowns: what can stand for what, and what is then known. */

#include <string.h>

#include "cel/check.h"

const struct cel_type *cel_fresh(struct cel_checker *checker)
{
    struct cel_type *type = rv_new(checker->cx, struct cel_type);

    if (checker->n_vars == checker->room) {
        uint32_t room = checker->room ? checker->room * 2 : 16;
        const struct cel_type **bound = rv_new_array(checker->cx, const struct cel_type *, room);

        if (checker->n_vars)
            memcpy(bound, checker->bound, checker->n_vars * sizeof(*bound));
        checker->bound = bound;
        checker->room = room;
    }
    *type = (struct cel_type){ .kind = CEL_T_VAR, .var = checker->n_vars++ };
    return type;
}

/* NULL for a variable of nobody's, as cel_type(CEL_T_VAR). */
static const struct cel_type *bound_to(const struct cel_checker *checker,
                                       const struct cel_type *var)
{
    return var->var < checker->n_vars ? checker->bound[var->var] : NULL;
}

const struct cel_type *cel_follow(const struct cel_checker *checker, const struct cel_type *type)
{
    while (type->kind == CEL_T_VAR && bound_to(checker, type))
        type = bound_to(checker, type);
    return type;
}

const struct cel_type *cel_settled(struct cel_checker *checker, const struct cel_type *type)
{
    struct cel_type *settled;
    unsigned n_params;

    type = cel_follow(checker, type);
    if (type->kind == CEL_T_VAR || checker->steps_left-- <= 0)
        return cel_type(CEL_T_DYN);
    n_params = cel_type_params(type);
    if (n_params == 0)
        return type;
    settled = rv_new(checker->cx, struct cel_type);
    *settled = *type;
    for (unsigned i = 0; i < n_params; i++)
        settled->params[i] = cel_settled(checker, type->params[i]);
    return settled;
}

static void bind(struct cel_checker *checker, uint32_t var, const struct cel_type *type)
{
    if (checker->n_trail == checker->trail_room) {
        size_t room = checker->trail_room ? checker->trail_room * 2 : 16;
        struct cel_binding *trail = rv_new_array(checker->cx, struct cel_binding, room);

        if (checker->n_trail)
            memcpy(trail, checker->trail, checker->n_trail * sizeof(*trail));
        checker->trail = trail;
        checker->trail_room = room;
    }
    checker->trail[checker->n_trail++] = (struct cel_binding){ var, checker->bound[var] };
    checker->bound[var] = type;
}

void cel_take_back(struct cel_checker *checker, size_t mark)
{
    while (checker->n_trail > mark) {
        const struct cel_binding *binding = &checker->trail[--checker->n_trail];

        checker->bound[binding->var] = binding->before;
    }
}

/* Whether the variable is a part of @type: then it cannot stand for it. */
static bool occurs(struct cel_checker *checker, uint32_t var, const struct cel_type *type)
{
    type = cel_follow(checker, type);
    if (type->kind == CEL_T_VAR)
        return type->var == var;
    if (checker->steps_left-- <= 0)
        return true; /* no telling; a type must not be a part of itself */
    for (unsigned i = 0; i < cel_type_params(type); i++)
        if (occurs(checker, var, type->params[i]))
            return true;
    return false;
}

/* A variable takes the other type, or grows to the more general of the two. */
static bool unify_var(struct cel_checker *checker, const struct cel_type *var,
                      const struct cel_type *type)
{
    const struct cel_type *known = bound_to(checker, var);

    if (known && known->kind == CEL_T_VAR)
        return unify_var(checker, known, type);
    if (known) {
        if (!cel_unify(checker, known, type))
            return false;
        bind(checker, var->var, cel_general(checker, known, type));
        return true;
    }
    type = cel_follow(checker, type);
    if (type->kind == CEL_T_VAR && type->var == var->var)
        return true;
    if (occurs(checker, var->var, type))
        return checker->steps_left <= 0;
    bind(checker, var->var, type);
    return true;
}

static bool may_be_null(const struct cel_type *type)
{
    static const bool rows[CEL_TYPE_KINDS] = {
        [CEL_T_NULL] = true,     [CEL_T_TIMESTAMP] = true, [CEL_T_DURATION] = true,
        [CEL_T_OPTIONAL] = true, [CEL_T_WRAPPER] = true,   [CEL_T_ABSTRACT] = true,
        [CEL_T_RECORD] = true,
    };

    return rows[type->kind];
}

/* A record is a map from names to anything. */
static bool is_record_as_map(const struct cel_type *a, const struct cel_type *b)
{
    return a->kind == CEL_T_RECORD && b->kind == CEL_T_MAP;
}

static bool unify_record(struct cel_checker *checker, const struct cel_type *map)
{
    return cel_unify(checker, map->params[0], cel_type(CEL_T_STRING)) &&
           cel_unify(checker, map->params[1], cel_type(CEL_T_DYN));
}

static bool same_abstract(const struct cel_type *a, const struct cel_type *b)
{
    return strcmp(a->name, b->name) == 0 && cel_type_params(a) == cel_type_params(b);
}

static bool unify_kinds(struct cel_checker *checker, const struct cel_type *to,
                        const struct cel_type *from)
{
    if (to->kind == CEL_T_NULL || from->kind == CEL_T_NULL)
        return may_be_null(to->kind == CEL_T_NULL ? from : to);
    if (is_record_as_map(to, from))
        return unify_record(checker, from);
    if (is_record_as_map(from, to))
        return unify_record(checker, to);
    if (to->kind == CEL_T_WRAPPER && from->kind != CEL_T_WRAPPER)
        return cel_unify(checker, to->params[0], from);
    if (from->kind == CEL_T_WRAPPER && to->kind != CEL_T_WRAPPER)
        return cel_unify(checker, to, from->params[0]);
    if (to->kind != from->kind || (to->kind == CEL_T_RECORD && to->record != from->record) ||
        (to->kind == CEL_T_ABSTRACT && !same_abstract(to, from)))
        return false;
    for (unsigned i = 0; i < cel_type_params(to); i++)
        if (!cel_unify(checker, to->params[i], from->params[i]))
            return false;
    return true;
}

bool cel_unify(struct cel_checker *checker, const struct cel_type *to, const struct cel_type *from)
{
    if (to == from || checker->steps_left-- <= 0)
        return true;
    if (to->kind == CEL_T_VAR)
        return unify_var(checker, to, from);
    if (from->kind == CEL_T_VAR)
        return unify_var(checker, from, to);
    if (to->kind == CEL_T_DYN || from->kind == CEL_T_DYN || to->kind == CEL_T_ERROR ||
        from->kind == CEL_T_ERROR)
        return true;
    return unify_kinds(checker, to, from);
}

bool cel_assignable(struct cel_checker *checker, const struct cel_type *to,
                    const struct cel_type *from)
{
    size_t mark = checker->n_trail;

    if (cel_unify(checker, to, from))
        return true;
    cel_take_back(checker, mark);
    return false;
}

const struct cel_type *cel_general(struct cel_checker *checker, const struct cel_type *a,
                                   const struct cel_type *b)
{
    struct cel_type *type;

    a = cel_follow(checker, a);
    b = cel_follow(checker, b);
    if (a == b || a->kind == CEL_T_DYN || b->kind == CEL_T_VAR)
        return a;
    if (b->kind == CEL_T_DYN || a->kind == CEL_T_VAR || a->kind == CEL_T_NULL)
        return b;
    if (b->kind == CEL_T_NULL || a->kind != b->kind)
        return b->kind == CEL_T_WRAPPER ? b : a;
    if (cel_type_params(a) == 0 || checker->steps_left-- <= 0)
        return a;
    type = rv_new(checker->cx, struct cel_type);
    *type = *a;
    for (unsigned i = 0; i < cel_type_params(a); i++)
        type->params[i] = cel_general(checker, a->params[i], b->params[i]);
    return type;
}

const struct cel_type *cel_joined(struct cel_checker *checker, const struct cel_type *a,
                                  const struct cel_type *b)
{
    return cel_assignable(checker, a, b) ? cel_general(checker, a, b) : cel_type(CEL_T_DYN);
}
