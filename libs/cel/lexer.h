#pragma once

/* Lexer: the words of an expression, one at a time. */

#include "cel/source.h"
#include "cel/value.h"

enum cel_token_kind {
    TOKEN_END,
    TOKEN_BAD,    /* .why says what is wrong with it */
    TOKEN_NAME,   /* with true, false, null, in and the reserved words */
    TOKEN_QUOTED, /* `a name with anything in it` */
    TOKEN_INT,
    TOKEN_UINT,
    TOKEN_DOUBLE,
    TOKEN_STRING,
    TOKEN_BYTES,
    TOKEN_OR,
    TOKEN_AND,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LE,
    TOKEN_GE,
    TOKEN_LT,
    TOKEN_GT,
    TOKEN_IN,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_PERCENT,
    TOKEN_NOT,
    TOKEN_QUESTION,
    TOKEN_COLON,
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_PAREN,
    TOKEN_PAREN_END,
    TOKEN_BRACKET,
    TOKEN_BRACKET_END,
    TOKEN_BRACE,
    TOKEN_BRACE_END,
};

struct cel_token {
    enum cel_token_kind kind;
    uint32_t at, len;
    const char *why;
};

/* The word that begins at or after byte @at, past blanks and comments. */
struct cel_token cel_lex(const struct cel_source *source, size_t at);

/* Whether the name is a reserved word, which no identifier may be. */
bool cel_is_reserved(const char *name, size_t len);

/* Whether the name may stand behind a dot as it is. */
bool cel_is_selector(const char *name, size_t len);

/*
 * What a literal means. NULL when all is well, else why it means nothing; *@bad_at is the byte of
 * the source to blame. A number may be negative already: the minus is not in the token.
 */
const char *cel_literal(struct rv_ctx *cx, const struct cel_source *source,
                        const struct cel_token *token, bool negative, struct cel_value *value,
                        size_t *bad_at);
