/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/beacon.h"

#include <glib-unix.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/net/address.h"

#define BEACON_PORT  19820
#define FAMILY_COUNT 2

/* 239.255.77.108, of the local scope (RFC 2365); ff12::, link-local and not assigned (RFC 4291). */
static const guint8 GROUP_V4[4] = {239, 255, 'M', 'l'};
static const guint8 GROUP_V6[16] = {0xff, 0x12, [9] = 'M', 'a', 'i', 'l', 'l', 'o', 'n'};

typedef struct {
    int socket; /* -1: none */
    guint source;
    GArray *joined; /* guint32: interfaces */
} Ear;

struct NetBeacon {
    NetReceiveEach heard;
    gpointer data;
    guint64 *dropped;
    Ear ears[FAMILY_COUNT]; /* IPv4, IPv6 */
};

MeshPath net_beacon_group(guint8 family) {
    MeshPath group = {.kind = MESH_PATH_KNOCK, .family = family, .port = BEACON_PORT};
    memcpy(group.ip, family == 4 ? GROUP_V4 : GROUP_V6, family == 4 ? 4 : 16);
    return group;
}

/* Anything can be sent to the port itself. */
static void sift(gpointer data, const NetArrival *arrival) {
    NetBeacon *beacon = data;
    MeshPath group = net_beacon_group(arrival->path.family);
    if (memcmp(arrival->local, group.ip, sizeof group.ip) == 0) {
        beacon->heard(beacon->data, arrival);
    } else {
        ++*beacon->dropped;
    }
}

static gboolean readable(gint descriptor, GIOCondition condition, gpointer data) {
    NetBeacon *beacon = data;
    *beacon->dropped += net_receive_turn(descriptor, sift, beacon);
    return G_SOURCE_CONTINUE;
}

static int open_ear(guint8 family) {
    int descriptor = net_receive_socket(family);
    if (descriptor < 0) {
        return -1;
    }
    int one = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* Not to the group: IPv6 would want an interface with it. */
    MeshPath any = {.family = family, .port = BEACON_PORT};
    struct sockaddr_storage address;
    socklen_t length = net_address_to_socket(&any, &address);
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

NetBeacon *net_beacon_create(NetReceiveEach heard, gpointer data, guint64 *dropped) {
    NetBeacon *beacon = g_new0(NetBeacon, 1);
    beacon->heard = heard;
    beacon->data = data;
    beacon->dropped = dropped;
    for (int place = 0; place < FAMILY_COUNT; place++) {
        Ear *ear = &beacon->ears[place];
        ear->joined = g_array_new(FALSE, FALSE, sizeof(guint32));
        ear->socket = open_ear(place == 0 ? 4 : 6);
        if (ear->socket >= 0) {
            ear->source = g_unix_fd_add(ear->socket, G_IO_IN, readable, beacon);
        }
    }
    return beacon;
}

void net_beacon_destroy(NetBeacon *beacon) {
    if (beacon == NULL) {
        return;
    }
    for (int place = 0; place < FAMILY_COUNT; place++) {
        Ear *ear = &beacon->ears[place];
        g_clear_handle_id(&ear->source, g_source_remove);
        if (ear->socket >= 0) {
            close(ear->socket);
        }
        g_array_unref(ear->joined);
    }
    g_free(beacon);
}

static gboolean member(const Ear *ear, int place, guint32 interface, gboolean join) {
    if (place == 0) {
        struct ip_mreqn request = {.imr_ifindex = (int)interface};
        memcpy(&request.imr_multiaddr, GROUP_V4, 4);
        return setsockopt(ear->socket, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                          &request, sizeof request) == 0;
    }
    struct ipv6_mreq request = {.ipv6mr_interface = interface};
    memcpy(&request.ipv6mr_multiaddr, GROUP_V6, 16);
    return setsockopt(ear->socket, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                      &request, sizeof request) == 0;
}

static gboolean has(const GArray *joined, guint32 index) {
    for (guint i = 0; i < joined->len; i++) {
        if (g_array_index(joined, guint32, i) == index) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Without an address there nobody could be answered. */
static gboolean is_of_use(const NetInterface *interface, int place) {
    return place == 0 ? interface->has_v4 : interface->has_v6;
}

static gboolean is_there(const NetInterfaces *interfaces, int place, guint32 index) {
    for (guint i = 0; i < interfaces->interfaces->len; i++) {
        const NetInterface *interface = &g_array_index(interfaces->interfaces, NetInterface, i);
        if (interface->index == index) {
            return is_of_use(interface, place);
        }
    }
    return FALSE;
}

void net_beacon_join(NetBeacon *beacon, const NetInterfaces *interfaces) {
    for (int place = 0; place < FAMILY_COUNT; place++) {
        Ear *ear = &beacon->ears[place];
        if (ear->socket < 0) {
            continue;
        }
        /* What is gone still counts against igmp_max_memberships. */
        for (guint i = ear->joined->len; i-- > 0;) {
            guint32 index = g_array_index(ear->joined, guint32, i);
            if (!is_there(interfaces, place, index)) {
                member(ear, place, index, FALSE);
                g_array_remove_index_fast(ear->joined, i);
            }
        }
        for (guint i = 0; i < interfaces->interfaces->len; i++) {
            const NetInterface *interface = &g_array_index(interfaces->interfaces, NetInterface, i);
            guint32 index = interface->index;
            if (is_of_use(interface, place) && !has(ear->joined, index) &&
                member(ear, place, index, TRUE)) {
                g_array_append_val(ear->joined, index);
            }
        }
    }
}
