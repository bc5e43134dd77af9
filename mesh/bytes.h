/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bounded reading and writing of bytes, little-endian unless said otherwise.
 * A reader or writer borrows its bytes; the first step out of bounds fails it for good, so that
 * one check at the end suffices. It never allocates. What every packet needs is here, so that the
 * compiler sees it whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static inline BytesReader bytes_reader(const uint8_t *data, size_t length) {
    return (BytesReader){.at = data, .end = data ? data + length : data};
}

static inline size_t bytes_left(const BytesReader *reader) {
    return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

/* The next `length` bytes, borrowed; NULL when there are fewer. */
static inline const uint8_t *bytes_read(BytesReader *reader, size_t length) {
    const uint8_t *at = reader->at;

    if (reader->failed || (size_t)(reader->end - at) < length) {
        reader->failed = true;
        return NULL;
    }
    if (length > 0) {
        reader->at += length;
    }
    return at;
}

/* A number of so many bytes; zero when there are fewer. */
static inline uint64_t bytes_read_number(BytesReader *reader, unsigned size) {
    const uint8_t *bytes = bytes_read(reader, size);
    uint64_t value = 0;

    for (unsigned i = 0; bytes && i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static inline uint8_t bytes_read_u8(BytesReader *reader) {
    return (uint8_t)bytes_read_number(reader, 1);
}

static inline uint16_t bytes_read_u16(BytesReader *reader) {
    return (uint16_t)bytes_read_number(reader, 2);
}

static inline uint32_t bytes_read_u32(BytesReader *reader) {
    return (uint32_t)bytes_read_number(reader, 4);
}

static inline uint64_t bytes_read_u64(BytesReader *reader) {
    return bytes_read_number(reader, 8);
}

/* RFC 9000 section 16 variable-length integer; a longer form than needed is accepted. */
uint64_t bytes_read_varint(BytesReader *reader);
/* What is left, borrowed. */
Bytes bytes_rest(BytesReader *reader);
/* Copies `length` bytes, or zeros when there are fewer. */
void bytes_read_into(BytesReader *reader, uint8_t *ret_bytes, size_t length);
/* Everything was read and nothing failed. */
bool bytes_done(const BytesReader *reader);

static inline BytesWriter bytes_writer(uint8_t *data, size_t capacity) {
    return (BytesWriter){.start = data, .at = data, .end = data + capacity};
}

static inline size_t bytes_written(const BytesWriter *writer) {
    return (size_t)(writer->at - writer->start);
}

static inline size_t bytes_room(const BytesWriter *writer) {
    return (size_t)(writer->end - writer->at);
}

static inline void bytes_write(BytesWriter *writer, const void *data, size_t length) {
    if (writer->failed || bytes_room(writer) < length) {
        writer->failed = true;
        return;
    }
    if (length > 0) {
        memcpy(writer->at, data, length);
        writer->at += length;
    }
}

static inline void bytes_write_number(BytesWriter *writer, uint64_t value, unsigned size) {
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    bytes_write(writer, bytes, size);
}

static inline void bytes_write_u8(BytesWriter *writer, uint8_t value) {
    bytes_write_number(writer, value, 1);
}

static inline void bytes_write_u16(BytesWriter *writer, uint16_t value) {
    bytes_write_number(writer, value, 2);
}

static inline void bytes_write_u32(BytesWriter *writer, uint32_t value) {
    bytes_write_number(writer, value, 4);
}

static inline void bytes_write_u64(BytesWriter *writer, uint64_t value) {
    bytes_write_number(writer, value, 8);
}

void bytes_write_varint(BytesWriter *writer, uint64_t value);
/* Bytes a varint takes: 1, 2, 4 or 8. */
size_t bytes_varint_size(uint64_t value);

/* The first eight bytes as a number: of two it is the lesser one that memcmp puts first. */
static inline uint64_t bytes_rank(const uint8_t bytes[8]) {
    uint64_t rank = 0;

    for (size_t i = 0; i < 8; i++) {
        rank = rank << 8 | bytes[i];
    }
    return rank;
}
