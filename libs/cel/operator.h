#pragma once

/* Operators: signs with a precedence, each another name for a function. */

#include "cel/lexer.h"

struct cel_operator {
    enum cel_token_kind token;
    unsigned arity;
    unsigned precedence; /* higher binds tighter */
    const char *sign;
    const char *function;
};

enum { PRECEDENCE_TERNARY = 1, PRECEDENCE_OR = 2, PRECEDENCE_UNARY = 7, PRECEDENCE_MEMBER = 8 };

extern const struct cel_operator cel_ternary, cel_index, cel_index_optional, cel_negate, cel_not;

/* The operator between two operands; NULL: the token is none. */
const struct cel_operator *cel_operator_binary(enum cel_token_kind token);
