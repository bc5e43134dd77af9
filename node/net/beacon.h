/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where beacons are heard: one multicast group on IPv4 and one on IPv6, joined on each
 * interface that has an address.
 * It owns two sockets on the beacon's port, shared with the other nodes of this machine. It never
 * sends: beacons leave from the knock port, so that their source is where to knock.
 */
#pragma once

#include "node/net/interfaces.h"
#include "node/net/receive.h"

typedef struct NetBeacon NetBeacon;

/* Opens what it can: a machine where neither family works hears no beacon, and goes on. */
NetBeacon *net_beacon_create(NetReceiveEach heard, gpointer data, guint64 *dropped);
/* NULL-safe. */
void net_beacon_destroy(NetBeacon *beacon);

/* Joins on the interfaces that are new, forgets those that are gone. */
void net_beacon_join(NetBeacon *beacon, const NetInterfaces *interfaces);
/* Where beacons go: a group and its port, on IPv4 or IPv6. */
MeshPath net_beacon_group(guint8 family);
