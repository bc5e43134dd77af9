/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bytes of one live frame: a header that whoever passes it on may read, what is spoken or shown
 * enciphered, and a tag over both. mesh/README.md has it byte by byte.
 * It owns nothing. It never knows who sent a frame, nor whom it is for.
 */
#pragma once

#include "mesh/journal/entry.h"

#define FRAME_STREAM_ID_SIZE 16
#define FRAME_TAG_SIZE       8
/* number of the stream u8, flags and codec u8, level u8, number u16, time u24, duration u16 */
#define FRAME_HEADER_SIZE 10
#define FRAME_BODY_SIZE   (FRAME_HEADER_SIZE + MESH_FRAME_MAX + FRAME_TAG_SIZE)

/* Of the flags; see media/protocol.h. */
#define FRAME_KEYFRAME 1 /* decodable without any earlier frame */
#define FRAME_SILENCE  4 /* a pause may follow */
#define FRAME_LAST     8 /* nothing follows */

typedef struct {
    uint8_t cipher[32];
    uint8_t tag[32];
} FrameKeys;

void frame_keys(const EpochKey *epoch, const MeshKey *speaker,
                const uint8_t id[FRAME_STREAM_ID_SIZE], FrameKeys *ret_keys);

/* The body of MESSAGE_FRAME, at most FRAME_BODY_SIZE bytes; its length. `number`: of the stream, on
 * the link. */
size_t frame_seal(const FrameKeys *keys, uint8_t number, const MeshFrame *frame, uint8_t *ret_body);

/*
 * Reads the header of a body; what of the frame's number and time does not travel is completed by
 * the last ones known of its stream. The payload is still enciphered, and points into the body.
 * MALFORMED.
 */
MeshError frame_read(Bytes body, MeshStreamKind kind, uint32_t last_number, uint32_t last_time_ms,
                     MeshFrame *ret_frame);
/* The tag of the body is right for the frame read of it. */
bool frame_is_genuine(const FrameKeys *keys, const MeshFrame *frame, Bytes body);
/* Deciphers the payload into `ret_plain` (MESH_FRAME_MAX), to which the frame then points. */
void frame_open(const FrameKeys *keys, MeshFrame *frame, uint8_t *ret_plain);

/* How long a link may try to bring it to the next node: a still picture for as long as it is to be
 * shown. */
uint64_t frame_life_us(const MeshFrame *frame);
