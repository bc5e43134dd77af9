/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/download.h"

#include <string.h>

#include "node/page/request.h"

typedef struct {
    const PageHandler *handler;
    PageDocument document;
    guint64 offset; /* of the next piece */
} Download;

static void download_free(gpointer data, GClosure *closure) {
    g_free(data);
}

static void append(Download *download, SoupServerMessage *message) {
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    if (download->offset >= download->document.size) {
        soup_message_body_complete(body);
        return;
    }
    g_autoptr(GBytes) piece = download->handler->document_read(
        download->handler->user, &download->document, download->offset);
    if (piece == NULL) {
        /* Damaged on this disk, or the meeting is gone: a document cut off, not a wrong one. */
        g_socket_shutdown(soup_server_message_get_socket(message), TRUE, TRUE, NULL);
        return;
    }
    download->offset += g_bytes_get_size(piece);
    soup_message_body_append_bytes(body, piece);
}

static void on_written(SoupServerMessage *message, gpointer data) {
    append(data, message);
    soup_server_message_unpause(message);
}

/* ---- what it is ---- */

/* By its first bytes: the name was given by others. NULL: nothing that is shown. */
static const char *shown_type(GBytes *piece) {
    static const struct {
        const char *start;
        gsize length, skip;
        const char *then, *type;
    } kinds[] = {
        {"\x89PNG\r\n\x1a\n", 8, 0, "", "image/png"},
        {"\xff\xd8\xff", 3, 0, "", "image/jpeg"},
        {"GIF8", 4, 0, "", "image/gif"},
        {"RIFF", 4, 8, "WEBP", "image/webp"},
    };
    gsize length = 0;
    const char *bytes = g_bytes_get_data(piece, &length);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        gsize then = strlen(kinds[i].then);
        if (length >= kinds[i].length && memcmp(bytes, kinds[i].start, kinds[i].length) == 0 &&
            (then == 0 || (length >= kinds[i].skip + then &&
                           memcmp(bytes + kinds[i].skip, kinds[i].then, then) == 0))) {
            return kinds[i].type;
        }
    }
    const char *end = NULL;
    gboolean text = g_utf8_validate_len(bytes, length, &end) ||
                    (length - (gsize)(end - bytes) < 4 && memchr(bytes, '\0', length) == NULL);
    return text ? "text/plain; charset=utf-8" : NULL;
}

static char *attachment(const char *name) {
    g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);
    return g_strdup_printf("attachment; filename*=UTF-8''%s", escaped);
}

void download_begin(const PageHandler *handler, SoupServerMessage *message, const char *id,
                    gboolean preview) {
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    Download *download = g_new0(Download, 1);
    download->handler = handler;
    g_signal_connect_data(message, "wrote-chunk", G_CALLBACK(on_written), download, download_free,
                          0);
    if (!handler->document(handler->user, id, &download->document)) {
        soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, NULL);
        return;
    }
    g_autoptr(GBytes) first = download->document.size > 0
                                  ? handler->document_read(handler->user, &download->document, 0)
                                  : g_bytes_new_static("", 0);
    const char *type = first != NULL && preview ? shown_type(first) : "application/octet-stream";
    if (first == NULL || type == NULL) {
        soup_server_message_set_status(message,
                                       first == NULL ? SOUP_STATUS_INTERNAL_SERVER_ERROR
                                                     : SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
                                       NULL);
        return;
    }
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    soup_message_headers_replace(headers, "Content-Type", type);
    soup_message_headers_set_content_length(headers, (goffset)download->document.size);
    if (preview) {
        request_harden_preview(message);
    } else {
        g_autofree char *disposition = attachment(download->document.name);
        soup_message_headers_replace(headers, "Content-Disposition", disposition);
    }
    soup_message_body_set_accumulate(body, FALSE);
    download->offset = g_bytes_get_size(first);
    soup_message_body_append_bytes(body, first);
    if (download->offset >= download->document.size) {
        soup_message_body_complete(body);
    }
}
