/* SPDX-License-Identifier: MPL-2.0 */
#include "media/channel.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <zmq.h>

#define QUEUE_MESSAGES   512
#define LINGER_MS        500
#define PATIENCE_MS      2000
#define CONNECT_MS       5000
#define MONITOR_ENDPOINT "inproc://monitor"

typedef struct {
    GSource source;
    void *socket;
    gpointer tag;
} SocketSource;

struct MediaChannel {
    MediaChannelHandler handler;
    void *context;
    void *socket;
    void *monitor;
    GSource *socket_source;
    GSource *monitor_source;
    guint64 dropped;
    guint64 refused;
};

/*
 * ZeroMQ's descriptor tells of a change, not of a state: after any use of the socket the state has
 * to be asked for again. Asking before each poll covers every case, sends included.
 */
static gboolean socket_readable(void *socket) {
    int events = 0;
    size_t size = sizeof(events);
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN);
}

static gboolean source_prepare(GSource *source, gint *ret_timeout) {
    *ret_timeout = -1;
    return socket_readable(((SocketSource *)source)->socket);
}

static gboolean source_check(GSource *source) {
    return socket_readable(((SocketSource *)source)->socket);
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer user) {
    return callback(user);
}

static GSource *source_create(void *socket, GSourceFunc callback, gpointer user) {
    static GSourceFuncs functions = {source_prepare, source_check, source_dispatch,
                                     NULL,           NULL,         NULL};
    GSource *source = g_source_new(&functions, sizeof(SocketSource));
    SocketSource *own = (SocketSource *)source;
    int descriptor = -1;
    size_t size = sizeof(descriptor);
    zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size);
    own->socket = socket;
    own->tag = g_source_add_unix_fd(source, descriptor, G_IO_IN);
    g_source_set_callback(source, callback, user, NULL);
    g_source_attach(source, NULL);
    return source;
}

static void source_destroy(GSource **source) {
    if (*source != NULL) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

static void closed(MediaChannel *channel) {
    void (*notify)(void *user) = channel->handler.closed;
    channel->handler.closed = NULL;
    if (notify != NULL) {
        notify(channel->handler.user);
    }
}

/* At most a batch at a time, so that the clock of the player is never starved. */
static gboolean on_readable(gpointer user) {
    MediaChannel *channel = user;
    for (int i = 0; i < 64; i++) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, channel->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            break;
        }
        MediaMessage message;
        if (media_message_decode(zmq_msg_data(&part), zmq_msg_size(&part), &message)) {
            channel->handler.received(&message, channel->handler.user);
        } else if (channel->refused++ == 0) {
            media_channel_say(channel, MEDIA_ERROR, MEDIA_KIND_NONE, "unreadable message refused");
        }
        zmq_msg_close(&part);
    }
    return G_SOURCE_CONTINUE;
}

/* The next event, 0 when there is none now. It is two parts: number and value, then the endpoint.
 */
static guint16 take_event(MediaChannel *channel) {
    guint16 event = 0;
    guint8 bytes[256];
    while (zmq_recv(channel->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT) >= 0) {
        int more = 0;
        size_t size = sizeof(more);
        zmq_getsockopt(channel->monitor, ZMQ_RCVMORE, &more, &size);
        if (more) {
            memcpy(&event, bytes, sizeof(event));
        } else {
            return event;
        }
    }
    return 0;
}

static gboolean on_monitor(gpointer user) {
    MediaChannel *channel = user;
    for (guint16 event = take_event(channel); event != 0; event = take_event(channel)) {
        if (event == ZMQ_EVENT_DISCONNECTED) {
            closed(channel);
        }
    }
    return G_SOURCE_CONTINUE;
}

