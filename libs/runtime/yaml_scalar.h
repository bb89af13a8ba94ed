#pragma once

/* What a plain YAML scalar means (YAML 1.2 core schema): for yaml.c only. Pure. */

#include "base/buf.h"

/* Appends @text as JSON: null, true, a number or else a string; or says what is wrong with it. */
const char *rv_yaml_plain(struct rv_buf *into, const char *text);
