/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/request.h"

#include "node/bus/json.h"
#include "node/cli/language.h"

static const Command *refuse(GError **error, const char *text) {
    g_set_error_literal(error, COMMAND_ERROR, COMMAND_ERROR_USAGE, text);
    return NULL;
}

/* NULL: it is no object. */
static JsonNode *parse(GBytes *body) {
    gsize length = 0;
    const char *text = g_bytes_get_data(body, &length);
    g_autoptr(JsonNode) request = json_read(text, length);
    return request != NULL && JSON_NODE_HOLDS_OBJECT(request) ? g_steal_pointer(&request) : NULL;
}

static Language language_of(JsonNode *request) {
    const char *code =
        request != NULL ? json_text(json_node_get_object(request), "language", "") : "";
    return language_of_code(code, language_chosen());
}

Language request_body_language(GBytes *body) {
    g_autoptr(JsonNode) request = parse(body);
    return language_of(request);
}

static const Command *read_command(JsonNode *request, JsonObject **ret_arguments, GError **error) {
    if (request == NULL) {
        return refuse(error, _("the request is not readable"));
    }
    JsonObject *object = json_node_get_object(request);
    const char *words = json_text(object, "command", NULL);
    const Command *command = words != NULL ? command_find(words) : NULL;
    if (command == NULL || command->handler == NULL) {
        return refuse(error, _("unknown command"));
    }
    JsonNode *given = json_object_get_member(object, "arguments");
    if (given != NULL && !JSON_NODE_HOLDS_OBJECT(given)) {
        return refuse(error, _("the request is not readable"));
    }
    g_autoptr(JsonObject) arguments =
        given != NULL ? json_node_dup_object(given) : json_object_new();
    if (!command_check(command, arguments, error)) {
        return NULL;
    }
    *ret_arguments = g_steal_pointer(&arguments);
    return command;
}

const Command *request_read(GBytes *body, JsonObject **ret_arguments, Language *ret_language,
                            GError **error) {
    g_autoptr(JsonNode) request = parse(body);
    *ret_language = language_of(request);
    Language before = language_speak(*ret_language);
    const Command *command = read_command(request, ret_arguments, error);
    language_speak(before);
    return command;
}
