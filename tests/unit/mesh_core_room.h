/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A few nodes in one room, in virtual time: real cores, each with a disk, and a perfect network in
 * which a test may lose or change what it likes.
 * It owns the nodes, their disks and what is under way. It never sleeps, and repeats itself.
 */
#pragma once

#include <glib.h>

#include "mesh/core.h"

#define ROOM_PEERS_SIZE 4
#define ROOM_BEGIN_S    1000000000

typedef struct Room Room;

typedef struct {
    uint64_t tag;
    MeshError error;
    MeshHash hash;
    char *text;
} RoomDone;

typedef struct {
    Room *room;
    guint number;
    Mesh *mesh; /* NULL: it does not run */
    MeshKey key;
    MeshPath address, address6;
    uint32_t drawn;    /* random bytes so far */
    GPtrArray *items;  /* on disk, in the order first kept */
    GPtrArray *writes; /* not yet */
    bool committing, disk_full;
    uint64_t store_max; /* of its next runs */
    guint crash_in;     /* events until it stops for good; 0: it does not */
    GArray *done;       /* RoomDone */
    guint notices[MESH_NOTICE_COPIED + 1];
    guint ends[MESH_END_EXPELLED + 1]; /* of links, as notices told */
    guint opened, closed, frames;      /* of streams received */
    guint keyframes;                   /* asked of its own encoder */
} Peer;

/* What becomes of a datagram from one to the other: false loses it; it may be changed. */
typedef bool (*RoomFilter)(Room *room, guint from, guint to, uint8_t *bytes, size_t length);

struct Room {
    uint64_t now_us;
    uint64_t latency_us; /* of datagrams, commits and reads */
    Peer peers[ROOM_PEERS_SIZE];
    GQueue under_way;
    RoomFilter filter;
    bool no_beacon;
    bool two_families; /* IPv6 as well, */
    guint lost_family; /* and what goes by this one is lost; 0: none is */
};

Room *room_new(void);
void room_free(Room *room);

/* Starts a node, from its disk when it ran before. */
Peer *room_start(Room *room, guint number);
void peer_stop(Peer *peer);
/* Tells a node its addresses. */
void peer_tell_addresses(Peer *peer);
void peer_step(Peer *peer, const MeshEvent *event);

void room_run(Room *room, uint64_t for_us);
/* Runs until the condition holds, for half a minute at most; whether it does. */
bool room_until(Room *room, bool (*holds)(Peer *peer), Peer *peer);

/* Begins an intent and returns its tag; or waits until it is done, failing after half a minute. */
uint64_t peer_begin(Peer *peer, MeshIntent intent);
const RoomDone *peer_result(const Peer *peer, uint64_t tag);
const RoomDone *peer_ask(Peer *peer, MeshIntent intent);

/* ---- what tests often want ---- */

/* The first founds a meeting and lets the others in: `count` nodes, all linked. */
void room_meet(Room *room, guint count);
char *peer_invite(Peer *peer, uint32_t uses);
char *peer_invite_as(Peer *peer, MeshRole role, uint32_t uses);
/* Starts a node and lets it join by this ticket, as a relay or not; what comes of it. */
MeshError room_join(Room *room, guint number, const char *ticket, bool relay);
void peer_say(Peer *peer, const char *text);
bool peer_has_message(Peer *peer, const char *text);
bool bytes_hold(Bytes bytes, Bytes wanted);
/* The bytes are in something that is on its disk. */
bool peer_keeps(const Peer *peer, Bytes wanted);
/* Waits until everyone named by the mask has it. */
void room_expect_message(Room *room, guint mask, const char *text);
Neighbour *peer_neighbour(Peer *peer, const Peer *other);
bool peer_is_linked(Peer *peer, const Peer *other);
