#pragma once

/* Watch: events as lines, as they happen. With --json each event is one line of JSON. */

#include "cli.h"

/* Until the run is over. @after NULL: from its first event. */
rv_result watch_run(struct cli *cli, const char *run_id, const char *after);
