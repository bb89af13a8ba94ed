/* Evaluation: macros. Each step of a walk binds the variables anew in the frame. */

#include <stdlib.h>
#include <string.h>

#include "cel/program.h"

enum { STEP_COST = 4 }; /* an adapter may make something to show an element */

/* A walk over what a macro is about, and what has come of it. */
struct course {
    struct cel_run *run;
    const struct cel_node *node;
    struct cel_value range;
    struct cel_walk walk; /* of a map */
    size_t index, size;   /* steps done, and all there are */
    struct cel_value wrong;
    struct cel_value *items;
    struct cel_pair *pairs;
    size_t n_made;
};

/* The node's arguments: range, [condition], body. */
static const struct cel_node *condition(const struct cel_node *node)
{
    return node->macro->filtered ? node->args[1] : NULL;
}

static const struct cel_node *body(const struct cel_node *node)
{
    return node->args[node->n_args - 1];
}

/* Binds the variables to the next element; false at the end. One variable of a map is its key. */
static bool step(struct course *course)
{
    struct cel_run *run = course->run;
    struct cel_value *vars = &run->locals[course->node->slot];
    bool two = course->node->macro->n_vars == 2;

    if (!cel_spend(run, STEP_COST) || course->index == course->size)
        return false;
    course->index++;
    if (course->range.kind == CEL_MAP) {
        if (!cel_map_next(run->cx, course->range.map, &course->walk))
            return false;
        vars[0] = course->walk.key;
        if (two)
            vars[1] = course->walk.value;
        return true;
    }
    vars[two] = cel_list_at(run->cx, course->range.list, course->index - 1);
    if (two)
        vars[0] = cel_int((int64_t)course->index - 1);
    return true;
}

/* The condition of this step, CEL_BOOL or CEL_ERROR. */
static struct cel_value holds(struct course *course, const struct cel_node *what)
{
    struct cel_value value = what ? cel_run_node(course->run, what) : cel_bool(true);

    return value.kind == CEL_BOOL ? value : cel_not_bool(course->run, what, value);
}

/* all, exists: what decides ends the walk, and errors only count if nothing does. */
static struct cel_value any(struct course *course, bool decides)
{
    struct cel_value wrong = cel_none();

    while (step(course)) {
        struct cel_value value = holds(course, body(course->node));

        if (value.kind == CEL_BOOL && value.truth == decides)
            return value;
        if (value.kind == CEL_ERROR && wrong.kind == CEL_NONE)
            wrong = value;
    }
    return wrong.kind == CEL_NONE ? cel_bool(!decides) : wrong;
}

static struct cel_value exactly_one(struct course *course)
{
    size_t n = 0;

    while (step(course)) {
        struct cel_value value = holds(course, body(course->node));

        if (value.kind == CEL_ERROR)
            return value;
        n += value.truth;
    }
    return cel_bool(n == 1);
}

/* Where what comes of the elements goes; NULL when that is too much. */
static bool make_room(struct course *course)
{
    size_t size = course->size + 1;

    if (course->node->macro->kind == MACRO_TRANSFORM_MAP ||
        course->node->macro->kind == MACRO_TRANSFORM_ENTRY) {
        course->pairs = cel_room(course->run, size * sizeof(*course->pairs));
        return course->pairs != NULL;
    }
    course->items = cel_room(course->run, size * sizeof(*course->items));
    return course->items != NULL;
}

/* A map of one entry is what transformMapEntry's body gives. */
static bool add_entries(struct course *course, struct cel_value made)
{
    struct cel_walk walk = { 0 };

    if (made.kind != CEL_MAP || cel_map_size(made.map) != 1) {
        course->run->at = body(course->node)->at;
        course->wrong = cel_fail(course->run, "transformMapEntry() wants a map of one entry");
        return false;
    }
    if (cel_map_next(course->run->cx, made.map, &walk))
        course->pairs[course->n_made++] = (struct cel_pair){ walk.key, walk.value };
    return true;
}

static bool add(struct course *course)
{
    struct cel_value key = course->run->locals[course->node->slot];
    struct cel_value made = cel_run_node(course->run, body(course->node));

    if (made.kind == CEL_ERROR) {
        course->wrong = made;
        return false;
    }
    if (course->node->macro->kind == MACRO_TRANSFORM_ENTRY)
        return add_entries(course, made);
    if (course->pairs)
        course->pairs[course->n_made++] = (struct cel_pair){ key, made };
    else
        course->items[course->n_made++] = made;
    return true;
}

static struct cel_value finish(struct course *course)
{
    if (course->wrong.kind == CEL_ERROR)
        return course->wrong;
    if (!course->pairs)
        return cel_list_of(course->run->cx, course->items, course->n_made);
    return cel_make_map(course->run, course->node, course->pairs, course->n_made);
}

static struct cel_value transform(struct course *course)
{
    if (!make_room(course))
        return cel_spent(course->run);
    while (step(course)) {
        struct cel_value kept = holds(course, condition(course->node));

        if (kept.kind == CEL_ERROR)
            return kept;
        if (kept.truth && !add(course))
            break;
    }
    return finish(course);
}

static struct cel_value filter(struct course *course)
{
    if (!make_room(course))
        return cel_spent(course->run);
    while (step(course)) {
        struct cel_value element = course->run->locals[course->node->slot];
        struct cel_value kept = holds(course, body(course->node));

        if (kept.kind == CEL_ERROR)
            return kept;
        if (kept.truth)
            course->items[course->n_made++] = element;
    }
    return finish(course);
}

static struct cel_value bind(struct cel_run *run, const struct cel_node *node,
                             struct cel_value value)
{
    run->locals[node->slot] = value;
    return cel_run_node(run, body(node));
}

static struct cel_value map_optional(struct cel_run *run, const struct cel_node *node,
                                     struct cel_value optional)
{
    struct cel_value made;

    run->at = node->at;
    if (optional.kind != CEL_OPTIONAL)
        return cel_fail(run, "%s is no optional", cel_kind_name(optional.kind));
    if (!optional.held)
        return optional;
    made = bind(run, node, *optional.held);
    if (made.kind == CEL_ERROR || node->macro->kind == MACRO_OPT_FLAT_MAP)
        return made;
    return cel_spend(run, 1) ? cel_optional(run->cx, made) : cel_spent(run);
}

static struct cel_value walk_range(struct cel_run *run, const struct cel_node *node,
                                   struct cel_value range)
{
    struct course course = { .run = run, .node = node, .range = range };

    run->at = node->at;
    if (range.kind != CEL_LIST && range.kind != CEL_MAP)
        return cel_fail(run, "%s() wants a list or a map, not %s", node->macro->name,
                        cel_kind_name(range.kind));
    course.size = range.kind == CEL_LIST ? cel_list_size(range.list) : cel_map_size(range.map);
    switch (node->macro->kind) {
    case MACRO_ALL:
        return any(&course, false);
    case MACRO_EXISTS:
        return any(&course, true);
    case MACRO_EXISTS_ONE:
        return exactly_one(&course);
    case MACRO_FILTER:
        return filter(&course);
    default:
        return transform(&course);
    }
}

struct cel_value cel_run_macro(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value range = cel_run_node(run, node->args[0]), value;

    if (range.kind == CEL_ERROR)
        return range;
    if (node->macro->kind == MACRO_BIND)
        value = bind(run, node, range);
    else if (node->macro->kind == MACRO_OPT_MAP || node->macro->kind == MACRO_OPT_FLAT_MAP)
        value = map_optional(run, node, range);
    else
        value = walk_range(run, node, range);
    return run->spent ? cel_spent(run) : value;
}
