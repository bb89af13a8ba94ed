#pragma once

/* The messages that can be made: google.protobuf's wrappers, Value, Struct, ListValue, Timestamp
 * and Duration. They are values of the language at once. */

#include "cel/program.h"

const struct cel_message *cel_message_find(const struct cel_env *env, const char *name);
bool cel_message_has(const struct cel_message *message, const char *field);
const struct cel_type *cel_message_type(struct rv_ctx *cx, const struct cel_message *message);
