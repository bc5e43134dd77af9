/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/node_net_rig.h"

#include <gio/gio.h>
#include <string.h>

#define ALARM_S 60

static void datagram_free(RigDatagram *datagram) {
    g_bytes_unref(datagram->bytes);
    g_free(datagram);
}

static void take_datagram(gpointer user, guint owner, const MeshPath *path, Bytes bytes) {
    Rig *rig = user;
    RigDatagram *datagram = g_new0(RigDatagram, 1);
    datagram->owner = owner;
    datagram->path = *path;
    datagram->bytes = g_bytes_new(bytes.data, bytes.length);
    g_ptr_array_add(rig->datagrams, datagram);
    if (rig->on_datagram != NULL) {
        rig->on_datagram(rig, datagram);
    }
}

static void take_addresses(gpointer user, const MeshPath *paths, gsize count, gboolean woke) {
    Rig *rig = user;
    g_assert_cmpuint(count, <=, MESH_ADDRESSES_MAX);
    memcpy(rig->addresses, paths, count * sizeof *paths);
    rig->address_count = count;
    rig->told++;
    rig->woke = woke;
}

static void take_offer(gpointer user, guint owner, guint32 agent, Bytes offer) {
    Rig *rig = user;
    g_assert_cmpuint(offer.length, <=, MESH_OFFER_MAX);
    g_hash_table_insert(rig->offers, GUINT_TO_POINTER(agent),
                        g_bytes_new(offer.data, offer.length));
    if (rig->on_offer != NULL) {
        rig->on_offer(rig, owner, agent);
    }
}

static void take_state(gpointer user, guint owner, guint32 agent, gboolean up) {
    Rig *rig = user;
    g_hash_table_insert(rig->states, GUINT_TO_POINTER(agent), GUINT_TO_POINTER(up ? 1 : 2));
    if (rig->on_state != NULL) {
        rig->on_state(rig, owner, agent);
    }
}

void rig_start(Rig *rig, const char *stun_server) {
    GError *error = NULL;
    NetHandler handler = {.datagram = take_datagram,
                          .addresses = take_addresses,
                          .ice_offer = take_offer,
                          .ice_state = take_state,
                          .user = rig};
    memset(rig, 0, sizeof *rig);
    rig->datagrams = g_ptr_array_new_with_free_func((GDestroyNotify)datagram_free);
    rig->offers = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_bytes_unref);
    rig->states = g_hash_table_new(NULL, NULL);
    rig->net = net_create(0, FALSE, stun_server, handler, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(rig->told, ==, 0);
}

void rig_stop(Rig *rig) {
    net_destroy(rig->net);
    g_ptr_array_unref(rig->datagrams);
    g_hash_table_unref(rig->offers);
    g_hash_table_unref(rig->states);
}

gboolean rig_got(const Rig *rig, const char *text, RigDatagram *ret_datagram) {
    g_autoptr(GBytes) wanted = g_bytes_new_static(text, strlen(text));
    for (guint i = 0; i < rig->datagrams->len; i++) {
        const RigDatagram *datagram = g_ptr_array_index(rig->datagrams, i);
        if (g_bytes_equal(datagram->bytes, wanted)) {
            if (ret_datagram != NULL) {
                *ret_datagram = *datagram;
            }
            return TRUE;
        }
    }
    return FALSE;
}

guint rig_got_from(const Rig *rig, guint16 port) {
    guint count = 0;
    for (guint i = 0; i < rig->datagrams->len; i++) {
        const RigDatagram *datagram = g_ptr_array_index(rig->datagrams, i);
        count += datagram->path.kind == MESH_PATH_KNOCK && datagram->path.port == port;
    }
    return count;
}

gboolean rig_has_v6(void) {
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_IPV6, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_autoptr(GSocketAddress) loopback = g_inet_socket_address_new_from_string("::1", 0);
    if (socket == NULL || !g_socket_bind(socket, loopback, FALSE, NULL)) {
        g_test_skip("this machine has no IPv6");
        return FALSE;
    }
    return TRUE;
}

MeshPath rig_path(const Rig *rig, guint8 family) {
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = family, .port = net_port(rig->net)};
    if (family == 4) {
        path.ip[0] = 127;
        path.ip[3] = 1;
    } else {
        path.ip[15] = 1;
    }
    return path;
}

Bytes rig_bytes(const char *text) {
    return (Bytes){.data = (const guint8 *)text, .length = strlen(text)};
}

guint rig_state(const Rig *rig, guint32 agent) {
    return GPOINTER_TO_UINT(g_hash_table_lookup(rig->states, GUINT_TO_POINTER(agent)));
}

Bytes rig_offer(const Rig *rig, guint32 agent) {
    GBytes *bytes = g_hash_table_lookup(rig->offers, GUINT_TO_POINTER(agent));
    gsize length = 0;
    const guint8 *data = bytes != NULL ? g_bytes_get_data(bytes, &length) : NULL;
    return (Bytes){.data = data, .length = length};
}

static gboolean too_late(gpointer data) {
    g_error("never came: %s", (const char *)data);
    return G_SOURCE_REMOVE;
}

guint rig_alarm(const char *what) {
    return g_timeout_add_seconds(ALARM_S, too_late, (gpointer)what);
}
