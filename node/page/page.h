/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The node's page for a browser on this machine: a meeting held with a mouse, or a mere status
 * where the program was built without it. It owns a server on 127.0.0.1, and who may speak with it.
 * It never answers another origin, loads nothing from elsewhere, and knows no command itself.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"
#include "node/bus/bus.h"
#include "node/page/live.h"
#include "node/page/session.h"

typedef struct Page Page;

typedef struct {
    guint room; /* of the node's */
    MeshHash id;
    guint64 size; /* bytes */
    char name[MESH_DOCUMENT_NAME_MAX + 1];
} PageDocument;

typedef struct {
    /* The status as JSON text, its sentences in that language; the page frees it. */
    char *(*status)(gpointer user, Language language);
    /* The document of this id; FALSE when none is whole here. */
    gboolean (*document)(gpointer user, const char *id, PageDocument *ret_document);
    /* Some of its bytes from there on, where a piece ended; NULL: they cannot be read. */
    GBytes *(*document_read)(gpointer user, const PageDocument *document, guint64 offset);
    LivePictures pictures; /* with a user of its own */
    gpointer user;
} PageHandler;

/* Listens on this port when it is free (0: none in particular), else on any. NULL with an error. */
Page *page_create(guint16 port, Bus *bus, const guint8 secret[SESSION_SECRET_SIZE],
                  PageHandler handler, GError **error);
guint16 page_port(const Page *page);
/* http://127.0.0.1:PORT/#TOKEN, each time with another token, good for one browser. The caller
 * frees. */
char *page_address(Page *page);
/* To the pages that show its source. NULL-safe. */
void page_picture(Page *page, const Picture *picture);
/* Hangs up. NULL-safe. */
void page_destroy(Page *page);
