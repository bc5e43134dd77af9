/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the sockets of a node's home are.
 * It owns the rule: in the home, unless its path is too long for a unix socket; then in a folder
 * of one's own elsewhere, which the home names. It never opens a ZeroMQ socket.
 */
#pragma once

#include <glib.h>

/*
 * The file of a socket, by its short name ("bus", "events", "play", "capture"). With `create` a
 * folder elsewhere is made when one is needed. NULL with an error when none can be had. Caller
 * frees.
 */
char *bus_address_path(const char *home, const char *name, gboolean create, GError **error);

/* Whether something listens on the unix socket of this path. */
gboolean bus_address_answers(const char *path);
