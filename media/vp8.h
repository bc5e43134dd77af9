/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a VP8 frame says of itself, without decoding it (RFC 6386 section 9.1).
 * It owns the reading of the first bytes of a frame.
 * It never decodes, allocates or trusts a size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pictures larger than this are refused: the memory of the player is not the sender's. */
#define MEDIA_VP8_PIXELS_MAX (1920 * 1080)

typedef enum {
    MEDIA_VP8_BAD,   /* no frame, or too large a picture */
    MEDIA_VP8_KEY,   /* decodable by itself */
    MEDIA_VP8_DELTA, /* refers to earlier ones */
} MediaVp8Type;

/* Any bytes may be given. */
MediaVp8Type media_vp8_type(const uint8_t *frame, size_t length);
/* Of a frame that is not BAD: there is a picture to be shown, it is not only for later ones. */
bool media_vp8_shown(const uint8_t *frame);
