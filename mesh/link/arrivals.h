/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The last packets that arrived, and how fast what was sent between them was carried.
 * It owns those few points. It never judges whether the line could have carried more.
 */
#pragma once

#include "mesh/link/delay.h"

#define ARRIVALS_SIZE 5 /* that one measure spans, at most */

typedef struct {
    int64_t arrival_us; /* receiver's clock, unwrapped, whole ticks */
    uint64_t sent_us;
    uint64_t sent_total;
} ArrivalsPoint;

typedef struct {
    ArrivalsPoint points[ARRIVALS_SIZE]; /* the newest first */
    uint32_t count;
    uint32_t jumps; /* so many of the newest each took much longer than the one before */
} Arrivals;

/* Bytes a second, between the oldest arrival remembered and the newest. */
typedef struct {
    uint64_t carried;  /* by the receiver's clock; 0: too close to tell */
    uint64_t departed; /* as they left */
    uint64_t proven;   /* what is carried, but no more than left here */
    uint64_t since;    /* proven by what left since there was always something to send */
    uint64_t spread;   /* by this packet and the one it left together with; 0: there is none, or
                          nothing kept them apart */
    bool limited;      /* there was not always something to send */
} ArrivalsFound;

/* Takes in a sample whose flight the delay has learnt. `limited_at_us`: there was last nothing to
 * send. `jump_us`: what is longer than the packet before by more than this has jumped; UINT64_MAX:
 * none has. */
ArrivalsFound arrivals_learn(Arrivals *arrivals, const Delay *delay, const DelaySample *sample,
                             uint64_t limited_at_us, uint64_t jump_us);
/* What was before says nothing of what comes. */
void arrivals_forget(Arrivals *arrivals);
/* The queue grew meanwhile. */
bool arrivals_grow(const ArrivalsFound *found);
/* And this, that it shrank. */
bool arrivals_shrink(const ArrivalsFound *found);
