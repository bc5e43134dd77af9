/* SPDX-License-Identifier: MPL-2.0 */
/* Two links joined by hand: a test carries each packet, or does not. */
#pragma once

#include "tests/unit/mesh_link_world.h"

typedef struct {
    uint8_t bytes[CAPACITY];
    size_t length;
    uint64_t counter;
    LinkPriority priority;
} Packet;

typedef struct {
    Link *link[2];
    uint64_t counter[2];
    uint64_t now_us;
} Pair;

static inline Pair pair_new(void) {
    return (Pair){.link = {link_create(OVERHEAD), link_create(OVERHEAD)}, .now_us = 1000};
}

static inline void pair_free(Pair *pair) {
    link_destroy(pair->link[0]);
    link_destroy(pair->link[1]);
}

static inline bool next(Pair *pair, unsigned from, Packet *ret_packet) {
    ret_packet->counter = pair->counter[from];
    ret_packet->length = link_next(pair->link[from], pair->now_us, ret_packet->counter,
                                   ret_packet->bytes, CAPACITY, &ret_packet->priority);
    pair->counter[from] += ret_packet->length > 0;
    return ret_packet->length > 0;
}

static inline MeshError give(Pair *pair, unsigned to, const Packet *packet) {
    /* A block of just that size: whatever reads past it is seen. */
    g_autofree uint8_t *copy = g_memdup2(packet->bytes, packet->length);

    return link_receive(pair->link[to], pair->now_us, packet->counter,
                        (Bytes){copy, packet->length});
}

static inline unsigned take_all(Pair *pair, unsigned at) {
    Bytes message;
    unsigned count = 0;

    while (link_take(pair->link[at], &message)) {
        count++;
    }
    return count;
}

/* Carries everything until both are silent; returns what came at link 1. */
static inline unsigned settle(Pair *pair) {
    unsigned count = 0;
    Packet packet;

    for (;;) {
        uint64_t deadline_us = UINT64_MAX;

        for (unsigned from = 0; from < 2; from++) {
            while (next(pair, from, &packet)) {
                pair->now_us += 100;
                g_assert_cmpint(give(pair, !from, &packet), ==, MESH_OK);
                count += from == 0 ? take_all(pair, 1) : 0;
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            deadline_us = MIN(deadline_us, link_deadline_us(pair->link[i], pair->now_us));
        }
        if (deadline_us == UINT64_MAX) {
            return count;
        }
        pair->now_us = MAX(pair->now_us + 1, deadline_us);
    }
}

static inline MeshError submit(Pair *pair, LinkPriority priority, size_t size, uint64_t life_us,
                               uint64_t *ret_id) {
    static uint8_t bytes[MESH_MESSAGE_MAX + 1];

    return link_submit(pair->link[0], priority, pair->now_us,
                       life_us ? pair->now_us + life_us : UINT64_MAX, (Bytes){bytes, size}, ret_id);
}
