/* SPDX-License-Identifier: MPL-2.0 */
#include "media/vp8.h"

#define TAG_SIZE        3
#define KEY_HEADER_SIZE 10

MediaVp8Type media_vp8_type(const uint8_t *frame, size_t length) {
    if (length <= TAG_SIZE) {
        return MEDIA_VP8_BAD;
    }
    if (frame[0] & 1) {
        return MEDIA_VP8_DELTA;
    }
    if (length < KEY_HEADER_SIZE || frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a) {
        return MEDIA_VP8_BAD;
    }
    /* The two high bits of each are a wish to scale, which nobody follows. */
    uint32_t width = (frame[6] | (uint32_t)frame[7] << 8) & 0x3fff;
    uint32_t height = (frame[8] | (uint32_t)frame[9] << 8) & 0x3fff;
    bool fits = width > 0 && height > 0 && width * height <= MEDIA_VP8_PIXELS_MAX;
    return fits ? MEDIA_VP8_KEY : MEDIA_VP8_BAD;
}

bool media_vp8_shown(const uint8_t *frame) {
    return frame[0] & 0x10;
}
