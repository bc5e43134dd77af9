/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bounded reading and writing of bytes, little-endian unless said otherwise.
 * A reader or writer borrows its bytes; the first step out of bounds fails it for good, so that
 * one check at the end suffices. It never allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    size_t length;
} Bytes;

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} BytesReader;

typedef struct {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
} BytesWriter;

BytesReader bytes_reader(const uint8_t *data, size_t length);
uint8_t bytes_read_u8(BytesReader *reader);
uint16_t bytes_read_u16(BytesReader *reader);
uint32_t bytes_read_u32(BytesReader *reader);
uint64_t bytes_read_u64(BytesReader *reader);
/* RFC 9000 section 16 variable-length integer; a longer form than needed is accepted. */
uint64_t bytes_read_varint(BytesReader *reader);
/* The next `length` bytes, borrowed; NULL when there are fewer. */
const uint8_t *bytes_read(BytesReader *reader, size_t length);
/* What is left, borrowed. */
Bytes bytes_rest(BytesReader *reader);
size_t bytes_left(const BytesReader *reader);
/* Copies `length` bytes, or zeros when there are fewer. */
void bytes_read_into(BytesReader *reader, uint8_t *ret_bytes, size_t length);
/* Everything was read and nothing failed. */
bool bytes_done(const BytesReader *reader);

BytesWriter bytes_writer(uint8_t *data, size_t capacity);
void bytes_write_u8(BytesWriter *writer, uint8_t value);
void bytes_write_u16(BytesWriter *writer, uint16_t value);
void bytes_write_u32(BytesWriter *writer, uint32_t value);
void bytes_write_u64(BytesWriter *writer, uint64_t value);
void bytes_write_varint(BytesWriter *writer, uint64_t value);
void bytes_write(BytesWriter *writer, const void *data, size_t length);
size_t bytes_written(const BytesWriter *writer);
size_t bytes_room(const BytesWriter *writer);
/* The first eight bytes as a number: of two it is the lesser one that memcmp puts first. */
uint64_t bytes_rank(const uint8_t bytes[8]);
/* Bytes a varint takes: 1, 2, 4 or 8. */
size_t bytes_varint_size(uint64_t value);
