/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/knock.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* After netinet, whose names it repeats. */
#include <linux/in6.h>

#include "mesh/limits.h"
#include "node/cli/language.h"
#include "node/net/address.h"
#include "node/net/batch.h"

#define TRIES        32 /* of any port, until one is free on both families */
#define BUFFER_BYTES (1024 * 1024)
#define FAMILY_COUNT 2

struct NetKnock {
    NetReceiveEach arrived;
    gpointer data;
    guint64 *dropped;
    NetBatch *batch;
    gboolean gathers;
    guint16 port;
    int sockets[FAMILY_COUNT]; /* IPv4, IPv6; -1: this machine has none */
    gboolean whole;            /* by IPv4 what is sent now leaves whole, or not at all */
    guint sources[FAMILY_COUNT];
};

static int family_at(int place) {
    return place == 0 ? 4 : 6;
}

/* Where a link is narrower than any datagram may be, fragments are better than nothing; a larger
 * one shows whether the path carries it, and is lost if it does not. */
static void keep_whole(int descriptor, gboolean whole) {
    int discover = whole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
    setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover);
}

/* What helps and may fail: none of it is needed to meet. */
static void tune(int descriptor, guint8 family) {
    int bytes = BUFFER_BYTES;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (family == 4) {
        keep_whole(descriptor, FALSE);
    } else {
        /* What is too large for the path is lost, so that the link learns it. */
        int discover = IPV6_PMTUDISC_PROBE;
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover, sizeof discover);
        /* Answers leave from the lasting address that others know, or their firewalls drop them. */
        int public = IPV6_PREFER_SRC_PUBLIC;
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, &public, sizeof public);
    }
}

/* Binds one family, if the machine has it; FALSE with errno. Port 0 becomes the one found. */
static gboolean open_family(NetKnock *knock, int place, guint16 *port) {
    guint8 family = (guint8)family_at(place);
    int descriptor = net_receive_socket(family);
    if (descriptor < 0) {
        return errno == EAFNOSUPPORT;
    }
    knock->sockets[place] = descriptor;
    MeshPath any = {.family = family, .port = *port};
    struct sockaddr_storage address;
    socklen_t length = net_address_to_socket(&any, &address);
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0) {
        /* IPv6 built in, but switched off. */
        gboolean absent = errno == EADDRNOTAVAIL;
        int code = errno;
        close(descriptor);
        knock->sockets[place] = -1;
        errno = code;
        return absent;
    }
    length = sizeof address;
    getsockname(descriptor, (struct sockaddr *)&address, &length);
    if (net_address_from_socket(&address, &any)) {
        *port = any.port;
    }
    tune(descriptor, family);
    return TRUE;
}

static void close_all(NetKnock *knock) {
    for (int place = 0; place < FAMILY_COUNT; place++) {
        g_clear_handle_id(&knock->sources[place], g_source_remove);
        if (knock->sockets[place] >= 0) {
            close(knock->sockets[place]);
            knock->sockets[place] = -1;
        }
    }
}

/* The same port on both families. */
static gboolean open_all(NetKnock *knock, guint16 port) {
    guint16 found = port;
    for (int place = 0; place < FAMILY_COUNT; place++) {
        if (!open_family(knock, place, &found)) {
            int code = errno;
            close_all(knock);
            errno = code;
            return FALSE;
        }
    }
    if (knock->sockets[0] < 0 && knock->sockets[1] < 0) {
        errno = EAFNOSUPPORT;
        return FALSE;
    }
    knock->port = found;
    return TRUE;
}

static gboolean open_some(NetKnock *knock, guint16 port, gboolean port_fixed) {
    if (port != 0 && (open_all(knock, port) || port_fixed)) {
        return knock->port != 0;
    }
    for (int tries = 0; knock->port == 0 && tries < TRIES; tries++) {
        if (!open_all(knock, 0) && errno != EADDRINUSE) {
            break;
        }
    }
    return knock->port != 0;
}

static gboolean readable(gint descriptor, GIOCondition condition, gpointer data) {
    NetKnock *knock = data;
    *knock->dropped += net_receive_turn(descriptor, knock->arrived, knock->data);
    return G_SOURCE_CONTINUE;
}

/* GLib takes the descriptor of a source that may not recurse out of the loop while it is called,
 * waking the loop twice; no callback of ours runs a loop of its own. */
static guint watch(NetKnock *knock, int descriptor) {
    g_autoptr(GSource) source = g_unix_fd_source_new(descriptor, G_IO_IN);
    g_source_set_callback(source, G_SOURCE_FUNC(readable), knock, NULL);
    g_source_set_can_recurse(source, TRUE);
    return g_source_attach(source, NULL);
}

NetKnock *net_knock_create(guint16 port, gboolean port_fixed, NetReceiveEach arrived, gpointer data,
                           NetCounters *counters, GError **error) {
    NetKnock *knock = g_new0(NetKnock, 1);
    knock->arrived = arrived;
    knock->data = data;
    knock->dropped = &counters->dropped;
    knock->batch = net_batch_create(&counters->sent, &counters->send_failed);
    memset(knock->sockets, -1, sizeof knock->sockets);
    if (!open_some(knock, port, port_fixed)) {
        int code = errno;
        if (code == EADDRINUSE) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                        _("the network port %d is taken by another program"), port);
        } else {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                        _("the network port cannot be opened: %s"), g_strerror(code));
        }
        net_knock_destroy(knock);
        return NULL;
    }
    for (int place = 0; place < FAMILY_COUNT; place++) {
        if (knock->sockets[place] >= 0) {
            knock->sources[place] = watch(knock, knock->sockets[place]);
        }
    }
    return knock;
}

void net_knock_destroy(NetKnock *knock) {
    if (knock != NULL) {
        close_all(knock);
        net_batch_destroy(knock->batch);
        g_free(knock);
    }
}

guint16 net_knock_port(const NetKnock *knock) {
    return knock->port;
}

void net_knock_gather(NetKnock *knock, gboolean gathers) {
    knock->gathers = gathers;
    if (!gathers) {
        net_batch_leave(knock->batch);
    }
}

void net_knock_send(NetKnock *knock, const MeshPath *to, guint32 interface, const guint8 *local,
                    Bytes bytes) {
    int descriptor = knock->sockets[to->family == 4 ? 0 : 1];
    gboolean whole = bytes.length > MESH_DATAGRAM_SAFE_MAX;
    if (to->family == 4 && whole != knock->whole) {
        net_batch_leave(knock->batch);
        knock->whole = whole;
        keep_whole(descriptor, whole);
    }
    net_batch_add(knock->batch, descriptor, to, interface, local, bytes);
    if (!knock->gathers) {
        net_batch_leave(knock->batch);
    }
}
