/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/frame.h"

#include <sodium.h>
#include <string.h>

#include "mesh/core.h"

#define NONCE_SIZE crypto_stream_chacha20_ietf_NONCEBYTES
#define VIDEO_US   S
/* How long a voice may wait here, its way to the listener not counted: later it would only hold up
 * what comes after it. A copy of a frame rides with the next one and a repair takes a round trip,
 * so long frames, which are for slow lines, have longer. media/ladder.c counts on it. */
#define VOICE_US      (200 * MS)
#define VOICE_MOST_US (500 * MS)

void frame_keys(const EpochKey *epoch, const MeshKey *speaker,
                const uint8_t id[FRAME_STREAM_ID_SIZE], FrameKeys *ret_keys) {
    uint8_t bytes[64];

    domain_derive(bytes, sizeof bytes, "stream", epoch->key, BYTES_OF(speaker->bytes),
                  BYTES_AT(id, FRAME_STREAM_ID_SIZE));
    memcpy(ret_keys->cipher, bytes, 32);
    memcpy(ret_keys->tag, bytes + 32, 32);
    sodium_memzero(bytes, sizeof bytes);
}

static void nonce_of(uint32_t number, uint8_t ret_nonce[NONCE_SIZE]) {
    BytesWriter writer = bytes_writer(ret_nonce, NONCE_SIZE);

    bytes_write_u64(&writer, 0);
    bytes_write_u32(&writer, number);
}

/* The full number is under the tag, though only its low part travels, and the kind in the place of
 * the stream's number, which is another on each link. */
static void tag_of(const FrameKeys *keys, const MeshFrame *frame, const uint8_t *header,
                   Bytes cipher, uint8_t ret_tag[FRAME_TAG_SIZE]) {
    uint8_t context[4 + FRAME_HEADER_SIZE];
    BytesWriter writer = bytes_writer(context, sizeof context);

    bytes_write_u32(&writer, frame->number);
    bytes_write_u8(&writer, (uint8_t)frame->kind);
    bytes_write(&writer, header + 1, FRAME_HEADER_SIZE - 1);
    domain_derive(ret_tag, FRAME_TAG_SIZE, "frame", keys->tag, BYTES_OF(context), cipher);
}

size_t frame_seal(const FrameKeys *keys, uint8_t number, const MeshFrame *frame,
                  uint8_t *ret_body) {
    BytesWriter writer = bytes_writer(ret_body, FRAME_BODY_SIZE);
    uint8_t nonce[NONCE_SIZE];

    bytes_write_u8(&writer, number);
    bytes_write_u8(&writer, (uint8_t)((frame->flags & 0x0f) | frame->codec << 4));
    bytes_write_u8(&writer, frame->level);
    bytes_write_u16(&writer, (uint16_t)frame->number);
    bytes_write_u16(&writer, (uint16_t)frame->media_time_ms);
    bytes_write_u8(&writer, (uint8_t)(frame->media_time_ms >> 16));
    bytes_write_u16(&writer, frame->duration_ms);
    nonce_of(frame->number, nonce);
    crypto_stream_chacha20_ietf_xor(writer.at, frame->payload.data, frame->payload.length, nonce,
                                    keys->cipher);
    writer.at += frame->payload.length;
    tag_of(keys, frame, ret_body, BYTES_AT(ret_body + FRAME_HEADER_SIZE, frame->payload.length),
           writer.at);
    return bytes_written(&writer) + FRAME_TAG_SIZE;
}

/* The number nearest to the last one whose low `bits` are these. */
static uint32_t complete(uint32_t low, unsigned bits, uint32_t last) {
    uint32_t mask = (1u << bits) - 1;
    uint32_t ahead = (low - last) & mask;

    return ahead <= mask / 2 ? last + ahead : last - (mask + 1 - ahead);
}

MeshError frame_read(Bytes body, MeshStreamKind kind, uint32_t last_number, uint32_t last_time_ms,
                     MeshFrame *ret_frame) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshFrame frame = {.kind = kind};
    uint32_t time_ms;
    uint8_t flags;

    if (body.length <= FRAME_HEADER_SIZE + FRAME_TAG_SIZE || body.length > FRAME_BODY_SIZE) {
        return MESH_ERROR_MALFORMED;
    }
    bytes_read_u8(&reader);
    flags = bytes_read_u8(&reader);
    frame.flags = flags & 0x0f;
    frame.codec = flags >> 4;
    frame.level = bytes_read_u8(&reader);
    frame.number = complete(bytes_read_u16(&reader), 16, last_number);
    time_ms = bytes_read_u16(&reader);
    time_ms |= (uint32_t)bytes_read_u8(&reader) << 16;
    frame.media_time_ms = complete(time_ms, 24, last_time_ms);
    frame.duration_ms = bytes_read_u16(&reader);
    frame.payload =
        BYTES_AT(body.data + FRAME_HEADER_SIZE, body.length - FRAME_HEADER_SIZE - FRAME_TAG_SIZE);
    *ret_frame = frame;
    return MESH_OK;
}

bool frame_is_genuine(const FrameKeys *keys, const MeshFrame *frame, Bytes body) {
    uint8_t tag[FRAME_TAG_SIZE];

    tag_of(keys, frame, body.data, frame->payload, tag);
    return bytes_equal(tag, body.data + body.length - FRAME_TAG_SIZE, FRAME_TAG_SIZE);
}

void frame_open(const FrameKeys *keys, MeshFrame *frame, uint8_t *ret_plain) {
    uint8_t nonce[NONCE_SIZE];

    nonce_of(frame->number, nonce);
    crypto_stream_chacha20_ietf_xor(ret_plain, frame->payload.data, frame->payload.length, nonce,
                                    keys->cipher);
    frame->payload.data = ret_plain;
}

uint64_t frame_life_us(const MeshFrame *frame) {
    uint64_t lasts_us = frame->duration_ms * MS;
    uint64_t voice_us = VOICE_US + lasts_us * 5 / 2;

    if (frame->kind == MESH_STREAM_VOICE) {
        return voice_us < VOICE_MOST_US ? voice_us : VOICE_MOST_US;
    }
    return lasts_us > VIDEO_US ? lasts_us : VIDEO_US;
}
