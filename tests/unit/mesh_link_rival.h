/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A flow that is not ours on the same line: TCP as most of the world runs it, CUBIC (RFC 9438) with
 * selective acknowledgements, always with something to send.
 * It owns the sender's and the receiver's state. It never sends: it says what may be sent.
 */
#pragma once

#include "tests/unit/mesh_link_world.h"

enum {
    RIVAL_SEGMENT_SIZE = 1500,
    RIVAL_ACK_SIZE = 52,
    RIVAL_WINDOW_SIZE = 4096, /* segments in flight, at most */
};

typedef enum {
    RIVAL_FREE,
    RIVAL_OUT,
    RIVAL_SACKED,
    RIVAL_LOST,
} RivalState;

struct Rival {
    double window; /* segments */
    double threshold;
    double window_most; /* where CUBIC heads for */
    uint64_t epoch_us;
    uint64_t recovery; /* until this segment is acknowledged */
    uint64_t first;    /* not acknowledged */
    uint64_t next;     /* never sent */
    uint32_t out;
    uint64_t srtt_us, least_us;
    uint64_t heard_us; /* progress, for the timer */
    uint32_t backoff;
    uint8_t state[RIVAL_WINDOW_SIZE];
    uint64_t sent_us[RIVAL_WINDOW_SIZE];
    uint64_t arrived; /* segments, each once */
    uint8_t came[RIVAL_WINDOW_SIZE];
    uint64_t expected; /* of the receiver */
};

/* The segment to be sent now; false: none may be. */
bool rival_next(Rival *rival, uint64_t now_us, uint64_t *ret_segment);
/* A segment came. */
void rival_arrive(Rival *rival, uint64_t segment);
/* The answer to that segment came back. */
void rival_acked(Rival *rival, uint64_t now_us, uint64_t segment);
/* When it gives up waiting. */
uint64_t rival_deadline_us(const Rival *rival);
