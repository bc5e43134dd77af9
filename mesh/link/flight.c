/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE          UINT32_MAX
#define PACKETS_SMALL 16 /* kept while nothing is in flight */
#define REORDER_FIRST 3
#define REORDER_MOST  64
#define PATIENCE_MOST 8
#define PATIENCE_US   1000 /* the least: clocks and timers are no finer */

void flight_init(Flight *flight) {
    *flight = (Flight){.chunk_free = NONE, .reorder = REORDER_FIRST, .patience = 1};
}

void flight_finish(Flight *flight) {
    free(flight->packets);
    free(flight->chunks);
    flight_init(flight);
}

static FlightPacket *packet_at(const Flight *flight, uint32_t index) {
    return &flight->packets[(flight->head + index) & (flight->capacity - 1)];
}

static bool is_unknown(const FlightPacket *packet) {
    return packet->state == FLIGHT_OUT || packet->state == FLIGHT_PROBED;
}

/* ---- memory ---- */

/* Another capacity, a power of two not below the count. */
static bool resize_packets(Flight *flight, uint32_t capacity) {
    FlightPacket *packets = malloc(capacity * sizeof *packets);

    if (!packets) {
        return false;
    }
    for (uint32_t i = 0; i < flight->count; i++) {
        packets[i] = *packet_at(flight, i);
    }
    free(flight->packets);
    flight->packets = packets;
    flight->capacity = capacity;
    flight->head = 0;
    return true;
}

static bool grow_chunks(Flight *flight) {
    uint32_t capacity = flight->chunk_capacity ? flight->chunk_capacity * 2 : FLIGHT_CHUNKS_SIZE;
    FlightChunk *chunks = realloc(flight->chunks, capacity * sizeof *chunks);

    if (!chunks) {
        return false;
    }
    flight->chunks = chunks;
    for (uint32_t i = flight->chunk_capacity; i < capacity; i++) {
        chunks[i].next = flight->chunk_free;
        flight->chunk_free = i;
    }
    flight->chunk_free_count += capacity - flight->chunk_capacity;
    flight->chunk_capacity = capacity;
    return true;
}

static void pop(Flight *flight) {
    FlightPacket *first = packet_at(flight, 0);

    flight_release(flight, first);
    flight->floor = first->counter;
    flight->head = (flight->head + 1) & (flight->capacity - 1);
    flight->count--;
    flight->known -= flight->known > 0;
    flight->popped++;
}

void flight_prune(Flight *flight, uint64_t now_us, uint64_t stale_us) {
    while (flight->count > 0) {
        const FlightPacket *first = packet_at(flight, 0);

        /* A lost one may be late only: it is remembered a while. */
        if (is_unknown(first) ||
            (first->state == FLIGHT_LOST && now_us - first->sent_us < stale_us)) {
            break;
        }
        pop(flight);
    }
    if (flight->out == 0 && flight->capacity > PACKETS_SMALL) {
        while (flight->count > 0) {
            pop(flight);
        }
        free(flight->chunks);
        flight->chunks = NULL;
        flight->chunk_capacity = 0;
        flight->chunk_free = NONE;
        flight->chunk_free_count = 0;
        free(flight->packets);
        flight->packets = NULL;
        flight->capacity = 0;
        flight->head = 0;
    }
}

bool flight_has_room(const Flight *flight) {
    return flight->count < MESH_INFLIGHT_MAX || !is_unknown(packet_at(flight, 0));
}

bool flight_reserve(Flight *flight, uint64_t now_us, uint64_t stale_us) {
    flight_prune(flight, now_us, stale_us);
    if (!flight_has_room(flight)) {
        return false;
    }
    if (flight->count == MESH_INFLIGHT_MAX) {
        pop(flight);
    }
    if (flight->count == flight->capacity &&
        !resize_packets(flight, flight->capacity ? flight->capacity * 2 : PACKETS_SMALL)) {
        return false;
    }
    return flight->chunk_free_count >= FLIGHT_CHUNKS_SIZE || grow_chunks(flight);
}

/* ---- adding and finding ---- */

FlightPacket *flight_add(Flight *flight, uint64_t counter, uint64_t now_us) {
    FlightPacket *packet;

    assert(flight->count < flight->capacity);
    packet = packet_at(flight, flight->count++);
    *packet =
        (FlightPacket){.counter = counter, .sent_us = now_us, .chunks = NONE, .state = FLIGHT_OUT};
    flight->out++;
    return packet;
}

void flight_set_size(Flight *flight, FlightPacket *packet, uint32_t size) {
    flight->bytes += size - packet->size;
    packet->size = size;
}

void flight_add_chunk(Flight *flight, FlightPacket *packet, const FlightChunk *chunk) {
    uint32_t index = flight->chunk_free;

    assert(index != NONE);
    flight->chunk_free = flight->chunks[index].next;
    flight->chunk_free_count--;
    flight->chunks[index] = *chunk;
    flight->chunks[index].next = packet->chunks;
    packet->chunks = index;
}

const FlightChunk *flight_chunk(const Flight *flight, const FlightPacket *packet,
                                const FlightChunk *before) {
    uint32_t index = before ? before->next : packet->chunks;

    return index == NONE ? NULL : &flight->chunks[index];
}

