/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is true now, as JSON: for the commands that only ask, for events, and for the page.
 * It owns the names of the members of these objects. It never changes anything.
 */
#pragma once

#include "node/cli/language.h"
#include "node/host/room.h"

/* For the language: of an event. What is said in the node's is then besides in each, in `names`
 * (of whoever has no name of its own) and `reasons`. */
#define VIEWS_EVENT LANGUAGES

/* Each adds one object to the builder. */
void views_meeting(JsonBuilder *builder, Room *room);
/* `hand`: its number among those who ask to speak, 0: it does not. Called so in that language. */
void views_member(JsonBuilder *builder, const MeshMember *member, guint hand, Language language);
/* The same, with the sentence about its line in that language. */
void views_peer(JsonBuilder *builder, Room *room, const MeshMember *member, Language language);
void views_message(JsonBuilder *builder, const MeshMessage *message);
void views_document(JsonBuilder *builder, const MeshDocument *document);
/* With one's own vote; `motion show` leaves that out, so it says the same on every node. */
void views_motion(JsonBuilder *builder, const Mesh *mesh, const MeshMotion *motion);

/* The answer of `status`, its sentences in that language. The caller frees. */
JsonNode *views_status(Host *host, Language language);
