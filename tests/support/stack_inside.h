#pragma once

/* Between the files of the stack. */

#include "support/stack.h"

bool stack_postgres_make(struct stack *stack); /* its data folder */
void stack_show_complaints(const struct stack *stack, FILE *out);
