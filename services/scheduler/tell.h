#pragma once

/* What the scheduler says once a unit of work is committed. All of it may be lost: the sweepers of
 * the scheduler and of the budget service say it again. */

#include "batch.h"

void tell_after_commit(struct batch *batch);
