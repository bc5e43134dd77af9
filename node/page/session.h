/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who may use the page: tokens good for one browser each, and the two halves they are turned into.
 * It owns the tokens not used yet and the secret under which halves are made. It never stores a
 * session: a cookie (which other ports of this machine see) and a key (which only the page's own
 * origin sees) prove it together, and outlive the node's process.
 */
#pragma once

#include <glib.h>

#define SESSION_SECRET_SIZE 32
#define SESSION_TOKENS_MAX  8                  /* not used yet; the oldest makes room */
#define SESSION_AGE_MAX_S   (7 * 24 * 60 * 60) /* of a session that is not renewed */
#define SESSION_AHEAD_MAX_S (24 * 60 * 60)     /* of one that a clock set back makes young */
#define SESSION_TEXT_SIZE   64                 /* of each half, its 0 included */

typedef struct Session Session;

/* The two halves, as texts. */
typedef struct {
    char cookie[SESSION_TEXT_SIZE];
    char key[SESSION_TEXT_SIZE];
} SessionHalves;

Session *session_create(const guint8 secret[SESSION_SECRET_SIZE]);
/* Wipes. NULL-safe. */
void session_destroy(Session *session);

/* Another token, in hex. The caller frees. */
char *session_token(Session *session);
/* Uses a token up; FALSE when it is none, or was used. NULL is none. */
gboolean session_redeem(Session *session, const char *token);

SessionHalves session_issue(const Session *session, gint64 now_s);
/* Both halves belong together, are ours and not too old. NULL is never right. */
gboolean session_judge(const Session *session, const char *cookie, const char *key, gint64 now_s);
