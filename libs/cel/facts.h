#pragma once

/* What the files about facts share. */

#include "cel/program.h"

/* What evaluating @expr can cost at most; INT64_MAX: there is no telling. */
int64_t cel_cost_most(struct rv_ctx *cx, const struct cel_program *program, int64_t weight_max);
