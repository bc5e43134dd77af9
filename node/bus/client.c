/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/client.h"

#include <string.h>

#include "node/bus/address.h"
#include "node/bus/json.h"
#include "node/bus/socket.h"
#include "node/cli/language.h"

#define LOOK_MS 500 /* how often a waiting client makes sure that the node still runs */

G_DEFINE_QUARK(maillon - bus - client - error, bus_client_error)

struct BusClient {
    char *home;
    char *path;
    BusSocket *commands;
    BusSocket *events;
};

static BusSocket *connect_in_home(const char *home, const char *name, BusSocketKind kind,
                                  GError **error) {
    g_autofree char *path = bus_address_path(home, name, FALSE, error);
    if (path == NULL) {
        return NULL;
    }
    BusSocket *socket = bus_socket_create(kind, -1, error);
    g_autofree char *endpoint = g_strconcat("ipc://", path, NULL);
    if (socket != NULL && !bus_socket_connect(socket, endpoint, error)) {
        bus_socket_destroy(g_steal_pointer(&socket), 0);
    }
    return socket;
}

BusClient *bus_client_create(const char *home, GError **error) {
    g_autofree char *path = bus_address_path(home, "bus", FALSE, NULL);
    if (path == NULL || !bus_address_answers(path)) {
        g_set_error(error, BUS_CLIENT_ERROR, BUS_CLIENT_ERROR_ABSENT,
                    _("no node is running here (%s); start one with `maillon start`"), home);
        return NULL;
    }
    BusClient *client = g_new0(BusClient, 1);
    client->home = g_strdup(home);
    client->path = g_steal_pointer(&path);
    client->commands = connect_in_home(home, "bus", BUS_SOCKET_DEALER, error);
    if (client->commands == NULL) {
        bus_client_destroy(client);
        return NULL;
    }
    return client;
}

/* The object a message holds, its last part; NULL when it holds none. */
static JsonNode *object_of(GPtrArray *parts) {
    gsize length = 0;
    const char *text = g_bytes_get_data(g_ptr_array_index(parts, parts->len - 1), &length);
    JsonNode *node = json_read_answer(text, length);
    if (node != NULL && !JSON_NODE_HOLDS_OBJECT(node)) {
        g_clear_pointer(&node, json_node_unref);
    }
    return node;
}

static void set_ended(GError **error) {
    g_set_error(error, BUS_CLIENT_ERROR, BUS_CLIENT_ERROR_ENDED,
                _("the node ended before it answered"));
}

/* Waits for one JSON object on a socket, and says now and then that it waits. */
static JsonNode *wait_object(BusClient *client, BusSocket *socket, BusClientProgress progress,
                             gpointer data, GError **error) {
    for (;;) {
        g_autoptr(GPtrArray) parts = bus_socket_wait(socket, LOOK_MS);
        JsonNode *node = parts != NULL ? object_of(parts) : NULL;
        if (node != NULL) {
            return node;
        }
        if (parts == NULL && !bus_address_answers(client->path)) {
            set_ended(error);
            return NULL;
        }
        if (parts == NULL && progress != NULL) {
            progress(0, 0, NULL, data);
        }
    }
}

static gboolean ask_send(BusClient *client, const char *command, JsonObject *arguments) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "command", command);
    json_put_text(builder, "language", language_code(language_chosen()));
    json_builder_set_member_name(builder, "arguments");
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, arguments);
    json_builder_add_value(builder, node);
    json_builder_end_object(builder);
    JsonNode *request = json_built(builder);
    char *text = json_write(request);
    json_node_unref(request);
    gsize length = strlen(text);
    g_autoptr(GBytes) body = g_bytes_new_take(text, length);
    return bus_socket_send(client->commands, &body, 1);
}

JsonNode *bus_client_ask(BusClient *client, const char *command, JsonObject *arguments,
                         BusClientProgress progress, gpointer data, GError **error) {
    if (!ask_send(client, command, arguments)) {
        g_set_error(error, BUS_CLIENT_ERROR, BUS_CLIENT_ERROR_ENDED, _("the node does not answer"));
        return NULL;
    }
    for (;;) {
        g_autoptr(JsonNode) answer = wait_object(client, client->commands, progress, data, error);
        if (answer == NULL) {
            return NULL;
        }
        JsonObject *object = json_node_get_object(answer);
        if (json_object_has_member(object, "progress")) {
            JsonObject *value = json_object_get_object_member(object, "progress");
            if (progress != NULL && value != NULL) {
                progress((guint64)json_int(value, "done", 0), (guint64)json_int(value, "total", 0),
                         json_text(value, "text", NULL), data);
            }
            continue;
        }
        if (!json_flag(object, "ok")) {
            gboolean usage = g_strcmp0(json_text(object, "code", ""), "usage") == 0;
            g_set_error_literal(error, BUS_CLIENT_ERROR,
                                usage ? BUS_CLIENT_ERROR_USAGE : BUS_CLIENT_ERROR_REFUSED,
                                json_text(object, "error", "?"));
            return NULL;
        }
        return json_node_copy(json_object_get_member(object, "result"));
    }
}

gboolean bus_client_follow(BusClient *client, GError **error) {
    client->events = connect_in_home(client->home, "events", BUS_SOCKET_SUB, error);
    g_autoptr(JsonNode) welcome =
        client->events != NULL ? wait_object(client, client->events, NULL, NULL, error) : NULL;
    return welcome != NULL;
}

JsonNode *bus_client_event(BusClient *client, GError **error) {
    return wait_object(client, client->events, NULL, NULL, error);
}

JsonNode *bus_client_event_within(BusClient *client, int timeout_ms, GError **error) {
    g_autoptr(GPtrArray) parts = bus_socket_wait(client->events, MIN(timeout_ms, LOOK_MS));
    if (parts != NULL) {
        return object_of(parts);
    }
    if (!bus_address_answers(client->path)) {
        set_ended(error);
    }
    return NULL;
}

void bus_client_destroy(BusClient *client) {
    if (client == NULL) {
        return;
    }
    bus_socket_destroy(client->commands, 0);
    bus_socket_destroy(client->events, 0);
    g_free(client->home);
    g_free(client->path);
    g_free(client);
}
