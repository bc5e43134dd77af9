/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/library.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define PAUSE_US     (5 * S)
#define RETRY_US     (15 * S)
#define ASKED_US     (60 * S) /* then what was asked for does not come any more */
#define TELL_US      (2 * S)  /* between two HAVE of one document */
#define COVER_US     (3 * S)  /* what is asked for lasts so long, should requests be lost */
#define BATCH_US     (6 * S)  /* and so much more is asked at once: each request is answered */
#define WINDOW_FIRST 16       /* blocks asked for before any came */
#define WINDOW_LEAST 4

LibraryDocument *library_find(Mesh *mesh, const uint8_t id[ACT_DOCUMENT_ID_SIZE]) {
    for (size_t i = 0; i < mesh->library.count; i++) {
        if (!memcmp(blob_id(mesh->library.documents[i].blob), id, ACT_DOCUMENT_ID_SIZE)) {
            return &mesh->library.documents[i];
        }
    }
    return NULL;
}

static LibraryDocument *find_document(const Mesh *mesh, const MeshHash *id) {
    for (size_t i = 0; i < mesh->library.count; i++) {
        if (mesh_hash_equal(&mesh->library.documents[i].id, id)) {
            return &mesh->library.documents[i];
        }
    }
    return NULL;
}

void library_blob_id(const MeshKey *author, const uint8_t id[ACT_DOCUMENT_ID_SIZE],
                     uint8_t ret_id[ACT_DOCUMENT_ID_SIZE]) {
    domain_hash(ret_id, ACT_DOCUMENT_ID_SIZE, "document", BYTES_OF(author->bytes),
                BYTES_AT(id, ACT_DOCUMENT_ID_SIZE));
}

const Blob *library_blob(const Mesh *mesh, const MeshHash *id) {
    const LibraryDocument *document = find_document(mesh, id);

    return document ? document->blob : NULL;
}

LibraryPeer *library_peer(Mesh *mesh, uint32_t slot) {
    if (!mesh->library.peers[slot]) {
        mesh->library.peers[slot] = calloc(1, sizeof *mesh->library.peers[slot]);
        mesh->library.noted |= 1ull << slot;
    }
    return mesh->library.peers[slot];
}

void library_finish(Mesh *mesh) {
    for (size_t i = 0; i < mesh->library.count; i++) {
        blob_destroy(mesh->library.documents[i].blob);
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        free(mesh->library.peers[slot]);
    }
    free(mesh->library.documents);
    free(mesh->library.fetches);
    ahead_finish(mesh);
}

MeshError library_fetch(Mesh *mesh, const MeshHash *id) {
    LibraryDocument *document = find_document(mesh, id);

    if (!document) {
        return MESH_ERROR_UNKNOWN;
    }
    document->fetched = true;
    document->lacked = 0;
    return MESH_OK;
}

/* ---- what is here ---- */

/* It was added in this run: all its blocks were stored before its entry. */
static bool is_own(const Mesh *mesh, const MeshHash *id) {
    const Record *record = journal_find(mesh->journal, id);

    return record && mesh->author.begun &&
           !memcmp(journal_chain(mesh->journal, record->chain)->tag, mesh->author.tag,
                   JOURNAL_TAG_SIZE);
}

static void add(Mesh *mesh, const Announced *announced) {
    Library *library = &mesh->library;
    LibraryDocument document = {.id = announced->id, .announced = true};
    uint8_t id[ACT_DOCUMENT_ID_SIZE];

    library_blob_id(&announced->author, announced->blob, id);
    if (library_find(mesh, id) || library->count == MESH_DOCUMENTS_MAX ||
        !memory_grow((void **)&library->documents, &library->capacity, library->count,
                     sizeof *library->documents)) {
        return;
    }
    document.fetched = announced->size <= mesh->document_fetch_max;
    document.blob = blob_create(id, &announced->root, announced->size);
    if (!document.blob) {
        return;
    }
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        if (library->peers[slot] && library->peers[slot]->early) {
            document.refused |= 1ull << slot;
        }
    }
    library->documents[library->count++] = document;
    if (!is_own(mesh, &document.id)) {
        ahead_adopt(mesh, document.blob, document.fetched);
        return;
    }
    for (uint8_t level = 0; level < BLOB_LEVELS; level++) {
        for (uint32_t i = 0; i < blob_count(document.blob, level); i++) {
            blob_mark(document.blob, (BlobPlace){level, i});
        }
    }
    offer_document(mesh, &announced->root, document.blob);
}

