/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The disk of a node: what was committed outlives a crash, and of what was not, any beginning may.
 * It owns copies of the items. It never reads them.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"

typedef struct Store Store;

Store *store_create(void);
void store_destroy(Store *store);

/* PERSIST and FORGET: done with the next commit, in this order. */
void store_put(Store *store, uint64_t token, const MeshItem *item);
void store_forget(Store *store, const MeshItem *item);
/* The value of an item, committed or not; NULL when absent. The caller unrefs. */
GBytes *store_fetch(const Store *store, const MeshItem *item);

/* Bytes of the values of one kind that are committed. */
uint64_t store_size(const Store *store, MeshItemKind kind);
/* What waits for a commit. */
size_t store_waiting(const Store *store);
/* Commits all that waits; the token of the last put among it, 0 when there was none. */
uint64_t store_commit(Store *store);
/* The disk is full: all that waits is void; the token of the last put among it, or 0. */
uint64_t store_refuse(Store *store);
/* The power fails: of what waits only the first so many are there afterwards. */
void store_crash(Store *store, size_t kept);

/* Every item: STATE, then ENTRY in the order first put, then BLOCK (keys alone). */
void store_load(const Store *store, void (*load)(gpointer context, const MeshItem *item),
                gpointer context);
