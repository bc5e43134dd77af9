/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What an Opus packet says of itself, without decoding it (RFC 6716 section 3).
 * It owns the reading of the first bytes of a packet, and the joining of two.
 * It never decodes, allocates or trusts a length.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Microseconds of sound in the packet, or 0 when it is malformed: empty, more than 120 ms, or code
 * 3 without its count. Any bytes may be given.
 */
uint32_t media_opus_duration_us(const uint8_t *packet, size_t length);

/*
 * Joins two packets of one frame each into one of both, which lasts as long (codes 1 and 2).
 * Returns its length, or 0 when they are not of one kind, hold more than one frame, are together
 * longer than 120 ms, or do not fit `capacity`; `ret_packet` is untouched then.
 */
size_t media_opus_join(const uint8_t *first, size_t first_length, const uint8_t *second,
                       size_t second_length, uint8_t *ret_packet, size_t capacity);
