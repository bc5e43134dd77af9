/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/coder.h"

#include <cbor.h>
#include <string.h>

#define HEAD_SIZE 9

typedef enum {
    HEAD_OTHER,
    HEAD_UINT,
    HEAD_BYTES,
    HEAD_TEXT,
    HEAD_ARRAY,
} HeadType;

typedef struct {
    HeadType type;
    uint64_t value;
} Head;

static size_t encode_head(HeadType type, uint64_t value, uint8_t head[HEAD_SIZE]) {
    switch (type) {
    case HEAD_UINT:
        return cbor_encode_uint(value, head, HEAD_SIZE);
    case HEAD_BYTES:
        return cbor_encode_bytestring_start(value, head, HEAD_SIZE);
    case HEAD_TEXT:
        return cbor_encode_string_start(value, head, HEAD_SIZE);
    case HEAD_ARRAY:
        return cbor_encode_array_start(value, head, HEAD_SIZE);
    case HEAD_OTHER:
        break;
    }
    return 0;
}

static void write_head(BytesWriter *writer, HeadType type, uint64_t value) {
    uint8_t head[HEAD_SIZE];

    bytes_write(writer, head, encode_head(type, value, head));
}

void coder_write_uint(BytesWriter *writer, uint64_t value) {
    write_head(writer, HEAD_UINT, value);
}

void coder_write_bytes(BytesWriter *writer, const void *data, size_t length) {
    write_head(writer, HEAD_BYTES, length);
    bytes_write(writer, data, length);
}

void coder_write_text(BytesWriter *writer, const char *text, size_t length) {
    write_head(writer, HEAD_TEXT, length);
    bytes_write(writer, text, length);
}

void coder_write_array(BytesWriter *writer, size_t count) {
    write_head(writer, HEAD_ARRAY, count);
}

static void on_uint8(void *context, uint8_t value) {
    *(Head *)context = (Head){HEAD_UINT, value};
}

static void on_uint16(void *context, uint16_t value) {
    *(Head *)context = (Head){HEAD_UINT, value};
}

static void on_uint32(void *context, uint32_t value) {
    *(Head *)context = (Head){HEAD_UINT, value};
}

static void on_uint64(void *context, uint64_t value) {
    *(Head *)context = (Head){HEAD_UINT, value};
}

static void on_bytes(void *context, cbor_data data, size_t length) {
    (void)data;
    *(Head *)context = (Head){HEAD_BYTES, length};
}

static void on_text(void *context, cbor_data data, size_t length) {
    (void)data;
    *(Head *)context = (Head){HEAD_TEXT, length};
}

static void on_array(void *context, size_t count) {
    *(Head *)context = (Head){HEAD_ARRAY, count};
}

/* The next head must be of this type and in its shortest form; what follows it is not consumed. */
static uint64_t read_head(BytesReader *reader, HeadType type) {
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    uint8_t shortest[HEAD_SIZE];
    Head head = {HEAD_OTHER, 0};
    size_t size;

    callbacks.uint8 = on_uint8;
    callbacks.uint16 = on_uint16;
    callbacks.uint32 = on_uint32;
    callbacks.uint64 = on_uint64;
    callbacks.byte_string = on_bytes;
    callbacks.string = on_text;
    callbacks.array_start = on_array;
    if (reader->failed || bytes_left(reader) == 0 ||
        cbor_stream_decode(reader->at, bytes_left(reader), &callbacks, &head).status !=
            CBOR_DECODER_FINISHED ||
        head.type != type) {
        reader->failed = true;
        return 0;
    }
    size = encode_head(type, head.value, shortest);
    if (size > bytes_left(reader) || memcmp(shortest, reader->at, size)) {
        reader->failed = true;
        return 0;
    }
    reader->at += size;
    return head.value;
}

uint64_t coder_read_uint(BytesReader *reader) {
    return read_head(reader, HEAD_UINT);
}

static Bytes read_string(BytesReader *reader, HeadType type) {
    size_t length = read_head(reader, type);
    const uint8_t *data = bytes_read(reader, length);

    return data ? (Bytes){data, length} : (Bytes){NULL, 0};
}

Bytes coder_read_bytes(BytesReader *reader) {
    return read_string(reader, HEAD_BYTES);
}

void coder_read_fixed(BytesReader *reader, uint8_t *ret_bytes, size_t length) {
    Bytes bytes = coder_read_bytes(reader);

    if (bytes.length != length) {
        reader->failed = true;
    }
    if (reader->failed) {
        memset(ret_bytes, 0, length);
    } else {
        memcpy(ret_bytes, bytes.data, length);
    }
}

Bytes coder_read_text(BytesReader *reader) {
    Bytes text = read_string(reader, HEAD_TEXT);

    if (!reader->failed && !coder_text_is_valid((const char *)text.data, text.length)) {
        reader->failed = true;
        return (Bytes){NULL, 0};
    }
    return text;
}

size_t coder_read_array(BytesReader *reader) {
    return read_head(reader, HEAD_ARRAY);
}

/* Bytes of the UTF-8 sequence at `at`, 0 when it is none. */
static size_t sequence_size(const uint8_t *at, size_t left) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80           ? 1
                  : (at[0] >> 5) == 0x06 ? 2
                  : (at[0] >> 4) == 0x0e ? 3
                  : (at[0] >> 3) == 0x1e ? 4
                                         : 0;
    uint32_t point;

    if (size < 2) {
        return size;
    }
    if (size > left) {
        return 0;
    }
    point = at[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3f);
    }
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ||
        (point >= 0x80 && point < 0xa0)) {
        return 0;
    }
    return size;
}

bool coder_text_is_valid(const char *text, size_t length) {
    const uint8_t *at = (const uint8_t *)text;

    for (size_t i = 0; i < length;) {
        size_t size = sequence_size(at + i, length - i);

        if (size == 0 || (at[i] < 0x20 && at[i] != '\t' && at[i] != '\n') || at[i] == 0x7f) {
            return false;
        }
        i += size;
    }
    return true;
}
