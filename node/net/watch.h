/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Watches the kernel's news of links and addresses (rtnetlink), and this machine's sleep.
 * It owns its two descriptors. It never says what changed: interfaces.h reads that.
 */
#pragma once

#include <glib.h>

typedef struct NetWatch NetWatch;

/* `woke`: the machine slept, or a link came or went, even if it looks as before. */
typedef void (*NetWatchChanged)(gpointer data, gboolean woke);

/* News that come together are told once, about 200 ms after the first. NULL with an error. */
NetWatch *net_watch_create(NetWatchChanged changed, gpointer data, GError **error);
/* NULL-safe. */
void net_watch_destroy(NetWatch *watch);
