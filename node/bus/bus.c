/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/bus.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "node/bus/address.h"
#include "node/bus/json.h"
#include "node/bus/request.h"
#include "node/bus/socket.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"

/* ZeroMQ hangs up above; between this and JSON_BYTES_MAX there is an answer. */
#define MESSAGE_BYTES_MAX (16 * 1024 * 1024)
/* Identity of the asker, perhaps an empty delimiter, the request. */
#define PARTS_MAX 3
#define LINGER_MS 200

struct Bus {
    Host *host;
    BusSocket *commands;
    BusSocket *events;
    GHashTable *calls; /* BusCall: the set of those not answered */
    guint64 number;    /* of the last event */
    guint64 refused;
    gboolean heard;       /* somebody follows the events */
    BusListener listener; /* of this process, or NULL */
    gpointer listener_data;
};

struct BusCall {
    Bus *bus;
    GPtrArray *envelope; /* GBytes before the body; NULL: `asker` asks */
    BusAsker asker;
    JsonObject *arguments;
    Language language;
};

static void call_free(BusCall *call) {
    if (call->envelope != NULL) {
        g_ptr_array_unref(call->envelope);
    } else {
        call->asker.release(call->asker.user);
    }
    if (call->asker.file >= 0) {
        close(call->asker.file);
    }
    g_clear_pointer(&call->arguments, json_object_unref);
    g_free(call);
}

/* FALSE: nobody is there to get it. */
static gboolean call_send(BusCall *call, JsonBuilder *builder) {
    if (call->envelope == NULL) {
        json_put_int(builder, "id", call->asker.id);
    }
    json_builder_end_object(builder);
    JsonNode *node = json_built(builder);
    char *text = json_write(node);
    json_node_unref(node);
    gsize length = strlen(text);
    g_autoptr(GBytes) body = g_bytes_new_take(text, length);
    if (call->envelope == NULL) {
        call->asker.answer(body, call->asker.user);
        return TRUE;
    }
    GBytes *parts[PARTS_MAX] = {NULL};
    guint count = 0;
    for (; count < call->envelope->len; count++) {
        parts[count] = g_ptr_array_index(call->envelope, count);
    }
    parts[count++] = body;
    return bus_socket_send(call->bus->commands, parts, count);
}

static void call_end(BusCall *call, JsonBuilder *builder) {
    call_send(call, builder);
    gboolean known = g_hash_table_remove(call->bus->calls, call);
    g_assert(known);
}

JsonObject *bus_call_arguments(BusCall *call) {
    return call->arguments;
}

Language bus_call_language(BusCall *call) {
    return call->language;
}

void bus_call_reply(BusCall *call, JsonNode *result) {
    JsonBuilder *builder = json_begin_object();
    json_put_flag(builder, "ok", TRUE);
    json_builder_set_member_name(builder, "result");
    if (result != NULL) {
        json_builder_add_value(builder, result);
    } else {
        json_builder_begin_object(builder);
        json_builder_end_object(builder);
    }
    call_end(call, builder);
}

static void call_refuse_as(BusCall *call, const char *code, const char *reason, const char *text) {
    JsonBuilder *builder = json_begin_object();
    json_put_flag(builder, "ok", FALSE);
    json_put_text(builder, "code", code);
    if (reason != NULL) {
        json_put_text(builder, "reason", reason);
    }
    json_put_text(builder, "error", text);
    call_end(call, builder);
}

void bus_call_refuse(BusCall *call, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(language_text_in(call->language, format), arguments);
    va_end(arguments);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    call_refuse_as(call, "refused", NULL, valid);
}

void bus_call_refuse_for(BusCall *call, const char *reason, const char *text) {
    call_refuse_as(call, "refused", reason, text);
}

void bus_call_refuse_text(BusCall *call, const char *text) {
    bus_call_refuse(call, "%s", language_text_in(call->language, text));
}

static gboolean send_progress(BusCall *call, guint64 done, guint64 total) {
    JsonBuilder *builder = json_begin_object();
    json_builder_set_member_name(builder, "progress");
    json_builder_begin_object(builder);
    json_put_int(builder, "done", (gint64)done);
    json_put_int(builder, "total", (gint64)total);
    json_builder_end_object(builder);
    return call_send(call, builder);
}

void bus_call_progress(BusCall *call, guint64 done, guint64 total) {
    send_progress(call, done, total);
}

gboolean bus_call_is_awaited(BusCall *call) {
    if (call->envelope == NULL) {
        return call->asker.waits == NULL || call->asker.waits(call->asker.user);
    }
    return send_progress(call, 0, 0);
}

void bus_call_meter(BusCall *call, gint rms_db, gint peak_db) {
    JsonBuilder *builder = json_begin_object();
    json_builder_set_member_name(builder, "progress");
    json_builder_begin_object(builder);
    json_put_int(builder, "rms_db", rms_db);
    json_put_int(builder, "peak_db", peak_db);
    json_builder_end_object(builder);
    call_send(call, builder);
}

void bus_call_say(BusCall *call, const char *text) {
    JsonBuilder *builder = json_begin_object();
    json_builder_set_member_name(builder, "progress");
    json_builder_begin_object(builder);
    json_put_text(builder, "text", text);
    json_builder_end_object(builder);
    call_send(call, builder);
}

