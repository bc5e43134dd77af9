/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The home of a node on disk: its identity, its settings, and the items of each meeting.
 * It owns the folder, its lock and the database; what is secret in it is sealed under the home's
 * key. It never interprets an item, and never repairs or empties a damaged database.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"

typedef struct Store Store;

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);
typedef enum {
    STORE_ERROR_IN_USE,  /* another node runs on this home */
    STORE_ERROR_DAMAGED, /* the message says which file, and the way out */
    STORE_ERROR_LOCKED,  /* a passphrase is needed, or it is wrong */
    STORE_ERROR_NEWER,   /* written by a newer version */
    STORE_ERROR_FULL,    /* no room on the disk, or it refuses to write: the message says which */
    STORE_ERROR_FAILED,
} StoreError;

/*
 * Opens the home, made with mode 0700 when absent, and holds its lock until closed (or the process
 * dies). The whole database is checked. `passphrase`: NULL or empty when there is none; given for a
 * home that is not locked, it locks it. NULL with an error, and nothing changed. With a passphrase
 * it takes about a second and 256 MiB of memory.
 */
Store *store_open(const char *home, const char *passphrase, GError **error);
/* Commits nothing more; closes. NULL-safe. */
void store_close(Store *store);
/* How the home's key is kept, for the person: TRUE when a copied home opens without a secret. */
gboolean store_is_unlocked(const Store *store);

/* ---- settings of the node: small, sealed, durable when the call returns ---- */

/* NULL without an error when absent. The caller unrefs; the bytes are wiped then. */
GBytes *store_setting(Store *store, const char *name, GError **error);
/* Commits whatever else is in the transaction now open; after an error that is void too. */
gboolean store_set_setting(Store *store, const char *name, GBytes *value, GError **error);

/* ---- meetings ---- */

/* A new, empty meeting; its number, 1 …, or 0 with an error. Durable with the next commit. */
guint store_meeting_add(Store *store, GError **error);
/* Forgets a meeting that never came about, or was left, with all its items. */
gboolean store_meeting_remove(Store *store, guint meeting, GError **error);
/* The numbers, ascending. The caller frees. */
GArray *store_meetings(Store *store, GError **error);

/*
 * Writes or forgets one item in the transaction now open (one is begun when none is). After an
 * error the transaction is void: everything since the last commit is not stored, and the next call
 * begins another. An ENTRY already there is left as it is; the others are replaced.
 */
gboolean store_put(Store *store, guint meeting, const MeshItem *item, GError **error);
gboolean store_forget(Store *store, guint meeting, const MeshItem *item, GError **error);
/* On disk, whatever happens next, when it returns TRUE. FULL: nothing since the last commit is. */
gboolean store_commit(Store *store, GError **error);
/*
 * The value of an item, committed or not; NULL without an error when absent. DAMAGED: the row was
 * altered on the disk; a BLOCK may then be put again. The data of an empty value is not NULL. The
 * caller unrefs.
 */
GBytes *store_fetch(Store *store, guint meeting, const MeshItem *item, GError **error);

/*
 * Every item: STATE, then ENTRY in the order they were first put, then BLOCK (keys alone), each
 * borrowed for the call. DAMAGED, after some were given perhaps: start with none of them then.
 */
typedef void (*StoreLoad)(const MeshItem *item, gpointer data);
gboolean store_load(Store *store, guint meeting, StoreLoad load, gpointer data, GError **error);
