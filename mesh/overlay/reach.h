/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the others may be: own addresses, theirs, hailing the LAN, and who is linked with whom.
 * It owns addresses and the timing of hails. It never sends content.
 */
#pragma once

#include "mesh/overlay/hail.h"
#include "mesh/overlay/neighbour.h"

#define REACH_NONCES_SIZE  4
#define REACH_KEPT_SIZE    4 /* addresses of a member kept on disk */
#define REACH_WRITTEN_SIZE 6 /* own addresses told to others */

typedef struct {
    MeshKey key;
    bool hearsay; /* of others alone, and never on disk */
    size_t count;
    MeshPath addresses[REACH_KEPT_SIZE];
} ReachKept;

typedef struct {
    size_t own_count;
    MeshPath own[MESH_ADDRESSES_MAX];
    uint64_t hail_from_us; /* somebody was to be found */
    uint64_t hail_next_us;
    uint32_t hail_tries;
    size_t nonce_at;
    uint8_t nonces[REACH_NONCES_SIZE][HAIL_NONCE_SIZE]; /* of our last hails */
    uint64_t window_us;                                 /* of the hails answered */
    uint32_t window_count;
    uint32_t window_trials; /* hails that are not of a member, each tried with every ticket */
    ReachKept *kept;
    size_t kept_count, kept_capacity;
} Reach;

void reach_finish(Mesh *mesh);
/* This node's own addresses changed. */
void reach_own(Mesh *mesh, const MeshPath *paths, size_t count);
/* It means the same to whoever reads it, and is of one node. */
bool reach_is_portable(const MeshPath *path);
/* Ours, and what members see of us from outside a NAT. */
size_t reach_own_addresses(Mesh *mesh, MeshPath *ret_addresses, size_t room);
/* Own addresses that others may use: count u8, addresses. */
void reach_write_own(Mesh *mesh, BytesWriter *writer);
/* Reads such a list, all of it; returns how many were kept. */
size_t reach_read_addresses(BytesReader *reader, MeshPath ret_addresses[MESH_ADDRESSES_MAX]);
/* For a ticket: own, then of members linked with; as many as there is room for. */
size_t reach_ticket_addresses(Mesh *mesh, MeshPath *ret_addresses, size_t room);

/* A new link: tells it our addresses and where we see it. */
void reach_greet(Mesh *mesh, Neighbour *neighbour);
/* Where a member may be found is kept on disk, when that changed. */
void reach_keep_addresses(Mesh *mesh, Neighbour *neighbour);
void reach_loaded(Mesh *mesh, Bytes key, Bytes value);

/* What was kept of where the node may be found, at this run or the last. */
void reach_recall(Mesh *mesh, Neighbour *neighbour);
/* Another says where a member is: that counts where it never said so itself. */
void reach_hearsay(Mesh *mesh, const MeshKey *key, const MeshPath *path);
/* Whether anything was. */
bool reach_recalls(const Mesh *mesh, const MeshKey *key);

MeshError reach_addresses_received(Mesh *mesh, Neighbour *neighbour, Bytes body);

/* ---- seek.c: finding and being found ---- */

/* Somebody is to be found: hail soon, and then ever more seldom. */
void reach_soon(Mesh *mesh);
/* A link came up: a joiner asks there, and hails no more for a while. */
void reach_linked(Mesh *mesh);
/* Hails when it is time. */
void reach_seek(Mesh *mesh);
uint64_t reach_deadline_us(const Mesh *mesh);
MeshError reach_hail_received(Mesh *mesh, const MeshPath *path, Bytes datagram);
MeshError reach_here_received(Mesh *mesh, const MeshPath *path, Bytes datagram);
