/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Finding a thing by its id, or by the beginning of it.
 * It owns the search while it goes on. It never takes the first of several for the one meant.
 */
#pragma once

#include "node/host/room.h"

/* An id in hexadecimal: of 32 bytes. */
#define MATCH_TEXT_SIZE (2 * MESH_HASH_SIZE + 1)
void match_text(const guint8 id[MESH_HASH_SIZE], char ret_text[MATCH_TEXT_SIZE]);

/* Each finds one, or refuses the call and returns FALSE. */
Room *match_meeting(Host *host, BusCall *call, const char *wanted);
gboolean match_member(Room *room, BusCall *call, const char *wanted, MeshMember *ret_member);
gboolean match_document(Room *room, BusCall *call, const char *wanted, MeshDocument *ret_document);
gboolean match_voice(Room *room, BusCall *call, const char *wanted, MeshMessage *ret_message);
gboolean match_motion(Room *room, BusCall *call, const char *wanted, MeshMotion *ret_motion);

/* By its whole id; FALSE when there is none. */
gboolean match_document_id(const Mesh *mesh, const MeshHash *id, MeshDocument *ret_document);
gboolean match_motion_id(const Mesh *mesh, const MeshHash *id, MeshMotion *ret_motion);
gboolean match_message_id(const Mesh *mesh, const MeshHash *id, MeshMessage *ret_message);
gboolean match_member_key(const Mesh *mesh, const MeshKey *key, MeshMember *ret_member);
