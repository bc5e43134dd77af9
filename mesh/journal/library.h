/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The documents of the meeting on this node: which blocks of those announced are here, and which
 * neighbour was asked for the others.
 * It owns the trees of hashes. It never keeps a block: the store does.
 */
#pragma once

#include "mesh/journal/ahead.h"

typedef struct {
    MeshHash id; /* of the entry that announced it */
    Blob *blob;
    bool announced;   /* by an entry that counts now */
    bool fetched;     /* unasked, being small enough, or because the person wants it */
    uint64_t lacked;  /* slots of neighbours that said they have no more of it, one bit each */
    uint64_t refused; /* those who asked for what was not here, and wait to hear that more is */
    uint64_t told_us; /* HAVE was last said */
    bool tell;        /* more is here than was said */
} LibraryDocument;

#define LIBRARY_UNNAMED 256

typedef struct {
    uint8_t document[ACT_DOCUMENT_ID_SIZE];
    BlobPlace place;
    uint16_t name; /* a byte that the one who asked called the document; UNNAMED: nobody asked */
} LibraryPlace;

typedef struct {
    uint64_t asked_us; /* the last time a block came, or was asked for */
    uint64_t gap_us;   /* between blocks that come, smoothed; 0: none came */
    size_t asked_count;
    LibraryPlace asked[MESH_BLOCKS_WANTED_MAX];
    bool early;          /* it asked for a document not known here yet */
    uint64_t offered_us; /* what was offered is on its way until then */
    size_t offered_count;
    LibraryPlace offered[MESH_BLOCKS_OFFERED_MAX];
    size_t serve_head, serve_count, serve_fetching;
    LibraryPlace serve[MESH_BLOCKS_WANTED_MAX]; /* a ring */
} LibraryPeer;

typedef struct {
    uint64_t token; /* of the FETCH */
    uint32_t slot;  /* for whom; NEIGHBOUR_NONE: hashes for ourselves */
    LibraryPlace place;
} LibraryFetch;

typedef struct {
    LibraryDocument *documents;
    size_t count, capacity;
    uint64_t noted;           /* neighbours of whom something is, a bit each */
    uint64_t paused_until_us; /* after the store refused */
    uint64_t retry_us;        /* those who lacked something are asked again then */
    LibraryPeer *peers[MESH_PEERS_MAX];
    LibraryFetch *fetches; /* at most MESH_BLOCKS_WANTED_MAX */
    size_t fetch_count, fetch_capacity;
    Ahead ahead;
} Library;

void library_finish(Mesh *mesh);

/* What names a document's blocks to neighbours and to the store: bound to its author, lest somebody
 * else announces another document under the same name. `id` is that of the announcement. */
void library_blob_id(const MeshKey *author, const uint8_t id[ACT_DOCUMENT_ID_SIZE],
                     uint8_t ret_id[ACT_DOCUMENT_ID_SIZE]);
/* The person wants it, whatever its size. UNKNOWN. */
MeshError library_fetch(Mesh *mesh, const MeshHash *id);
/* The announcements changed: documents new to us begin to be fetched. */
void library_update(Mesh *mesh);
/* A block is on disk: at start, or since now. */
void library_loaded(Mesh *mesh, Bytes key);
void library_stored(Mesh *mesh, const uint8_t id[ACT_DOCUMENT_ID_SIZE], BlobPlace place);
void library_store_failed(Mesh *mesh, const uint8_t id[ACT_DOCUMENT_ID_SIZE], BlobPlace place);
const Blob *library_blob(const Mesh *mesh, const MeshHash *id);

void library_lost(Mesh *mesh, uint32_t slot);
/* It may be gone: what was asked of it is asked of others, if there are any. */
void library_silent(Mesh *mesh, uint32_t slot);

/* The document whose blocks bear this name; NULL. */
LibraryDocument *library_find(Mesh *mesh, const uint8_t id[ACT_DOCUMENT_ID_SIZE]);
/* What is noted of a neighbour; NULL when memory is short. */
LibraryPeer *library_peer(Mesh *mesh, uint32_t slot);

/* Asks for what is missing, serves what was asked, as far as the links have room. */
void library_step(Mesh *mesh);
uint64_t library_deadline_us(const Mesh *mesh);

/* ---- borrow.c: what comes from neighbours ---- */

/* A block that was offered, or one that was wanted. */
MeshError library_block(Mesh *mesh, uint32_t slot, Bytes body);
MeshError library_given(Mesh *mesh, uint32_t slot, Bytes body);
MeshError library_lack(Mesh *mesh, uint32_t slot, Bytes body);
MeshError library_have(Mesh *mesh, uint32_t slot, Bytes body);
/* Some that came too early can be checked now. */
void library_keep_held(Mesh *mesh, LibraryDocument *document);

/* ---- offer.c: blocks given unasked ---- */

/* A document was added here: its first blocks follow the announcement at once to neighbours far
 * away, who would ask for them a round trip later. All of it is here. */
void offer_document(Mesh *mesh, const MeshHash *root, const Blob *blob);
/* The neighbour asks for what was offered, before it came: true once. */
bool offer_covers(Mesh *mesh, LibraryPeer *peer, const uint8_t *id, BlobPlace place);

/* ---- lend.c: blocks given to neighbours ---- */

void library_write_place(BytesWriter *writer, BlobPlace place);
BlobPlace library_read_place(BytesReader *reader);
/* Asks the store for a block, for the neighbour or (NEIGHBOUR_NONE) for ourselves. False when
 * memory is short. */
bool library_fetch_block(Mesh *mesh, uint32_t slot, const LibraryPlace *wanted);
/* The store gave a block, or nothing. */
void library_fetched(Mesh *mesh, uint64_t token, Bytes bytes);
MeshError library_want(Mesh *mesh, uint32_t slot, Bytes body);
/* As far as the store and the link have room. */
void library_serve(Mesh *mesh, uint32_t slot);
