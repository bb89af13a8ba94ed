#pragma once

/* How tests look into the stack's database, and put there what no service would. */

#include <stdint.h>

int64_t number(const char *sql); /* SELECT … AS value */
void run_sql(const char *sql);
