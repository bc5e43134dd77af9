/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Chunks put together to messages, each given out once, whole.
 * It owns the messages received in part and those not yet taken, within limits that each priority
 * has for itself, and remembers which of the last 1024 numbers of each priority are done. It
 * never trusts a size or a number: what cannot be is refused.
 */
#pragma once

#include "mesh/link/packet.h"

typedef struct Inbound {
    struct Inbound *next; /* of those whole, or of those in part of its priority */
    uint64_t number;
    uint64_t expires_us; /* UINT64_MAX: reliable */
    uint16_t size;
    uint16_t missing; /* grains */
    uint8_t priority;
    uint8_t *got; /* bitmap of grains */
    uint8_t *bytes;
} Inbound;

typedef struct {
    uint64_t highest;                       /* number seen */
    uint64_t done[PACKET_WINDOW_SIZE / 64]; /* bit number mod 1024 */
    Inbound *parts;                         /* the newest first */
    uint32_t part_count;
    uint64_t part_bytes;
} InboxRow;

typedef struct {
    InboxRow rows[LINK_PRIORITIES];
    Inbound *first, *last; /* whole, not taken */
    Inbound *taken;        /* the borrowed one */
    uint32_t whole_count;
    uint64_t whole_bytes;
} Inbox;

void inbox_init(Inbox *inbox);
void inbox_finish(Inbox *inbox);

/* MALFORMED: the chunk contradicts what is known of its message. */
MeshError inbox_check(const Inbox *inbox, const PacketChunk *chunk);
/* Takes the chunk in. FULL, NO_MEMORY: it must be sent again; MALFORMED. */
MeshError inbox_add(Inbox *inbox, uint64_t now_us, const PacketChunk *chunk);
/* As link_take. */
bool inbox_take(Inbox *inbox, Bytes *ret_message);
