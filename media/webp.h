/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a WebP file says of itself, without decoding it (RFC 9649 section 2).
 * It owns the reading of its first bytes, and takes only what our own capture makes: one lossy
 * picture and nothing else. It never decodes, allocates or trusts a size.
 *
 * Such a file is one VP8 key frame in a box, so the decoder of video shows it too. Everything else
 * a WebP may hold (lossless coding, transparency, animation, colour profiles, metadata) nobody here
 * sends, and no decoder here sees.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data; /* into the file: a VP8 key frame */
    size_t length;
} MediaWebpPicture;

/* False for anything else, or too large a picture; `ret_picture` is untouched then. Any bytes may
   be given. */
bool media_webp_picture(const uint8_t *file, size_t length, MediaWebpPicture *ret_picture);
