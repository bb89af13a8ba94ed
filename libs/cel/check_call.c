/* The part of the checker that finds the function for a call. */

#include <string.h>

#include "base/buf.h"
#include "cel/check.h"

enum { VARS = 3 };

/* The types of a call: the receiver's first. */
struct call {
    struct cel_expr *expr;
    const struct cel_type **args;
    size_t n_args;
    bool method;
};

static const struct cel_type *read_type(struct cel_checker *checker, const char **signature,
                                        const struct cel_type *vars[VARS]);

/* "name AB>" behind a <. */
static const struct cel_type *read_abstract(struct cel_checker *checker, const char **signature,
                                            const struct cel_type *vars[VARS])
{
    struct cel_type *type = rv_new(checker->cx, struct cel_type);
    size_t len = strcspn(*signature, " >");

    type->kind = CEL_T_ABSTRACT;
    type->name = rv_strndup(checker->cx, *signature, len);
    *signature += len;
    *signature += **signature == ' ';
    for (unsigned i = 0; **signature != '>' && i < CEL_TYPE_PARAMS; i++)
        type->params[i] = read_type(checker, signature, vars);
    ++*signature;
    return type;
}

/* The type that @signature begins with; moves behind it. A, B and C are @vars. */
static const struct cel_type *read_type(struct cel_checker *checker, const char **signature,
                                        const struct cel_type *vars[VARS])
{
    static const struct {
        char letter;
        enum cel_type_kind kind;
    } plain[] = {
        { 'b', CEL_T_BOOL },   { 'i', CEL_T_INT },       { 'u', CEL_T_UINT },
        { 'd', CEL_T_DOUBLE }, { 's', CEL_T_STRING },    { 'y', CEL_T_BYTES },
        { 'n', CEL_T_NULL },   { 't', CEL_T_TIMESTAMP }, { 'D', CEL_T_DURATION },
        { 'T', CEL_T_TYPE },   { '*', CEL_T_DYN },       { '#', CEL_T_DYN },
    };
    char letter = *(*signature)++;
    const struct cel_type *first;

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i].letter == letter)
            return cel_type(plain[i].kind);
    if (letter >= 'A' && letter <= 'C')
        return vars[letter - 'A'];
    if (letter == '<')
        return read_abstract(checker, signature, vars);
    first = read_type(checker, signature, vars);
    if (letter == 'L')
        return cel_type_list(checker->cx, first);
    if (letter == 'O')
        return cel_type_optional(checker->cx, first);
    return cel_type_map(checker->cx, first, read_type(checker, signature, vars));
}

static bool is_number(const struct cel_checker *checker, const struct cel_type *type)
{
    type = cel_follow(checker, type);
    if (type->kind == CEL_T_WRAPPER)
        type = type->params[0];
    return type->kind == CEL_T_INT || type->kind == CEL_T_UINT || type->kind == CEL_T_DOUBLE ||
           type->kind == CEL_T_DYN || type->kind == CEL_T_VAR;
}

/* Whether the row takes the arguments, and what it then gives. Binds as it goes. */
static bool matches(struct cel_checker *checker, const struct cel_function *function,
                    const struct call *call, const struct cel_type **result)
{
    const char *at = function->signature, *last = at;
    const struct cel_type *vars[VARS] = { NULL };
    bool many;
    size_t count = cel_signature_count(at, &many);

    if (!(function->style & (call->method ? CEL_METHOD : CEL_CALL)) ||
        (many ? call->n_args < count : call->n_args != count))
        return false;
    for (int i = 0; i < VARS; i++)
        if (strchr(at, 'A' + i))
            vars[i] = cel_fresh(checker);
    for (size_t i = 0; i < call->n_args; i++) {
        if (*at != '~' && *at != ':')
            last = at;
        at = last; /* behind all types, the last comes again */
        if (*at == '#' && !is_number(checker, call->args[i]))
            return false;
        if (!cel_unify(checker, read_type(checker, &at, vars), call->args[i]))
            return false;
    }
    at = strchr(at, ':') + 1;
    *result = read_type(checker, &at, vars);
    return true;
}

static const struct cel_type *no_overload(struct cel_checker *checker, const struct call *call)
{
    struct rv_buf types = { .arena = checker->cx->arena };

    for (size_t i = 0; i < call->n_args && types.len < 160; i++)
        rv_buf_printf(&types, "%s%s", i ? ", " : "",
                      cel_type_text(checker->cx, cel_settled(checker, call->args[i])));
    return cel_type_refused(checker, call->expr->at, "no such overload: %.60s(%.160s)",
                            call->expr->name, types.data ? types.data : "");
}

