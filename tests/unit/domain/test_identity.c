#include "support/rv_test.h"

#include "domain/identity.h"

static void each_role_may_what_its_row_says(void **state)
{
    /* clang-format off */
    static const struct {
        unsigned set;
        bool viewer, operator_, agent_admin, workflow_admin, org_admin;
    } rows[] = {
        { MAY_VIEW,           true,  true,  true,  true,  true },
        { MAY_OPERATE,        false, true,  true,  true,  true },
        { MAY_EDIT,           false, false, true,  true,  true },
        { MAY_EDIT_AGENTS,    false, false, true,  false, true },
        { MAY_EDIT_WORKFLOWS, false, false, false, true,  true },
        { MAY_ADMINISTER,     false, false, false, false, true },
        { MAY_ANYBODY,        true,  true,  true,  true,  true },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(role_may(ROLE_VIEWER, rows[i].set), rows[i].viewer);
        assert_int_equal(role_may(ROLE_OPERATOR, rows[i].set), rows[i].operator_);
        assert_int_equal(role_may(ROLE_AGENT_ADMIN, rows[i].set), rows[i].agent_admin);
        assert_int_equal(role_may(ROLE_WORKFLOW_ADMIN, rows[i].set), rows[i].workflow_admin);
        assert_int_equal(role_may(ROLE_ORG_ADMIN, rows[i].set), rows[i].org_admin);
    }
}

static void whoever_has_no_role_may_nothing_but_what_needs_no_key(void **state)
{
    assert_false(role_may(0, MAY_VIEW));
    assert_false(role_may(0, MAY_ADMINISTER));
    assert_true(role_may(0, MAY_ANYBODY));
}

static void a_key_is_valid_until_it_expires_or_is_revoked(void **state)
{
    struct api_key forever = { 0 };
    struct api_key a_while = { .expires_at_ms = 1000 };
    struct api_key revoked = { .revoked_at_ms = 1, .expires_at_ms = 1000 };

    assert_true(api_key_valid(&forever, INT64_MAX));
    assert_true(api_key_valid(&a_while, 999));
    assert_false(api_key_valid(&a_while, 1000));
    assert_false(api_key_valid(&revoked, 0));
}

/* The text of a key is said once; its hash and its tenant never. */
static void a_key_keeps_its_secrets(void **state)
{
    assert_true(rv_record_field(&api_key_record, "key_hash")->flags & RV_SECRET);
    assert_true(rv_record_field(&api_key_record, "tenant_id")->flags & RV_SECRET);
    assert_true(rv_record_field(&api_key_record, "key")->flags & RV_READONLY);
    assert_true(rv_record_field(&api_key_record, "revoked_at_ms")->flags & RV_READONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(each_role_may_what_its_row_says),
        RV_TEST(whoever_has_no_role_may_nothing_but_what_needs_no_key),
        RV_TEST(a_key_is_valid_until_it_expires_or_is_revoked),
        RV_TEST(a_key_keeps_its_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
