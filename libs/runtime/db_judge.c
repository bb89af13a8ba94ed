#include <string.h>

#include "runtime/db_session.h"

/* clang-format off */
static const struct rv_db_verdict verdicts[] = {
    { "23505", RV_CONFLICT,    false, "is there already" },
    { "23P01", RV_CONFLICT,    false, "overlaps what is there" },
    { "23503", RV_NOT_FOUND,   false, "points at what is not there" },
    { "23",    RV_INVALID,     false, "breaks a rule of its table" },
    { "22",    RV_INVALID,     false, "has a value of the wrong form" },
    { "42501", RV_DENIED,      false, NULL },
    { "40",    RV_UNAVAILABLE, false, NULL }, /* serialization, deadlock */
    { "55P03", RV_UNAVAILABLE, false, NULL }, /* lock_timeout */
    { "57014", RV_TIMEOUT,     false, NULL }, /* statement_timeout */
    { "08",    RV_UNAVAILABLE, true,  NULL }, /* connection */
    { "53",    RV_UNAVAILABLE, true,  NULL }, /* out of disk, memory, connections */
    { "57",    RV_UNAVAILABLE, true,  NULL }, /* shutting down, killed by an operator */
    { "25P03", RV_UNAVAILABLE, true,  NULL }, /* idle_in_transaction_session_timeout */
    { "25006", RV_UNAVAILABLE, true,  NULL }, /* read only: a standby that was the primary */
    { "26000", RV_UNAVAILABLE, true,  NULL }, /* somebody threw our prepared statements away */
    { "58",    RV_UNAVAILABLE, true,  NULL }, /* the server's own I/O errors */
    { "",      RV_INTERNAL,    false, NULL },
};
static const struct rv_db_verdict gone = { "", RV_UNAVAILABLE, true, NULL };
/* clang-format on */

const struct rv_db_verdict *rv_db_judge(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    const struct rv_db_verdict *verdict = verdicts;

    if (!sqlstate) /* libpq's own words: there is no server to have said it */
        return &gone;
    /* A migration changed a table that a prepared statement answers with: prepare it again. */
    if (strcmp(sqlstate, "0A000") == 0 && function &&
        strcmp(function, "RevalidateCachedQuery") == 0)
        return &gone;
    while (strncmp(sqlstate, verdict->sqlstate, strlen(verdict->sqlstate)) != 0)
        verdict++;
    return verdict;
}

rv_result rv_db_refused(struct rv_ctx *cx, const char *what, const PGresult *result)
{
    const struct rv_db_verdict *verdict = rv_db_judge(result);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (verdict->words)
        words = verdict->words;
    else if (!words)
        words = "connection lost";
    return rv_fail_inside(cx, verdict->status, "%s: %s (%s%s%s)", what, words,
                          sqlstate ? sqlstate : "no answer", constraint ? " " : "",
                          constraint ? constraint : "");
}
