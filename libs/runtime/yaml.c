#include "runtime/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/place.h"
#include "base/text.h"
#include "runtime/yaml_scalar.h"

/* clang-format off */
enum {
    DEPTH_MAX = 64, NODES_MAX = 10000, DOCUMENTS_MAX = 1000, TEXT_BYTES_MAX = 1024 * 1024,
    JSON_BYTES_MAX = 8 * 1024 * 1024, /* of all documents: aliases can make much of little */
};
/* clang-format on */

/* A node that an alias may name: its JSON is pasted where the alias stands. */
struct anchor {
    struct anchor *next;
    const char *name, *json;
    size_t nodes, len;
    int depth; /* levels in it */
};

struct walk {
    struct rv_ctx *cx;
    const char *text;
    yaml_parser_t parser;
    struct rv_buf json, place;
    struct anchor *anchors;
    size_t nodes, json_bytes;
    int depth, deepest;
    const char *seek; /* rv_yaml_where: the path it wants */
    size_t found_len;
    yaml_mark_t found;
};

static void walk_release(struct walk *walk)
{
    yaml_parser_delete(&walk->parser);
    rv_buf_release(&walk->json);
    rv_buf_release(&walk->place);
}

#define refuse(walk, mark, ...) refuse_((walk), (mark), rv_printf((walk)->cx, __VA_ARGS__))

static rv_result refuse_(struct walk *walk, yaml_mark_t mark, const char *why)
{
    return rv_fail(walk->cx, RV_INVALID, "line %zu, column %zu: %s", mark.line + 1, mark.column + 1,
                   why);
}

static void drop_event(yaml_event_t *event)
{
    yaml_event_delete(event);
}
#define auto_event __attribute__((cleanup(drop_event))) yaml_event_t

static yaml_mark_t mark_at(const char *text, size_t offset)
{
    yaml_mark_t mark = { .index = offset };

    for (size_t i = 0; i < offset; i++) {
        bool ends = text[i] == '\n';

        mark.line += ends;
        mark.column = ends ? 0 : mark.column + 1;
    }
    return mark;
}

static rv_result next(struct walk *walk, yaml_event_t *event)
{
    const yaml_parser_t *parser = &walk->parser;

    if (yaml_parser_parse(&walk->parser, event))
        return RV_OK;
    memset(event, 0, sizeof(*event));
    if (parser->error == YAML_READER_ERROR) /* knows bytes only */
        return refuse(walk, mark_at(walk->text, parser->problem_offset), "%s", parser->problem);
    return refuse(walk, parser->problem_mark, "%s", parser->problem ? parser->problem : "not YAML");
}

static const char *text_of(const yaml_char_t *text)
{
    return (const char *)text;
}

/* Whether @place is the path that is sought, or holds it; the longest wins. */
static void seek(struct walk *walk, yaml_mark_t mark)
{
    size_t len = walk->place.len;
    char after;

    if (!walk->seek || strncmp(walk->seek, walk->place.data, len) != 0)
        return;
    after = walk->seek[len];
    if ((len == 0 || after == '\0' || after == '.' || after == '[') && len >= walk->found_len) {
        walk->found_len = len;
        walk->found = mark;
    }
}

static rv_result count_nodes(struct walk *walk, yaml_mark_t mark, size_t more)
{
    walk->nodes += more;
    if (walk->nodes > NODES_MAX)
        return refuse(walk, mark, "more than %d nodes", NODES_MAX);
    if (walk->json_bytes + walk->json.len > JSON_BYTES_MAX)
        return refuse(walk, mark, "too much text");
    return RV_OK;
}

static rv_result go_down(struct walk *walk, yaml_mark_t mark, int levels)
{
    if (walk->depth + levels > DEPTH_MAX)
        return refuse(walk, mark, "nested deeper than %d levels", DEPTH_MAX);
    if (walk->depth + levels > walk->deepest)
        walk->deepest = walk->depth + levels;
    return RV_OK;
}

static rv_result add_node(struct walk *walk, const yaml_event_t *event);

static rv_result add_alias(struct walk *walk, const yaml_event_t *event)
{
    const char *name = text_of(event->data.alias.anchor);
    const struct anchor *anchor = walk->anchors;

    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (!anchor)
        return refuse(walk, event->start_mark, "unknown alias \"%s\"", name);
    RV_TRY(walk->cx, go_down(walk, event->start_mark, anchor->depth));
    rv_buf_add(&walk->json, anchor->json, anchor->len);
    return count_nodes(walk, event->start_mark, anchor->nodes);
}

