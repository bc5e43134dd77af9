/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/packet.h"

#include <string.h>

#define ACK_BIT       0x80
#define PACE          0x40
#define APART         0x41
#define BLOCK_BIT     0x40
#define LENGTH_BIT    0x20
#define KIND_SHIFT    3
#define PRIORITY_MASK 0x07

/* Sizes that are told in the first byte; none is told by 0. */
static const uint16_t BLOCK_SIZES[] = {0, 4100, 4101, 4103};
enum { BLOCK_SIZES_COUNT = sizeof BLOCK_SIZES / sizeof BLOCK_SIZES[0] };

size_t packet_grains(size_t size) {
    return (size + PACKET_GRAIN_SIZE - 1) / PACKET_GRAIN_SIZE;
}

size_t packet_grains_bytes(size_t size, size_t grain, size_t count) {
    size_t start = grain * PACKET_GRAIN_SIZE;
    size_t end = (grain + count) * PACKET_GRAIN_SIZE;

    end = end < size ? end : size;
    return end > start ? end - start : 0;
}

static bool read_ack(BytesReader *reader, uint8_t first, PacketAck *ret_ack) {
    ret_ack->map_length = first & ~ACK_BIT;
    ret_ack->largest = bytes_read_u16(reader);
    ret_ack->arrival = bytes_read_u16(reader);
    ret_ack->delay_us = bytes_read_varint(reader);
    if (ret_ack->map_length > PACKET_MAP_SIZE || ret_ack->delay_us > UINT32_MAX) {
        return false;
    }
    ret_ack->delay_us *= PACKET_TICK_US;
    bytes_read_into(reader, ret_ack->map, ret_ack->map_length);
    return !reader->failed;
}

/* The bytes fill whole grains within the message, or reach its end. */
static bool part_fits(const PacketChunk *chunk) {
    size_t start = (size_t)chunk->grain * PACKET_GRAIN_SIZE;
    size_t end = start + chunk->bytes.length;

    return chunk->bytes.length > 0 && chunk->size <= MESH_MESSAGE_MAX && end <= chunk->size &&
           (end == chunk->size || end % PACKET_GRAIN_SIZE == 0);
}

/* Bytes of a chunk that has no length. */
static size_t rest_of(const PacketChunk *chunk, uint64_t grain, size_t left) {
    size_t start = (size_t)grain * PACKET_GRAIN_SIZE;

    if (chunk->kind == PACKET_WHOLE || start >= chunk->size) {
        return left;
    }
    return left < chunk->size - start ? left : chunk->size - start;
}

static bool read_chunk(BytesReader *reader, uint8_t first, PacketChunk *ret_chunk) {
    unsigned priority = first & PRIORITY_MASK;
    unsigned kind = first >> KIND_SHIFT & 3;
    bool block = first & BLOCK_BIT;
    bool measured = first & LENGTH_BIT;
    uint64_t grain = 0;
    uint64_t length = 0;

    *ret_chunk = (PacketChunk){.kind = block ? PACKET_PART : kind, .priority = priority};
    ret_chunk->id = bytes_read_u16(reader);
    if ((block && kind == 0) || priority >= LINK_PRIORITIES) {
        return false;
    }
    if (ret_chunk->kind == PACKET_FORGET) {
        return !measured && !reader->failed;
    }
    if (ret_chunk->kind != PACKET_WHOLE) {
        grain = bytes_read_varint(reader);
        ret_chunk->size = block ? BLOCK_SIZES[kind] : bytes_read_u16(reader);
    }
    if (ret_chunk->kind == PACKET_PERISHABLE) {
        ret_chunk->life_us = (uint64_t)bytes_read_u16(reader) * PACKET_LIFE_US;
    }
    if (grain >= PACKET_GRAINS_SIZE) {
        return false;
    }
    length = measured ? bytes_read_varint(reader) : rest_of(ret_chunk, grain, bytes_left(reader));
    if (length > MESH_MESSAGE_MAX) {
        return false;
    }
    ret_chunk->bytes.data = bytes_read(reader, (size_t)length);
    ret_chunk->bytes.length = ret_chunk->bytes.data ? (size_t)length : 0;
    ret_chunk->grain = (uint16_t)grain;
    if (ret_chunk->kind == PACKET_WHOLE) {
        ret_chunk->size = (uint16_t)length;
    }
    return !reader->failed && part_fits(ret_chunk);
}

