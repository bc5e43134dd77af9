/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How often a voice message is sent on a line that loses packets, when a repair would be too late.
 * It owns the choice, a pure function of the line and the message. It never sends or remembers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t room;     /* wire bytes the line carries from one voice message to the next */
    uint64_t gap_us;   /* between these */
    uint64_t trip_us;  /* there and back */
    uint32_t loss_ppm; /* 0: not known well enough */
    uint32_t overhead; /* bytes of a packet beside its messages */
    bool beside;       /* documents flow: copies ride in their packets, and cost no headers */
    bool untried;      /* the rate is still looked for: the line may carry more than `room` */
} CoverLine;

/* How often a message of `size` that is of use for `life_us` more is sent, 1 … MESH_COPIES_MAX,
 * repairs not counted. Where the line has room for half a copy more, it is every second number that
 * is sent once more. */
unsigned cover_copies(const CoverLine *line, size_t size, uint64_t life_us, uint64_t number);
/* How long after a copy the next may ride in a packet that leaves anyway. */
uint64_t cover_apart_us(const CoverLine *line);
