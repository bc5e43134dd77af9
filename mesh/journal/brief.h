/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An entry for who has the one before it in its chain: what both have in common is left out, about
 * a hundred bytes of three hundred. It owns the form (mesh/README.md, "Entry"). It never judges:
 * what is made whole again is read and verified as any entry.
 */
#pragma once

#include "mesh/journal/journal.h"

/* Writes it into `ret_bytes[MESH_ENTRY_MAX]`; 0: it has to be told whole, as the two are not sealed
 * under one key, or one of them is a husk. */
size_t brief_write(const Journal *journal, const Record *record, uint8_t *ret_bytes);
/* What it is of. False: it is malformed. */
bool brief_read(Bytes brief, uint8_t ret_tag[JOURNAL_TAG_SIZE], uint64_t *ret_sequence);
/* The whole entry, into `ret_bytes[MESH_ENTRY_MAX]`. STATE: the one before it is not here, or not
 * of its kind; MALFORMED: it cannot be an entry. */
MeshError brief_complete(const Journal *journal, Bytes brief, uint8_t *ret_bytes,
                         size_t *ret_length);
