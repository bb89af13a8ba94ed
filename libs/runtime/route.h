#pragma once

/*
 * Routes: the HTTP face of the suite, as one table.
 *
 * {names} in a path, the query and the JSON body fill one record, by field name. Roles, limits,
 * OpenAPI and metrics are read from the same rows.
 */

#include "runtime/http_server.h"
#include "runtime/service.h"

struct rv_route {
    const char *method, *path;
    unsigned roles;              /* set of those who may call it; 0: anybody */
    const struct rv_record *in;  /* path + query + body; NULL: none */
    const struct rv_record *out; /* of one object; NULL: no body or not a record */
    bool list;                   /* answers {"data":[out],"has_more","next_cursor"} */
    int status;                  /* on success; 0: 200 */
    rv_handler_fn *call;         /* one request a unit of work */
    rv_batch_fn *call_many;      /* or all that wait */
    bool stream;                 /* call answers the request itself */
    const char *summary;         /* for OpenAPI and the docs */
};

enum { RV_PATH_PARAMS_MAX = 6 };

struct rv_path {
    const struct rv_route *route;
    struct {
        const char *name, *value; /* both of name_len, value_len bytes, not terminated */
        size_t name_len, value_len;
    } params[RV_PATH_PARAMS_MAX];
    unsigned param_count;
    bool known; /* some method has this path: 405, not 404 */
};

/*
 * Finds the row for @method and @path; @found->route is NULL when there is none. A word in a path
 * beats a {name}, wherever the rows stand; HEAD finds the row of GET.
 */
void rv_route_find(const struct rv_route *routes, const char *method, const char *path,
                   struct rv_path *found);

/* The methods that @path has, for Allow: "GET, HEAD, POST"; "" when nobody knows it. */
const char *rv_route_allow(struct rv_ctx *cx, const struct rv_route *routes, const char *path);

/*
 * Fills @out (from zero) with path, query and body, in that order of right; every mistake has its
 * path. An unknown or repeated query argument is refused, and so is a body that names another
 * {name} than the path, or that comes with GET or DELETE. RV_UNSUPPORTED: the body is not JSON by
 * its Content-Type. Lists of texts are "a,b,c" in the query. @out without a record: nothing but
 * the path may be there.
 */
rv_result rv_route_fill(struct rv_ctx *cx, const struct rv_path *found,
                        const struct rv_http_request *request, struct rv_out out);
