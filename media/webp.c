/* SPDX-License-Identifier: MPL-2.0 */
#include "media/webp.h"

#include <string.h>

#include "media/vp8.h"

#define TAG_SIZE   4
#define CHUNK_HEAD 8  /* tag, length u32 */
#define FILE_HEAD  12 /* RIFF, length u32, WEBP */

static uint32_t read_u32(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool media_webp_picture(const uint8_t *file, size_t length, MediaWebpPicture *ret_picture) {
    if (length < FILE_HEAD + CHUNK_HEAD || memcmp(file, "RIFF", TAG_SIZE) != 0 ||
        memcmp(file + CHUNK_HEAD, "WEBP", TAG_SIZE) != 0 ||
        memcmp(file + FILE_HEAD, "VP8 ", TAG_SIZE) != 0 ||
        read_u32(file + TAG_SIZE) != length - CHUNK_HEAD) {
        return false;
    }
    /* An odd length is followed by a byte that counts for the file alone. */
    uint64_t size = read_u32(file + FILE_HEAD + TAG_SIZE);
    if (FILE_HEAD + CHUNK_HEAD + size + size % 2 != length) {
        return false;
    }
    const uint8_t *picture = file + FILE_HEAD + CHUNK_HEAD;
    if (media_vp8_type(picture, size) != MEDIA_VP8_KEY || !media_vp8_shown(picture)) {
        return false;
    }
    *ret_picture = (MediaWebpPicture){picture, size};
    return true;
}
