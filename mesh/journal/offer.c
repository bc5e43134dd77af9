/* SPDX-License-Identifier: MPL-2.0 */
/* The first blocks of a document, sent with its announcement. */
#include <string.h>

#include "mesh/core.h"

#define FAR_US     (100 * MS) /* a round trip less than this is not worth saving */
#define BLOCKS     2          /* beside what comes within a round trip: hashes, and a leaf */
#define CROSSED_US (1 * S) /* and two round trips: who asks so soon asks for what is on its way */

/* As many as keep the line busy until it asks. */
static size_t wanted(const Mesh *mesh, const Neighbour *neighbour) {
    LinkState state = link_state(neighbour->link, mesh->now_us);
    uint64_t bytes = (uint64_t)state.rate_bps / 8 * state.rtt_us / S;
    uint64_t blocks = BLOCKS + bytes / BLOB_BLOCK_SIZE;

    return blocks < MESH_BLOCKS_OFFERED_MAX ? (size_t)blocks : MESH_BLOCKS_OFFERED_MAX;
}

static void offer(Mesh *mesh, uint32_t slot, Blob *blob) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    LibraryPeer *peer = library_peer(mesh, slot);
    BlobPlace place;

    if (!peer || peer->serve_count > 0 || peer->serve_fetching > 0 ||
        mesh->now_us < peer->offered_us) {
        return;
    }
    peer->offered_us = mesh->now_us + CROSSED_US + 2 * (uint64_t)link_rtt_us(neighbour->link);
    peer->offered_count = 0;
    while (peer->offered_count < wanted(mesh, neighbour) &&
           (blob_want_next(blob, &place) || blob_want_ahead(blob, &place))) {
        LibraryPlace *offered = &peer->offered[peer->offered_count++];

        *offered = (LibraryPlace){.place = place, .name = LIBRARY_UNNAMED};
        memcpy(offered->document, blob_id(blob), ACT_DOCUMENT_ID_SIZE);
        peer->serve[(peer->serve_head + peer->serve_count++) % MESH_BLOCKS_WANTED_MAX] = *offered;
    }
}

void offer_document(Mesh *mesh, const MeshHash *root, const Blob *blob) {
    uint64_t size = blob_have(blob);

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);
        Blob *theirs; /* which has none of it */

        if (size > mesh->document_fetch_max || !neighbour ||
            !neighbour_is_greeted(mesh, neighbour) || !neighbour_is_direct(neighbour) ||
            link_rtt_us(neighbour->link) < FAR_US) {
            continue;
        }
        theirs = blob_create(blob_id(blob), root, size);
        if (theirs) {
            offer(mesh, slot, theirs);
        }
        blob_destroy(theirs);
    }
}

bool offer_covers(Mesh *mesh, LibraryPeer *peer, const uint8_t *id, BlobPlace place) {
    for (size_t i = 0; mesh->now_us < peer->offered_us && i < peer->offered_count; i++) {
        const LibraryPlace *offered = &peer->offered[i];

        if (offered->place.level == place.level && offered->place.index == place.index &&
            !memcmp(offered->document, id, ACT_DOCUMENT_ID_SIZE)) {
            peer->offered[i] = peer->offered[--peer->offered_count];
            return true;
        }
    }
    return false;
}
