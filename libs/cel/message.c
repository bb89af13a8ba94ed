/* Messages: the few of protobuf that the language has values for; users' own are not known here. */

#include <string.h>

#include "cel/functions.h"
#include "cel/message.h"
#include "cel/time_text.h"

enum shape {
    SHAPE_WRAPPER,   /* one field is the value */
    SHAPE_VALUE,     /* one of several fields is the value */
    SHAPE_TIMESTAMP, /* seconds and nanos */
    SHAPE_DURATION,
};

enum { FIELDS_MAX = 6 };

struct field {
    const char *name;
    uint32_t kind;
};

struct cel_message {
    const char *name;
    enum shape shape;
    struct cel_value unset;
    int64_t least, most; /* of numbers; both 0: all that there are */
    struct field fields[FIELDS_MAX];
    enum cel_type_kind type;
    bool wrapped;
};

static const struct cel_list no_items;
static const struct cel_map no_pairs;

/* clang-format off */
#define WRAPPER(name, kind_, least, most, type)                                                   \
    { "google.protobuf." name, SHAPE_WRAPPER, { .kind = kind_ }, least, most,                     \
      { { "value", kind_ } }, type, true }
static const struct cel_message messages[] = {
    WRAPPER("BoolValue",   CEL_BOOL,   0,         0,          CEL_T_BOOL),
    WRAPPER("BytesValue",  CEL_BYTES,  0,         0,          CEL_T_BYTES),
    WRAPPER("DoubleValue", CEL_DOUBLE, 0,         0,          CEL_T_DOUBLE),
    WRAPPER("FloatValue",  CEL_DOUBLE, 0,         0,          CEL_T_DOUBLE),
    WRAPPER("Int32Value",  CEL_INT,    INT32_MIN, INT32_MAX,  CEL_T_INT),
    WRAPPER("Int64Value",  CEL_INT,    0,         0,          CEL_T_INT),
    WRAPPER("StringValue", CEL_STRING, 0,         0,          CEL_T_STRING),
    WRAPPER("UInt32Value", CEL_UINT,   0,         UINT32_MAX, CEL_T_UINT),
    WRAPPER("UInt64Value", CEL_UINT,   0,         0,          CEL_T_UINT),
    { "google.protobuf.ListValue", SHAPE_WRAPPER, { .kind = CEL_LIST, .list = &no_items }, 0, 0,
      { { "values", CEL_LIST } }, CEL_T_LIST, false },
    { "google.protobuf.Struct",    SHAPE_WRAPPER, { .kind = CEL_MAP, .map = &no_pairs }, 0, 0,
      { { "fields", CEL_MAP } }, CEL_T_MAP, false },
    { "google.protobuf.Value",     SHAPE_VALUE,   { .kind = CEL_NULL }, 0, 0,
      { { "null_value", CEL_INT }, { "number_value", CEL_DOUBLE }, { "string_value", CEL_STRING },
        { "bool_value", CEL_BOOL }, { "struct_value", CEL_MAP }, { "list_value", CEL_LIST } },
      CEL_T_DYN, false },
    { "google.protobuf.Timestamp", SHAPE_TIMESTAMP, { .kind = CEL_TIMESTAMP }, 0, 0,
      { { "seconds", CEL_INT }, { "nanos", CEL_INT } }, CEL_T_TIMESTAMP, false },
    { "google.protobuf.Duration",  SHAPE_DURATION,  { .kind = CEL_DURATION }, 0, 0,
      { { "seconds", CEL_INT }, { "nanos", CEL_INT } }, CEL_T_DURATION, false },
};
/* clang-format on */

const struct cel_message *cel_message_find(const struct cel_env *env, const char *name)
{
    bool inside = env->container && strcmp(env->container, "google.protobuf") == 0;

    name += *name == '.';
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (strcmp(messages[i].name, name) == 0 ||
            (inside && strcmp(messages[i].name + strlen("google.protobuf."), name) == 0))
            return &messages[i];
    return NULL;
}

