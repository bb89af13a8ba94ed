/* Extension encoders: base64. */

#include "base/text.h"
#include "cel/functions.h"

static CEL_FUNCTION(encode)
{
    struct rv_buf text = { .arena = run->cx->arena };

    rv_buf_base64(&text, args[0].text, args[0].len);
    return cel_copy(run, CEL_STRING, text.data, text.len);
}

/* Padding may be left out. */
static CEL_FUNCTION(decode)
{
    size_t len = args[0].len, padded = (len + 3) / 4 * 4;
    char *text = cel_room(run, padded + 1);
    uint8_t *bytes = NULL;

    if (!text || !cel_spend(run, len / 16))
        return cel_spent(run);
    if (len)
        memcpy(text, args[0].text, len);
    memset(text + len, '=', padded - len);
    if (strlen(text) == padded)
        bytes = rv_text_base64(run->cx, text, &len);
    return bytes ? cel_bytes(bytes, len) : cel_fail(run, "the text is not base64");
}

/* clang-format off */
const struct cel_function cel_fn_encoders[] = {
    { "base64.encode", CEL_CALL, "y:s", encode, true },
    { "base64.decode", CEL_CALL, "s:y", decode, true },
    { 0 },
};
/* clang-format on */
