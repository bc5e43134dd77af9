/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A ZeroMQ socket as a source of the main loop.
 * It owns the socket, its place in the loop, and the one ZeroMQ context of the process. It never
 * blocks: what cannot be sent now is dropped and counted; and it never leaves this machine.
 */
#pragma once

#include <glib.h>

typedef struct BusSocket BusSocket;

typedef enum {
    BUS_SOCKET_ROUTER,
    BUS_SOCKET_PUB, /* greets each subscriber, who then knows that it misses nothing more */
    BUS_SOCKET_PAIR,
    BUS_SOCKET_DEALER,
    BUS_SOCKET_SUB,
} BusSocketKind;

#define BUS_SOCKET_WELCOME "{\"event\":\"welcome\"}"

#define BUS_SOCKET_ERROR (bus_socket_error_quark())
GQuark bus_socket_error_quark(void);

/* One message of one or more parts, each a GBytes; valid during the call. */
typedef void (*BusSocketReceive)(GPtrArray *parts, gpointer data);

/* `message_max`: longer ones make ZeroMQ hang up on whoever sends them, bytes. */
BusSocket *bus_socket_create(BusSocketKind kind, gint64 message_max, GError **error);
/* Binds or connects to an ipc:// endpoint; a bound socket file is for its owner alone. */
gboolean bus_socket_bind(BusSocket *socket, const char *endpoint, GError **error);
gboolean bus_socket_connect(BusSocket *socket, const char *endpoint, GError **error);
/* Calls back from the default main context for each message. The callback may destroy nothing. */
void bus_socket_watch(BusSocket *socket, BusSocketReceive receive, gpointer data);
/* Sends parts (GBytes); FALSE: dropped. */
gboolean bus_socket_send(BusSocket *socket, GBytes *const *parts, gsize count);
/* Without a loop: waits for a message; NULL after `timeout_ms`. The caller unrefs the array. */
GPtrArray *bus_socket_wait(BusSocket *socket, int timeout_ms);
guint64 bus_socket_dropped(const BusSocket *socket);
/* Closes; what was sent may still leave for `linger_ms`. NULL-safe. */
void bus_socket_destroy(BusSocket *socket, int linger_ms);
