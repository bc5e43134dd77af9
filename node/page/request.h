/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a request to the page is judged by, before anything is answered.
 * It owns the rules and the headers of every answer. It never reads a body.
 */
#pragma once

#include <libsoup/soup.h>

#include "node/cli/language.h"
#include "node/page/session.h"

/* The protocol a WebSocket of the page speaks; its key stands behind it in the same header. */
#define REQUEST_PROTOCOL "maillon"

typedef enum {
    REQUEST_READS,  /* GET or HEAD */
    REQUEST_WRITES, /* POST, and a page of ours must say that it asks */
    REQUEST_LIVES,  /* a WebSocket, the same */
} RequestKind;

/* 200 when the request may be answered, else the status to refuse it with. */
guint request_judge(SoupServerMessage *message, guint16 port, RequestKind kind);
/* The token in its header Authorization; NULL: none. The caller frees. */
char *request_bearer(SoupServerMessage *message);
/*
 * It shows both halves of a session of ours: the cookie, and the key, which stands in the header
 * Authorization, behind the protocol of a WebSocket, or in the query where no header can be set.
 */
gboolean request_is_known(SoupServerMessage *message, const Session *session, guint16 port);
/* Makes the browser keep the cookie's half, for this port. */
void request_give_cookie(SoupServerMessage *message, const SessionHalves *halves, guint16 port);
/* What the browser's person reads best. */
Language request_language(SoupServerMessage *message);
/* Nothing is kept, framed, or loaded from elsewhere. */
void request_harden(SoupServerMessage *message, guint16 port);
/* What is answered was made by others: it is shown in a frame of ours, and can do nothing there. */
void request_harden_preview(SoupServerMessage *message);
/*
 * What is answered shows, in a frame of ours, what others made: it is of no origin and reaches
 * nothing, and of scripts only the one with this hash (base64 of SHA-256) runs, with its worker.
 */
void request_harden_viewer(SoupServerMessage *message, const char *hash);