void library_update(Mesh *mesh) {
    for (size_t i = 0; i < mesh->library.count; i++) {
        mesh->library.documents[i].announced = false;
    }
    for (size_t i = 0; i < mesh->meeting.document_count; i++) {
        LibraryDocument *document = find_document(mesh, &mesh->meeting.documents[i].id);

        if (document) {
            document->announced = true;
        } else {
            add(mesh, &mesh->meeting.documents[i]);
        }
    }
}

void library_loaded(Mesh *mesh, Bytes key) {
    uint8_t id[ACT_DOCUMENT_ID_SIZE];
    BlobPlace place;
    LibraryDocument *document = blob_key_read(key, id, &place) ? library_find(mesh, id) : NULL;

    if (document && blob_block_size(document->blob, place) + (place.level == 0) > 0) {
        blob_mark(document->blob, place);
    } else {
        core_forget(mesh, MESH_ITEM_BLOCK, key); /* of a document never wholly added */
    }
}

void library_stored(Mesh *mesh, const uint8_t id[ACT_DOCUMENT_ID_SIZE], BlobPlace place) {
    LibraryDocument *document = library_find(mesh, id);

    if (document) {
        blob_mark(document->blob, place);
        document->tell = true;
        core_notify(mesh, MESH_NOTICE_DOCUMENT, &document->id, NULL);
    }
}

void library_store_failed(Mesh *mesh, const uint8_t id[ACT_DOCUMENT_ID_SIZE], BlobPlace place) {
    LibraryDocument *document = library_find(mesh, id);

    if (document) {
        blob_give_up(document->blob, place);
    }
    mesh->library.paused_until_us = mesh->now_us + PAUSE_US;
}

/* ---- asking neighbours ---- */

/* What we call a document towards those we ask; others may be called the same. */
static uint8_t name_of(const Mesh *mesh, const LibraryDocument *document) {
    return (uint8_t)(document - mesh->library.documents);
}

/* What the neighbour was asked for is asked of others. */
static void give_up(Mesh *mesh, uint32_t slot, LibraryPeer *peer) {
    for (size_t i = 0; i < peer->asked_count; i++) {
        LibraryDocument *document = library_find(mesh, peer->asked[i].document);

        if (document) {
            ahead_drop(mesh, peer->asked[i].document, peer->asked[i].place);
            blob_give_up(document->blob, peer->asked[i].place);
            document->lacked |= 1ull << slot;
        }
    }
    peer->asked_count = 0;
}

void library_lost(Mesh *mesh, uint32_t slot) {
    LibraryPeer *peer = mesh->library.peers[slot];

    if (peer) {
        give_up(mesh, slot, peer);
    }
    for (size_t i = 0; i < mesh->library.count; i++) {
        mesh->library.documents[i].lacked &= ~(1ull << slot);
        mesh->library.documents[i].refused &= ~(1ull << slot);
    }
    for (size_t i = 0; i < mesh->library.fetch_count; i++) {
        if (mesh->library.fetches[i].slot == slot) {
            mesh->library.fetches[i--] = mesh->library.fetches[--mesh->library.fetch_count];
        }
    }
    free(peer);
    mesh->library.peers[slot] = NULL;
    mesh->library.noted &= ~(1ull << slot);
}

void library_silent(Mesh *mesh, uint32_t slot) {
    LibraryPeer *peer = mesh->library.peers[slot];

    if (peer && neighbours_any_up(mesh)) {
        give_up(mesh, slot, peer);
        mesh->library.retry_us = mesh->now_us + RETRY_US;
    }
}

static bool is_fetched(const LibraryDocument *document) {
    return document->announced && document->fetched && !blob_is_whole(document->blob);
}

