/* SPDX-License-Identifier: MPL-2.0 */
/* Blocks of documents that come from neighbours: whose they are, whether they are right. */
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"

#define RETRY_US     (15 * S)
#define GAP_LEAST_US 20

/* Which document is meant by its name: that of which the block was asked or, should it come too
 * late, the only one called so. */
static LibraryDocument *find_named(Mesh *mesh, uint32_t slot, uint8_t name, BlobPlace place) {
    LibraryPeer *peer = mesh->library.peers[slot];

    for (size_t i = 0; peer && i < peer->asked_count; i++) {
        const LibraryPlace *asked = &peer->asked[i];

        if (asked->name == name && asked->place.level == place.level &&
            asked->place.index == place.index) {
            return library_find(mesh, asked->document);
        }
    }
    return mesh->library.count <= LIBRARY_UNNAMED && name < mesh->library.count
               ? &mesh->library.documents[name]
               : NULL;
}

/* True when this neighbour was asked for the block. */
static bool no_longer_asked(Mesh *mesh, uint32_t slot, const uint8_t *id, BlobPlace place) {
    LibraryPeer *peer = mesh->library.peers[slot];

    for (size_t i = 0; peer && i < peer->asked_count; i++) {
        if (!memcmp(peer->asked[i].document, id, ACT_DOCUMENT_ID_SIZE) &&
            peer->asked[i].place.level == place.level &&
            peer->asked[i].place.index == place.index) {
            peer->asked[i] = peer->asked[--peer->asked_count];
            return true;
        }
    }
    return false;
}

/* One block that was asked for came: how fast do they? */
static void measure(const Mesh *mesh, LibraryPeer *peer) {
    uint64_t gap_us = mesh->now_us - peer->asked_us;

    if (peer->gap_us > 0) {
        gap_us = gap_us < 4 * peer->gap_us ? gap_us : 4 * peer->gap_us; /* an outage is no pace */
        gap_us = (7 * peer->gap_us + gap_us) / 8;
    }
    peer->gap_us = gap_us > GAP_LEAST_US ? gap_us : GAP_LEAST_US;
    peer->asked_us = mesh->now_us;
}

/* Checks a block, and keeps it. */
static MeshError keep(Mesh *mesh, LibraryDocument *document, BlobPlace place, Bytes block) {
    MeshError error =
        core_has_room(mesh) ? blob_take(document->blob, place, block) : MESH_ERROR_FULL;
    Pending pending = {.kind = PENDING_BLOCK, .place = place};
    uint8_t key[BLOB_KEY_SIZE];

    if (error) {
        return error;
    }
    memcpy(pending.document, blob_id(document->blob), sizeof pending.document);
    blob_key(pending.document, place, key);
    return core_persist(mesh, MESH_ITEM_BLOCK, BYTES_OF(key), block, pending)
               ? MESH_OK
               : MESH_ERROR_NO_MEMORY;
}

/* Not from this one, for a while. */
static void refuse(Mesh *mesh, uint32_t slot, LibraryDocument *document, BlobPlace place) {
    blob_give_up(document->blob, place);
    document->lacked |= 1ull << slot;
    mesh->library.retry_us = mesh->now_us + RETRY_US;
}

void library_keep_held(Mesh *mesh, LibraryDocument *document) {
    AheadBlock held;

    while (ahead_take(mesh, document->blob, &held)) {
        MeshError error = keep(mesh, document, held.place, BYTES_AT(held.bytes, held.length));

        if (error == MESH_ERROR_FORGED) {
            mesh->counters.forged++;
        }
        if (error && error != MESH_ERROR_REPLAYED) {
            refuse(mesh, held.slot, document, held.place);
        }
        free(held.bytes);
    }
}

static MeshError take_block(Mesh *mesh, uint32_t slot, LibraryDocument *document, BlobPlace place,
                            Bytes block) {
    const uint8_t *id = blob_id(document->blob);
    bool asked = no_longer_asked(mesh, slot, id, place);
    MeshError error;

    if (asked) {
        measure(mesh, mesh->library.peers[slot]);
    }
    if (asked && !blob_can_check(document->blob, place) &&
        ahead_hold(mesh, document->blob, place, block)) {
        return MESH_OK;
    }
    error = keep(mesh, document, place, block);
    if (error == MESH_ERROR_REPLAYED) {
        mesh->counters.duplicates++;
        return MESH_OK;
    }
    if (!error && place.level > 0) {
        library_keep_held(mesh, document);
    } else if (error && (asked || error == MESH_ERROR_NO_MEMORY)) {
        ahead_drop(mesh, id, place);
        refuse(mesh, slot, document, place);
    }
    return error;
}

MeshError library_block(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    const uint8_t *id = bytes_read(&reader, ACT_DOCUMENT_ID_SIZE);
    BlobPlace place = library_read_place(&reader);
    Bytes block = bytes_rest(&reader);
    LibraryDocument *document = id && !reader.failed ? library_find(mesh, id) : NULL;

    if (document) {
        return take_block(mesh, slot, document, place, block);
    }
    return reader.failed                                      ? MESH_ERROR_MALFORMED
           : ahead_hold_offered(mesh, slot, id, place, block) ? MESH_OK
                                                              : MESH_ERROR_UNKNOWN;
}

MeshError library_given(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t name = bytes_read_u8(&reader);
    BlobPlace place = library_read_place(&reader);
    Bytes block = bytes_rest(&reader);
    LibraryDocument *document = reader.failed ? NULL : find_named(mesh, slot, name, place);

    if (!document) {
        return reader.failed ? MESH_ERROR_MALFORMED : MESH_ERROR_UNKNOWN;
    }
    return take_block(mesh, slot, document, place, block);
}

MeshError library_lack(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    const uint8_t *id = bytes_read(&reader, ACT_DOCUMENT_ID_SIZE);
    BlobPlace place = library_read_place(&reader);
    LibraryDocument *document = id && !reader.failed ? library_find(mesh, id) : NULL;

    if (!document) {
        return reader.failed ? MESH_ERROR_MALFORMED : MESH_OK;
    }
    if (!no_longer_asked(mesh, slot, id, place)) {
        return MESH_OK;
    }
    ahead_drop(mesh, id, place);
    refuse(mesh, slot, document, place);
    return MESH_OK;
}

MeshError library_have(Mesh *mesh, uint32_t slot, Bytes body) {
    LibraryDocument *document =
        body.length == ACT_DOCUMENT_ID_SIZE ? library_find(mesh, body.data) : NULL;

    if (document) {
        document->lacked &= ~(1ull << slot);
    }
    return body.length == ACT_DOCUMENT_ID_SIZE ? MESH_OK : MESH_ERROR_MALFORMED;
}
