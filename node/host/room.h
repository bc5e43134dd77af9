/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One meeting on this node: its Mesh, its number in the store, its timer.
 * It owns the Mesh, gives it events and does what its effects ask. It never waits: what the store
 * is asked is committed at the end of the turn.
 */
#pragma once

#include "node/host/state.h"

typedef enum {
    ROOM_OPEN,
    ROOM_GOING,     /* left by the person, at the end of the turn; */
    ROOM_AWAY,      /* it was: what is recorded can be read, and nothing goes in or out */
    ROOM_RETURNING, /* it takes part again, from the end of the turn on */
    ROOM_LEAVING,   /* forgotten, with all it stored, at the end of the turn */
} RoomState;

typedef struct {
    Host *host;
    guint number; /* in the store */
    Mesh *mesh;
    GSource *timer;
    guint64 deadline_us; /* its TIMEOUT, by the monotonic clock; G_MAXUINT64: never */
    RoomState state;
    guint64 token;     /* newest PERSIST not yet answered; 0: none */
    gboolean stepping; /* the Mesh is stepped, or its effects are done */
    GQueue later;      /* events that came meanwhile */
    Ways *ways;        /* to its members, watched; NULL: none yet */
} Room;

/* Opens every meeting of the store. FALSE when one cannot be read. */
gboolean room_load_all(Host *host, GError **error);
/* A new room, neither created nor joined; on disk. NULL with an error. */
Room *room_add(Host *host, GError **error);
/* Opens one of the store, silent when it was left. FALSE with an error. */
gboolean room_load(Host *host, guint number, GError **error);
/* Whether datagrams, timers and addresses concern it. */
gboolean room_is_awake(const Room *room);
/* Closes; the store keeps it. Intents under way end with MESH_ERROR_STATE. */
void room_close(Room *room);
/* It is no more: to be forgotten. */
void room_leave(Room *room);

/* By number in the store, NULL when there is none (any more). */
Room *room_find(Host *host, guint number);
/* The room that a person acts in. NULL: none. */
Room *room_current(Host *host);
/* The same; NULL when the call was refused because there is none. */
Room *room_of_call(Host *host, BusCall *call);
/* Makes it the current one, remembered. */
void room_use(Room *room);
/* The person is a member, or was. */
gboolean room_is_joined(const Room *room);

/* Fills in the time, steps the Mesh, does its effects. */
MeshError room_step(Room *room, MeshEvent *event);
/* An event without any content. */
void room_tell(Room *room, MeshEventKind kind);
/* This node's own addresses, and whether everything may have changed. */
void room_addresses(Room *room, gboolean woke);

/* Called once, with a DONE effect; its texts last for the call, in which the Mesh of the room may
 * not be stepped. */
typedef void (*IntentDone)(Room *room, const MeshEffect *done, gpointer data);
/* Gives an intent to the Mesh, with a tag and the time of now; perhaps it is done on return. */
void room_intent(Room *room, MeshIntent *intent, IntentDone done, gpointer data);
/* Refuses the call with the error's sentence. */
void room_refuse(BusCall *call, MeshError error);
