#pragma once

/* What the files about expressions share. */

#include "domain/expression.h"

/* What reeve adds to the language; the table in the README says the same. Ends without a name. */
extern const struct cel_function expression_functions[];
