/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/upload.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mesh/limits.h"
#include "node/bus/json.h"

#define KEY "maillon-upload"

/* Counted: the one of its message, and one of the call. */
typedef struct {
    SoupServerMessage *message; /* NULL: it is over */
    int pipe;                   /* to the reader; -1: it wants no more */
    guint source;               /* until the reader has room again */
    GBytes *chunk;              /* what it had none for */
    GBytes *answer;             /* the newest */
    gboolean answered;
    gboolean waits; /* the body is there, the answer is not */
} Upload;

static void upload_clear(gpointer data) {
    Upload *upload = data;
    g_clear_pointer(&upload->answer, g_bytes_unref);
}

static void hang_up(Upload *upload) {
    g_clear_handle_id(&upload->source, g_source_remove);
    g_clear_pointer(&upload->chunk, g_bytes_unref);
    if (upload->pipe >= 0) {
        close(upload->pipe);
        upload->pipe = -1;
    }
}

/* ---- towards the reader ---- */

static gboolean on_room(gint descriptor, GIOCondition condition, gpointer data);

/* Writes what the reader has room for; FALSE: the message waits until it has more. */
static gboolean write_chunk(Upload *upload) {
    gsize left = 0;
    const char *at = g_bytes_get_data(upload->chunk, &left);
    while (left > 0) {
        /* Not write(): a reader that is gone is no reason to end the node. */
        gssize sent = send(upload->pipe, at, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            GBytes *rest =
                g_bytes_new_from_bytes(upload->chunk, g_bytes_get_size(upload->chunk) - left, left);
            g_bytes_unref(upload->chunk);
            upload->chunk = rest;
            if (upload->source == 0) {
                upload->source =
                    g_unix_fd_add(upload->pipe, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_room, upload);
            }
            return FALSE;
        }
        if (sent < 0 && errno != EINTR) {
            hang_up(upload);
            return TRUE;
        }
        at += MAX(sent, 0);
        left -= (gsize)MAX(sent, 0);
    }
    g_clear_pointer(&upload->chunk, g_bytes_unref);
    return TRUE;
}

static gboolean on_room(gint descriptor, GIOCondition condition, gpointer data) {
    Upload *upload = data;
    if (!write_chunk(upload)) {
        return G_SOURCE_CONTINUE;
    }
    upload->source = 0; /* this one goes by itself; hang_up() has done it perhaps */
    soup_server_message_unpause(upload->message);
    return G_SOURCE_REMOVE;
}

static void on_chunk(SoupServerMessage *message, GBytes *chunk, gpointer data) {
    Upload *upload = data;
    if (upload->pipe < 0) {
        return; /* refused: the rest is read for nothing */
    }
    upload->chunk = g_bytes_ref(chunk);
    if (!write_chunk(upload)) {
        soup_server_message_pause(message);
    }
}

/* ---- the answer ---- */

static void respond(Upload *upload) {
    gsize length = 0;
    const char *text = upload->answer != NULL ? g_bytes_get_data(upload->answer, &length) : NULL;
    soup_server_message_set_status(
        upload->message, text != NULL ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE, NULL);
    if (text != NULL) {
        soup_server_message_set_response(upload->message, "application/json", SOUP_MEMORY_COPY,
                                         text, length);
    }
}

static void on_answer(GBytes *body, gpointer data) {
    Upload *upload = data;
    g_clear_pointer(&upload->answer, g_bytes_unref);
    upload->answer = g_bytes_ref(body);
}

static void on_release(gpointer data) {
    Upload *upload = data;
    upload->answered = TRUE;
    if (upload->message != NULL && upload->waits) {
        respond(upload);
        soup_server_message_unpause(upload->message);
    }
    g_rc_box_release_full(upload, upload_clear);
}

static void on_finished(SoupServerMessage *message, gpointer data) {
    Upload *upload = data;
    hang_up(upload);
    g_signal_handlers_disconnect_by_data(message, upload);
    g_object_set_data(G_OBJECT(message), KEY, NULL);
    upload->message = NULL;
    g_rc_box_release_full(upload, upload_clear);
}

/* ---- */

static GBytes *request_of(const char *name) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "command", "doc add");
    json_put_begin(builder, "arguments");
    json_put_text(builder, "file", name);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    JsonNode *node = json_built(builder);
    char *text = json_write(node);
    json_node_unref(node);
    return g_bytes_new_take(text, strlen(text));
}

static guint judge(SoupServerMessage *message, const char *name) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    if (soup_message_headers_get_encoding(headers) != SOUP_ENCODING_CONTENT_LENGTH) {
        return SOUP_STATUS_LENGTH_REQUIRED;
    }
    if (soup_message_headers_get_content_length(headers) > MESH_DOCUMENT_SIZE_MAX) {
        return SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE;
    }
    return name != NULL && name[0] != '\0' ? SOUP_STATUS_OK : SOUP_STATUS_BAD_REQUEST;
}

void upload_begin(Bus *bus, SoupServerMessage *message, const char *name) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    guint status = judge(message, name);
    int ends[2];
    if (status == SOUP_STATUS_OK &&
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        status = SOUP_STATUS_SERVICE_UNAVAILABLE;
    }
    if (status != SOUP_STATUS_OK) {
        soup_server_message_set_status(message, status, NULL);
        return;
    }
    Upload *upload = g_rc_box_new0(Upload);
    upload->message = message;
    upload->pipe = ends[0];
    g_object_set_data(G_OBJECT(message), KEY, upload);
    g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), upload);
    g_signal_connect(message, "finished", G_CALLBACK(on_finished), upload);
    BusAsker asker = {.answer = on_answer,
                      .release = on_release,
                      .user = g_rc_box_acquire(upload),
                      .file = ends[1],
                      .size = (guint64)soup_message_headers_get_content_length(headers)};
    g_autoptr(GBytes) request = request_of(name);
    bus_ask(bus, request, &asker);
}

void upload_end(SoupServerMessage *message) {
    Upload *upload = g_object_get_data(G_OBJECT(message), KEY);
    if (upload == NULL) {
        return; /* refused before it began */
    }
    hang_up(upload); /* what was written is read all the same */
    if (upload->answered) {
        respond(upload);
        return;
    }
    upload->waits = TRUE;
    soup_server_message_pause(message);
}
