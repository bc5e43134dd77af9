/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whether large packets come through at all (RFC 8899, with what is sent anyway as probes).
 * It owns what is known of the path: large ones that are lost again and again while small ones
 * sent between them arrive are too large. It never sends anything, and trusts no message from the
 * network about it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Wire bytes that every path carries: 576, of which IPv6 takes 20 more than a link counts. */
#define MTU_SAFE_SIZE 556

typedef struct {
    bool proven;    /* a large one arrived on this path */
    bool passed;    /* a small one, sent after the last large one lost, arrived */
    uint32_t lost;  /* large ones since one arrived, */
    uint32_t turns; /* and how often small ones arrived between them */
    uint64_t lost_sent_us;
    uint64_t narrow_until_us; /* 0: large ones are tried */
    uint64_t narrow_us;       /* how long it is narrow the next time */
} Mtu;

/* A new path: large ones are tried again. */
void mtu_reset(Mtu *mtu);
/* One packet's fate is known. */
void mtu_learn(Mtu *mtu, uint64_t now_us, uint32_t size, uint64_t sent_us, bool lost);
/* Wire bytes that a packet may have. */
uint32_t mtu_limit(const Mtu *mtu, uint64_t now_us);
