/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/bytes.h"

#include <assert.h>

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

size_t bytes_varint_size(uint64_t value) {
    return value < 1u << 6 ? 1 : value < 1u << 14 ? 2 : value < 1u << 30 ? 4 : 8;
}

void bytes_write_varint(BytesWriter *writer, uint64_t value) {
    size_t size = bytes_varint_size(value);
    uint8_t bytes[8] = {0};

    assert(value < (uint64_t)1 << 62);
    for (size_t i = size; i-- > 0; value >>= 8) {
        bytes[i] = (uint8_t)value;
    }
    bytes[0] |= (uint8_t)((size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3) << 6);
    bytes_write(writer, bytes, size);
}
