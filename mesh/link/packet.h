/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The plain bytes of one packet of a link: acknowledgement, pace, and chunks of messages, in frames
 * one after the other to the end of the packet. It owns the format below and nothing else; what it
 * reads borrows the packet. It never judges what a frame means, only whether it can be one.
 *
 * A packet has no header of its own: its number is the counter it was sealed under. Integers are
 * little-endian; "varint" is that of RFC 9000 section 16 (1, 2, 4 or 8 bytes). At least one frame.
 *
 * | first byte | frame | then |
 * |---|---|---|
 * | 0b1nnnnnnn | ACK, at most one, in front | largest u16, arrival u16, delay varint, map: n B |
 * | 0b00lkkppp | chunk of a message | id u16, what its kind kk adds, length varint if l, bytes |
 * | 0b01lssppp | PART of a document's block | the same, but the size, which ss ≠ 0 tells |
 * | 0b01000000 | PACE | u8: acknowledge within so many times 4 ms |
 * | 0b01000001 | APART | u8: my acknowledgements are so many times 4 ms apart, whatever you want |
 *
 * ACK: n ≤ 64. `largest` is the low 16 bits of the highest counter received that asked for one;
 * `arrival` the receiver's clock when it came, in units of 250 µs, cut to 16 bits (the sender
 * compares flight times, whatever the offset of the clocks); `delay` how long it was held, in units
 * of 250 µs. Bit i of the map (bit i mod 8 of byte i / 8) set: counter largest − 1 − i was received
 * too. A clear bit says nothing of it. Each arrival is told in at least four acknowledgements.
 *
 * Chunk: ppp is the priority (0 … 5), and each priority numbers its messages in the order they are
 * first sent, from 0x10000; `id` is the low 16 bits of the number. Without the length (l clear) the
 * chunk runs to the end of the message, or of the packet if that is nearer. Bytes of a message are
 * counted in grains of 8. A size of 4100 B is told by ss 1, of 4101 B by 2, of 4103 B by 3: so long
 * are the whole blocks of documents, and most of what is ever cut. The kinds:
 *
 * | kk | | adds | the bytes are |
 * |---|---|---|---|
 * | 0 | WHOLE | nothing | the message |
 * | 1 | PART | first grain varint, message size u16 | whole grains, or up to the message's end |
 * | 2 | PERISHABLE | as PART, then u16: life left in units of 16 ms, 65535: that or longer | same |
 * | 3 | FORGET | nothing; no length, no bytes | none: the message will not be completed |
 *
 * A sender never has a message alive whose number is 1024 or more below the highest it has sent in
 * that priority: the receiver takes what is older for a repetition. Nor does it begin another one
 * while PACKET_PARTS_SIZE are alive in that priority of which parts were sent, or
 * PACKET_PARTS_BYTES of them: the receiver has room for a quarter more, and none for others. A
 * packet with nothing but an ACK and APART asks for no acknowledgement and is not itself
 * acknowledged. APART goes with each ACK while it is longer than PACE: what comes fast is answered
 * by a line that is slow. A silent link sends nothing.
 */
#pragma once

#include "mesh/link/link.h"

#define PACKET_GRAIN_SIZE  8
#define PACKET_GRAINS_SIZE ((MESH_MESSAGE_MAX + PACKET_GRAIN_SIZE - 1) / PACKET_GRAIN_SIZE)
#define PACKET_MAP_SIZE    64   /* bytes of the map of an ACK at most */
#define PACKET_WINDOW_SIZE 1024 /* message numbers that may be alive, per priority */
#define PACKET_PARTS_SIZE  (MESH_PARTS_MAX / 5 * 4)
#define PACKET_PARTS_BYTES (MESH_PARTS_BYTES_MAX / 5 * 4)
#define PACKET_FIRST_ID    0x10000
#define PACKET_TICK_US     250
#define PACKET_PACE_US     4000
#define PACKET_LIFE_US     16000
#define PACKET_PACE_SIZE   2

typedef enum {
    PACKET_WHOLE = 0,
    PACKET_PART = 1,
    PACKET_PERISHABLE = 2,
    PACKET_FORGET = 3,
} PacketKind;

typedef struct {
    uint16_t largest;
    uint16_t arrival; /* ticks */
    uint64_t delay_us;
    uint8_t map[PACKET_MAP_SIZE];
    size_t map_length;
} PacketAck;

typedef struct {
    PacketKind kind;
    LinkPriority priority;
    uint16_t id;
    uint16_t grain; /* PART, PERISHABLE: the first */
    uint16_t size;  /* of the whole message; WHOLE: its length */
    uint64_t life_us;
    Bytes bytes;
} PacketChunk;

typedef enum {
    PACKET_FRAME_ACK,
    PACKET_FRAME_PACE,
    PACKET_FRAME_APART,
    PACKET_FRAME_CHUNK,
} PacketFrameKind;

typedef struct {
    PacketFrameKind kind;
    union {
        PacketAck ack;
        uint64_t pace_us; /* of PACE and APART */
        PacketChunk chunk;
    };
} PacketFrame;

/* The next frame; false: the bytes cannot be one. */
bool packet_read(BytesReader *reader, PacketFrame *ret_frame);

void packet_write_ack(BytesWriter *writer, const PacketAck *ack);
/* Bytes that takes. */
size_t packet_ack_size(const PacketAck *ack);
void packet_write_pace(BytesWriter *writer, uint64_t pace_us);
/* The same size. */
void packet_write_apart(BytesWriter *writer, uint64_t apart_us);
/* `last`: nothing follows in this packet. Where it ends is then known without its length. */
void packet_write_chunk(BytesWriter *writer, const PacketChunk *chunk, bool last);
/* Bytes a chunk of a message of `size` takes beside its own `length`; `last`: as above. */
size_t packet_chunk_overhead(PacketKind kind, size_t size, uint16_t grain, size_t length,
                             bool last);

/* Bytes of a message of `size` that `count` grains from `grain` on hold. */
size_t packet_grains_bytes(size_t size, size_t grain, size_t count);
/* Grains of a message of `size`. */
size_t packet_grains(size_t size);
