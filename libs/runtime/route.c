#include "runtime/route.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

/* Most rows differ from the path within a few characters, so a table is simply gone through. */
static bool matches(const char *pattern, const char *path, struct rv_path *found)
{
    found->param_count = 0;
    while (*pattern && *path) {
        if (*pattern == '{') {
            size_t name_len = strcspn(pattern + 1, "}"), value_len = strcspn(path, "/");
            unsigned n = found->param_count++;

            assert(n < RV_PATH_PARAMS_MAX);
            if (value_len == 0)
                return false;
            found->params[n].name = pattern + 1;
            found->params[n].name_len = name_len;
            found->params[n].value = path;
            found->params[n].value_len = value_len;
            pattern += name_len + 2;
            path += value_len;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

static bool serves(const struct rv_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Whether @a is the better row for a path that both have: a word beats a {name}. */
static bool beats(const struct rv_route *a, const struct rv_route *b)
{
    const char *x = a->path, *y = b->path;

    while (*x == *y && *x) {
        x++;
        y++;
    }
    return *x != '{' && *y == '{';
}

void rv_route_find(const struct rv_route *routes, const char *method, const char *path,
                   struct rv_path *found)
{
    struct rv_path one = { 0 };
    const struct rv_route *best = NULL; /* of any method */

    *found = (struct rv_path){ 0 };
    for (const struct rv_route *route = routes; route->method; route++) {
        if (!matches(route->path, path, &one) || (best && beats(best, route)))
            continue;
        if (best && beats(route, best))
            *found = (struct rv_path){ 0 };
        best = route;
        found->known = true;
        if (!found->route && serves(route, method)) {
            *found = one;
            found->route = route;
            found->known = true;
        }
    }
}

static bool allows(const struct rv_route *routes, const char *path, const struct rv_route *last)
{
    struct rv_path found;

    rv_route_find(routes, last->method, path, &found);
    return found.route == last;
}

const char *rv_route_allow(struct rv_ctx *cx, const struct rv_route *routes, const char *path)
{
    const char *methods = "";
    struct rv_path found;

    for (const struct rv_route *route = routes; route->method; route++)
        if (matches(route->path, path, &found) && allows(routes, path, route))
            methods = rv_printf(cx, "%s%s%s%s", methods, *methods ? ", " : "", route->method,
                                strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
    return methods;
}
