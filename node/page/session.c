/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/session.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_SIZE 16 /* bytes drawn */
#define MAC_SIZE   16
#define MAC_TEXT   (2 * MAC_SIZE + 1)

struct Session {
    guint8 secret[SESSION_SECRET_SIZE];
    GQueue tokens; /* texts, the oldest first */
};

Session *session_create(const guint8 secret[SESSION_SECRET_SIZE]) {
    Session *session = g_new0(Session, 1);
    memcpy(session->secret, secret, SESSION_SECRET_SIZE);
    g_queue_init(&session->tokens);
    return session;
}

void session_destroy(Session *session) {
    if (session == NULL) {
        return;
    }
    g_queue_clear_full(&session->tokens, g_free);
    sodium_memzero(session->secret, sizeof session->secret);
    g_free(session);
}

/* ---- tokens ---- */

char *session_token(Session *session) {
    guint8 drawn[TOKEN_SIZE];
    char *token = g_malloc(2 * TOKEN_SIZE + 1);
    randombytes_buf(drawn, sizeof drawn);
    sodium_bin2hex(token, 2 * TOKEN_SIZE + 1, drawn, sizeof drawn);
    if (session->tokens.length == SESSION_TOKENS_MAX) {
        g_free(g_queue_pop_head(&session->tokens));
    }
    g_queue_push_tail(&session->tokens, g_strdup(token));
    return token;
}

static gboolean same_text(const char *a, const char *b) {
    return strlen(a) == strlen(b) && sodium_memcmp(a, b, strlen(b)) == 0;
}

gboolean session_redeem(Session *session, const char *token) {
    for (GList *at = session->tokens.head; token != NULL && at != NULL; at = at->next) {
        if (same_text(token, at->data)) {
            g_free(at->data);
            g_queue_delete_link(&session->tokens, at);
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- halves: the second of issue, and a tag of it that says which half it is ---- */

static void make_half(const Session *session, const char *half, gint64 issued_s,
                      char ret_text[SESSION_TEXT_SIZE]) {
    guint8 mac[MAC_SIZE];
    char hex[MAC_TEXT];
    g_autofree char *said = g_strdup_printf("maillon page %s %" G_GINT64_FORMAT, half, issued_s);
    crypto_generichash(mac, sizeof mac, (const guint8 *)said, strlen(said), session->secret,
                       sizeof session->secret);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    g_snprintf(ret_text, SESSION_TEXT_SIZE, "%" G_GINT64_FORMAT ".%s", issued_s, hex);
}

SessionHalves session_issue(const Session *session, gint64 now_s) {
    SessionHalves halves;
    make_half(session, "cookie", now_s, halves.cookie);
    make_half(session, "key", now_s, halves.key);
    return halves;
}

gboolean session_judge(const Session *session, const char *cookie, const char *key, gint64 now_s) {
    char *end = NULL;
    gint64 issued_s = cookie != NULL ? g_ascii_strtoll(cookie, &end, 10) : 0;
    if (cookie == NULL || key == NULL || *end != '.' || issued_s <= 0 ||
        issued_s > now_s + SESSION_AHEAD_MAX_S || issued_s < now_s - SESSION_AGE_MAX_S) {
        return FALSE;
    }
    SessionHalves halves = session_issue(session, issued_s);
    return same_text(cookie, halves.cookie) && same_text(key, halves.key);
}
