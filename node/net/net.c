/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/net.h"

#include <gio/gio.h>

#include "node/cli/language.h"
#include "node/net/address.h"
#include "node/net/beacon.h"
#include "node/net/ice.h"
#include "node/net/interfaces.h"
#include "node/net/knock.h"
#include "node/net/limit.h"
#include "node/net/mapping.h"
#include "node/net/stun.h"
#include "node/net/watch.h"

struct Net {
    NetHandler handler;
    NetCounters counters;
    NetKnock *knock;
    NetBeacon *beacon;
    NetWatch *watch;
    NetIce *ice;
    NetStun *stun;
    NetLimit *limit;
    NetMapping *mapping; /* NULL: no STUN server is configured */
    NetInterfaces interfaces;
    MeshPath told[MESH_ADDRESSES_MAX];
    gsize told_count;
    guint begin; /* the first telling, from the loop */
};

/* ---- own addresses ---- */

static void list(MeshPath *paths, gsize *count, const MeshPath *path) {
    for (gsize i = 0; i < *count; i++) {
        if (mesh_path_equal(&paths[i], path)) {
            return;
        }
    }
    if (*count < MESH_ADDRESSES_MAX) {
        paths[(*count)++] = *path;
    }
}

/* What a STUN server said stands before the addresses that only neighbours can reach. */
static gsize list_all(const Net *net, MeshPath *ret_paths) {
    gsize count = 0;
    MeshPath mapped = {.kind = MESH_PATH_NONE};
    if (net->mapping != NULL) {
        mapped = net_mapping_found(net->mapping);
    }
    for (guint i = 0; i < net->interfaces.addresses->len; i++) {
        NetAddress address = g_array_index(net->interfaces.addresses, NetAddress, i);
        if (mapped.kind != MESH_PATH_NONE && address.rank >= NET_ADDRESS_PUBLIC_V4) {
            list(ret_paths, &count, &mapped);
        }
        if (net_interfaces_reach(&net->interfaces, address.rank)) {
            address.path.port = net_knock_port(net->knock);
            list(ret_paths, &count, &address.path);
        }
    }
    if (mapped.kind != MESH_PATH_NONE) {
        list(ret_paths, &count, &mapped);
    }
    return count;
}

static gboolean is_told(const Net *net, const MeshPath *paths, gsize count) {
    gboolean same = count == net->told_count;
    for (gsize i = 0; same && i < count; i++) {
        same = mesh_path_equal(&net->told[i], &paths[i]);
    }
    return same;
}

static void tell(Net *net, gboolean woke) {
    net->told_count = list_all(net, net->told);
    net->handler.addresses(net->handler.user, net->told, net->told_count, woke);
}

static gboolean begin(gpointer data) {
    Net *net = data;
    net->begin = 0;
    tell(net, FALSE);
    return G_SOURCE_REMOVE;
}

static void mapping_changed(gpointer data) {
    Net *net = data;
    if (net->begin == 0) {
        tell(net, FALSE);
    }
}

static void network_changed(gpointer data, gboolean woke) {
    Net *net = data;
    MeshPath paths[MESH_ADDRESSES_MAX];
    g_autoptr(GError) error = NULL;
    if (!net_interfaces_read(&net->interfaces, &error)) {
        g_warning("network interfaces: %s", error->message);
        return;
    }
    net_beacon_join(net->beacon, &net->interfaces);
    net_ice_addresses(net->ice, &net->interfaces);
    gboolean changed = !is_told(net, paths, list_all(net, paths));
    if (changed || woke) {
        g_clear_handle_id(&net->begin, g_source_remove);
        if (net->mapping != NULL) {
            net_mapping_again(net->mapping);
        }
        tell(net, TRUE);
    }
}

/* ---- datagrams ---- */

static void count_sent(Net *net, gboolean left) {
    if (left) {
        net->counters.sent++;
    } else {
        net->counters.send_failed++;
    }
}

/* A datagram's first byte tells STUN from ours (RFC 7983). */
static void take_stun(Net *net, const NetArrival *arrival) {
    guint8 reply[NET_STUN_REPLY_SIZE];
    if (net->mapping != NULL && net_mapping_take(net->mapping, &arrival->path, arrival->bytes)) {
        return;
    }
    gsize length = net_address_is_usable(&arrival->path)
                       ? net_stun_answer(net->stun, arrival->bytes, &arrival->path, reply)
                       : 0;
    if (length == 0) {
        net->counters.dropped++;
        return;
    }
    if (!net_limit_allow(net->limit, &arrival->path, g_get_monotonic_time())) {
        net->counters.stun_limited++;
        return;
    }
    net->counters.stun_answered++;
    guint32 interface = mesh_path_is_link_local(&arrival->path) ? arrival->interface : 0;
    net_knock_send(net->knock, &arrival->path, interface, arrival->local,
                   (Bytes){.data = reply, .length = length});
}

static void take(Net *net, const NetArrival *arrival) {
    if (arrival->bytes.length > MESH_DATAGRAM_MAX) {
        net->counters.dropped++;
        return;
    }
    net->counters.received++;
    net->handler.datagram(net->handler.user, 0, &arrival->path, arrival->bytes);
}

static void knocked(gpointer data, const NetArrival *arrival) {
    if (net_stun_is(arrival->bytes)) {
        take_stun(data, arrival);
    } else {
        take(data, arrival);
    }
}

static void heard(gpointer data, const NetArrival *arrival) {
    Net *net = data;
    if (arrival->path.port == net_knock_port(net->knock) &&
        net_interfaces_own(&net->interfaces, &arrival->path)) {
        return; /* our own voice */
    }
    if (net_stun_is(arrival->bytes) || !net_address_is_usable(&arrival->path)) {
        net->counters.dropped++;
    } else {
        take(net, arrival);
    }
}

