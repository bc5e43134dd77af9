/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whether a line carries more than is thought, found out while there is only voice on it, which
 * never fills it: now and then a train of padding follows a packet of voice, and how late its end
 * comes tells what the line carries. It owns when the next train leaves and what the last one was.
 * It never sends, and no train proves more than half as much again as was known.
 */
#pragma once

#include "mesh/link/rate.h"

#define ASCENT_KNOWN_SIZE 8

typedef struct {
    uint64_t next_us; /* no train before */
    uint64_t wait_us; /* how long not after one in vain */
    uint64_t left;    /* bytes of it still to be sent */
    uint64_t bytes;   /* of the one whose answer is awaited, and of the voice; 0: none is */
    uint64_t sent_us; /* it left then, */
    uint64_t end;     /* and so much had been sent with it */
    int64_t flight_ticks[ASCENT_KNOWN_SIZE]; /* of packets before it, */
    uint32_t sizes[ASCENT_KNOWN_SIZE];       /* so large */
    unsigned known;                          /* of them all that ever were */
} Ascent;

void ascent_init(Ascent *ascent);
/* A packet of voice left, of `lead` bytes, and nothing else waits: should padding follow it at
 * once, `left` says how much. `voice`: bytes a second of it; `gap_us`: between its packets. */
void ascent_begin(Ascent *ascent, const Rate *rate, uint64_t now_us, uint32_t lead, uint64_t voice,
                  uint64_t gap_us);
/* Something else than voice leaves: not now. */
void ascent_put_off(Ascent *ascent, uint64_t now_us);
/* So many of them left, and `sent_total` bytes in all. */
void ascent_sent(Ascent *ascent, uint64_t now_us, uint64_t bytes, uint64_t sent_total);
/* The newest packet was acknowledged, and the rate knows of it. */
void ascent_acked(Ascent *ascent, Rate *rate, uint64_t now_us, const DelaySample *sample);
