/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The knock port: one UDP port on IPv4 and IPv6.
 * It owns the two sockets. It never reads what comes, and never reports what cannot leave: that is
 * counted.
 */
#pragma once

#include "node/net/net.h"
#include "node/net/receive.h"

typedef struct NetKnock NetKnock;

/*
 * Opens `port` on both families, or on the only one this machine has; 0: any port. When it is
 * taken: another, or with `port_fixed` NULL and an error. `counters`: what left, did not, or is no
 * datagram.
 */
NetKnock *net_knock_create(guint16 port, gboolean port_fixed, NetReceiveEach arrived, gpointer data,
                           NetCounters *counters, GError **error);
/* NULL-safe. */
void net_knock_destroy(NetKnock *knock);
guint16 net_knock_port(const NetKnock *knock);

/* While it gathers, what is sent waits; then all of it leaves, together where it can. */
void net_knock_gather(NetKnock *knock, gboolean gathers);
/* Sends; `interface` 0: as the routes say. `local`: the address to send from, NULL: any. */
void net_knock_send(NetKnock *knock, const MeshPath *to, guint32 interface, const guint8 *local,
                    Bytes bytes);
