/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The helper's end of the socket it shares with the node.
 * It owns the ZeroMQ PAIR socket, its monitor, and their place in the main loop.
 * It never waits for a frame to be read: what does not fit is dropped and counted. Only for what
 * the node counts on (READY, STARTED, ENDED, ERROR) it waits up to two seconds.
 */
#pragma once

#include <glib.h>

#include "media/protocol.h"

typedef struct MediaChannel MediaChannel;

typedef struct {
    /* A valid message; its views last for the call. */
    void (*received)(const MediaMessage *message, void *user);
    /* The node is gone: time to go too. Called once. */
    void (*closed)(void *user);
    void *user;
} MediaChannelHandler;

/*
 * Connects to `endpoint` (ipc://…), waiting up to 5 s for the node. Messages come in the default
 * main context; only that thread may use the channel.
 */
MediaChannel *media_channel_create(const char *endpoint, MediaChannelHandler handler,
                                   GError **error);

/* Gives the last messages half a second to leave. */
void media_channel_destroy(MediaChannel *channel);

/* Sends, unless the queue of 512 messages is full; a message outside its limits is a bug. */
void media_channel_send(MediaChannel *channel, const MediaMessage *message);

/* The same for READY, ENDED and ERROR, with printf's format; the text is made valid UTF-8. */
void media_channel_say(MediaChannel *channel, MediaType type, MediaKind kind, const char *format,
                       ...) G_GNUC_PRINTF(4, 5);
