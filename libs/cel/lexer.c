#include "cel/lexer.h"

#include <string.h>

/* Longer ones first. */
static const struct {
    const char *text;
    enum cel_token_kind kind;
} marks[] = {
    { "||", TOKEN_OR },         { "&&", TOKEN_AND },      { "==", TOKEN_EQ },
    { "!=", TOKEN_NE },         { "<=", TOKEN_LE },       { ">=", TOKEN_GE },
    { "<", TOKEN_LT },          { ">", TOKEN_GT },        { "+", TOKEN_PLUS },
    { "-", TOKEN_MINUS },       { "*", TOKEN_STAR },      { "/", TOKEN_SLASH },
    { "%", TOKEN_PERCENT },     { "!", TOKEN_NOT },       { "?", TOKEN_QUESTION },
    { ":", TOKEN_COLON },       { ",", TOKEN_COMMA },     { ".", TOKEN_DOT },
    { "(", TOKEN_PAREN },       { ")", TOKEN_PAREN_END }, { "[", TOKEN_BRACKET },
    { "]", TOKEN_BRACKET_END }, { "{", TOKEN_BRACE },     { "}", TOKEN_BRACE_END },
};

static const char *const reserved[] = {
    "as",  "break",  "const", "continue",  "else", "for",     "function",
    "if",  "import", "let",   "loop",      "null", "package", "return",
    "var", "void",   "while", "namespace", "true", "false",   "in",
};

static const char *const not_selectors[] = { "true", "false", "null", "in" };

static bool among(const char *const *words, size_t n_words, const char *name, size_t len)
{
    for (size_t i = 0; i < n_words; i++)
        if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0)
            return true;
    return false;
}

