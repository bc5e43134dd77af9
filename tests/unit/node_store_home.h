/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A home on disk for the tests of the store: filled with known items, copied, put back, compared.
 * It owns the folder. It never opens the database but through the store.
 */
#pragma once

#include "node/store/store.h"

/* What a home holds, as text: one line an item, in the order in which it was loaded. */
char *home_contents(Store *store);

/* A path in a folder of its own, removed with everything in it by home_finish. */
char *home_new(void);
void home_finish(char *home);
char *home_file(const char *home, const char *name);

/* Opens, which must succeed. */
Store *home_open(const char *home);
/* Opening must fail so, say where, and change no file. */
void home_refuses(const char *home, const char *passphrase, StoreError code);

/* Every file of the home: name → GBytes. */
GHashTable *home_copy(const char *home);
/* Makes the home hold these files and no others. */
void home_restore(const char *home, GHashTable *copy);
void home_write(const char *home, const char *name, const void *bytes, gsize length);

/* Puts one item into the transaction; text as key and value. */
void home_put(Store *store, guint meeting, MeshItemKind kind, const char *key, const char *value);
/* Two meetings, two settings, some items of each kind, all committed. */
void home_fill(Store *store);

/* Runs in a child process that then dies by SIGKILL. */
void home_killed_after(const char *home, void (*work)(Store *store));
