/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Two links and a bad line between them, in virtual time, with sources that submit messages to one
 * and check what the other delivers.
 * It owns both links, the line and every figure taken. It never sleeps, and a seed repeats it.
 */
#pragma once

#include <glib.h>

#include "mesh/link/link.h"

#define SECOND         ((uint64_t)1000000)
#define WORLD_START_US (5 * SECOND)

enum {
    SEAL_BYTES = 21,
    OVERHEAD = SEAL_BYTES + 28,
    CAPACITY = MESH_DATAGRAM_MAX - SEAL_BYTES,
    HEAD_BYTES = 16, /* of a test message: kind, number, time */
    NUMBERS = 40000,
};

typedef struct {
    uint64_t at_us;
    uint64_t counter; /* of a rival: the number of its segment, or how many it acknowledges */
    size_t size;      /* on the wire */
    bool rival;
    size_t length;
    uint8_t bytes[CAPACITY];
} Parcel;

/* One direction. */
typedef struct {
    uint64_t rate_bps; /* 0: boundless */
    uint64_t delay_us, jitter_us;
    uint64_t queue_bytes;
    uint32_t loss_ppm, reorder_ppm, duplicate_ppm;
    size_t mtu; /* larger ones are lost; 0: none is too large */
    uint64_t down_from_us, down_until_us;
    uint64_t burst_every_us, burst_us; /* everything lost for so long, that often */
    uint64_t fade_us, fade_gap_us;     /* the same at random: means of both; 0: never */
    /* running */
    GRand *weather;
    uint64_t fade_flip_us; /* it fades, or no longer, from then on */
    bool fades;
    uint64_t faded_us; /* in all, until the last flip */
    uint64_t busy_us;
    GQueue flying; /* Parcel, by arrival */
    GArray *waits; /* µs in the queue, one a packet */
    uint64_t bytes, packets, dropped, lost;
    uint64_t voice_bytes; /* of voice on the wire, with its part of the headers */
} Line;

enum { SEEN_NOT, SEEN_IN_TIME, SEEN_LATE };

/* What one node submits. */
typedef struct {
    LinkPriority priority;
    size_t size;
    uint64_t every_us; /* 0: as link_room says */
    uint64_t life_us;  /* 0: reliable */
    uint64_t late_us;  /* after which it is of no use to the receiver; 0: as life_us */
    uint64_t start_us;
    uint32_t count;
    bool sizes_vary;
    /* What arrived, as it does; NULL: nobody asks. */
    void (*heard)(void *user, uint32_t number, uint64_t now_us);
    void *user;
    /* running */
    uint64_t next_us; /* UINT64_MAX: only world_submit does */
    uint32_t submitted;
    uint32_t arrived;
    uint32_t in_time;
    uint64_t bytes;        /* arrived */
    uint64_t arrived_us;   /* the last */
    GArray *delays;        /* µs */
    uint8_t seen[NUMBERS]; /* SEEN_… */
} Source;

enum { SOURCES = 4 };

typedef struct {
    Link *link;
    uint64_t counter;
    Source source[SOURCES];
    uint64_t rejected;
    uint64_t highest; /* counter received, for a replay window */
} Node;

/* Another's flow on the line: CUBIC (RFC 9438) with selective acknowledgements. */
typedef struct Rival Rival;

typedef struct {
    uint64_t now_us;
    uint64_t timer_us; /* timers come on multiples of this */
    GRand *random;
    Line line[2]; /* [i]: what node i sends */
    Node node[2];
    Rival *rival; /* beside node 0; NULL: none */
    uint64_t steps;
} World;

World *world_new(uint32_t seed, uint64_t rate_bps, uint64_t delay_us, uint32_t loss_ppm,
                 uint64_t queue_bytes);
void world_free(World *world);
/* Adds a source to a node. `every_us` 0: as fast as link_room allows; `life_us` 0: reliable. */
Source *world_add(World *world, unsigned node, LinkPriority priority, size_t size,
                  uint64_t every_us, uint64_t life_us, uint32_t count);
/* Submits the next message of a source now, as large as it says; false: refused. */
bool world_submit(World *world, unsigned node, Source *source);
/* Runs until nothing happens any more, or until a time. */
void world_run(World *world, uint64_t until_us);
void world_run_for(World *world, uint64_t us);
/* Everything was submitted, all that is reliable arrived, and both links are silent. */
void world_check_done(const World *world);

/* From now on a rival has more to send than the line takes. */
void world_add_rival(World *world);
/* Bytes of it that arrived, headers included. */
uint64_t world_rival_bytes(const World *world);

uint64_t world_percentile(GArray *values, unsigned percent);
double world_seconds(uint64_t us);
