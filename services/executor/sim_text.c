#include "executor/sim_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { WORDS_MAX = 64, WORD_MAX = 40, SENTENCE_MIN = 20, SENTENCE_MAX = 400, SENTENCES_MAX = 4000 };

/* Words that are in every text. */
static const char *const common[] = {
    "about", "above", "after", "again",  "all",  "also",  "and",    "any",     "are",   "because",
    "been",  "being", "both",  "but",    "can",  "could", "did",    "does",    "each",  "few",
    "for",   "from",  "had",   "has",    "have", "her",   "here",   "his",     "how",   "into",
    "its",   "just",  "may",   "more",   "most", "not",   "only",   "other",   "our",   "out",
    "over",  "own",   "same",  "should", "some", "such",  "than",   "that",    "the",   "their",
    "them",  "then",  "there", "these",  "they", "this",  "those",  "through", "too",   "under",
    "until", "very",  "was",   "were",   "what", "when",  "where",  "which",   "while", "who",
    "why",   "will",  "with",  "would",  "you",  "your",  "please", "write",   "tell",  "give",
};

static bool is_common(const char *word)
{
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        if (strcmp(common[i], word) == 0)
            return true;
    return false;
}

static bool is_word_byte(unsigned char c)
{
    return isalnum(c) || c >= 0x80 || c == '_';
}

/* The next word at or after *at, in small letters; its length, 0 at the end. */
static size_t next_word(const char *text, size_t len, size_t *at, char word[WORD_MAX])
{
    size_t n = 0;

    while (*at < len && !is_word_byte((unsigned char)text[*at]))
        ++*at;
    for (; *at < len && is_word_byte((unsigned char)text[*at]); ++*at)
        if (n < WORD_MAX - 1)
            word[n++] = (char)tolower((unsigned char)text[*at]);
    word[n] = '\0';
    return n;
}

/* "leases", "leased" and "leasing" are about a lease. */
static void stem(char *word)
{
    static const char *const endings[] = { "ings", "ing", "ies", "es", "ed", "s", "e" };
    size_t len = strlen(word);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (len >= strlen(endings[i]) + 3 && rv_text_ends(word, endings[i])) {
            word[len - strlen(endings[i])] = '\0';
            return;
        }
}

static bool has(const struct sim_words *words, const char *word)
{
    for (size_t i = 0; i < words->n; i++)
        if (strcmp(words->all[i], word) == 0)
            return true;
    return false;
}

struct sim_words sim_words(struct rv_ctx *cx, const char *text, size_t len)
{
    struct sim_words words = { rv_new_array(cx, const char *, WORDS_MAX),
                               rv_new_array(cx, const char *, WORDS_MAX), 0 };
    char word[WORD_MAX], raw[WORD_MAX];
    size_t at = 0, n;

    while (words.n < WORDS_MAX && (n = next_word(text, len, &at, word)) > 0) {
        if (n < 3 || is_common(word))
            continue;
        strcpy(raw, word);
        stem(word);
        if (has(&words, word))
            continue;
        words.all[words.n] = rv_strdup(cx, word);
        words.raw[words.n++] = rv_strdup(cx, raw);
    }
    return words;
}

int sim_overlap(struct rv_ctx *cx, const struct sim_words *wanted, const char *text, size_t len)
{
    struct sim_words words = sim_words(cx, text, len);
    int n = 0;

    for (size_t i = 0; i < wanted->n; i++)
        n += has(&words, wanted->all[i]);
    return n;
}

static void add(struct rv_ctx *cx, struct sim_sentences *sentences, const char *text, size_t len)
{
    while (len > 0 && (isspace((unsigned char)*text) || strchr("#*->|", *text)))
        text++, len--;
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len < SENTENCE_MIN || len > SENTENCE_MAX || !memchr(text, ' ', len) ||
        sentences->n == SENTENCES_MAX)
        return;
    if (sentences->n == sentences->room) {
        struct sim_sentence *all;

        sentences->room = sentences->room ? sentences->room * 2 : 64;
        all = rv_new_array(cx, struct sim_sentence, sentences->room);
        if (sentences->n > 0)
            memcpy(all, sentences->all, sentences->n * sizeof(*all));
        sentences->all = all;
    }
    sentences->all[sentences->n] = (struct sim_sentence){ text, len, 0, sentences->n };
    sentences->n++;
}

/* Whether a sentence ends behind @c, which @next follows. */
static bool ends(char c, char next)
{
    return strchr(".!?", c) &&
           (next == '\0' || isspace((unsigned char)next) || strchr("\"')<", next));
}

void sim_read(struct rv_ctx *cx, struct sim_sentences *sentences, const char *text)
{
    const char *start = text, *p;

    for (p = text; *p; p++) {
        if (*p == '<' && strchr("/!abcdefghijklmnopqrstuvwxyz", p[1]) && p[1] && strchr(p, '>')) {
            add(cx, sentences, start, (size_t)(p - start));
            p = strchr(p, '>');
            start = p + 1;
        } else if (*p == '\n') {
            add(cx, sentences, start, (size_t)(p - start));
            start = p + 1;
        } else if (ends(*p, p[1])) {
            add(cx, sentences, start, (size_t)(p + 1 - start));
            start = p + 1;
        }
    }
    add(cx, sentences, start, (size_t)(p - start));
}

void sim_rank(struct rv_ctx *cx, struct sim_sentences *sentences, const struct sim_words *wanted)
{
    for (size_t i = 0; i < sentences->n; i++) {
        struct sim_sentence *one = &sentences->all[i];

        one->score = 16 * sim_overlap(cx, wanted, one->text, one->len);
        if (one->score > 0)
            one->score -= (int)(one->len / 40);
    }
}

static int by_score(const void *a, const void *b)
{
    const struct sim_sentence *const *x = a, *const *y = b;

    if ((*x)->score != (*y)->score)
        return (*x)->score > (*y)->score ? -1 : 1;
    return (*x)->order < (*y)->order ? -1 : 1;
}

static int by_order(const void *a, const void *b)
{
    const struct sim_sentence *const *x = a, *const *y = b;

    return (*x)->order < (*y)->order ? -1 : 1;
}

static bool is_there(const struct sim_sentence **best, size_t n, const struct sim_sentence *one)
{
    for (size_t i = 0; i < n; i++)
        if (best[i]->len == one->len && memcmp(best[i]->text, one->text, one->len) == 0)
            return true;
    return false;
}

size_t sim_best(struct rv_ctx *cx, const struct sim_sentences *sentences, size_t n,
                const struct sim_sentence **best)
{
    const struct sim_sentence **sorted =
        rv_new_array(cx, const struct sim_sentence *, sentences->n);
    size_t taken = 0;

    if (sentences->n == 0)
        return 0;
    for (size_t i = 0; i < sentences->n; i++)
        sorted[i] = &sentences->all[i];
    qsort(sorted, sentences->n, sizeof(*sorted), by_score);
    for (size_t i = 0; i < sentences->n && taken < n; i++)
        if (!is_there(best, taken, sorted[i]))
            best[taken++] = sorted[i];
    qsort(best, taken, sizeof(*best), by_order);
    return taken;
}

int64_t sim_tokens(const char *text)
{
    int64_t words = 0, bytes = 0;
    bool inside = false;

    for (const char *p = text ? text : ""; *p; p++, bytes++) {
        bool blank = isspace((unsigned char)*p);

        words += !blank && !inside;
        inside = !blank;
    }
    return words * 4 / 3 > bytes / 4 ? (words * 4 + 2) / 3 : (bytes + 3) / 4;
}