int bus_call_file(BusCall *call, guint64 *ret_size) {
    *ret_size = call->asker.size;
    int file = call->asker.file;
    call->asker.file = -1;
    return file;
}

/* Reads the request and has it handled, or refuses it. */
static void call_handle(BusCall *call, GBytes *body) {
    Bus *bus = call->bus;
    g_hash_table_add(bus->calls, call);
    if (g_hash_table_size(bus->calls) > BUS_CALLS_MAX) {
        bus->refused++;
        call_refuse_as(
            call, "busy", NULL,
            language_text_in(request_body_language(body), N_("too many commands at once")));
        return;
    }
    g_autoptr(GError) error = NULL;
    const Command *command = request_read(body, &call->arguments, &call->language, &error);
    if (command == NULL) {
        gboolean usage = g_error_matches(error, COMMAND_ERROR, COMMAND_ERROR_USAGE);
        const char *reason = usage                               ? NULL
                             : error->code == COMMAND_ERROR_LONG ? "too_long"
                                                                 : "not_plain";
        bus->refused++;
        call_refuse_as(call, usage ? "usage" : "refused", reason, error->message);
        return;
    }
    language_speak(call->language);
    if (host_serves(bus->host, command, call)) {
        command->handler(bus->host, call);
    }
}

/* What is said meanwhile is said to the asker; a call answered later is so by bus_call_refuse(). */
static void call_begin(BusCall *call, GBytes *body) {
    Language before = language_speak(language_chosen());
    call_handle(call, body);
    language_speak(before);
}

static void bus_request(GPtrArray *parts, gpointer data) {
    Bus *bus = data;
    if (parts->len < 2 || parts->len > PARTS_MAX) {
        bus->refused++;
        return;
    }
    BusCall *call = g_new0(BusCall, 1);
    call->bus = bus;
    call->asker.file = -1;
    call->envelope = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i + 1 < parts->len; i++) {
        g_ptr_array_add(call->envelope, g_bytes_ref(g_ptr_array_index(parts, i)));
    }
    call_begin(call, g_ptr_array_index(parts, parts->len - 1));
}

void bus_ask(Bus *bus, GBytes *request, const BusAsker *asker) {
    BusCall *call = g_new0(BusCall, 1);
    call->bus = bus;
    call->asker = *asker;
    call_begin(call, request);
}

void bus_listen(Bus *bus, BusListener listener, gpointer data) {
    bus->listener = listener;
    bus->listener_data = data;
}

/* The first subscription and the end of the last come back on the socket that publishes. */
static void bus_subscribed(GPtrArray *parts, gpointer data) {
    Bus *bus = data;
    gsize length = 0;
    const guint8 *bytes = g_bytes_get_data(g_ptr_array_index(parts, 0), &length);
    if (length == 1 && bytes[0] <= 1) {
        bus->heard = bytes[0];
    }
}

static BusSocket *bind_in_home(const char *home, const char *name, BusSocketKind kind,
                               GError **error) {
    g_autofree char *path = bus_address_path(home, name, TRUE, error);
    if (path == NULL) {
        return NULL;
    }
    BusSocket *socket = bus_socket_create(kind, MESSAGE_BYTES_MAX, error);
    g_autofree char *endpoint = g_strconcat("ipc://", path, NULL);
    if (socket != NULL && !bus_socket_bind(socket, endpoint, error)) {
        bus_socket_destroy(g_steal_pointer(&socket), 0);
    }
    return socket;
}

Bus *bus_create(const char *home, Host *host, GError **error) {
    Bus *bus = g_new0(Bus, 1);
    bus->host = host;
    bus->calls =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, (GDestroyNotify)call_free, NULL);
    bus->commands = bind_in_home(home, "bus", BUS_SOCKET_ROUTER, error);
    bus->events =
        bus->commands != NULL ? bind_in_home(home, "events", BUS_SOCKET_PUB, error) : NULL;
    if (bus->events == NULL) {
        bus_destroy(bus);
        return NULL;
    }
    bus_socket_watch(bus->commands, bus_request, bus);
    bus_socket_watch(bus->events, bus_subscribed, bus);
    return bus;
}

void bus_publish(Bus *bus, const char *event, JsonBuilder *builder) {
    json_put_text(builder, "event", event);
    json_put_int(builder, "number", (gint64)++bus->number);
    json_builder_end_object(builder);
    JsonNode *node = json_built(builder);
    char *text = json_write(node);
    json_node_unref(node);
    gsize length = strlen(text);
    g_autoptr(GBytes) body = g_bytes_new_take(text, length);
    bus_socket_send(bus->events, &body, 1);
    if (bus->listener != NULL) {
        bus->listener(bus->number, body, bus->listener_data);
    }
}

guint64 bus_number(const Bus *bus) {
    return bus->number;
}

gboolean bus_is_heard(const Bus *bus) {
    return bus->heard || bus->listener != NULL;
}

guint64 bus_refused(const Bus *bus) {
    return bus->refused;
}

guint64 bus_dropped(const Bus *bus) {
    return bus_socket_dropped(bus->commands) + bus_socket_dropped(bus->events);
}

void bus_destroy(Bus *bus) {
    if (bus == NULL) {
        return;
    }
    g_hash_table_unref(bus->calls);
    bus_socket_destroy(bus->commands, LINGER_MS);
    bus_socket_destroy(bus->events, LINGER_MS);
    g_free(bus);
}
