/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The folder of a home: the names of its files, its lock, and the mark kept in the lock's file.
 * It owns the lock while it is open, so that one process at a time uses the folder. It never reads
 * what the other files hold.
 */
#pragma once

#include <glib.h>

typedef struct StoreHome StoreHome;

#define STORE_MARK_SIZE 24

/* Makes the folder with mode 0700 when absent and takes its lock: IN_USE, FULL, FAILED. */
StoreHome *store_home_open(const char *folder, GError **error);
/* Gives the lock back. NULL-safe. */
void store_home_close(StoreHome *home);

/* The absolute path of a file of the home. The caller frees. */
char *store_home_path(const StoreHome *home, const char *name);
gboolean store_home_has(const StoreHome *home, const char *name);
/* Gives a finished file its name, durably: FULL, FAILED. */
gboolean store_home_rename(const StoreHome *home, const char *from, const char *to, GError **error);

/*
 * The mark says how far the database had come when it was last written to. It is not synced: after
 * a power cut it may be an older one, after the death of the process it is the last. FALSE when
 * there is none.
 */
gboolean store_home_read_mark(const StoreHome *home, guint8 ret_mark[STORE_MARK_SIZE]);
void store_home_write_mark(StoreHome *home, const guint8 mark[STORE_MARK_SIZE]);
void store_home_clear_mark(StoreHome *home);

/* Each sets DAMAGED: which file, what is wrong with it, and the way out. */
void store_home_set_damaged(GError **error, const char *path);
void store_home_set_missing(GError **error, const char *path);
/* It lacks what was recorded last: a side file was lost, or an old copy put in its place. */
void store_home_set_behind(GError **error, const char *path);
/* Sets FULL or FAILED for a system error on a file. */
void store_home_set_errno(GError **error, const char *path, int number);
