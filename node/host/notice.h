/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What happens, told at once: events on the bus, and sentences for the person.
 * It owns the names of the events. It never keeps one: who misses an event asks for the state.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "node/host/room.h"

/* Something in the views of a room changed. */
void notice_publish(Room *room, MeshNotice notice, const MeshHash *hash, const MeshKey *key);
/* What a person is told of the line to a member has changed: event `line`. */
void notice_line(Room *room, const MeshMember *member);
/* Who is linked with whom, or how a member is reached: event `map`. */
void notice_map(Room *room);
/* An event about a meeting, begun: `meeting`, and whether it is the `current` one. */
JsonBuilder *notice_begin(Room *room);
/* The current meeting is another one. */
void notice_current(Room *room);
/* A sentence the person should know, its English, said in the node's language on standard error,
 * and as an event `notice`, in all languages. */
void notice_tell(Host *host, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same, made in each language by whoever tells; `about`: the member whose line is told of,
 * whose newest sentence replaces the former ones, or NULL. Frees the texts. */
void notice_tell_texts(Host *host, const MeshKey *about, char *texts[LANGUAGES]);
