#pragma once

/* The library: a table for each thing it is about, and what several of them need. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cel/program.h"

extern const struct cel_function cel_fn_compare[], cel_fn_convert[], cel_fn_encoders[],
    cel_fn_lists[], cel_fn_math[], cel_fn_number[], cel_fn_optional[], cel_fn_sets[],
    cel_fn_string[], cel_fn_strings[], cel_fn_time[];

/* Functions whose rows stand in another table than the rest of their kind. */
CEL_FUNCTION(cel_list_add);
CEL_FUNCTION(cel_list_reverse);
CEL_FUNCTION(cel_strings_char_at);
CEL_FUNCTION(cel_strings_format);
CEL_FUNCTION(cel_strings_index_of);
CEL_FUNCTION(cel_strings_last_index_of);
CEL_FUNCTION(cel_strings_substring);
CEL_FUNCTION(cel_text_add);
CEL_FUNCTION(cel_time_add);
CEL_FUNCTION(cel_time_subtract);

/* Where @what is in @text at byte @from or behind; the length of @text when it is nowhere. */
size_t cel_find(struct cel_value text, struct cel_value what, size_t from);

/* The bytes of @text from @from to before @to. */
struct cel_value cel_part(struct cel_value text, size_t from, size_t to);

/* What a copy of @text costs and is: CEL_ERROR when too little is left. */
struct cel_value cel_copy(struct cel_run *run, enum cel_kind kind, const char *text, size_t len);

/* "1.5", "2", "1e+21", "NaN", "Infinity": the shortest text that reads back the same. */
void cel_add_double(struct rv_buf *text, double number);

/* As string() writes it, with lists and maps too; false when @run has no more to spend. */
bool cel_add_text(struct cel_run *run, struct rv_buf *text, struct cel_value value);

/* Sorts pairs by their keys; equal ones keep their order. @spare has room for half of them. */
void cel_sort_pairs(struct cel_pair *pairs, struct cel_pair *spare, size_t n);

/* How many characters @value has, and the byte at which character @index begins. */
size_t cel_characters(struct cel_value value);
size_t cel_character_at(struct cel_value value, size_t index);