bool cel_is_reserved(const char *name, size_t len)
{
    return among(reserved, sizeof(reserved) / sizeof(reserved[0]), name, len);
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool cel_is_selector(const char *name, size_t len)
{
    if (len == 0 || !is_letter(name[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_letter(name[i]) && !is_digit(name[i]))
            return false;
    return !among(not_selectors, sizeof(not_selectors) / sizeof(not_selectors[0]), name, len);
}

/* The byte at @at, or 0 behind the end. */
static int peek(const struct cel_source *source, size_t at)
{
    return at < source->len ? (unsigned char)source->text[at] : 0;
}

static size_t skip_blanks(const struct cel_source *source, size_t at)
{
    while (at < source->len) {
        if (strchr(" \t\n\r\f", source->text[at]) && source->text[at]) {
            at++;
        } else if (source->text[at] == '/' && peek(source, at + 1) == '/') {
            while (at < source->len && source->text[at] != '\n')
                at++;
        } else {
            break;
        }
    }
    return at;
}

static struct cel_token token_of(enum cel_token_kind kind, size_t at, size_t end)
{
    return (struct cel_token){ .kind = kind, .at = (uint32_t)at, .len = (uint32_t)(end - at) };
}

static struct cel_token bad(size_t at, const char *why)
{
    return (struct cel_token){ .kind = TOKEN_BAD, .at = (uint32_t)at, .why = why };
}

static size_t digits(const struct cel_source *source, size_t at)
{
    while (is_digit(peek(source, at)))
        at++;
    return at;
}

/* Past an exponent, if one with digits begins at @at. */
static size_t exponent(const struct cel_source *source, size_t at)
{
    size_t sign = at + 1;

    if (peek(source, at) != 'e' && peek(source, at) != 'E')
        return at;
    if (peek(source, sign) == '+' || peek(source, sign) == '-')
        sign++;
    return is_digit(peek(source, sign)) ? digits(source, sign) : at;
}

static struct cel_token lex_number(const struct cel_source *source, size_t at)
{
    enum cel_token_kind kind = TOKEN_INT;
    size_t end = digits(source, at);

    if (end == at + 1 && source->text[at] == '0' && peek(source, end) == 'x') {
        for (end++; is_hex(peek(source, end));)
            end++;
    } else {
        size_t whole = end;

        if (peek(source, end) == '.' && is_digit(peek(source, end + 1)))
            end = digits(source, end + 1);
        end = exponent(source, end);
        if (end > whole)
            kind = TOKEN_DOUBLE;
    }
    if (kind == TOKEN_INT && (peek(source, end) == 'u' || peek(source, end) == 'U')) {
        kind = TOKEN_UINT;
        end++;
    }
    if (is_letter(peek(source, end)) || is_digit(peek(source, end)))
        return bad(end, "a number ends in letters");
    return token_of(kind, at, end);
}

/* From the quote at @quote, which may be three, to behind the one that closes it. */
static struct cel_token lex_quotes(const struct cel_source *source, size_t at, size_t quote,
                                   enum cel_token_kind kind, bool raw)
{
    const char *text = source->text;
    char mark = text[quote];
    size_t width =
        source->len - quote >= 3 && text[quote + 1] == mark && text[quote + 2] == mark ? 3 : 1;

    for (size_t i = quote + width; i < source->len; i++) {
        if (text[i] == '\\' && !raw) {
            i++;
        } else if (width == 1 && (text[i] == '\n' || text[i] == '\r')) {
            return bad(at, "a string does not end on its line");
        } else if (text[i] == mark && (width == 1 || (source->len - i >= 3 && text[i + 1] == mark &&
                                                      text[i + 2] == mark))) {
            return token_of(kind, at, i + width);
        }
    }
    return bad(at, "a string does not end");
}

/* A string behind the letters b, r, or both; TOKEN_END when there is none. */
static struct cel_token lex_string(const struct cel_source *source, size_t at)
{
    int c = peek(source, at);
    bool bytes = c == 'b' || c == 'B', raw;
    size_t quote = at + bytes;

    c = peek(source, quote);
    raw = c == 'r' || c == 'R';
    quote += raw;
    c = peek(source, quote);
    if (c != '"' && c != '\'')
        return token_of(TOKEN_END, at, at);
    return lex_quotes(source, at, quote, bytes ? TOKEN_BYTES : TOKEN_STRING, raw);
}

static struct cel_token lex_name(const struct cel_source *source, size_t at)
{
    size_t end = at + 1;

    while (is_letter(peek(source, end)) || is_digit(peek(source, end)))
        end++;
    if (end - at == 2 && memcmp(source->text + at, "in", 2) == 0)
        return token_of(TOKEN_IN, at, end);
    return token_of(TOKEN_NAME, at, end);
}

static struct cel_token lex_backticks(const struct cel_source *source, size_t at)
{
    for (size_t end = at + 1; end < source->len && source->text[end] != '\n'; end++) {
        int c = source->text[end];

        if (c == '`')
            return end == at + 1 ? bad(at, "an empty name") : token_of(TOKEN_QUOTED, at, end + 1);
        if (!is_letter(c) && !is_digit(c) && (!c || !strchr(".-/ ", c)))
            return bad(end, "a name in backticks has letters, digits and _ . - / and blanks");
    }
    return bad(at, "a name in backticks does not end");
}

static struct cel_token lex_mark(const struct cel_source *source, size_t at)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t len = strlen(marks[i].text);

        if (source->len - at >= len && memcmp(source->text + at, marks[i].text, len) == 0)
            return token_of(marks[i].kind, at, at + len);
    }
    return bad(at, "no expression has this character");
}

struct cel_token cel_lex(const struct cel_source *source, size_t at)
{
    struct cel_token string;
    int c;

    at = skip_blanks(source, at);
    if (at >= source->len)
        return token_of(TOKEN_END, source->len, source->len);
    c = (unsigned char)source->text[at];
    if (is_digit(c) || (c == '.' && is_digit(peek(source, at + 1))))
        return lex_number(source, at);
    if (c == '`')
        return lex_backticks(source, at);
    string = lex_string(source, at);
    if (string.kind != TOKEN_END)
        return string;
    return is_letter(c) ? lex_name(source, at) : lex_mark(source, at);
}
