/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

/* Messages handled before the rest of the loop has its turn. */
#define TURN_MESSAGES_MAX 64
/* Parts beyond this are thrown away as they come; no message of ours has so many. */
#define PARTS_MAX 8

G_DEFINE_QUARK(maillon - bus - socket - error, bus_socket_error)

struct BusSocket {
    void *zmq;
    GSource *source;
    gpointer descriptor; /* in the loop */
    gboolean stirred;    /* something was sent or taken since ZMQ_EVENTS was last asked */
    BusSocketReceive receive;
    gpointer data;
    guint64 dropped;
};

typedef struct {
    GSource source;
    BusSocket *socket;
} SocketSource;

static void *context;
static guint context_users;

static void *context_take(void) {
    if (context_users++ == 0) {
        context = zmq_ctx_new();
        g_assert(context != NULL);
    }
    return context;
}

static void context_release(void) {
    if (--context_users == 0) {
        zmq_ctx_term(context);
        context = NULL;
    }
}

static gboolean fail(GError **error, const char *what) {
    g_set_error(error, BUS_SOCKET_ERROR, errno, "%s: %s", what, zmq_strerror(errno));
    return FALSE;
}

BusSocket *bus_socket_create(BusSocketKind kind, gint64 message_max, GError **error) {
    static const int types[] = {ZMQ_ROUTER, ZMQ_XPUB, ZMQ_PAIR, ZMQ_DEALER, ZMQ_SUB};
    void *zmq = zmq_socket(context_take(), types[kind]);
    if (zmq == NULL) {
        fail(error, "zmq_socket");
        context_release();
        return NULL;
    }
    zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max);
    if (kind == BUS_SOCKET_ROUTER) {
        int mandatory = 1; /* so that it is seen when whoever asked is gone */
        zmq_setsockopt(zmq, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
    }
    if (kind == BUS_SOCKET_SUB) {
        zmq_setsockopt(zmq, ZMQ_SUBSCRIBE, "", 0);
    }
    if (kind == BUS_SOCKET_PUB) {
        zmq_setsockopt(zmq, ZMQ_XPUB_WELCOME_MSG, BUS_SOCKET_WELCOME, strlen(BUS_SOCKET_WELCOME));
    }
    BusSocket *socket = g_new0(BusSocket, 1);
    socket->zmq = zmq;
    return socket;
}

gboolean bus_socket_bind(BusSocket *socket, const char *endpoint, GError **error) {
    mode_t before = umask(0077);
    int status = zmq_bind(socket->zmq, endpoint);
    umask(before);
    return status == 0 || fail(error, endpoint);
}

gboolean bus_socket_connect(BusSocket *socket, const char *endpoint, GError **error) {
    return zmq_connect(socket->zmq, endpoint) == 0 || fail(error, endpoint);
}

static gboolean readable(BusSocket *socket) {
    int events = 0;
    size_t length = sizeof events;
    return zmq_getsockopt(socket->zmq, ZMQ_EVENTS, &events, &length) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

/* The next message, or NULL. */
static GPtrArray *take(BusSocket *socket) {
    GPtrArray *parts = NULL;
    int more = 1;
    while (more != 0) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket->zmq, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            break;
        }
        if (parts == NULL) {
            parts = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
        }
        if (parts->len < PARTS_MAX) {
            g_ptr_array_add(parts, g_bytes_new(zmq_msg_data(&part), zmq_msg_size(&part)));
        }
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return parts;
}

/* What counts is ZMQ_EVENTS. The descriptor says that it may have changed, but not what was seen
 * while sending or taking: after these it is asked unprompted. Asking costs two system calls, so it
 * is not asked each turn. */
static gboolean source_prepare(GSource *source, gint *ret_timeout_ms) {
    BusSocket *socket = ((SocketSource *)source)->socket;
    gboolean stirred = socket->stirred;
    *ret_timeout_ms = -1;
    socket->stirred = FALSE;
    return stirred && readable(socket);
}

static gboolean source_check(GSource *source) {
    BusSocket *socket = ((SocketSource *)source)->socket;
    return g_source_query_unix_fd(source, socket->descriptor) != 0 && readable(socket);
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
    BusSocket *socket = ((SocketSource *)source)->socket;
    for (int turn = 0; turn < TURN_MESSAGES_MAX && !g_source_is_destroyed(source); turn++) {
        g_autoptr(GPtrArray) parts = take(socket);
        if (parts == NULL) {
            break;
        }
        socket->receive(parts, socket->data);
    }
    socket->stirred = TRUE;
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_functions = {
    .prepare = source_prepare, .check = source_check, .dispatch = source_dispatch};

void bus_socket_watch(BusSocket *socket, BusSocketReceive receive, gpointer data) {
    g_assert(socket->source == NULL);
    socket->receive = receive;
    socket->data = data;
    int descriptor = -1;
    size_t length = sizeof descriptor;
    zmq_getsockopt(socket->zmq, ZMQ_FD, &descriptor, &length);
    socket->source = g_source_new(&source_functions, sizeof(SocketSource));
    ((SocketSource *)socket->source)->socket = socket;
    g_source_set_can_recurse(socket->source, TRUE); /* else each call wakes the loop twice */
    socket->descriptor = g_source_add_unix_fd(socket->source, descriptor, G_IO_IN);
    socket->stirred = TRUE;
    g_source_attach(socket->source, NULL);
}

gboolean bus_socket_send(BusSocket *socket, GBytes *const *parts, gsize count) {
    socket->stirred = TRUE;
    for (gsize i = 0; i < count; i++) {
        gsize length = 0;
        const void *data = g_bytes_get_data(parts[i], &length);
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        if (zmq_send(socket->zmq, data, length, flags) < 0) {
            socket->dropped++;
            return FALSE;
        }
    }
    return TRUE;
}

GPtrArray *bus_socket_wait(BusSocket *socket, int timeout_ms) {
    zmq_pollitem_t item = {.socket = socket->zmq, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, timeout_ms) > 0 ? take(socket) : NULL;
}

guint64 bus_socket_dropped(const BusSocket *socket) {
    return socket->dropped;
}

void bus_socket_destroy(BusSocket *socket, int linger_ms) {
    if (socket == NULL) {
        return;
    }
    if (socket->source != NULL) {
        g_source_destroy(socket->source);
        g_source_unref(socket->source);
    }
    zmq_setsockopt(socket->zmq, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close(socket->zmq);
    g_free(socket);
    context_release();
}
