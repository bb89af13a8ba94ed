/* The words of an enum and those its column allows are the same: a word that only one side knows
 * is a row that cannot be written, or one that cannot be read. */

#include "support/rv_test.h"

#include "domain/budget.h"
#include "domain/definition.h"
#include "domain/identity.h"
#include "domain/policy.h"
#include "domain/run.h"
#include "domain/task.h"
#include "domain/work.h"
#include "runtime/db.h"
#include "support/stack.h"

/* clang-format off */
static const struct kept_enum {
    const char *table, *column;
    const struct rv_enum *values;
} kept_enums[] = {
    { "api_keys",            "role",         &role_enum },
    { "approvals",           "state",        &approval_state_enum },
    { "approvals",           "subject",      &subject_kind_enum },
    { "budgets",             "state",        &budget_state_enum },
    { "decisions",           "effect",       &effect_enum },
    { "decisions",           "subject",      &subject_kind_enum },
    { "definitions",         "kind",         &definition_kind_enum },
    { "holds",               "state",        &hold_state_enum },
    { "ledger",              "currency",     &currency_enum },
    { "ledger",              "from_account", &account_enum },
    { "ledger",              "to_account",   &account_enum },
    { "policies",            "state",        &policy_state_enum },
    { "run_steps",           "kind",         &call_kind_enum },
    { "runs",                "priority",     &priority_enum },
    { "runs",                "state",        &run_state_enum },
    { "tasks",               "state",        &task_state_enum },
};
/* clang-format on */
enum { KEPT = sizeof(kept_enums) / sizeof(kept_enums[0]) };

/* One column = ANY (ARRAY['a'::text, …]) of a CHECK, as Postgres writes IN down. */
struct word_list {
    const char *table_name, *column_name;
    const char **words;
    size_t n_words;
};
/* clang-format off */
static const struct rv_field word_list_fields[] = {
    RV_TEXT(word_list,  table_name, 0),
    RV_TEXT(word_list,  column_name, 0),
    RV_TEXTS(word_list, words, 0),
};
static RV_RECORD(word_list, word_list_fields);
/* clang-format on */

static const struct rv_sql word_lists = {
    .name = "test_word_lists",
    .text = "SELECT conrelid::regclass::text AS table_name, list[1] AS column_name,"
            " ARRAY(SELECT word[1] FROM regexp_matches(list[2], '''([^'']*)''::text', 'g') AS "
            "word) AS words "
            "FROM pg_constraint,"
            " regexp_matches(pg_get_constraintdef(oid), '\\(\"?(\\w+)\"? = ANY "
            "\\(ARRAY\\[([^]]*)\\]', 'g') AS list "
            "WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1, 2",
};

static struct stack stack;
static struct rv_db_options options = { RV_DB_DEFAULTS, .name = "test_enums" };
static struct rv_ctx lists_cx;
static struct rv_rows lists;

static int start(void **state)
{
    rv_ctx_init(&lists_cx);
    if (!stack_start(&stack, STACK_POSTGRES | STACK_MIGRATED))
        return -1;
    options.url = stack.postgres_url;
    if (rv_db_open(&lists_cx, &options) == RV_OK &&
        rv_db_rows(&lists_cx, &word_lists, rv_nothing, &word_list_record, &lists) == RV_OK)
        return 0;
    print_error("%s\n", lists_cx.error.text);
    return -1;
}

static int stop(void **state)
{
    rv_db_rollback(&lists_cx);
    rv_db_close(&lists_cx);
    rv_ctx_release(&lists_cx);
    stack_stop(&stack);
    return 0;
}

static bool is_of(const struct word_list *list, const struct kept_enum *kept)
{
    return strcmp(list->table_name, kept->table) == 0 &&
           strcmp(list->column_name, kept->column) == 0;
}

/* How many words of @list the enum has; says which it has not. */
static size_t known_words(const struct word_list *list, const struct kept_enum *kept)
{
    size_t known = 0;

    for (size_t i = 0; i < list->n_words; i++) {
        if (rv_enum_parse(kept->values, list->words[i]) != 0)
            known++;
        else
            print_error("%s.%s allows \"%s\", which is no %s\n", kept->table, kept->column,
                        list->words[i], kept->values->name);
    }
    return known;
}

/* A condition on a part of the words is fine beside a list of all of them. */
static void a_column_allows_exactly_the_words_of_its_enum(void **state)
{
    int bad = 0;

    for (size_t k = 0; k < KEPT; k++) {
        bool whole = false;

        for (size_t i = 0; i < lists.n; i++) {
            const struct word_list *list = &((const struct word_list *)lists.items)[i];

            if (!is_of(list, &kept_enums[k]))
                continue;
            bad += known_words(list, &kept_enums[k]) != list->n_words;
            whole |= list->n_words == kept_enums[k].values->count;
        }
        if (!whole) {
            print_error("%s.%s has no CHECK with all words of %s\n", kept_enums[k].table,
                        kept_enums[k].column, kept_enums[k].values->name);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

static void every_list_of_words_belongs_to_an_enum(void **state)
{
    int bad = 0;

    assert_true(lists.n >= KEPT);
    for (size_t i = 0; i < lists.n; i++) {
        const struct word_list *list = &((const struct word_list *)lists.items)[i];
        size_t k = 0;

        while (k < KEPT && !is_of(list, &kept_enums[k]))
            k++;
        if (k < KEPT)
            continue;
        print_error("%s.%s has a CHECK with %zu words and no row in tests/contract/test_enums.c\n",
                    list->table_name, list->column_name, list->n_words);
        bad++;
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_column_allows_exactly_the_words_of_its_enum),
        RV_TEST(every_list_of_words_belongs_to_an_enum),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