bool packet_read(BytesReader *reader, PacketFrame *ret_frame) {
    uint8_t first = bytes_read_u8(reader);

    if (first & ACK_BIT) {
        ret_frame->kind = PACKET_FRAME_ACK;
        return read_ack(reader, first, &ret_frame->ack);
    }
    if (first == PACE || first == APART) {
        ret_frame->kind = first == PACE ? PACKET_FRAME_PACE : PACKET_FRAME_APART;
        ret_frame->pace_us = (uint64_t)bytes_read_u8(reader) * PACKET_PACE_US;
        return !reader->failed;
    }
    ret_frame->kind = PACKET_FRAME_CHUNK;
    return read_chunk(reader, first, &ret_frame->chunk);
}

static uint64_t delay_of(const PacketAck *ack) {
    uint64_t delay = ack->delay_us / PACKET_TICK_US;

    return delay < (1u << 30) - 1 ? delay : (1u << 30) - 1;
}

size_t packet_ack_size(const PacketAck *ack) {
    return 1 + 2 + 2 + bytes_varint_size(delay_of(ack)) + ack->map_length;
}

void packet_write_ack(BytesWriter *writer, const PacketAck *ack) {
    bytes_write_u8(writer, (uint8_t)(ACK_BIT | ack->map_length));
    bytes_write_u16(writer, ack->largest);
    bytes_write_u16(writer, ack->arrival);
    bytes_write_varint(writer, delay_of(ack));
    bytes_write(writer, ack->map, ack->map_length);
}

static void write_time(BytesWriter *writer, uint8_t first, uint64_t us) {
    uint64_t pace = us / PACKET_PACE_US;

    bytes_write_u8(writer, first);
    bytes_write_u8(writer, (uint8_t)(pace < UINT8_MAX ? pace : UINT8_MAX));
}

void packet_write_pace(BytesWriter *writer, uint64_t pace_us) {
    write_time(writer, PACE, pace_us);
}

void packet_write_apart(BytesWriter *writer, uint64_t apart_us) {
    write_time(writer, APART, apart_us);
}

/* By which number the first byte tells the size of the message; 0: it does not. */
static unsigned block_of(PacketKind kind, size_t size) {
    unsigned block = kind == PACKET_PART ? BLOCK_SIZES_COUNT - 1 : 0;

    while (block > 0 && BLOCK_SIZES[block] != size) {
        block--;
    }
    return block;
}

/* Whether the chunk needs a length, for what follows it to be found. */
static bool is_measured(PacketKind kind, size_t size, uint16_t grain, size_t length, bool last) {
    bool part = kind == PACKET_PART || kind == PACKET_PERISHABLE;
    bool ends = part && (size_t)grain * PACKET_GRAIN_SIZE + length == size;

    return !last && !ends && kind != PACKET_FORGET;
}

void packet_write_chunk(BytesWriter *writer, const PacketChunk *chunk, bool last) {
    unsigned block = block_of(chunk->kind, chunk->size);
    unsigned kind = block > 0 ? block : (unsigned)chunk->kind;
    bool measured = is_measured(chunk->kind, chunk->size, chunk->grain, chunk->bytes.length, last);

    bytes_write_u8(writer, (uint8_t)(kind << KIND_SHIFT | chunk->priority |
                                     (block > 0 ? BLOCK_BIT : 0) | (measured ? LENGTH_BIT : 0)));
    bytes_write_u16(writer, chunk->id);
    if (chunk->kind == PACKET_PART || chunk->kind == PACKET_PERISHABLE) {
        bytes_write_varint(writer, chunk->grain);
        if (block == 0) {
            bytes_write_u16(writer, chunk->size);
        }
    }
    if (chunk->kind == PACKET_PERISHABLE) {
        /* Rounded up: the receiver must not give up before the sender. */
        uint64_t life = chunk->life_us / PACKET_LIFE_US + 1;

        bytes_write_u16(writer, (uint16_t)(life < UINT16_MAX ? life : UINT16_MAX));
    }
    if (measured) {
        bytes_write_varint(writer, chunk->bytes.length);
    }
    bytes_write(writer, chunk->bytes.data, chunk->bytes.length);
}

size_t packet_chunk_overhead(PacketKind kind, size_t size, uint16_t grain, size_t length,
                             bool last) {
    size_t measure = is_measured(kind, size, grain, length, last) ? bytes_varint_size(length) : 0;
    size_t part = bytes_varint_size(grain) + (block_of(kind, size) > 0 ? 0 : 2);

    switch (kind) {
    case PACKET_FORGET:
        return 3;
    case PACKET_WHOLE:
        return 3 + measure;
    case PACKET_PART:
        return 3 + part + measure;
    case PACKET_PERISHABLE:
        return 3 + part + 2 + measure;
    }
    return 0;
}
