#include "cel/value.h"

#include <assert.h>
#include <string.h>

struct cel_value cel_string(const char *text, size_t len)
{
    assert(len <= UINT32_MAX);
    return (struct cel_value){ .kind = CEL_STRING, .len = (uint32_t)len, .text = text };
}

struct cel_value cel_text(const char *text)
{
    return text ? cel_string(text, strlen(text)) : cel_null();
}

struct cel_value cel_bytes(const void *bytes, size_t len)
{
    assert(len <= UINT32_MAX);
    return (struct cel_value){ .kind = CEL_BYTES, .len = (uint32_t)len, .text = bytes };
}

struct cel_value cel_optional(struct rv_ctx *cx, struct cel_value held)
{
    struct cel_value *place = NULL;

    if (held.kind != CEL_NONE) {
        place = rv_new(cx, struct cel_value);
        *place = held;
    }
    return (struct cel_value){ .kind = CEL_OPTIONAL, .held = place };
}

struct cel_value cel_list_of(struct rv_ctx *cx, const struct cel_value *items, size_t n_items)
{
    struct cel_list *list = rv_new(cx, struct cel_list);

    *list = (struct cel_list){ .items = items, .n_items = n_items };
    return cel_list_value(list);
}

size_t cel_list_size(const struct cel_list *list)
{
    return list->ops ? list->ops->size(list) : list->n_items;
}

struct cel_value cel_list_at(struct rv_ctx *cx, const struct cel_list *list, size_t index)
{
    return list->ops ? list->ops->at(cx, list, index) : list->items[index];
}

bool cel_is_key(struct cel_value value)
{
    return value.kind == CEL_BOOL || value.kind == CEL_INT || value.kind == CEL_UINT ||
           value.kind == CEL_STRING;
}
