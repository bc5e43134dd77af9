/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The commands that go on: what is there now is shown, then what comes.
 * It owns the wait for events. It never misses one unnoticed: after a gap in their numbers it asks
 * for everything again.
 */
#pragma once

#include "node/bus/client.h"
#include "node/cli/words.h"

/* `messages --follow`; until the node ends. FALSE with an error. */
gboolean follow_messages(const Words *words, BusClient *client, GError **error);
/* `peers --watch`: until Ctrl-C. FALSE with an error. */
gboolean follow_peers(const Words *words, BusClient *client, GError **error);
