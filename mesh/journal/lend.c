/* SPDX-License-Identifier: MPL-2.0 */
/* Blocks of documents given to neighbours, as they ask and as the store and the links allow. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define SERVE_FETCHES 16 /* blocks of one neighbour on their way from the store */
#define SERVE_ROOM    (BLOB_BLOCK_SIZE + 64) /* of one in the link's queue */

void library_write_place(BytesWriter *writer, BlobPlace place) {
    bytes_write_u8(writer, place.level);
    bytes_write_varint(writer, place.index);
}

BlobPlace library_read_place(BytesReader *reader) {
    BlobPlace place = {.level = bytes_read_u8(reader)};
    uint64_t index = bytes_read_varint(reader);

    if (index > UINT32_MAX || place.level >= BLOB_LEVELS) {
        reader->failed = true;
        index = 0;
    }
    place.index = (uint32_t)index;
    return place;
}

bool library_fetch_block(Mesh *mesh, uint32_t slot, const LibraryPlace *wanted) {
    Library *library = &mesh->library;
    uint8_t key[BLOB_KEY_SIZE];
    LibraryFetch *entry;

    if (!memory_grow((void **)&library->fetches, &library->fetch_capacity, library->fetch_count,
                     sizeof *library->fetches)) {
        return false;
    }
    entry = &library->fetches[library->fetch_count++];
    *entry = (LibraryFetch){.token = ++mesh->next_token, .slot = slot, .place = *wanted};
    blob_key(wanted->document, wanted->place, key);
    effects_add(&mesh->effects,
                &(MeshEffect){.kind = MESH_EFFECT_FETCH,
                              .store = {.token = entry->token, .item.kind = MESH_ITEM_BLOCK}},
                BYTES_NONE, BYTES_OF(key));
    return true;
}

MeshError library_want(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    LibraryPeer *peer = library_peer(mesh, slot);
    const uint8_t *id = bytes_read(&reader, ACT_DOCUMENT_ID_SIZE);
    uint8_t name = bytes_read_u8(&reader);

    if (reader.failed) {
        return MESH_ERROR_MALFORMED;
    }
    while (peer && bytes_left(&reader) > 0) {
        BlobPlace place = library_read_place(&reader);
        LibraryPlace *asked;

        if (reader.failed) {
            return MESH_ERROR_MALFORMED;
        }
        if (offer_covers(mesh, peer, id, place)) {
            continue;
        }
        if (peer->serve_count == MESH_BLOCKS_WANTED_MAX) {
            return MESH_ERROR_FULL; /* more than an honest neighbour asks */
        }
        asked = &peer->serve[(peer->serve_head + peer->serve_count++) % MESH_BLOCKS_WANTED_MAX];
        *asked = (LibraryPlace){.place = place, .name = name};
        memcpy(asked->document, id, ACT_DOCUMENT_ID_SIZE);
    }
    return MESH_OK;
}

static void send_lack(Mesh *mesh, uint32_t slot, const LibraryPlace *asked) {
    LibraryDocument *document = library_find(mesh, asked->document);
    Neighbour *neighbour = neighbour_at(mesh, slot);
    uint8_t body[ACT_DOCUMENT_ID_SIZE + 9];
    BytesWriter writer = bytes_writer(body, sizeof body);

    if (document) {
        document->refused |= 1ull << slot;
    } else {
        mesh->library.peers[slot]->early = true;
    }

    bytes_write(&writer, asked->document, ACT_DOCUMENT_ID_SIZE);
    library_write_place(&writer, asked->place);
    neighbour_send(mesh, neighbour, LINK_CHAT, UINT64_MAX, MESSAGE_LACK,
                   BYTES_AT(body, bytes_written(&writer)));
}

void library_serve(Mesh *mesh, uint32_t slot) {
    LibraryPeer *peer = mesh->library.peers[slot];
    Neighbour *neighbour = neighbour_at(mesh, slot);

    while (peer->serve_count > 0 && peer->serve_fetching < SERVE_FETCHES &&
           mesh->library.fetch_count < MESH_BLOCKS_WANTED_MAX - 4 &&
           link_room(neighbour->link) >= (peer->serve_fetching + 1) * SERVE_ROOM) {
        const LibraryPlace *asked = &peer->serve[peer->serve_head];
        const LibraryDocument *document = library_find(mesh, asked->document);

        if (document && blob_has(document->blob, asked->place)) {
            if (!library_fetch_block(mesh, slot, asked)) {
                return;
            }
            peer->serve_fetching++;
        } else {
            send_lack(mesh, slot, asked);
        }
        peer->serve_head = (peer->serve_head + 1) % MESH_BLOCKS_WANTED_MAX;
        peer->serve_count--;
    }
}

static void send_block(Mesh *mesh, const LibraryFetch *fetched, Bytes bytes) {
    Neighbour *neighbour = neighbour_at(mesh, fetched->slot);
    bool named = fetched->place.name != LIBRARY_UNNAMED;
    uint8_t body[ACT_DOCUMENT_ID_SIZE + 9 + BLOB_BLOCK_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);

    if (!neighbour) {
        return;
    }
    if (named) {
        bytes_write_u8(&writer, (uint8_t)fetched->place.name);
    } else {
        bytes_write(&writer, fetched->place.document, ACT_DOCUMENT_ID_SIZE);
    }
    library_write_place(&writer, fetched->place.place);
    bytes_write(&writer, bytes.data, bytes.length);
    if (!writer.failed) {
        neighbour_send(mesh, neighbour, LINK_DOCUMENT, UINT64_MAX,
                       named ? MESSAGE_GIVE : MESSAGE_BLOCK,
                       BYTES_AT(body, bytes_written(&writer)));
    }
}

void library_fetched(Mesh *mesh, uint64_t token, Bytes bytes) {
    Library *library = &mesh->library;

    for (size_t i = 0; i < library->fetch_count; i++) {
        LibraryFetch fetched = library->fetches[i];
        LibraryDocument *document = library_find(mesh, fetched.place.document);
        LibraryPeer *peer = fetched.slot == NEIGHBOUR_NONE ? NULL : library->peers[fetched.slot];

        if (fetched.token != token) {
            continue;
        }
        library->fetches[i] = library->fetches[--library->fetch_count];
        if (peer) {
            peer->serve_fetching--;
        }
        if (!document) {
            return;
        }
        if (fetched.slot == NEIGHBOUR_NONE) {
            blob_give_hashes(document->blob, fetched.place.place, bytes);
        } else if (bytes.data) {
            send_block(mesh, &fetched, bytes);
        } else if (peer) {
            blob_lose(document->blob, fetched.place.place); /* the store has it no more */
            send_lack(mesh, fetched.slot, &fetched.place);
        }
        return;
    }
}
