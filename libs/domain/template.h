#pragma once

/*
 * Templates: texts with ${{ expressions }} in them (cel/cel.h). Here: where they are. Pure.
 */

#include "base/ctx.h"

bool template_is(const char *text); /* it has a ${{ in it; NULL is none */

/*
 * Calls @each for every string of @json that is a template, as it reads, without its escapes. Keys
 * of objects are none. @json is well formed.
 */
void template_each_in_json(struct rv_ctx *cx, const char *json,
                           void (*each)(void *arg, const char *text), void *arg);
