/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The packets sent and what they held, until each is known to be received or lost.
 * It owns that list, grown with what is in flight and given back when nothing is. It never touches
 * the messages: it says which packet's fate is known, and the caller reads what was in it.
 */
#pragma once

#include "mesh/link/packet.h"

#define FLIGHT_CHUNKS_SIZE 16 /* chunks of one packet */

typedef enum {
    FLIGHT_OUT,
    FLIGHT_PROBED, /* its chunks were sent again to see whether the line answers */
    FLIGHT_ACKED,
    FLIGHT_LOST,
} FlightState;

/* Part of a message; grains 0: that the message is forgotten. */
typedef struct {
    uint64_t message;
    uint16_t grain;
    uint16_t grains;
    uint32_t next; /* in its packet */
} FlightChunk;

typedef struct {
    uint64_t counter;
    uint64_t sent_us;
    uint64_t sent_total; /* wire bytes of the link when it had left */
    uint64_t pace_us;    /* the pace it told; 0: none */
    uint32_t chunks;     /* first */
    uint32_t size;       /* wire bytes */
    uint8_t priority;    /* the most urgent in it */
    uint8_t state;       /* FlightState */
    bool bulk;           /* it held documents, and may have been one too many */
    bool repeats;        /* what is in it was in another of unknown fate */
} FlightPacket;

/* Packets sent one after the other of which none is known to have arrived, and one of them. */
typedef struct {
    uint32_t count;
    uint32_t before;    /* of them were sent before it */
    uint64_t us;        /* from the first to the last */
    uint64_t before_us; /* and to it */
} FlightRow;

typedef struct {
    uint32_t out;          /* packets whose fate is unknown */
    FlightPacket *packets; /* ring, in the order of counters */
    uint32_t capacity, head, count;
    uint32_t known; /* of so many, the oldest, the fate is known; not of the next */
    FlightChunk *chunks;
    uint32_t chunk_capacity, chunk_free;
    uint32_t chunk_free_count;
    uint64_t bytes;    /* wire bytes of those unknown */
    uint64_t floor;    /* counters up to this one are no longer remembered; 0: none is */
    uint64_t newest;   /* position (from the first ever) of the newest one acknowledged, plus 1 */
    uint64_t popped;   /* packets no longer remembered */
    uint32_t reorder;  /* packets one may be overtaken by */
    uint32_t patience; /* 1/8 of a round trip, that many times: how late one may be */
} Flight;

void flight_init(Flight *flight);
void flight_finish(Flight *flight);

/* Makes room for one packet; false when there is none, or memory is short. */
bool flight_reserve(Flight *flight, uint64_t now_us, uint64_t stale_us);
/* There is room, or can be made if memory allows. */
bool flight_has_room(const Flight *flight);
/* Adds the packet being sent, valid until the next one; after flight_reserve. */
FlightPacket *flight_add(Flight *flight, uint64_t counter, uint64_t now_us);
void flight_add_chunk(Flight *flight, FlightPacket *packet, const FlightChunk *chunk);
/* Its wire bytes, known when it is written. */
void flight_set_size(Flight *flight, FlightPacket *packet, uint32_t size);

/* Whether the peer may have received this counter; `ret_packet`: NULL when it is forgotten. */
bool flight_find(const Flight *flight, uint64_t counter, FlightPacket **ret_packet);
/* Nothing that was sent later is known to be received. */
bool flight_is_newest(const Flight *flight, const FlightPacket *packet);
/* The packet's fate, ACKED or LOST; its chunks stay readable until flight_release, and those of a
 * lost one as long as it is remembered. True if the fate was unknown. */
bool flight_resolve(Flight *flight, FlightPacket *packet, FlightState state);
void flight_release(Flight *flight, FlightPacket *packet);
/* The next chunk of a packet: start with NULL. */
const FlightChunk *flight_chunk(const Flight *flight, const FlightPacket *packet,
                                const FlightChunk *before);

/* The next packet to be held lost at this time; NULL: none. `trip_us`: a round trip. */
FlightPacket *flight_next_lost(const Flight *flight, uint64_t now_us, uint64_t trip_us);
/* When flight_next_lost may have one; UINT64_MAX: never. */
uint64_t flight_lost_us(const Flight *flight, uint64_t trip_us);
/* The row around a packet that did not arrive. */
FlightRow flight_row(const Flight *flight, const FlightPacket *packet);
/* A packet held lost came after all: be more patient. */
void flight_overtaken(Flight *flight, const FlightPacket *packet);

/* The most urgent packet whose fate is unknown and which was not probed with; NULL: none. */
FlightPacket *flight_to_probe(const Flight *flight);
/* The oldest whose fate is unknown, that holds nothing but documents and was not repeated; NULL:
 * none. */
FlightPacket *flight_to_repeat(const Flight *flight);
/* All that were probed with may be again. */
void flight_probe_again(Flight *flight);
/* The oldest of unknown fate; NULL: none. */
FlightPacket *flight_oldest(const Flight *flight);
/* When it left; UINT64_MAX: there is none. */
uint64_t flight_oldest_us(const Flight *flight);
/* Forgets what is known of old packets, and gives memory back when nothing is in flight. */
void flight_prune(Flight *flight, uint64_t now_us, uint64_t stale_us);
