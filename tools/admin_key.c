/*
 * admin_key: prints a new API key. In a file that REEVE_ADMIN_KEY_FILE names it is the first
 * administrator's key of an installation, before there is anybody who could ask for one.
 */

#include <stdio.h>

#include "runtime/secret.h"

int main(void)
{
    struct rv_ctx cx;

    if (!rv_secret_init()) {
        fprintf(stderr, "admin_key: there is no randomness\n");
        return 1;
    }
    rv_ctx_init(&cx);
    printf("%s\n", rv_key_new(&cx, "rv"));
    rv_ctx_release(&cx);
    return fflush(stdout) == 0 ? 0 : 1;
}