bool flight_find(const Flight *flight, uint64_t counter, FlightPacket **ret_packet) {
    uint32_t low = 0;
    uint32_t high = flight->count;

    *ret_packet = NULL;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        FlightPacket *packet = packet_at(flight, middle);

        if (packet->counter == counter) {
            *ret_packet = packet;
            return true;
        }
        if (packet->counter < counter) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return flight->popped > 0 && counter <= flight->floor;
}

/* Where the packet stands among all ever sent. */
static uint64_t position_of(const Flight *flight, const FlightPacket *packet) {
    uint32_t slot = (uint32_t)(packet - flight->packets);

    return flight->popped + ((slot - flight->head) & (flight->capacity - 1));
}

bool flight_is_newest(const Flight *flight, const FlightPacket *packet) {
    return position_of(flight, packet) + 1 > flight->newest;
}

bool flight_resolve(Flight *flight, FlightPacket *packet, FlightState state) {
    bool was_unknown = is_unknown(packet);

    if (was_unknown) {
        flight->out--;
        flight->bytes -= packet->size;
    }
    packet->state = (uint8_t)state;
    while (flight->known < flight->count && !is_unknown(packet_at(flight, flight->known))) {
        flight->known++;
    }
    if (state == FLIGHT_ACKED && flight_is_newest(flight, packet)) {
        flight->newest = position_of(flight, packet) + 1;
    }
    return was_unknown;
}

void flight_release(Flight *flight, FlightPacket *packet) {
    while (packet->chunks != NONE) {
        uint32_t index = packet->chunks;

        packet->chunks = flight->chunks[index].next;
        flight->chunks[index].next = flight->chunk_free;
        flight->chunk_free = index;
        flight->chunk_free_count++;
    }
}

/* ---- loss ---- */

static uint64_t patience_us(const Flight *flight, uint64_t trip_us) {
    uint64_t extra_us = trip_us / 8 * flight->patience;

    return trip_us + (extra_us > PATIENCE_US ? extra_us : PATIENCE_US);
}

/* The oldest of unknown fate that something newer has overtaken. */
static FlightPacket *first_overtaken(const Flight *flight) {
    return flight->known < flight->count && flight->popped + flight->known + 1 < flight->newest
               ? packet_at(flight, flight->known)
               : NULL;
}

FlightPacket *flight_next_lost(const Flight *flight, uint64_t now_us, uint64_t trip_us) {
    FlightPacket *packet = first_overtaken(flight);

    if (packet && (flight->newest - 1 - position_of(flight, packet) >= flight->reorder ||
                   now_us >= packet->sent_us + patience_us(flight, trip_us))) {
        return packet;
    }
    return NULL;
}

uint64_t flight_lost_us(const Flight *flight, uint64_t trip_us) {
    const FlightPacket *packet = first_overtaken(flight);

    return packet ? packet->sent_us + patience_us(flight, trip_us) : UINT64_MAX;
}

FlightRow flight_row(const Flight *flight, const FlightPacket *packet) {
    uint32_t here = (uint32_t)(position_of(flight, packet) - flight->popped);
    uint32_t first = here;
    uint32_t last = here;

    while (first > 0 && packet_at(flight, first - 1)->state != FLIGHT_ACKED) {
        first--;
    }
    while (last + 1 < flight->count && packet_at(flight, last + 1)->state != FLIGHT_ACKED) {
        last++;
    }
    return (FlightRow){
        .count = last - first + 1,
        .before = here - first,
        .us = packet_at(flight, last)->sent_us - packet_at(flight, first)->sent_us,
        .before_us = packet->sent_us - packet_at(flight, first)->sent_us,
    };
}

void flight_overtaken(Flight *flight, const FlightPacket *packet) {
    uint64_t after = position_of(flight, packet) + 1;
    uint64_t by = flight->newest > after ? flight->newest - after : 0;

    if (by >= flight->reorder) {
        flight->reorder = by + 1 < REORDER_MOST ? (uint32_t)by + 1 : REORDER_MOST;
    }
    flight->patience = flight->patience < PATIENCE_MOST ? flight->patience * 2 : PATIENCE_MOST;
}

FlightPacket *flight_to_probe(const Flight *flight) {
    FlightPacket *found = NULL;

    for (uint32_t i = 0; i < flight->count; i++) {
        FlightPacket *packet = packet_at(flight, i);

        if (packet->state == FLIGHT_OUT && (!found || packet->priority < found->priority)) {
            found = packet;
        }
    }
    return found;
}

FlightPacket *flight_to_repeat(const Flight *flight) {
    for (uint32_t i = 0; i < flight->count; i++) {
        FlightPacket *packet = packet_at(flight, i);

        if (packet->state == FLIGHT_OUT && packet->priority == LINK_DOCUMENT && !packet->repeats) {
            return packet;
        }
    }
    return NULL;
}

void flight_probe_again(Flight *flight) {
    for (uint32_t i = 0; i < flight->count; i++) {
        FlightPacket *packet = packet_at(flight, i);

        if (packet->state == FLIGHT_PROBED) {
            packet->state = FLIGHT_OUT;
        }
    }
}

FlightPacket *flight_oldest(const Flight *flight) {
    return flight->known < flight->count ? packet_at(flight, flight->known) : NULL;
}

uint64_t flight_oldest_us(const Flight *flight) {
    const FlightPacket *packet = flight_oldest(flight);

    return packet ? packet->sent_us : UINT64_MAX;
}
