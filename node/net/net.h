/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How datagrams reach other nodes: the knock port, the beacon, and ICE agents.
 * It owns the sockets, the agents and the watch over this machine's addresses. It never reads what
 * it carries, but for STUN, and never keeps an address for later. One thread: the main loop's.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"

typedef struct Net Net;

typedef struct {
    /* `owner`: 0 on the knock port, else whose agent it came by. Bytes last for the call. */
    void (*datagram)(gpointer user, guint owner, const MeshPath *path, Bytes bytes);
    /* This node's own knock addresses, best first, at start and whenever they change; among them
       what a configured STUN server said. `woke`: the machine slept, or its network changed. */
    void (*addresses)(gpointer user, const MeshPath *paths, gsize count, gboolean woke);
    void (*ice_offer)(gpointer user, guint owner, guint32 agent, Bytes offer);
    void (*ice_state)(gpointer user, guint owner, guint32 agent, gboolean up); /* FALSE: gone */
    gpointer user;
} NetHandler;

/* Datagrams, beacons and STUN, of the knock port and of the agents. */
typedef struct {
    guint64 stun_answered, stun_limited, send_failed, sent, received;
    guint64 dropped; /* too large, empty, or STUN that nobody waits for */
} NetCounters;

/*
 * Opens the knock port on IPv4 and IPv6 (`port` 0: any; when a port asked for is taken, another one
 * unless `port_fixed`), joins the beacon's groups on every interface, and watches for changes.
 * `stun_server`: "host:port" in numbers, or NULL. Addresses are told from the main loop, soon.
 */
Net *net_create(guint16 port, gboolean port_fixed, const char *stun_server, NetHandler handler,
                GError **error);
/* Ends all of it without a word. Never called from within the handler. NULL-safe. */
void net_destroy(Net *net);
guint16 net_port(const Net *net);

/* Sends by a KNOCK or ICE path; what cannot leave is counted, never reported. */
void net_send(Net *net, guint owner, const MeshPath *path, Bytes bytes);
/* What is sent between these leaves by the second, with fewer system calls; ICE gathers nothing. */
void net_gather(Net *net);
void net_leave(Net *net);
/* From the knock port to the multicast groups, on every interface that is up, loopback included. */
void net_beacon(Net *net, Bytes bytes);

/*
 * ICE (RFC 8445) by libnice. An agent is named by owner and number. `servers`: knock addresses of
 * nodes that answer STUN. When gathered, ice_offer gives the local offer, at most MESH_OFFER_MAX
 * bytes; then net_ice_remote takes the other side's. Bad offers are refused by FALSE.
 */
void net_ice_start(Net *net, guint owner, guint32 agent, gboolean controlling,
                   const MeshPath *servers, gsize server_count);
gboolean net_ice_remote(Net *net, guint owner, guint32 agent, Bytes offer);
void net_ice_stop(Net *net, guint owner, guint32 agent);
/* Ends every agent of an owner. */
void net_ice_stop_all(Net *net, guint owner);

NetCounters net_counters(const Net *net);
