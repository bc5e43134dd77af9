/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One frame on its way over a line, and what the line needs to know of it.
 * A frame owns its bytes; whoever holds the frame destroys it.
 * Never changes a byte of what it carries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EMULATOR_FRAME_HEADER_BYTES = 14 };

typedef struct EmulatorFrame EmulatorFrame;
struct EmulatorFrame {
    EmulatorFrame *next; /* in the queue */
    uint64_t number;     /* order of arrival at the lane */
    uint64_t arrived_us;
    uint64_t started_us; /* left the queue for the line */
    size_t ip_bytes;     /* what it costs on the line */
    bool neighbour;      /* address resolution: it passes at once */
    size_t length;
    uint8_t bytes[];
};

/* A copy of the bytes; NULL only without memory. */
EmulatorFrame *emulator_frame_create(const uint8_t *bytes, size_t length, size_t ip_bytes,
                                     uint64_t now_us);
void emulator_frame_destroy(EmulatorFrame *frame);

/* What an Ethernet frame of this length costs on the line: everything above Ethernet. */
size_t emulator_frame_ip_bytes(size_t length);

/*
 * Whether these bytes are address resolution (ARP, or neighbour and router discovery of RFC 4861).
 * It belongs to the wire the emulator stands in for, not to the line it plays.
 */
bool emulator_frame_is_neighbour(const uint8_t *bytes, size_t length);