/* Whether enough is known of the arguments that the first row that fits is the one. */
static bool is_known(const struct cel_checker *checker, const struct call *call)
{
    for (size_t i = 0; i < call->n_args; i++) {
        enum cel_type_kind kind = cel_follow(checker, call->args[i])->kind;

        if (kind == CEL_T_DYN || kind == CEL_T_VAR || kind == CEL_T_ERROR)
            return false;
    }
    return true;
}

/* One row that takes the arguments says what they are; several leave that to the evaluation. */
static const struct cel_type *find_overload(struct cel_checker *checker, const struct call *call)
{
    const struct cel_type *result = NULL, *type;
    size_t mark = checker->n_trail, n_found = 0, found = 0;
    bool known = is_known(checker, call);

    for (size_t i = 0; i < call->expr->n_functions && !(known && n_found); i++) {
        if (matches(checker, &call->expr->functions[i], call, &type)) {
            type = cel_settled(checker, type);
            result = !result || result->kind == type->kind ? type : cel_type(CEL_T_DYN);
            call->expr->fits |= i < 64 ? 1ull << i : 0;
            found = i;
            n_found++;
        }
        cel_take_back(checker, mark);
    }
    if (n_found == 0)
        return no_overload(checker, call);
    if (n_found == 1 && matches(checker, &call->expr->functions[found], call, &type))
        return type;
    return result;
}

static const struct cel_type *wanted(struct cel_checker *checker, const struct call *call, size_t i,
                                     enum cel_type_kind kind)
{
    if (cel_assignable(checker, cel_type(kind), call->args[i]))
        return cel_type(kind);
    return no_overload(checker, call);
}

static const struct cel_type *check_logic(struct cel_checker *checker, const struct call *call)
{
    for (size_t i = 0; i < call->n_args; i++)
        if (!wanted(checker, call, i, CEL_T_BOOL))
            return NULL;
    return cel_type(CEL_T_BOOL);
}

static const struct cel_type *check_ternary(struct cel_checker *checker, const struct call *call)
{
    if (!wanted(checker, call, 0, CEL_T_BOOL))
        return NULL;
    if (!cel_assignable(checker, call->args[1], call->args[2]))
        return no_overload(checker, call);
    return cel_general(checker, call->args[1], call->args[2]);
}

static const struct cel_type *check_index(struct cel_checker *checker, const struct call *call,
                                          const struct cel_type *target)
{
    const struct cel_type *inner;

    target = cel_follow(checker, target);
    switch (target->kind) {
    case CEL_T_DYN:
    case CEL_T_VAR:
    case CEL_T_ERROR:
        return cel_type(CEL_T_DYN);
    case CEL_T_LIST:
        return wanted(checker, call, 1, CEL_T_INT) ? target->params[0] : NULL;
    case CEL_T_MAP:
        return cel_assignable(checker, target->params[0], call->args[1])
                   ? target->params[1]
                   : no_overload(checker, call);
    case CEL_T_RECORD:
        return wanted(checker, call, 1, CEL_T_STRING) ? cel_type(CEL_T_DYN) : NULL;
    case CEL_T_OPTIONAL:
        inner = check_index(checker, call, target->params[0]);
        return inner ? cel_type_optional(checker->cx, inner) : NULL;
    default:
        return no_overload(checker, call);
    }
}

static const struct cel_type *check_operator(struct cel_checker *checker, const struct call *call)
{
    const struct cel_operator *op = call->expr->op;
    const struct cel_type *type;

    if (op == &cel_ternary)
        return check_ternary(checker, call);
    if (op->token == TOKEN_AND || op->token == TOKEN_OR)
        return check_logic(checker, call);
    if (op != &cel_index && op != &cel_index_optional)
        return find_overload(checker, call);
    type = check_index(checker, call, call->args[0]);
    if (!type || op == &cel_index || cel_follow(checker, call->args[0])->kind == CEL_T_OPTIONAL)
        return type;
    return cel_type_optional(checker->cx, type);
}

const struct cel_type *cel_check_call(struct cel_checker *checker, struct cel_expr *expr)
{
    struct call call = { .expr = expr, .method = expr->target && expr->ref != REF_FUNCTION };

    call.args = rv_new_array(checker->cx, const struct cel_type *, expr->n_args + 1);
    if (call.method && !(call.args[call.n_args++] = cel_check_expr(checker, expr->target)))
        return NULL;
    for (size_t i = 0; i < expr->n_args; i++)
        if (!(call.args[call.n_args++] = cel_check_expr(checker, expr->args[i])))
            return NULL;
    return expr->op ? check_operator(checker, &call) : find_overload(checker, &call);
}
