/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How much of what was written here each neighbour has not confirmed: what a person is told of
 * messages and ballots that are still on their way.
 * It owns no more than two counts a neighbour. It never decides what is sent to whom.
 *
 * Counted are the entries of this run of the node. An entry is confirmed when the neighbour said
 * that it has it, or acknowledged everything it was told up to it; what it got from another, when
 * digests are compared.
 */
#pragma once

#include "mesh/journal/sync.h"

/* It says that it has so many entries of a chain. */
void owed_has(const Mesh *mesh, SyncPeer *peer, const uint8_t tag[JOURNAL_TAG_SIZE],
              uint64_t count);
/* It is told this entry. */
void owed_told(const Mesh *mesh, SyncPeer *peer, const Record *record);
/* Before it is told more: remembers what it confirmed by now. */
void owed_settle(Mesh *mesh, uint32_t slot);
/* Entries written here that it has not confirmed; of NEIGHBOUR_NONE all of this run. */
uint64_t owed_count(const Mesh *mesh, uint32_t slot);