/* ZeroMQ connects in a thread of its own, which a sandbox entered too early would shut in. */
static gboolean wait_connected(MediaChannel *channel) {
    gint64 until_us = g_get_monotonic_time() + CONNECT_MS * 1000;
    for (;;) {
        gint64 left_us = until_us - g_get_monotonic_time();
        zmq_pollitem_t item = {.socket = channel->monitor, .events = ZMQ_POLLIN};
        if (left_us <= 0 || zmq_poll(&item, 1, (long)(left_us / 1000 + 1)) < 0) {
            errno = ETIMEDOUT;
            return FALSE;
        }
        for (guint16 event = take_event(channel); event != 0; event = take_event(channel)) {
            if (event == ZMQ_EVENT_CONNECTED) {
                return TRUE;
            }
        }
    }
}

static gboolean connect_socket(MediaChannel *channel, const char *endpoint) {
    int linger = LINGER_MS, queue = QUEUE_MESSAGES, patience = PATIENCE_MS;
    int64_t size_max = MEDIA_MESSAGE_MAX;
    channel->socket = zmq_socket(channel->context, ZMQ_PAIR);
    if (channel->socket == NULL ||
        zmq_setsockopt(channel->socket, ZMQ_LINGER, &linger, sizeof(linger)) != 0 ||
        zmq_setsockopt(channel->socket, ZMQ_SNDHWM, &queue, sizeof(queue)) != 0 ||
        zmq_setsockopt(channel->socket, ZMQ_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        zmq_setsockopt(channel->socket, ZMQ_MAXMSGSIZE, &size_max, sizeof(size_max)) != 0 ||
        zmq_socket_monitor(channel->socket, MONITOR_ENDPOINT,
                           ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED) != 0) {
        return FALSE;
    }
    linger = 0;
    channel->monitor = zmq_socket(channel->context, ZMQ_PAIR);
    return channel->monitor != NULL &&
           zmq_setsockopt(channel->monitor, ZMQ_LINGER, &linger, sizeof(linger)) == 0 &&
           zmq_connect(channel->monitor, MONITOR_ENDPOINT) == 0 &&
           zmq_connect(channel->socket, endpoint) == 0 && wait_connected(channel);
}

MediaChannel *media_channel_create(const char *endpoint, MediaChannelHandler handler,
                                   GError **error) {
    MediaChannel *channel = g_new0(MediaChannel, 1);
    channel->handler = handler;
    channel->context = zmq_ctx_new();
    if (channel->context == NULL || !connect_socket(channel, endpoint)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot connect to %s: %s", endpoint,
                    zmq_strerror(errno));
        media_channel_destroy(channel);
        return NULL;
    }
    channel->socket_source = source_create(channel->socket, on_readable, channel);
    channel->monitor_source = source_create(channel->monitor, on_monitor, channel);
    return channel;
}

void media_channel_destroy(MediaChannel *channel) {
    if (channel == NULL) {
        return;
    }
    source_destroy(&channel->socket_source);
    source_destroy(&channel->monitor_source);
    if (channel->socket != NULL) {
        zmq_socket_monitor(channel->socket, NULL, 0);
        zmq_close(channel->socket);
    }
    if (channel->monitor != NULL) {
        zmq_close(channel->monitor);
    }
    if (channel->context != NULL) {
        zmq_ctx_term(channel->context);
    }
    g_free(channel);
}

/* What the node counts on, against what comes again anyway. */
static gboolean important(MediaType type) {
    return type == MEDIA_READY || type == MEDIA_STARTED || type == MEDIA_ENDED ||
           type == MEDIA_ERROR || type == MEDIA_ECHO;
}

void media_channel_send(MediaChannel *channel, const MediaMessage *message) {
    size_t size = media_message_size(message);
    g_return_if_fail(size > 0);
    zmq_msg_t part;
    if (zmq_msg_init_size(&part, size) != 0) {
        channel->dropped++;
        return;
    }
    media_message_encode(message, zmq_msg_data(&part), size);
    if (zmq_msg_send(&part, channel->socket, important(message->type) ? 0 : ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&part);
        channel->dropped++;
    }
}

void media_channel_say(MediaChannel *channel, MediaType type, MediaKind kind, const char *format,
                       ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *text = g_utf8_make_valid(raw, -1);
    MediaMessage message = {.type = type, .notice = {kind, media_text(text)}};
    media_channel_send(channel, &message);
}