/* How many blocks to have asked for: as many as come within a round trip and while a request that
 * was lost is repeated. */
static size_t window(const Mesh *mesh, const Neighbour *neighbour, const LibraryPeer *peer,
                     uint64_t more_us) {
    uint64_t cover_us = link_rtt_us(neighbour->link) + COVER_US + more_us;
    uint64_t blocks =
        peer->gap_us > 0 ? cover_us / peer->gap_us + WINDOW_LEAST : (uint64_t)WINDOW_FIRST;

    return blocks < MESH_BLOCKS_WANTED_MAX ? (size_t)blocks : MESH_BLOCKS_WANTED_MAX;
}

/* A few are asked for at a time rather than one by one. */
static bool is_time_to_ask(const Mesh *mesh, const Neighbour *neighbour, const LibraryPeer *peer) {
    size_t most = window(mesh, neighbour, peer, BATCH_US);
    size_t least = window(mesh, neighbour, peer, 0);

    return peer->asked_count <= least && peer->asked_count <= most - most / 4;
}

/* Asks one neighbour for up to its share of blocks of one document. */
static void ask(Mesh *mesh, uint32_t slot, Neighbour *neighbour, LibraryDocument *document) {
    LibraryPeer *peer = library_peer(mesh, slot);
    uint8_t body[ACT_DOCUMENT_ID_SIZE + 1 + MESH_BLOCKS_WANTED_MAX * 9];
    BytesWriter writer = bytes_writer(body, sizeof body);
    size_t before = peer ? peer->asked_count : 0;
    size_t most = peer ? window(mesh, neighbour, peer, BATCH_US) : 0;
    BlobPlace place;

    if (!peer || document->lacked & 1ull << slot || !is_time_to_ask(mesh, neighbour, peer)) {
        return;
    }
    bytes_write(&writer, blob_id(document->blob), ACT_DOCUMENT_ID_SIZE);
    bytes_write_u8(&writer, name_of(mesh, document));
    while (peer->asked_count < most && (blob_want_next(document->blob, &place) ||
                                        ahead_want(mesh, slot, document->blob, &place))) {
        LibraryPlace *asked = &peer->asked[peer->asked_count++];

        *asked = (LibraryPlace){.place = place, .name = name_of(mesh, document)};
        memcpy(asked->document, blob_id(document->blob), ACT_DOCUMENT_ID_SIZE);
        library_write_place(&writer, place);
    }
    if (peer->asked_count > before) {
        peer->asked_us = before > 0 ? peer->asked_us : mesh->now_us;
        neighbour_send(mesh, neighbour, LINK_CHAT, UINT64_MAX, MESSAGE_WANT,
                       BYTES_AT(body, bytes_written(&writer)));
    }
}

/* Hashes that are on disk and needed to check what comes. */
static void fetch_hashes(Mesh *mesh, LibraryDocument *document) {
    LibraryPlace wanted = {.name = LIBRARY_UNNAMED};

    memcpy(wanted.document, blob_id(document->blob), ACT_DOCUMENT_ID_SIZE);
    while (mesh->library.fetch_count < MESH_BLOCKS_WANTED_MAX &&
           blob_wants_hashes(document->blob, &wanted.place)) {
        for (size_t i = 0; i < mesh->library.fetch_count; i++) {
            const LibraryFetch *other = &mesh->library.fetches[i];

            if (other->slot == NEIGHBOUR_NONE && other->place.place.level == wanted.place.level &&
                other->place.place.index == wanted.place.index &&
                !memcmp(other->place.document, wanted.document, ACT_DOCUMENT_ID_SIZE)) {
                return; /* on its way; one after the other */
            }
        }
        if (!library_fetch_block(mesh, NEIGHBOUR_NONE, &wanted)) {
            return;
        }
    }
}

