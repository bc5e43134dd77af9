/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The SQLite database of a home: one table of rows, in one transaction at a time.
 * It owns the connection, its statements and what SQLite's errors mean. It never knows a key:
 * values and checksums are bytes to it.
 */
#pragma once

#include "node/store/seal.h"

typedef struct StoreDatabase StoreDatabase;

typedef struct {
    StoreName name;
    Bytes value;
    Bytes checksum;
} StoreRow;

/* Makes a finished database of one row at `path`, replacing what is there. FULL, FAILED. */
gboolean store_database_make(const char *path, const StoreRow *first, GError **error);

/*
 * Opens and checks the whole file; no byte of it or beside it is changed before it is found good.
 * DAMAGED, NEWER, IN_USE (another program has it open), FAILED.
 */
StoreDatabase *store_database_open(const char *path, GError **error);
/* From now on it may be written to, and closing folds its side file into it. */
void store_database_trust(StoreDatabase *database);
/* Rolls back, closes; TRUE when everything is in the one file. NULL-safe. */
gboolean store_database_close(StoreDatabase *database);
const char *store_database_path(const StoreDatabase *database);

/*
 * Each begins a transaction when none is open; after an error nothing since the last commit is
 * kept: FULL, DAMAGED, FAILED. A row of the same name is replaced, unless it is an entry.
 */
gboolean store_database_put(StoreDatabase *database, const StoreRow *row, GError **error);
gboolean store_database_forget(StoreDatabase *database, const StoreName *name, GError **error);
gboolean store_database_forget_meeting(StoreDatabase *database, guint meeting, GError **error);
gboolean store_database_has_changes(const StoreDatabase *database);
gboolean store_database_commit(StoreDatabase *database, GError **error);
void store_database_rollback(StoreDatabase *database);

typedef enum {
    STORE_READ_ONE,     /* the row of this name */
    STORE_READ_KIND,    /* all of the name's meeting and kind */
    STORE_READ_ENTRIES, /* entries of the meeting, in the order they were first put */
    STORE_READ_KEYS,    /* all of the name's meeting and kind, without value and checksum */
} StoreRead;

/* A row, borrowed for the call; FALSE with an error ends the reading. */
typedef gboolean (*StoreVisit)(const StoreRow *row, gpointer data, GError **error);
gboolean store_database_read(StoreDatabase *database, StoreRead read, const StoreName *name,
                             StoreVisit visit, gpointer data, GError **error);
