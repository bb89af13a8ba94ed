/* /v1/dead-letters: messages that nobody could read, for those who run the house. */

#include <string.h>

#include "asks.h"
#include "contract/subjects.h"
#include "domain/dead_letter.h"
#include "domain/identity.h"
#include "routes.h"
#include "store/sql.h"

/* Dead letters are of no tenant: only the administrators of the first one may look. */
static rv_result check_house(struct rv_ctx *cx, const struct ask *ask)
{
    if (strcmp(ask->tenant_id, TENANT_DEFAULT) != 0 || ask->key_project)
        return rv_fail(cx, RV_DENIED, "dead letters are for administrators of the default tenant");
    return RV_OK;
}

RV_HANDLER(route_dead_letter_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, check_house(cx, asked));
    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    ask.id = ask.cursor;
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DEAD_LETTERS, ask_in(dead_letter_page, &ask),
                          &dead_letter_view_record, &rows));
    *page = page_of(cx, &dead_letter_view_record, rows, ask.limit, "dead_letter_id");
    return RV_OK;
}

RV_HANDLER(route_dead_letter_requeue, struct call *call, const struct ask *ask,
           struct dead_letter *letter)
{
    struct dead_letter_ref ref = { .dead_letter_id = ask->id };

    RV_TRY(cx, check_house(cx, ask));
    return call_ask(cx, call, &SUBJ_DEAD_LETTER_REQUEUE, &ref, letter);
}
