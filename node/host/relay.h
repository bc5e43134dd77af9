/* SPDX-License-Identifier: MPL-2.0 */
/*
 * This node as a relay: a home that carries for one meeting, and takes part in none.
 * It owns how such a home comes to its meeting, and which commands it serves. It never holds a key
 * of the meeting: what it carries and keeps is sealed.
 */
#pragma once

#include "node/host/room.h"

/* How much it keeps, as `wanted` says or as before. Before its room is opened. FALSE with an error.
 */
gboolean relay_load_store(Host *host, gint64 wanted, GError **error);
/* Whether this home is a relay's, or is to be one: `ticket`, or NULL. FALSE with an error. */
gboolean relay_load(Host *host, const char *ticket, GError **error);
/* Comes to its meeting by the ticket, by the one of before (NULL), or is there. FALSE with an error
 * that says what to do. */
gboolean relay_begin(Host *host, const char *ticket, GError **error);
/* The node is ready: what becomes of it is said from now on. */
void relay_ready(Host *host);
void relay_destroy(Host *host);

/* One of its rooms is in the meeting: the others are left. */
void relay_admitted(Room *room);