static rv_result add_scalar(struct walk *walk, const yaml_event_t *event)
{
    const char *text = text_of(event->data.scalar.value), *trouble = NULL;
    bool plain = event->data.scalar.plain_implicit && !event->data.scalar.tag;

    if (memchr(text, '\0', event->data.scalar.length))
        return refuse(walk, event->start_mark, "a NUL byte is not allowed");
    if (plain)
        trouble = rv_yaml_plain(&walk->json, text);
    else
        rv_buf_json(&walk->json, text);
    return trouble ? refuse(walk, event->start_mark, "%s %s", text, trouble) : RV_OK;
}

static rv_result add_sequence(struct walk *walk, const yaml_event_t *start)
{
    size_t place = walk->place.len;

    RV_TRY(walk->cx, go_down(walk, start->start_mark, 1));
    walk->depth++;
    rv_buf_char(&walk->json, '[');
    for (size_t i = 0;; i++) {
        auto_event event;

        RV_TRY(walk->cx, next(walk, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (i > 0)
            rv_buf_char(&walk->json, ',');
        rv_place_index(&walk->place, i);
        RV_TRY(walk->cx, add_node(walk, &event));
        walk->place.data[walk->place.len = place] = '\0';
    }
    rv_buf_char(&walk->json, ']');
    walk->depth--;
    return RV_OK;
}

static void drop_hash(struct rv_hash **hash)
{
    rv_hash_free(*hash, NULL);
}
#define auto_hash __attribute__((cleanup(drop_hash))) struct rv_hash

static rv_result check_key(struct walk *walk, const yaml_event_t *event, struct rv_hash *seen)
{
    const char *key = text_of(event->data.scalar.value);

    if (event->type != YAML_SCALAR_EVENT)
        return refuse(walk, event->start_mark, "a key is not plain text");
    if (event->data.scalar.anchor)
        return refuse(walk, event->start_mark, "an anchor on a key");
    if (event->data.scalar.tag && strcmp(text_of(event->data.scalar.tag), YAML_STR_TAG) != 0)
        return refuse(walk, event->start_mark, "tag %s is not known",
                      text_of(event->data.scalar.tag));
    if (memchr(key, '\0', event->data.scalar.length))
        return refuse(walk, event->start_mark, "a NUL byte is not allowed");
    if (event->data.scalar.plain_implicit && !event->data.scalar.tag && strcmp(key, "<<") == 0)
        return refuse(walk, event->start_mark, "merge keys (<<) are not supported");
    if (!*key && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return refuse(walk, event->start_mark, "an empty key");
    if (rv_hash_put(seen, key, seen))
        return refuse(walk, event->start_mark, "duplicate key \"%s\"", key);
    return count_nodes(walk, event->start_mark, 1);
}

static rv_result add_mapping(struct walk *walk, const yaml_event_t *start)
{
    size_t place = walk->place.len;
    auto_hash *seen = rv_hash_new();

    RV_TRY(walk->cx, go_down(walk, start->start_mark, 1));
    walk->depth++;
    rv_buf_char(&walk->json, '{');
    for (;;) {
        auto_event key, value = { 0 };

        RV_TRY(walk->cx, next(walk, &key));
        if (key.type == YAML_MAPPING_END_EVENT)
            break;
        RV_TRY(walk->cx, check_key(walk, &key, seen));
        if (rv_hash_count(seen) > 1)
            rv_buf_char(&walk->json, ',');
        rv_buf_json(&walk->json, text_of(key.data.scalar.value));
        rv_buf_char(&walk->json, ':');
        rv_place_key(&walk->place, text_of(key.data.scalar.value));
        RV_TRY(walk->cx, next(walk, &value));
        RV_TRY(walk->cx, add_node(walk, &value));
        walk->place.data[walk->place.len = place] = '\0';
    }
    rv_buf_char(&walk->json, '}');
    walk->depth--;
    return RV_OK;
}

/* What the three kinds of nodes call by different names. */
struct node {
    const yaml_char_t *anchor, *tag, *usual_tag;
    rv_result (*add)(struct walk *walk, const yaml_event_t *event);
};

static struct node node_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (struct node){ event->data.scalar.anchor, event->data.scalar.tag,
                              (const yaml_char_t *)YAML_STR_TAG, add_scalar };
    case YAML_SEQUENCE_START_EVENT:
        return (struct node){ event->data.sequence_start.anchor, event->data.sequence_start.tag,
                              NULL, add_sequence };
    case YAML_MAPPING_START_EVENT:
        return (struct node){ event->data.mapping_start.anchor, event->data.mapping_start.tag, NULL,
                              add_mapping };
    default:
        return (struct node){ 0 };
    }
}

/* What had been counted and written when a node began. */
struct before {
    size_t json_len, nodes;
    int deepest;
};

static rv_result keep_anchor(struct walk *walk, yaml_mark_t mark, const char *name,
                             const struct before *before)
{
    struct anchor *anchor = rv_new(walk->cx, struct anchor);
    size_t len = walk->json.len - before->json_len;

    *anchor = (struct anchor){
        .next = walk->anchors,
        .name = rv_strdup(walk->cx, name),
        .json = rv_strndup(walk->cx, walk->json.data + before->json_len, len),
        .len = len,
        .nodes = walk->nodes - before->nodes,
        .depth = walk->deepest - walk->depth,
    };
    walk->anchors = anchor;
    walk->json_bytes += len;
    return count_nodes(walk, mark, 0);
}

static rv_result add_node(struct walk *walk, const yaml_event_t *event)
{
    struct before before = { walk->json.len, walk->nodes, walk->deepest };
    struct node node = node_of(event);

    seek(walk, event->start_mark);
    if (event->type == YAML_ALIAS_EVENT)
        return add_alias(walk, event);
    if (node.tag && !(node.usual_tag && strcmp(text_of(node.tag), text_of(node.usual_tag)) == 0))
        return refuse(walk, event->start_mark, "tag %s is not known", text_of(node.tag));
    RV_TRY(walk->cx, count_nodes(walk, event->start_mark, 1));
    walk->deepest = walk->depth;
    RV_TRY(walk->cx, node.add(walk, event));
    if (node.anchor)
        RV_TRY(walk->cx, keep_anchor(walk, event->start_mark, text_of(node.anchor), &before));
    if (walk->deepest < before.deepest)
        walk->deepest = before.deepest;
    return RV_OK;
}

/* The next document into walk->json; @more says whether there was one. */
static rv_result add_document(struct walk *walk, struct rv_yaml *document, bool *more)
{
    auto_event start, event = { 0 }, end = { 0 };

    RV_TRY(walk->cx, next(walk, &start));
    *more = start.type == YAML_DOCUMENT_START_EVENT;
    if (!*more)
        return RV_OK;
    walk->json_bytes += walk->json.len;
    rv_buf_clear(&walk->json);
    walk->anchors = NULL;
    RV_TRY(walk->cx, next(walk, &event));
    document->line = (int)event.start_mark.line + 1;
    RV_TRY(walk->cx, add_node(walk, &event));
    return next(walk, &end);
}

static rv_result walk_start(struct walk *walk, const char *text, size_t len)
{
    auto_event event;

    if (!yaml_parser_initialize(&walk->parser))
        return rv_fail(walk->cx, RV_INTERNAL, "no memory for a YAML parser");
    walk->text = text;
    rv_buf_text(&walk->place, "");
    rv_buf_text(&walk->json, "");
    if (len > TEXT_BYTES_MAX)
        return rv_fail(walk->cx, RV_TOO_LARGE, "more than %d bytes of YAML", TEXT_BYTES_MAX);
    yaml_parser_set_encoding(&walk->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&walk->parser, (const unsigned char *)text, len);
    return next(walk, &event);
}

rv_result rv_yaml_read(struct rv_ctx *cx, const char *text, size_t len, struct rv_yaml **documents,
                       size_t *n_documents)
{
    __attribute__((cleanup(walk_release))) struct walk walk = { .cx = cx };
    struct rv_yaml *list = rv_new_array(cx, struct rv_yaml, DOCUMENTS_MAX);
    bool more = true;
    size_t n = 0;

    RV_TRY(cx, walk_start(&walk, text, len));
    for (;; n++) {
        struct rv_yaml document = { 0 };

        RV_TRY(cx, add_document(&walk, &document, &more));
        if (!more)
            break;
        if (n == DOCUMENTS_MAX)
            return rv_fail(cx, RV_INVALID, "more than %d documents", DOCUMENTS_MAX);
        document.json = rv_strndup(cx, walk.json.data, walk.json.len);
        list[n] = document;
    }
    *documents = list;
    *n_documents = n;
    return RV_OK;
}

rv_result rv_yaml_where(struct rv_ctx *cx, const char *text, size_t len, size_t index,
                        const char *path, int *line, int *column)
{
    __attribute__((cleanup(walk_release))) struct walk walk = { .cx = cx };
    bool more = true;

    *line = *column = 0;
    RV_TRY(cx, walk_start(&walk, text, len));
    for (size_t i = 0; more && i <= index; i++) {
        struct rv_yaml document;

        walk.seek = i == index ? path : NULL;
        RV_TRY(cx, add_document(&walk, &document, &more));
    }
    if (more) {
        *line = (int)walk.found.line + 1;
        *column = (int)walk.found.column + 1;
    }
    return RV_OK;
}
