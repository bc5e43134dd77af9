/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Datagrams that leave one socket together, by one system call.
 * It owns copies of those that wait, at most NET_BATCH_SIZE. It never waits by itself: whoever adds
 * some lets them leave soon.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"

#define NET_BATCH_SIZE 16

typedef struct NetBatch NetBatch;

/* Counts what left and what did not. */
NetBatch *net_batch_create(guint64 *sent, guint64 *failed);
/* What waits is forgotten. NULL-safe. */
void net_batch_destroy(NetBatch *batch);

/*
 * Adds one of at most MESH_DATAGRAM_MAX bytes; what waits for another socket, or has no room for
 * more, leaves first. `interface` 0: as the routes say; `local`: the address to send from, NULL:
 * any.
 */
void net_batch_add(NetBatch *batch, int socket, const MeshPath *to, guint32 interface,
                   const guint8 *local, Bytes bytes);
/* All that waits leaves, in its order. One that cannot holds up none of the others. */
void net_batch_leave(NetBatch *batch);
