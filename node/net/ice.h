/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ICE agents (RFC 8445) of all owners, by libnice; the only file that knows it.
 * It owns the agents, and lets two check at once. It never judges the datagrams that come by
 * them, and calls its handler from the main loop only, never from inside a call made to it.
 */
#pragma once

#include "node/net/interfaces.h"
#include "node/net/net.h"

typedef struct NetIce NetIce;

/* `handler`: its datagram, ice_offer and ice_state are called. */
NetIce *net_ice_create(NetHandler handler, NetCounters *counters);
/* Ends every agent, silently. NULL-safe. */
void net_ice_destroy(NetIce *ice);

/* As those of net.h, without the façade. `interfaces` is read when the agent gathers. */
void net_ice_agent_start(NetIce *ice, guint owner, guint32 number, gboolean controlling,
                         const MeshPath *servers, gsize server_count);
gboolean net_ice_agent_remote(NetIce *ice, guint owner, guint32 number, Bytes offer);
void net_ice_agent_stop(NetIce *ice, guint owner, guint32 number);
void net_ice_agent_stop_all(NetIce *ice, guint owner);

/* The addresses from which agents that start from now on send. Copied. */
void net_ice_addresses(NetIce *ice, const NetInterfaces *interfaces);
/* FALSE: it did not leave. */
gboolean net_ice_send(NetIce *ice, guint owner, guint32 number, Bytes bytes);
