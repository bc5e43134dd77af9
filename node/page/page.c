/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/page.h"

#include <string.h>

#include "node/cli/print.h"
#include "node/page/download.h"
#include "node/page/live.h"
#include "node/page/page_resource.h"
#include "node/page/request.h"
#include "node/page/upload.h"

#define RESOURCES   "/maillon/page/"
#define QR_TEXT_MAX 2600 /* bytes: a code exchanged by hand */

struct Page {
    SoupServer *server;
    PageHandler handler;
    Bus *bus;
    Session *session;
    Live *live;
    gboolean whole; /* the program was built with the page, not only with the status */
    guint16 port;
};

/* ---- the text of the page ---- */

/* What {{NAME}} stands for. */
static const struct {
    const char *name, *sentence;
} sentences[] = {
    {"language", N_("en")},
    {"asking", N_("The node is being asked…")},
    {"unlocked", N_("This home is not locked: whoever copies it reads the meetings.")},
    {"noscript", N_("This page needs JavaScript; `maillon status` says the same.")},
    {"meetings", N_("Meetings")},
    {"no-meeting", N_("In no meeting yet. In a terminal: `maillon meeting create TITLE` or "
                      "`maillon join TICKET`.")},
    {"alone",
     N_("Nobody else is in the meeting yet: `maillon invite` prints a ticket for others.")},
    {"members", N_("Members")},
    {"name", N_("Name")},
    {"state", N_("State")},
    {"path", N_("Path")},
    {"delay", N_("Delay")},
    {"loss", N_("Loss")},
    {"rate", N_("Rate")},
    {"up", N_("up")},
    {"connecting", N_("connecting")},
    {"down", N_("down")},
    {"direct", N_("direct")},
    {"relayed", N_("relayed")},
    {"current", N_("current")},
    {"expelled", N_("expelled")},
    {"one-member", N_("member")},
    {"several-members", N_("members")},
    {"silent", N_("The node does not answer. Does it still run?")},
    {"seen", N_("What follows is as of")},
    {"refused",
     N_("The node refuses: an address is good for one browser. `maillon page` prints another.")},
};

static const char *sentence_of(Language language, const char *name, gsize length) {
    for (gsize i = 0; i < G_N_ELEMENTS(sentences); i++) {
        if (strlen(sentences[i].name) == length && strncmp(sentences[i].name, name, length) == 0) {
            return language_text_in(language, sentences[i].sentence);
        }
    }
    g_assert_not_reached(); /* the page is a part of this program */
}

/* The template with its sentences in place. The caller frees. */
static GString *in_language(GBytes *template, Language language) {
    gsize length = 0;
    const char *at = g_bytes_get_data(template, &length);
    const char *end = at + length;
    GString *text = g_string_sized_new(length * 2);
    for (const char *open; (open = g_strstr_len(at, end - at, "{{")) != NULL;) {
        const char *name = open + 2;
        const char *close = g_strstr_len(name, end - name, "}}");
        g_assert(close != NULL);
        g_autofree char *sentence =
            g_markup_escape_text(sentence_of(language, name, (gsize)(close - name)), -1);
        g_string_append_len(text, at, open - at);
        g_string_append(text, sentence);
        at = close + 2;
    }
    g_string_append_len(text, at, end - at);
    return text;
}

/* ---- answering ---- */

static void answer_text(SoupServerMessage *message, const char *type, char *text, gsize length) {
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    soup_server_message_set_response(message, type, SOUP_MEMORY_TAKE, text, length);
}

static GBytes *resource(const char *name) {
    g_autofree char *path = g_strconcat(RESOURCES, name, NULL);
    return g_resource_lookup_data(page_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

/* "" when there is none. The caller frees. */
static char *resource_text(const char *name) {
    g_autoptr(GBytes) bytes = resource(name);
    return bytes != NULL ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))
                         : g_strdup("");
}

