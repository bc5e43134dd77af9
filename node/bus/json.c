/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/json.h"

static gboolean shallow(const char *text, gsize length) {
    int depth = 0;
    gboolean quoted = FALSE;
    for (gsize i = 0; i < length; i++) {
        char c = text[i];
        if (quoted) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                quoted = FALSE;
            }
        } else if (c == '"') {
            quoted = TRUE;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX) {
                return FALSE;
            }
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == '/' || c == '\'') {
            return FALSE; /* json-glib reads comments, in which brackets would not count */
        }
    }
    return TRUE;
}

static JsonNode *parse(const char *text, gsize length) {
    if (!g_utf8_validate_len(text, length, NULL)) {
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, (gssize)length, NULL)) {
        return NULL;
    }
    JsonNode *root = json_parser_steal_root(parser);
    return root;
}

JsonNode *json_read(const char *text, gsize length) {
    if (length == 0 || length > JSON_BYTES_MAX || !shallow(text, length)) {
        return NULL;
    }
    return parse(text, length);
}

JsonNode *json_read_answer(const char *text, gsize length) {
    return length > 0 && shallow(text, length) ? parse(text, length) : NULL;
}

char *json_write(JsonNode *node) {
    return json_to_string(node, FALSE);
}

static JsonNode *member(JsonObject *object, const char *name, GType type) {
    JsonNode *node = json_object_get_member(object, name);
    gboolean fits =
        node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
    return fits ? node : NULL;
}

const char *json_text(JsonObject *object, const char *name, const char *otherwise) {
    JsonNode *node = member(object, name, G_TYPE_STRING);
    return node != NULL ? json_node_get_string(node) : otherwise;
}

gint64 json_int(JsonObject *object, const char *name, gint64 otherwise) {
    JsonNode *node = member(object, name, G_TYPE_INT64);
    return node != NULL ? json_node_get_int(node) : otherwise;
}

double json_real(JsonObject *object, const char *name) {
    JsonNode *node = member(object, name, G_TYPE_DOUBLE);
    return node != NULL ? json_node_get_double(node) : (double)json_int(object, name, 0);
}

gboolean json_flag(JsonObject *object, const char *name) {
    JsonNode *node = member(object, name, G_TYPE_BOOLEAN);
    return node != NULL && json_node_get_boolean(node);
}

JsonArray *json_list(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

JsonNode *json_built(JsonBuilder *builder) {
    JsonNode *node = json_builder_get_root(builder);
    g_object_unref(builder);
    return node;
}

JsonBuilder *json_begin_object(void) {
    return json_builder_begin_object(json_builder_new_immutable());
}

JsonBuilder *json_begin_array(void) {
    return json_builder_begin_array(json_builder_new_immutable());
}

/* Names and texts may come from another node: nobody would read our answer with such bytes in it.
 */
static void set_name(JsonBuilder *builder, const char *name) {
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    json_builder_set_member_name(builder, valid);
}

void json_put_text(JsonBuilder *builder, const char *name, const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
    set_name(builder, name);
    json_builder_add_string_value(builder, valid);
}

void json_put_int(JsonBuilder *builder, const char *name, gint64 number) {
    set_name(builder, name);
    json_builder_add_int_value(builder, number);
}

void json_put_real(JsonBuilder *builder, const char *name, double number) {
    set_name(builder, name);
    json_builder_add_double_value(builder, number);
}

void json_put_flag(JsonBuilder *builder, const char *name, gboolean flag) {
    set_name(builder, name);
    json_builder_add_boolean_value(builder, flag);
}

void json_put_begin(JsonBuilder *builder, const char *name) {
    set_name(builder, name);
    json_builder_begin_object(builder);
}
