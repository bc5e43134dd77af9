/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The node itself: it joins the core with the network, the disk, the sound and the bus.
 * It owns them all, and one Mesh for each meeting. It never decides what the core should decide.
 */
#pragma once

#include <glib.h>

typedef struct Host Host;

#define HOST_STORE_AS_BEFORE (-1)

typedef struct {
    const char *name;       /* the person's; NULL: as before */
    const char *passphrase; /* NULL: none */
    const char *sink;       /* auto, fake or the absolute path of a WAV file; NULL: no media */
    const char *video_sink; /* auto, fake or none */
    const char *stun;       /* "host:port", or NULL */
    const char *relay;      /* the ticket of a meeting to carry for, or NULL: as before */
    gint64 store_max;       /* what a relay keeps of the meeting, bytes, remembered from now on; 0:
                               MESH_STORE_MAX */
    guint64 fetch_max;      /* documents up to this size are fetched unasked, bytes */
    guint16 port;           /* 0: the one used before, or any */
    gboolean page;          /* serve one to a browser */
} HostOptions;

#define HOST_ERROR (host_error_quark())
GQuark host_error_quark(void);
typedef enum {
    HOST_ERROR_NAME,  /* no good as a name */
    HOST_ERROR_RELAY, /* this home, or the ticket, is not for a relay */
} HostError;

/* Opens the home and begins to serve it. NULL with an error, and nothing changed. */
Host *host_create(const char *home, const HostOptions *options, GError **error);
/* The page's address with a new token, or NULL without a page. The caller frees. */
char *host_page_address(const Host *host);
/* Serves until SIGINT, SIGTERM or SIGHUP. FALSE with an error when it was in vain: the meeting does
 * not take this relay. */
gboolean host_run(Host *host, GError **error);
/* Ends everything: what is recorded is on disk, what is played is finished. NULL-safe. */
void host_destroy(Host *host);
