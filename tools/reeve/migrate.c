#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runtime/db.h"
#include "store/migrate.h"

#include "commands.h"

static rv_result migrate(struct cli *cli)
{
    const char *verb = cli->args[0];

    if (strcmp(verb, "up") == 0)
        RV_TRY(cli->cx, store_migrate_up(cli->cx, stdout));
    else if (strcmp(verb, "status") == 0)
        RV_TRY(cli->cx, store_migrate_status(cli->cx, stdout));
    else
        RV_TRY(cli->cx, store_migrate_verify(cli->cx));
    return RV_OK;
}

enum rv_status command_migrate(struct cli *cli)
{
    const char *url = getenv("REEVE_POSTGRES_URL"), *verb = cli->args[0];
    const struct rv_db_options options = { RV_DB_DEFAULTS, .url = url, .name = "reeve-migrate" };
    enum rv_status status;

    if (strcmp(verb, "up") != 0 && strcmp(verb, "status") != 0 && strcmp(verb, "verify") != 0)
        return cli_misuse(cli, "migrate takes up, status or verify, not \"%s\"", verb);
    if (!url || !*url)
        return cli_misuse(cli, "REEVE_POSTGRES_URL is not set: it says which database to migrate");
    status = rv_db_open(cli->cx, &options);
    if (status == RV_OK)
        status = migrate(cli);
    rv_db_close(cli->cx);
    if (status == RV_OK && strcmp(verb, "verify") == 0)
        printf("the schema is at %04d, as it should be\n", (int)store_schema_version());
    return status;
}