static void answer_file(SoupServerMessage *message, const char *name, const char *type,
                        gboolean sentences_inside) {
    g_autoptr(GBytes) bytes = resource(name);
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    if (sentences_inside) {
        GString *text = in_language(bytes, request_language(message));
        length = text->len;
        answer_text(message, type, g_string_free(text, FALSE), length);
        return;
    }
    answer_text(message, type, g_memdup2(data, length), length);
}

/* The frame that shows what others made: it may run the script it was built with, and no other. */
static void answer_viewer(SoupServerMessage *message, const char *name, const char *type) {
    g_autofree char *hash = resource_text("viewer.sha256");
    answer_file(message, name, type, FALSE);
    request_harden_viewer(message, hash);
}

static void answer_part(SoupServerMessage *message, const char *name, const char *type) {
    g_autofree char *path = g_strconcat("viewer/", name, NULL);
    g_autoptr(GBytes) bytes = strchr(name, '/') == NULL ? resource(path) : NULL;
    if (bytes == NULL) {
        soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, NULL);
        return;
    }
    answer_file(message, path, type, FALSE);
}

/* The two halves of a session, for a token, or for those of one that is not too old. */
static void answer_session(Page *page, SoupServerMessage *message) {
    g_autofree char *token = request_bearer(message);
    if (!request_is_known(message, page->session, page->port) &&
        !session_redeem(page->session, token)) {
        soup_server_message_set_status(message, SOUP_STATUS_FORBIDDEN, NULL);
        return;
    }
    SessionHalves halves = session_issue(page->session, g_get_real_time() / G_USEC_PER_SEC);
    request_give_cookie(message, &halves, page->port);
    char *text = g_strdup_printf("{\"key\":\"%s\"}", halves.key);
    answer_text(message, "application/json", text, strlen(text));
}

static void answer_status(Page *page, SoupServerMessage *message) {
    char *text = page->handler.status(page->handler.user, request_language(message));
    answer_text(message, "application/json", text, strlen(text));
}

