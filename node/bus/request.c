/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/request.h"

#include "node/bus/json.h"
#include "node/cli/language.h"

static const Command *refuse(GError **error, const char *text) {
    g_set_error_literal(error, COMMAND_ERROR, COMMAND_ERROR_USAGE, text);
    return NULL;
}

const Command *request_read(GBytes *body, JsonObject **ret_arguments, Language *ret_language,
                            GError **error) {
    gsize length = 0;
    const char *text = g_bytes_get_data(body, &length);
    g_autoptr(JsonNode) request = json_read(text, length);
    if (request == NULL || !JSON_NODE_HOLDS_OBJECT(request)) {
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
    *ret_language = language_of_code(json_text(object, "language", ""), language_chosen());
    *ret_arguments = g_steal_pointer(&arguments);
    return command;
}
