/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How large a packet may be to come through (RFC 8899, with what is sent anyway as probes).
 * It owns what is known of the path: that large ones are lost again and again while small ones sent
 * between them arrive, or that a larger one, sent as a trial, arrived. It never sends anything, and
 * trusts no message from the network about it.
 *
 * Sizes are wire bytes as a link counts them: by IPv6 a packet has 20 more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mesh/limits.h"

/* That every path carries: 576 by IPv6. */
#define MTU_SAFE_SIZE 556
/* That a path is taken to carry until it is known not to. */
#define MTU_BASE_SIZE (MESH_DATAGRAM_SAFE_MAX + 28)

typedef struct {
    uint32_t known;           /* what is used: the base, or a larger size that arrived */
    bool proven;              /* one above the next smaller size arrived on this path */
    bool passed;              /* a small one, sent after the last large one lost, arrived */
    uint32_t lost;            /* large ones since one arrived, */
    uint32_t turns;           /* and how often small ones arrived between them */
    uint64_t lost_us;         /* the last of them was sent then */
    uint64_t narrow_until_us; /* 0: large ones are tried */
    uint64_t narrow_us;       /* how long it is narrow the next time */

    bool out;         /* a larger one than is known to pass is on its way, as a trial */
    uint32_t step;    /* the size tried next, */
    uint32_t vain;    /* how often it was lost, */
    uint64_t from_us; /* from when on there may be trials, */
    uint64_t wait_us; /* and how long not, the next time they were in vain */
} Mtu;

/* A new path. */
void mtu_reset(Mtu *mtu);
/* Nothing is answered: the path may have become narrower. */
void mtu_doubt(Mtu *mtu);
/* One packet's fate is known. */
void mtu_learn(Mtu *mtu, uint64_t now_us, uint32_t size, uint64_t sent_us, bool lost);
/* Bytes that a packet may have. */
uint32_t mtu_limit(const Mtu *mtu, uint64_t now_us);
/* What one may have that is worth a trial; 0: none is, or one is on its way. */
uint32_t mtu_wanted(const Mtu *mtu, uint64_t now_us);
/* A packet leaves that is larger than the limit. */
void mtu_tried(Mtu *mtu);
/* So large a packet may be lost for its size alone. */
bool mtu_is_trial(const Mtu *mtu, uint32_t size);
