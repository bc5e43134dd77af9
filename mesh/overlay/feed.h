/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who pushes what to whom: what one source says goes along a tree that every node computes from the
 * map, and to those who asked because theirs failed them, as far as the uplink carries it.
 * It owns what was asked of this node. It never sends anything but frames, and decides nothing by
 * what a neighbour claims of itself beyond the map.
 */
#pragma once

#include "mesh/journal/entry.h"
#include "mesh/overlay/neighbour.h"

/* A neighbour asked for a stream. */
typedef struct {
    uint32_t slot;
    MeshKey speaker;
    MeshStreamKind kind;
    uint64_t until_us;
} FeedAsk;

typedef struct {
    FeedAsk *asks; /* at most MESH_ASKS_MAX */
    size_t ask_count, ask_capacity;
} Feed;

/* What one stream takes of the uplink. */
typedef struct {
    uint32_t rate_bps; /* to one neighbour, headers included; smoothed */
    uint64_t bytes;    /* since */
    uint64_t since_us; /* then; 0: no frame yet */
    uint64_t last_us;  /* the last frame */
    uint64_t pushed;   /* to whom it went, a bit each */
    uint64_t targets;  /* to whom it is pushed by the tree, a bit each, */
    uint64_t turn;     /* as of this turn of the map */
} FeedLoad;

void feed_finish(Mesh *mesh);
/* This node pushes to a neighbour what `source` writes in the journal. */
bool feed_pushes(Mesh *mesh, const Neighbour *to, const MeshKey *source);
/* A greeted neighbour that hears the source itself, by the map: nobody needs to tell it more. */
bool feed_hears_source(Mesh *mesh, const Neighbour *neighbour, const MeshKey *source);
/* Neighbours that streams of this speaker are to be pushed to by the tree, a bit each. Where much
 * is lost, and where many are, two push to each. `load`: of one of them. */
uint64_t feed_targets(Mesh *mesh, FeedLoad *load, const MeshKey *speaker);
/* Those that asked for this one. */
uint64_t feed_asked(const Mesh *mesh, const MeshKey *speaker, MeshStreamKind kind);

/* One frame of so many bytes of a stream is to be pushed. */
void feed_load(Mesh *mesh, FeedLoad *load, size_t size);
/* Those of both, targets first, that the uplink carries a stream of others to, beside what is more
 * urgent: floor(0.7 × uplink / rate), pictures after voices; one at least of a voice. */
uint64_t feed_grant(Mesh *mesh, const FeedLoad *load, MeshStreamKind kind, uint64_t targets,
                    uint64_t asked);
/* Sends a frame to the neighbours of the mask: its body, but with `name` as its first byte. */
void feed_frame(Mesh *mesh, FeedLoad *load, uint64_t slots, const MeshFrame *frame, uint8_t name,
                Bytes body);

/* A neighbour asks for a stream, for so long; FULL, NO_MEMORY. */
MeshError feed_ask(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind,
                   uint64_t for_us);
void feed_ask_no_more(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind);
void feed_lost(Mesh *mesh, uint32_t slot);
