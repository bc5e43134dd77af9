/* SPDX-License-Identifier: MPL-2.0 */
#include "media/opus.h"

#include <stdbool.h>
#include <string.h>

#define PACKET_US_MAX 120000

/* RFC 6716 table 2: the five high bits of the first byte are the configuration. */
static uint32_t frame_us(uint8_t toc) {
    static const uint32_t SILK_US[4] = {10000, 20000, 40000, 60000};
    static const uint32_t HYBRID_US[2] = {10000, 20000};
    static const uint32_t CELT_US[4] = {2500, 5000, 10000, 20000};
    unsigned config = toc >> 3;
    if (config < 12) {
        return SILK_US[config & 3];
    }
    if (config < 16) {
        return HYBRID_US[config & 1];
    }
    return CELT_US[config & 3];
}

uint32_t media_opus_duration_us(const uint8_t *packet, size_t length) {
    if (length == 0) {
        return 0;
    }
    uint32_t frames = 0;
    switch (packet[0] & 3) {
    case 0:
        frames = 1;
        break;
    case 1:
        /* Two frames of one size: what follows the first byte is even (R3). */
        frames = length % 2 == 1 ? 2 : 0;
        break;
    case 2:
        frames = length >= 2 ? 2 : 0;
        break;
    case 3:
        frames = length >= 2 ? packet[1] & 63u : 0;
        break;
    }
    uint32_t total_us = frames * frame_us(packet[0]);
    return total_us <= PACKET_US_MAX ? total_us : 0;
}

/* A frame's length up to this takes one byte, section 3.2.1. */
#define LENGTH_SHORT 252

size_t media_opus_join(const uint8_t *first, size_t first_length, const uint8_t *second,
                       size_t second_length, uint8_t *ret_packet, size_t capacity) {
    if (first_length == 0 || second_length == 0 || first[0] != second[0] || (first[0] & 3) != 0 ||
        2 * frame_us(first[0]) > PACKET_US_MAX) {
        return 0;
    }
    size_t length = first_length - 1;
    bool equal = first_length == second_length;
    size_t said = equal ? 0 : length < LENGTH_SHORT ? 1 : 2;
    size_t total = said + first_length + second_length - 1;
    if (total > capacity) {
        return 0;
    }
    uint8_t *at = ret_packet;
    *at++ = first[0] | (equal ? 1 : 2);
    if (said == 1) {
        *at++ = (uint8_t)length;
    } else if (said == 2) {
        *at++ = (uint8_t)(LENGTH_SHORT + (length & 3));
        *at++ = (uint8_t)((length - LENGTH_SHORT) >> 2);
    }
    memcpy(at, first + 1, length);
    memcpy(at + length, second + 1, second_length - 1);
    return total;
}
