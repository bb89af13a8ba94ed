#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "runtime/secret.h"

static char home[64];

static int make_home(void **state)
{
    rv_secret_init();
    snprintf(home, sizeof(home), "/tmp/reeve-folder.XXXXXX");
    return mkdtemp(home) ? open_ctx(state) : -1;
}

static int remove_home(void **state)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf %s", home);
    return system(command) == 0 ? close_ctx(state) : -1;
}

static void ports_are_kept_by_name(void **state)
{
    struct rv_ctx *cx = *state;

    assert_int_equal(folder_port(home, "http"), 0);
    assert_ok(cx, folder_port_keep(cx, home, "http", 8000));
    assert_ok(cx, folder_port_keep(cx, home, "nats", 4222));
    assert_ok(cx, folder_port_keep(cx, home, "http", 8001));
    assert_int_equal(folder_port(home, "http"), 8001);
    assert_int_equal(folder_port(home, "nats"), 4222);
    assert_int_equal(folder_port(home, "nat"), 0);
}

static void a_free_port_is_free_and_given_once(void **state)
{
    enum { MANY = 500 };
    int64_t ports[MANY];

    for (int i = 0; i < MANY; i++) {
        ports[i] = folder_port_free();
        assert_true(ports[i] > 1024);
        assert_true(folder_port_is_free(ports[i]));
        assert_false(folder_port_claim(ports[i]));
        for (int k = 0; k < i; k++)
            assert_int_not_equal(ports[i], ports[k]);
    }
}

static void one_folder_has_one_owner(void **state)
{
    struct rv_ctx *cx = *state;
    int first, second;

    assert_int_equal(folder_owner(home), 0);
    assert_ok(cx, folder_take(cx, home, &first));
    assert_true(dprintf(first, "%d\n", (int)getpid()) > 0);
    assert_int_equal(folder_owner(home), getpid());
    assert_int_equal(folder_take(cx, home, &second), RV_CONFLICT);
    assert_non_null(cx->error.hint);
    close(first);
    assert_int_equal(folder_owner(home), 0);
    assert_ok(cx, folder_take(cx, home, &second));
    close(second);
}

static void a_missing_parent_is_said(void **state)
{
    struct rv_ctx *cx = *state;
    int fd;

    assert_int_equal(folder_take(cx, rv_printf(cx, "%s/a/b", home), &fd), RV_NOT_FOUND);
}

static void secrets_are_written_for_this_user_only(void **state)
{
    struct rv_ctx *cx = *state;
    const char *path = rv_printf(cx, "%s/admin.key", home);
    struct stat st;

    assert_ok(cx, folder_write(cx, path, 0600, "rv_x_y\n"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 7);
}

#define HOME_TEST(function) cmocka_unit_test_setup_teardown(function, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOME_TEST(ports_are_kept_by_name),
        HOME_TEST(a_free_port_is_free_and_given_once),
        HOME_TEST(one_folder_has_one_owner),
        HOME_TEST(a_missing_parent_is_said),
        HOME_TEST(secrets_are_written_for_this_user_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