/* A picture of the text that was sent: the page has to show a ticket to a telephone. */
static void answer_qr(Page *page, SoupServerMessage *message) {
    g_autoptr(GBytes) body =
        soup_message_body_flatten(soup_server_message_get_request_body(message));
    g_autofree char *text = g_strndup(g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    char *rows = text[0] != '\0' ? print_qr_rows(text) : NULL;
    if (rows == NULL) {
        soup_server_message_set_status(message, SOUP_STATUS_BAD_REQUEST, NULL);
        return;
    }
    answer_text(message, "text/plain", rows, strlen(rows));
}

/* ---- the routes ---- */

typedef enum {
    ROUTE_FILE,
    ROUTE_VIEWER,
    ROUTE_PART, /* of the viewer: a decoder, a font */
    ROUTE_SESSION,
    ROUTE_STATUS,
    ROUTE_QR,
    ROUTE_LIVE,
    ROUTE_UPLOAD,
    ROUTE_DOWNLOAD,
    ROUTE_PREVIEW,
} RouteKind;

typedef struct {
    const char *path; /* ends in a slash: what follows is an argument */
    RouteKind kind;
    RequestKind request;
    gboolean everybody; /* tells nothing of the node */
    const char *file, *type;
    gboolean sentences_inside;
} Route;

#define HTML "text/html; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define JS   "text/javascript; charset=utf-8"

/* The one at the root first: of the page, and of the mere status. */
static const Route routes_whole[] = {
    {"/", ROUTE_FILE, REQUEST_READS, TRUE, "app.html", HTML, TRUE},
    {"/app.css", ROUTE_FILE, REQUEST_READS, TRUE, "app.css", CSS, FALSE},
    {"/app.js", ROUTE_FILE, REQUEST_READS, TRUE, "app.js", JS, FALSE},
    {"/qr.js", ROUTE_FILE, REQUEST_READS, TRUE, "qr.js", JS, FALSE},
    {"/viewer.html", ROUTE_VIEWER, REQUEST_READS, TRUE, "viewer.html", HTML, FALSE},
    {"/viewer/", ROUTE_PART, REQUEST_READS, TRUE, NULL, "application/octet-stream", FALSE},
};
static const Route routes_plain[] = {
    {"/", ROUTE_FILE, REQUEST_READS, TRUE, "page.html", HTML, TRUE},
    {"/page.css", ROUTE_FILE, REQUEST_READS, TRUE, "page.css", CSS, FALSE},
    {"/page.js", ROUTE_FILE, REQUEST_READS, TRUE, "page.js", JS, FALSE},
};
static const Route routes_both[] = {
    {"/session", ROUTE_SESSION, REQUEST_WRITES, TRUE, NULL, NULL, FALSE},
    {"/status.json", ROUTE_STATUS, REQUEST_READS, FALSE, NULL, NULL, FALSE},
    {"/qr", ROUTE_QR, REQUEST_WRITES, FALSE, NULL, NULL, FALSE},
    {"/live", ROUTE_LIVE, REQUEST_LIVES, FALSE, NULL, NULL, FALSE},
    {"/documents", ROUTE_UPLOAD, REQUEST_WRITES, FALSE, NULL, NULL, FALSE},
    {"/documents/", ROUTE_DOWNLOAD, REQUEST_READS, FALSE, NULL, NULL, FALSE},
    {"/previews/", ROUTE_PREVIEW, REQUEST_READS, FALSE, NULL, NULL, FALSE},
};

static const Route *route_in(const Route *routes, gsize count, const char *path) {
    for (gsize i = 0; i < count; i++) {
        gsize length = strlen(routes[i].path);
        gboolean argument = length > 1 && routes[i].path[length - 1] == '/';
        if (argument ? g_str_has_prefix(path, routes[i].path) && path[length] != '\0'
                     : strcmp(path, routes[i].path) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

static const Route *route_of(const Page *page, const char *path) {
    const Route *own = page->whole ? route_in(routes_whole, G_N_ELEMENTS(routes_whole), path)
                                   : route_in(routes_plain, G_N_ELEMENTS(routes_plain), path);
    return own != NULL ? own : route_in(routes_both, G_N_ELEMENTS(routes_both), path);
}

static guint judge(const Page *page, SoupServerMessage *message, const Route *route) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    guint status =
        request_judge(message, page->port, route != NULL ? route->request : REQUEST_READS);
    if (status != SOUP_STATUS_OK) {
        return status;
    }
    if (route == NULL) {
        return SOUP_STATUS_NOT_FOUND;
    }
    if (!route->everybody && !request_is_known(message, page->session, page->port)) {
        return SOUP_STATUS_FORBIDDEN;
    }
    gboolean short_enough =
        soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
        soup_message_headers_get_content_length(headers) <= QR_TEXT_MAX;
    return route->kind != ROUTE_QR || short_enough ? SOUP_STATUS_OK
                                                   : SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE;
}

/* Judged when its headers are there: a body that nothing here needs is not kept. */
static void on_headers(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer data) {
    const Page *page = data;
    const Route *route = route_of(page, path);
    guint status = judge(page, message, route);
    gboolean kept = status == SOUP_STATUS_OK && route->kind == ROUTE_QR;
    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), kept);
    request_harden(message, page->port);
    if (status != SOUP_STATUS_OK) {
        soup_server_message_set_status(message, status, NULL);
    } else if (route->kind == ROUTE_UPLOAD) {
        upload_begin(page->bus, message, query != NULL ? g_hash_table_lookup(query, "name") : NULL);
    }
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer data) {
    Page *page = data;
    const Route *route = route_of(page, path);
    switch (route->kind) {
    case ROUTE_FILE:
        answer_file(message, route->file, route->type, route->sentences_inside);
        break;
    case ROUTE_VIEWER:
        answer_viewer(message, route->file, route->type);
        break;
    case ROUTE_PART:
        answer_part(message, path + strlen(route->path), route->type);
        break;
    case ROUTE_SESSION:
        answer_session(page, message);
        break;
    case ROUTE_STATUS:
        answer_status(page, message);
        break;
    case ROUTE_QR:
        answer_qr(page, message);
        break;
    case ROUTE_UPLOAD:
        upload_end(message);
        break;
    case ROUTE_DOWNLOAD:
    case ROUTE_PREVIEW:
        download_begin(&page->handler, message, path + strlen(route->path),
                       route->kind == ROUTE_PREVIEW);
        break;
    case ROUTE_LIVE:
        soup_server_message_set_status(message, SOUP_STATUS_BAD_REQUEST, NULL);
        break;
    }
}

static void on_live(SoupServer *server, SoupServerMessage *message, const char *path,
                    SoupWebsocketConnection *socket, gpointer data) {
    Page *page = data;
    const char *query = g_uri_get_query(soup_server_message_get_uri(message));
    g_autoptr(GHashTable) form = soup_form_decode(query != NULL ? query : "");
    const char *after = g_hash_table_lookup(form, "after");
    live_accept(page->live, socket, g_hash_table_lookup(form, "run"),
                after != NULL ? g_ascii_strtoull(after, NULL, 10) : 0);
}

/* ---- life ---- */

static gboolean listen_on(Page *page, guint16 port, GError **error) {
    if (!soup_server_listen_local(page->server, port, SOUP_SERVER_LISTEN_IPV4_ONLY, error)) {
        return FALSE;
    }
    GSList *addresses = soup_server_get_uris(page->server);
    page->port = (guint16)g_uri_get_port(addresses->data);
    g_slist_free_full(addresses, (GDestroyNotify)g_uri_unref);
    return TRUE;
}

static void serve(Page *page) {
    static char *protocols[] = {(char *)REQUEST_PROTOCOL, NULL};
    soup_server_add_early_handler(page->server, NULL, on_headers, page, NULL);
    soup_server_add_handler(page->server, NULL, on_request, page, NULL);
    soup_server_add_early_handler(page->server, "/live", on_headers, page, NULL);
    /* Nothing leaves this machine: to deflate it, pictures above all, costs more than to copy it.
     */
    soup_server_remove_websocket_extension(page->server, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
    soup_server_add_websocket_handler(page->server, "/live", NULL, protocols, on_live, page, NULL);
}

Page *page_create(guint16 port, Bus *bus, const guint8 secret[SESSION_SECRET_SIZE],
                  PageHandler handler, GError **error) {
    Page *page = g_new0(Page, 1);
    g_autoptr(GBytes) whole = resource("app.html");
    g_autofree char *build = resource_text("build.txt");
    page->handler = handler;
    page->bus = bus;
    page->whole = whole != NULL;
    page->session = session_create(secret);
    page->live = live_create(bus, build, handler.pictures);
    page->server = soup_server_new(NULL, NULL);
    serve(page);
    if ((port == 0 || !listen_on(page, port, NULL)) && !listen_on(page, 0, error)) {
        page_destroy(page);
        return NULL;
    }
    return page;
}

guint16 page_port(const Page *page) {
    return page->port;
}

char *page_address(Page *page) {
    g_autofree char *token = session_token(page->session);
    return g_strdup_printf("http://127.0.0.1:%u/#%s", page->port, token);
}

void page_picture(Page *page, const Picture *picture) {
    if (page != NULL) {
        live_picture(page->live, picture);
    }
}

void page_destroy(Page *page) {
    if (page == NULL) {
        return;
    }
    live_destroy(page->live);
    soup_server_disconnect(page->server);
    g_object_unref(page->server);
    session_destroy(page->session);
    g_free(page);
}
