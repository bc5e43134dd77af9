/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Documents on their way: read from a file into the meeting, and written out of it.
 * It owns each one under way until its call is answered. It never reads a whole document at once,
 * and never waits: the loop goes on between two pieces.
 */
#pragma once

#include "node/host/room.h"

/* Pieces handled before the rest of the loop has its turn: a leaf is 4096 bytes. */
#define DOCUMENT_LEAF_SIZE    4096
#define DOCUMENT_LEAVES_COUNT 64

/* ---- document_add.c ---- */

void document_add_create(Host *host);
/* What is under way is dropped, its calls are not answered. */
void document_add_destroy(Host *host);
/* What was put is on disk, or failed: the next pieces may come. */
void document_turn_ended(Host *host);

/* ---- document_get.c ---- */

void document_get_create(Host *host);
void document_get_destroy(Host *host);
/* Opens one leaf that is here; FALSE with an error when it is damaged. */
gboolean document_leaf(Room *room, const MeshHash *id, guint32 leaf,
                       guint8 ret_plain[DOCUMENT_LEAF_SIZE], gsize *ret_length, GError **error);
/* A document announced, progressed or whole. */
void document_changed(Room *room, const MeshHash *id);
