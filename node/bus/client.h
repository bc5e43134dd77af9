/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The asking end of the bus, for the command line.
 * It owns one connection to a node's home. It waits: never use it inside a main loop.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

typedef struct BusClient BusClient;

#define BUS_CLIENT_ERROR (bus_client_error_quark())
GQuark bus_client_error_quark(void);
typedef enum {
    BUS_CLIENT_ERROR_ABSENT,  /* no node runs on this home */
    BUS_CLIENT_ERROR_ENDED,   /* it ended before it answered */
    BUS_CLIENT_ERROR_REFUSED, /* the message is its reason */
    BUS_CLIENT_ERROR_USAGE,   /* the same, and the request was not one */
} BusClientError;

/* `done` of `total`; 0 of 0, twice a second, while nothing comes. `text`: a sentence, or NULL. */
typedef void (*BusClientProgress)(guint64 done, guint64 total, const char *text, gpointer data);

BusClient *bus_client_create(const char *home, GError **error);
/* Asks and waits for the answer. NULL with an error. The caller unrefs the node. */
JsonNode *bus_client_ask(BusClient *client, const char *command, JsonObject *arguments,
                         BusClientProgress progress, gpointer data, GError **error);
/* From now on events are kept; to be called before the snapshot they continue. */
gboolean bus_client_follow(BusClient *client, GError **error);
/* Waits for the next event; NULL with an error when the node ended. */
JsonNode *bus_client_event(BusClient *client, GError **error);
/* The same for so long at most, or until a signal: NULL without an error when none came. */
JsonNode *bus_client_event_within(BusClient *client, int timeout_ms, GError **error);
void bus_client_destroy(BusClient *client);
