/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/mapping.h"

/* RFC 8489 section 6.2.1, as for the checks of ICE. */
#define FIRST_MS   500
#define TRIES      7
#define REFRESH_MS 25000 /* NATs forget UDP after 30 s and more */

struct NetMapping {
    NetMappingHandler handler;
    MeshPath server;
    MeshPath found;
    NetStun *stun;
    guint8 request[NET_STUN_REQUEST_SIZE];
    guint tries; /* of the request that is open; 0: none is */
    guint timer;
};

static gboolean due(gpointer data);

static void wait_ms(NetMapping *mapping, guint delay_ms) {
    g_clear_handle_id(&mapping->timer, g_source_remove);
    mapping->timer = g_timeout_add(delay_ms, due, mapping);
}

static void found(NetMapping *mapping, const MeshPath *path) {
    if (!mesh_path_equal(&mapping->found, path)) {
        mapping->found = *path;
        mapping->handler.changed(mapping->handler.data);
    }
}

static gboolean due(gpointer data) {
    NetMapping *mapping = data;
    mapping->timer = 0;
    if (mapping->tries == TRIES) {
        mapping->tries = 0;
        wait_ms(mapping, REFRESH_MS);
        found(mapping, &(MeshPath){.kind = MESH_PATH_NONE});
        return G_SOURCE_REMOVE;
    }
    if (mapping->tries == 0) {
        net_stun_ask(mapping->stun, mapping->request);
    }
    wait_ms(mapping, FIRST_MS << mapping->tries++);
    mapping->handler.send(mapping->handler.data, &mapping->server,
                          (Bytes){.data = mapping->request, .length = sizeof mapping->request});
    return G_SOURCE_REMOVE;
}

NetMapping *net_mapping_create(const MeshPath *server, NetMappingHandler handler) {
    NetMapping *mapping = g_new0(NetMapping, 1);
    mapping->handler = handler;
    mapping->server = *server;
    mapping->stun = net_stun_create();
    wait_ms(mapping, 0);
    return mapping;
}

void net_mapping_destroy(NetMapping *mapping) {
    if (mapping != NULL) {
        g_clear_handle_id(&mapping->timer, g_source_remove);
        net_stun_destroy(mapping->stun);
        g_free(mapping);
    }
}

void net_mapping_again(NetMapping *mapping) {
    mapping->tries = 0;
    mapping->found = (MeshPath){.kind = MESH_PATH_NONE};
    wait_ms(mapping, 0);
}

gboolean net_mapping_take(NetMapping *mapping, const MeshPath *from, Bytes answer) {
    MeshPath path;
    if (mapping->tries == 0 || !mesh_path_equal(from, &mapping->server) ||
        !net_stun_answered(mapping->stun, answer, &path)) {
        return FALSE;
    }
    mapping->tries = 0;
    wait_ms(mapping, REFRESH_MS);
    found(mapping, &path);
    return TRUE;
}

MeshPath net_mapping_found(const NetMapping *mapping) {
    return mapping->found;
}