const struct cel_type *cel_message_type(struct rv_ctx *cx, const struct cel_message *message)
{
    const struct cel_type *type = cel_type(message->type);

    if (message->type == CEL_T_MAP)
        return cel_type_map(cx, cel_type(CEL_T_STRING), cel_type(CEL_T_DYN));
    return message->wrapped ? cel_type_wrapper(cx, type) : type;
}

static int field_index(const struct cel_message *message, const char *name)
{
    for (int i = 0; i < FIELDS_MAX; i++)
        if (message->fields[i].name && strcmp(message->fields[i].name, name) == 0)
            return i;
    return -1;
}

bool cel_message_has(const struct cel_message *message, const char *field)
{
    return field_index(message, field) >= 0;
}

static struct cel_value wrong_field(struct cel_run *run, const struct cel_message *message,
                                    const char *field, struct cel_value value)
{
    return cel_fail(run, "%s.%s is no %s", message->name, field, cel_kind_name(value.kind));
}

static struct cel_value from_parts(struct cel_run *run, const struct cel_message *message,
                                   const int64_t parts[2])
{
    struct cel_value value = cel_none();
    int64_t whole;

    if (message->shape == SHAPE_TIMESTAMP && parts[1] >= 0 && parts[1] < 1000000000)
        value = cel_timestamp_of(parts[0], parts[1]);
    if (message->shape == SHAPE_DURATION && !__builtin_mul_overflow(parts[0], 1000000000, &whole) &&
        !__builtin_add_overflow(whole, parts[1], &whole))
        value = cel_duration(whole);
    return value.kind == CEL_NONE ? cel_fail(run, "%s is out of range", message->name) : value;
}

static bool in_range(const struct cel_message *message, struct cel_value value)
{
    if (message->least == 0 && message->most == 0)
        return true;
    if (value.kind == CEL_UINT)
        return value.natural <= (uint64_t)message->most;
    return value.whole >= message->least && value.whole <= message->most;
}

/* Sets field @i; CEL_ERROR, or what the message is so far. */
static struct cel_value set(struct cel_run *run, const struct cel_message *message, int i,
                            struct cel_value value, int64_t parts[2])
{
    if (value.kind == CEL_NULL && message->wrapped)
        return cel_null();
    if (value.kind != message->fields[i].kind)
        return wrong_field(run, message, message->fields[i].name, value);
    if (!in_range(message, value))
        return cel_fail(run, "the value is out of range for %s", message->name);
    if (message->shape == SHAPE_VALUE)
        return i == 0 ? cel_null() : value;
    if (message->shape == SHAPE_WRAPPER)
        return strcmp(message->name, "google.protobuf.FloatValue") == 0
                   ? cel_double((double)(float)value.number)
                   : value;
    parts[i] = value.whole;
    return message->unset;
}

static struct cel_value unset(const struct cel_message *message)
{
    struct cel_value value = message->unset;

    if (value.kind == CEL_STRING || value.kind == CEL_BYTES)
        value.text = "";
    return value;
}

/* The names of the fields stand in node->value, as texts of a list. */
struct cel_value cel_run_message(struct cel_run *run, const struct cel_node *node)
{
    const struct cel_message *message = node->message;
    struct cel_value made = unset(message);
    int64_t parts[2] = { 0 };

    for (size_t i = 0; i < node->n_args; i++) {
        const char *name = node->value.list->items[i].text;
        struct cel_value value = cel_run_node(run, node->args[i]);

        if (value.kind == CEL_ERROR)
            return value;
        run->at = node->args[i]->at;
        if (node->optionals[i]) {
            if (value.kind != CEL_OPTIONAL)
                return wrong_field(run, message, name, value);
            if (!value.held)
                continue;
            value = *value.held;
        }
        made = set(run, message, field_index(message, name), value, parts);
        if (made.kind == CEL_ERROR)
            return made;
    }
    run->at = node->at;
    return message->shape == SHAPE_TIMESTAMP || message->shape == SHAPE_DURATION
               ? from_parts(run, message, parts)
               : made;
}