/* To those alone who asked for what was not here: to others it says nothing they wait for. */
static void tell(Mesh *mesh, LibraryDocument *document) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (document->refused >> slot & 1 && neighbour && neighbour_is_greeted(mesh, neighbour)) {
            neighbour_send(mesh, neighbour, LINK_CHAT, UINT64_MAX, MESSAGE_HAVE,
                           BYTES_AT(blob_id(document->blob), ACT_DOCUMENT_ID_SIZE));
            document->told_us = mesh->now_us;
        }
    }
    document->tell = false;
    document->refused = 0;
}

/* ---- going on ---- */

/* Who is asked only when others lack it: one that says it is weak, and still later one that another
 * carries, whose bytes would take the room of theirs. */
enum { BURDEN_NONE, BURDEN_WEAK, BURDEN_CARRIED, BURDENS };

static unsigned burden(const Mesh *mesh, const Neighbour *neighbour) {
    if (!neighbour_is_direct(neighbour)) {
        return BURDEN_CARRIED;
    }
    return map_is_weak(mesh, &neighbour->key) ? BURDEN_WEAK : BURDEN_NONE;
}

static void ask_around(Mesh *mesh, LibraryDocument *document) {
    unsigned least = BURDENS;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour->linked != LINKED_KEPT &&
            neighbour_is_greeted(mesh, neighbour) && !(document->lacked & 1ull << slot) &&
            burden(mesh, neighbour) < least) {
            least = burden(mesh, neighbour);
        }
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour->linked != LINKED_KEPT &&
            neighbour_is_greeted(mesh, neighbour) && burden(mesh, neighbour) <= least) {
            ask(mesh, slot, neighbour, document);
        }
    }
}

static void step_document(Mesh *mesh, LibraryDocument *document) {
    if (document->tell &&
        (blob_is_whole(document->blob) || mesh->now_us >= document->told_us + TELL_US)) {
        tell(mesh, document);
    }
    if (!is_fetched(document) || mesh->now_us < mesh->library.paused_until_us) {
        return;
    }
    library_keep_held(mesh, document);
    fetch_hashes(mesh, document);
    ask_around(mesh, document);
}

/* A neighbour that no block came from for long has none, whatever it said. */
static void step_peer(Mesh *mesh, uint32_t slot, LibraryPeer *peer) {
    const Neighbour *neighbour = neighbour_view(mesh, slot);

    if (neighbour && neighbour->linked == LINKED_KEPT) {
        peer->asked_us = mesh->now_us; /* nothing comes for another reason */
    }
    if (peer->asked_count > 0 && mesh->now_us >= peer->asked_us + ASKED_US) {
        give_up(mesh, slot, peer);
        mesh->library.retry_us = mesh->now_us + RETRY_US;
    }
    if (peer->serve_count > 0 && neighbour && neighbour_is_trusted(mesh, neighbour)) {
        library_serve(mesh, slot);
    }
}

void library_step(Mesh *mesh) {
    Library *library = &mesh->library;

    if (library->retry_us && mesh->now_us >= library->retry_us) {
        library->retry_us = 0;
        for (size_t i = 0; i < library->count; i++) {
            library->documents[i].lacked = 0;
        }
    }
    for (size_t i = 0; i < library->count; i++) {
        step_document(mesh, &library->documents[i]);
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end && library->noted >> slot; slot++) {
        if (library->peers[slot]) {
            step_peer(mesh, slot, library->peers[slot]);
        }
    }
}

uint64_t library_deadline_us(const Mesh *mesh) {
    const Library *library = &mesh->library;
    uint64_t deadline = library->retry_us ? library->retry_us : UINT64_MAX;

    if (library->paused_until_us > mesh->now_us && library->paused_until_us < deadline) {
        deadline = library->paused_until_us;
    }
    for (size_t i = 0; i < library->count; i++) {
        const LibraryDocument *document = &library->documents[i];

        if (document->tell && document->told_us + TELL_US < deadline) {
            deadline = document->told_us + TELL_US;
        }
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end && library->noted >> slot; slot++) {
        const LibraryPeer *peer = library->peers[slot];

        if (peer && peer->asked_count > 0 && peer->asked_us + ASKED_US < deadline) {
            deadline = peer->asked_us + ASKED_US;
        }
    }
    return deadline;
}
