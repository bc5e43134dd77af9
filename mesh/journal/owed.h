/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How much of what was written here each member has not confirmed: what a person is told of
 * messages and ballots that are still on their way.
 * It owns two counts a neighbour, and one an author. It never decides what is sent to whom.
 *
 * Counted are the entries of this run of the node. An entry is confirmed when the neighbour said
 * that it has it, or acknowledged everything it was told up to it; what it got from another, when
 * digests are compared. Whoever is linked with or not confirms all that what it writes cites, be it
 * by way of others: nobody cites what it does not have.
 */
#pragma once

#include "mesh/journal/sync.h"

/* It says that it has so many entries of a chain. */
void owed_has(const Mesh *mesh, SyncPeer *peer, const uint8_t tag[JOURNAL_TAG_SIZE],
              uint64_t count);
/* It is told this entry. */
void owed_told(const Mesh *mesh, SyncPeer *peer, const Record *record);
/* Before it is told anything more: remembers what it confirmed by now. */
void owed_settle(Mesh *mesh, uint32_t slot);
/* An entry of another is applied. */
void owed_applied(Mesh *mesh, const Record *record);
/* Entries written here, in this run. */
uint64_t owed_written(const Mesh *mesh);
/* Those of them that a member has not confirmed. */
uint64_t owed_count(const Mesh *mesh, const MeshKey *member);
