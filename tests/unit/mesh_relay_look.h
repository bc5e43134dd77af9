/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A room with a relay in it, and somebody who looks over its shoulder: at what comes to one node,
 * its links opened with the keys of whoever sends.
 */
#pragma once

#include "tests/unit/mesh_core_room.h"

#define RELAY  2
#define TITLE  "Cellule"
#define SECRET "le pont de Moissac est fermé"

typedef struct {
    guint to;
    guint opened;  /* datagrams */
    guint keys;    /* epoch keys in them */
    guint tickets; /* secrets of tickets */
    guint words;   /* of people */
} RelayLooked;

extern RelayLooked relay_looked;

/* From now on, at what comes to this node. */
void relay_look_over(Room *room, guint to);

/* 0 founds, 1 is a member, 2 a relay; all are linked, and the way to the relay is looked at. */
Room *relay_room(void);
/* Nothing that was looked at, or that the relay keeps, is a key, a ticket or a word. */
void relay_expect_keyless(Room *room);
