/* SPDX-License-Identifier: MPL-2.0 */
#include "media/level.h"

#include <math.h>

void media_level_add(MediaLevel *level, const int16_t *samples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        level->squares += (double)samples[i] * samples[i];
    }
    level->samples += count;
}

uint8_t media_level_take(MediaLevel *level) {
    double power = level->samples == 0 ? 0 : level->squares / (double)level->samples;
    *level = (MediaLevel){0};
    if (power < 1e-3) {
        return 127;
    }
    /* dBov is relative to the square wave of full scale (RFC 6464 section 3). */
    double below = -10 * log10(power / (32768.0 * 32768.0));
    return (uint8_t)(below <= 0 ? 0 : below >= 127 ? 127 : lround(below));
}
