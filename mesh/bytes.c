/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/bytes.h"

#include <assert.h>
#include <string.h>

BytesReader bytes_reader(const uint8_t *data, size_t length) {
    return (BytesReader){.at = data, .end = data ? data + length : data};
}

const uint8_t *bytes_read(BytesReader *reader, size_t length) {
    const uint8_t *at = reader->at;

    if (reader->failed || bytes_left(reader) < length) {
        reader->failed = true;
        return NULL;
    }
    if (length > 0) {
        reader->at += length;
    }
    return at;
}

static uint64_t little_endian(BytesReader *reader, unsigned size) {
    const uint8_t *bytes = bytes_read(reader, size);
    uint64_t value = 0;

    for (unsigned i = 0; bytes && i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

uint8_t bytes_read_u8(BytesReader *reader) {
    return (uint8_t)little_endian(reader, 1);
}

uint16_t bytes_read_u16(BytesReader *reader) {
    return (uint16_t)little_endian(reader, 2);
}

uint32_t bytes_read_u32(BytesReader *reader) {
    return (uint32_t)little_endian(reader, 4);
}

uint64_t bytes_read_u64(BytesReader *reader) {
    return little_endian(reader, 8);
}

uint64_t bytes_read_varint(BytesReader *reader) {
    uint8_t first = bytes_read_u8(reader);
    unsigned more = (1u << (first >> 6)) - 1;
    const uint8_t *bytes = bytes_read(reader, more);
    uint64_t value = first & 0x3f;

    for (unsigned i = 0; bytes && i < more; i++) {
        value = value << 8 | bytes[i];
    }
    return reader->failed ? 0 : value;
}

Bytes bytes_rest(BytesReader *reader) {
    size_t left = bytes_left(reader);

    return (Bytes){.data = bytes_read(reader, left), .length = left};
}

size_t bytes_left(const BytesReader *reader) {
    return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

void bytes_read_into(BytesReader *reader, uint8_t *ret_bytes, size_t length) {
    const uint8_t *bytes = bytes_read(reader, length);

    if (bytes) {
        memcpy(ret_bytes, bytes, length);
    } else {
        memset(ret_bytes, 0, length);
    }
}

bool bytes_done(const BytesReader *reader) {
    return !reader->failed && reader->at == reader->end;
}

uint64_t bytes_rank(const uint8_t bytes[8]) {
    uint64_t rank = 0;

    for (size_t i = 0; i < 8; i++) {
        rank = rank << 8 | bytes[i];
    }
    return rank;
}

BytesWriter bytes_writer(uint8_t *data, size_t capacity) {
    return (BytesWriter){.start = data, .at = data, .end = data + capacity};
}

void bytes_write(BytesWriter *writer, const void *data, size_t length) {
    if (writer->failed || bytes_room(writer) < length) {
        writer->failed = true;
        return;
    }
    if (length > 0) {
        memcpy(writer->at, data, length);
        writer->at += length;
    }
}

static void write_little_endian(BytesWriter *writer, uint64_t value, unsigned size) {
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    bytes_write(writer, bytes, size);
}

void bytes_write_u8(BytesWriter *writer, uint8_t value) {
    write_little_endian(writer, value, 1);
}

void bytes_write_u16(BytesWriter *writer, uint16_t value) {
    write_little_endian(writer, value, 2);
}

void bytes_write_u32(BytesWriter *writer, uint32_t value) {
    write_little_endian(writer, value, 4);
}

void bytes_write_u64(BytesWriter *writer, uint64_t value) {
    write_little_endian(writer, value, 8);
}

size_t bytes_varint_size(uint64_t value) {
    return value < 1u << 6 ? 1 : value < 1u << 14 ? 2 : value < 1u << 30 ? 4 : 8;
}

void bytes_write_varint(BytesWriter *writer, uint64_t value) {
    size_t size = bytes_varint_size(value);
    uint8_t bytes[8];

    assert(value < (uint64_t)1 << 62);
    for (size_t i = size; i-- > 0; value >>= 8) {
        bytes[i] = (uint8_t)value;
    }
    bytes[0] |= (uint8_t)((size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3) << 6);
    bytes_write(writer, bytes, size);
}

size_t bytes_written(const BytesWriter *writer) {
    return (size_t)(writer->at - writer->start);
}

size_t bytes_room(const BytesWriter *writer) {
    return (size_t)(writer->end - writer->at);
}
