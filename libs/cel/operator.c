#include "cel/operator.h"

/* clang-format off */
static const struct cel_operator binary[] = {
    { TOKEN_OR,      2, 2, "||", "_||_" },
    { TOKEN_AND,     2, 3, "&&", "_&&_" },
    { TOKEN_EQ,      2, 4, "==", "_==_" },
    { TOKEN_NE,      2, 4, "!=", "_!=_" },
    { TOKEN_LT,      2, 4, "<",  "_<_" },
    { TOKEN_LE,      2, 4, "<=", "_<=_" },
    { TOKEN_GT,      2, 4, ">",  "_>_" },
    { TOKEN_GE,      2, 4, ">=", "_>=_" },
    { TOKEN_IN,      2, 4, "in", "@in" },
    { TOKEN_PLUS,    2, 5, "+",  "_+_" },
    { TOKEN_MINUS,   2, 5, "-",  "_-_" },
    { TOKEN_STAR,    2, 6, "*",  "_*_" },
    { TOKEN_SLASH,   2, 6, "/",  "_/_" },
    { TOKEN_PERCENT, 2, 6, "%",  "_%_" },
};
const struct cel_operator cel_ternary        = { TOKEN_QUESTION, 3, PRECEDENCE_TERNARY, "?:",  "_?_:_" };
const struct cel_operator cel_not            = { TOKEN_NOT,      1, PRECEDENCE_UNARY,   "!",   "!_" };
const struct cel_operator cel_negate         = { TOKEN_MINUS,    1, PRECEDENCE_UNARY,   "-",   "-_" };
const struct cel_operator cel_index          = { TOKEN_BRACKET,  2, PRECEDENCE_MEMBER,  "[]",  "_[_]" };
const struct cel_operator cel_index_optional = { TOKEN_BRACKET,  2, PRECEDENCE_MEMBER,  "[?]", "_[?_]" };
/* clang-format on */

const struct cel_operator *cel_operator_binary(enum cel_token_kind token)
{
    for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++)
        if (binary[i].token == token)
            return &binary[i];
    return NULL;
}
