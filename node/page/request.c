/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/request.h"

#include <sodium.h>
#include <string.h>

/* A site that made its name point at 127.0.0.1 shows that name as the host. */
static gboolean host_is_ours(const char *host, guint16 port) {
    g_autofree char *number = g_strdup_printf("127.0.0.1:%u", port);
    g_autofree char *name = g_strdup_printf("localhost:%u", port);
    return host != NULL && (strcmp(host, number) == 0 || g_ascii_strcasecmp(host, name) == 0);
}

/* Whoever only reads may leave the origin out; browsers never do otherwise. */
static gboolean origin_is_ours(SoupMessageHeaders *headers, guint16 port, RequestKind kind) {
    const char *origin = soup_message_headers_get_one(headers, "Origin");
    const char *site = soup_message_headers_get_one(headers, "Sec-Fetch-Site");
    gboolean ours = origin == NULL ? kind == REQUEST_READS
                                   : g_str_has_prefix(origin, "http://") &&
                                         host_is_ours(origin + strlen("http://"), port);
    return ours && (site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0);
}

guint request_judge(SoupServerMessage *message, guint16 port, RequestKind kind) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *method = soup_server_message_get_method(message);
    gboolean post = strcmp(method, "POST") == 0;
    gboolean get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (!host_is_ours(soup_message_headers_get_one(headers, "Host"), port) ||
        !origin_is_ours(headers, port, kind)) {
        return SOUP_STATUS_FORBIDDEN;
    }
    return (kind == REQUEST_WRITES ? post : get) ? SOUP_STATUS_OK : SOUP_STATUS_METHOD_NOT_ALLOWED;
}

/* ---- the halves of a session ---- */

char *request_bearer(SoupServerMessage *message) {
    static const char scheme[] = "Bearer ";
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *shown = soup_message_headers_get_one(headers, "Authorization");
    return shown != NULL && g_str_has_prefix(shown, scheme) ? g_strdup(shown + strlen(scheme))
                                                            : NULL;
}

/* Nodes of one machine share their cookies: the port tells them apart. */
static char *cookie_name(guint16 port) {
    return g_strdup_printf("maillon-%u=", port);
}

static char *request_cookie(SoupServerMessage *message, guint16 port) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *shown = soup_message_headers_get_list(headers, "Cookie");
    g_autofree char *name = cookie_name(port);
    g_auto(GStrv) cookies = g_strsplit(shown != NULL ? shown : "", ";", -1);
    for (char **at = cookies; *at != NULL; at++) {
        const char *cookie = g_strstrip(*at);
        if (g_str_has_prefix(cookie, name)) {
            return g_strdup(cookie + strlen(name));
        }
    }
    return NULL;
}

/* "maillon, KEY" */
static char *protocol_key(SoupServerMessage *message) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *shown = soup_message_headers_get_list(headers, "Sec-WebSocket-Protocol");
    g_auto(GStrv) protocols = g_strsplit(shown != NULL ? shown : "", ",", -1);
    return g_strv_length(protocols) == 2 && strcmp(g_strstrip(protocols[0]), REQUEST_PROTOCOL) == 0
               ? g_strdup(g_strstrip(protocols[1]))
               : NULL;
}

static char *query_key(SoupServerMessage *message) {
    const char *query = g_uri_get_query(soup_server_message_get_uri(message));
    g_autoptr(GHashTable) form = query != NULL ? soup_form_decode(query) : NULL;
    return form != NULL ? g_strdup(g_hash_table_lookup(form, "key")) : NULL;
}

gboolean request_is_known(SoupServerMessage *message, const Session *session, guint16 port) {
    g_autofree char *cookie = request_cookie(message, port);
    g_autofree char *key = request_bearer(message);
    if (key == NULL) {
        key = protocol_key(message);
    }
    if (key == NULL) {
        key = query_key(message);
    }
    return session_judge(session, cookie, key, g_get_real_time() / G_USEC_PER_SEC);
}

void request_give_cookie(SoupServerMessage *message, const SessionHalves *halves, guint16 port) {
    g_autofree char *name = cookie_name(port);
    g_autofree char *cookie = g_strdup_printf("%s%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict",
                                              name, halves->cookie, SESSION_AGE_MAX_S);
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Set-Cookie",
                                 cookie);
}

/* ---- */

Language request_language(SoupServerMessage *message) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *accepted = soup_message_headers_get_list(headers, "Accept-Language");
    GSList *wanted = accepted != NULL ? soup_header_parse_quality_list(accepted, NULL) : NULL;
    Language language = language_chosen();
    for (GSList *item = wanted; item != NULL; item = item->next) {
        const char *tag = item->data;
        gboolean french = g_ascii_strncasecmp(tag, "fr", 2) == 0;
        if (french || g_ascii_strncasecmp(tag, "en", 2) == 0) {
            language = french ? LANGUAGE_FRENCH : LANGUAGE_ENGLISH;
            break;
        }
    }
    soup_header_free_list(wanted);
    return language;
}

void request_harden(SoupServerMessage *message, guint16 port) {
    static const struct {
        const char *name, *value;
    } headers[] = {
        {"Cache-Control", "no-store"},         {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Referrer-Policy", "no-referrer"},    {"Cross-Origin-Opener-Policy", "same-origin"},
        {"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "DENY"},
        {"Vary", "Accept-Language"},
    };
    SoupMessageHeaders *answer = soup_server_message_get_response_headers(message);
    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
        soup_message_headers_replace(answer, headers[i].name, headers[i].value);
    }
    /* Not every browser takes 'self' for a WebSocket too. */
    g_autofree char *policy =
        g_strdup_printf("default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
                        "connect-src 'self' ws://127.0.0.1:%u ws://localhost:%u; frame-src 'self'; "
                        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                        "require-trusted-types-for 'script'; trusted-types 'none'",
                        port, port);
    soup_message_headers_replace(answer, "Content-Security-Policy", policy);
}

void request_harden_preview(SoupServerMessage *message) {
    SoupMessageHeaders *answer = soup_server_message_get_response_headers(message);
    soup_message_headers_replace(answer, "Content-Security-Policy",
                                 "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
                                 "sandbox; frame-ancestors 'self'");
    soup_message_headers_replace(answer, "X-Frame-Options", "SAMEORIGIN");
}

void request_harden_viewer(SoupServerMessage *message, const char *hash) {
    SoupMessageHeaders *answer = soup_server_message_get_response_headers(message);
    /* What pdf.js compiles of WebAssembly comes from the page: decoders of scanned pages. */
    g_autofree char *policy = g_strdup_printf(
        "default-src 'none'; script-src 'sha256-%s' 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'unsafe-inline'; connect-src 'none'; base-uri 'none'; form-action 'none'; "
        "sandbox allow-scripts; frame-ancestors 'self'",
        hash);
    soup_message_headers_replace(answer, "Content-Security-Policy", policy);
    soup_message_headers_replace(answer, "X-Frame-Options", "SAMEORIGIN");
}
