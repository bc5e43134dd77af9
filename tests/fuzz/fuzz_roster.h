/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Members of a meeting that no entry admitted, and neighbours that no handshake linked, for targets
 * that drive what depends on who is one. It owns nothing.
 */
#pragma once

#include "mesh/core.h"
#include "mesh/memory.h"
#include "tests/fuzz/fuzz.h"

/* As if an entry had admitted it, after all others. */
static inline void fuzz_add_member(Mesh *mesh, const MeshKey *key, MeshRole role) {
    Roster *roster = &mesh->meeting.roster;
    size_t place = roster->member_count;
    size_t rank = 0;

    FUZZ_CHECK(memory_grow((void **)&roster->members, &roster->member_capacity, place,
                           sizeof *roster->members));
    while (rank < place &&
           memcmp(roster->members[roster->by_key[rank]].key.bytes, key->bytes, MESH_KEY_SIZE) < 0) {
        rank++;
    }
    memmove(roster->by_key + rank + 1, roster->by_key + rank,
            (place - rank) * sizeof *roster->by_key);
    memmove(roster->ranks + rank + 1, roster->ranks + rank, (place - rank) * sizeof *roster->ranks);
    roster->by_key[rank] = (uint16_t)place;
    roster->ranks[rank] = bytes_rank(key->bytes);
    roster->members[roster->member_count++] = (Member){.key = *key, .role = role};
}

/* As if it had been linked with directly, and greeted; what is sent to it goes nowhere. */
static inline Neighbour *fuzz_befriend(Mesh *mesh, const MeshKey *key) {
    Neighbour *neighbour = neighbour_want(mesh, key, mesh->psk, false);

    FUZZ_CHECK(neighbour);
    if (!neighbour->link) {
        neighbour->link = link_create(NEIGHBOUR_WIRE_OVERHEAD);
    }
    FUZZ_CHECK(neighbour->link);
    neighbour->linked = LINKED_UP;
    neighbour->greeting = GREETING_BOTH;
    neighbour->path = (MeshPath){.kind = MESH_PATH_KNOCK, .family = 4, .port = 7000};
    return neighbour;
}
