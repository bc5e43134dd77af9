/* SPDX-License-Identifier: MPL-2.0 */
#include "media/tap.h"

void media_tap_open(MediaTap *tap) {
    tap->open = true;
    tap->first = 0;
    tap->count = 0;
}

void media_tap_close(MediaTap *tap) {
    tap->open = false;
}

void media_tap_add(MediaTap *tap, const int16_t *samples, size_t count) {
    for (size_t i = 0; tap->open && i < count; i++) {
        tap->samples[(tap->first + tap->count) % MEDIA_TAP_SAMPLES] = samples[i];
        if (tap->count < MEDIA_TAP_SAMPLES) {
            tap->count++;
        } else {
            tap->first++;
        }
    }
}

size_t media_tap_take(MediaTap *tap, int16_t *ret_samples, size_t count, uint32_t *ret_first) {
    size_t taken = 0;
    *ret_first = tap->first;
    while (taken < count && tap->count > 0) {
        ret_samples[taken++] = tap->samples[tap->first % MEDIA_TAP_SAMPLES];
        tap->first++;
        tap->count--;
    }
    return taken;
}