static void ask_mapping(gpointer data, const MeshPath *server, Bytes request) {
    Net *net = data;
    net_knock_send(net->knock, server, 0, NULL, request);
}

/* Link-local, and nobody said where: on each interface, for at most one leads there. */
static void send_everywhere(Net *net, const MeshPath *path, Bytes bytes) {
    for (guint i = 0; i < net->interfaces.interfaces->len; i++) {
        const NetInterface *interface = &g_array_index(net->interfaces.interfaces, NetInterface, i);
        MeshPath to = *path;
        to.interface = interface->index;
        if (!interface->loopback && (path->family == 4 ? interface->has_v4 : interface->has_v6)) {
            net_knock_send(net->knock, &to, to.interface, NULL, bytes);
        }
    }
}

void net_send(Net *net, guint owner, const MeshPath *path, Bytes bytes) {
    if (path->kind == MESH_PATH_ICE) {
        count_sent(net, net_ice_send(net->ice, owner, path->agent, bytes));
    } else if (path->kind != MESH_PATH_KNOCK || !net_address_is_usable(path)) {
        count_sent(net, FALSE);
    } else if (path->interface == 0 && mesh_path_is_link_local(path)) {
        send_everywhere(net, path, bytes);
    } else {
        net_knock_send(net->knock, path, path->interface, NULL, bytes);
    }
}

void net_gather(Net *net) {
    net_knock_gather(net->knock, TRUE);
}

void net_leave(Net *net) {
    net_knock_gather(net->knock, FALSE);
}

/* Without a source of its own, IPv4 would leave with another interface's address, or none. */
static void beacon_by(Net *net, const NetInterface *interface, guint8 family, Bytes bytes) {
    MeshPath group = net_beacon_group(family);
    group.interface = interface->index;
    net_knock_send(net->knock, &group, interface->index, family == 4 ? interface->v4 : NULL, bytes);
}

void net_beacon(Net *net, Bytes bytes) {
    for (guint i = 0; i < net->interfaces.interfaces->len; i++) {
        const NetInterface *interface = &g_array_index(net->interfaces.interfaces, NetInterface, i);
        if (interface->has_v4) {
            beacon_by(net, interface, 4, bytes);
        }
        /* Loopback seldom has a route for IPv6 multicast, and its IPv4 suffices. */
        if (interface->has_v6 && !(interface->loopback && interface->has_v4)) {
            beacon_by(net, interface, 6, bytes);
        }
    }
}

/* ---- ICE ---- */

void net_ice_start(Net *net, guint owner, guint32 agent, gboolean controlling,
                   const MeshPath *servers, gsize server_count) {
    net_ice_agent_start(net->ice, owner, agent, controlling, servers, server_count);
}

gboolean net_ice_remote(Net *net, guint owner, guint32 agent, Bytes offer) {
    return net_ice_agent_remote(net->ice, owner, agent, offer);
}

void net_ice_stop(Net *net, guint owner, guint32 agent) {
    net_ice_agent_stop(net->ice, owner, agent);
}

void net_ice_stop_all(Net *net, guint owner) {
    net_ice_agent_stop_all(net->ice, owner);
}

/* ---- beginning and end ---- */

static gboolean open_network(Net *net, guint16 port, gboolean port_fixed, GError **error) {
    net->knock = net_knock_create(port, port_fixed, knocked, net, &net->counters, error);
    if (net->knock == NULL) {
        return FALSE;
    }
    net->watch = net_watch_create(network_changed, net, error);
    if (net->watch == NULL || !net_interfaces_read(&net->interfaces, error)) {
        g_prefix_error(error, "%s: ", _("the network interfaces cannot be read"));
        return FALSE;
    }
    return TRUE;
}

Net *net_create(guint16 port, gboolean port_fixed, const char *stun_server, NetHandler handler,
                GError **error) {
    MeshPath server;
    if (stun_server != NULL && !net_address_parse(stun_server, &server)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    _("%s: a STUN server is given as ADDRESS:PORT, in numbers"), stun_server);
        return NULL;
    }
    Net *net = g_new0(Net, 1);
    net->handler = handler;
    if (!open_network(net, port, port_fixed, error)) {
        net_destroy(net);
        return NULL;
    }
    net->stun = net_stun_create();
    net->limit = net_limit_create();
    net->beacon = net_beacon_create(heard, net, &net->counters.dropped);
    net->ice = net_ice_create(handler, &net->counters);
    net_beacon_join(net->beacon, &net->interfaces);
    net_ice_addresses(net->ice, &net->interfaces);
    if (stun_server != NULL) {
        NetMappingHandler mapping = {.send = ask_mapping, .changed = mapping_changed, .data = net};
        net->mapping = net_mapping_create(&server, mapping);
    }
    net->begin = g_timeout_add(0, begin, net);
    return net;
}

void net_destroy(Net *net) {
    if (net == NULL) {
        return;
    }
    g_clear_handle_id(&net->begin, g_source_remove);
    net_mapping_destroy(net->mapping);
    net_ice_destroy(net->ice);
    net_beacon_destroy(net->beacon);
    net_watch_destroy(net->watch);
    net_knock_destroy(net->knock);
    net_stun_destroy(net->stun);
    net_limit_destroy(net->limit);
    net_interfaces_finish(&net->interfaces);
    g_free(net);
}

guint16 net_port(const Net *net) {
    return net_knock_port(net->knock);
}

NetCounters net_counters(const Net *net) {
    return net->counters;
}
