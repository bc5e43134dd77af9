/* SPDX-License-Identifier: MPL-2.0 */
#include "media/meter.h"

#define STRETCH 6000 /* samples */

static void take_peak(MediaMeter *meter, const int16_t *samples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int size = samples[i] < 0 ? -(int)samples[i] : samples[i];
        meter->peak = size > meter->peak ? size : meter->peak;
    }
}

/* The level of a steady sound of that magnitude. */
static uint8_t level_of(int peak) {
    int16_t sample = (int16_t)(peak > INT16_MAX ? INT16_MAX : peak);
    MediaLevel level = {0};
    media_level_add(&level, &sample, 1);
    return media_level_take(&level);
}

bool media_meter_add(MediaMeter *meter, const int16_t *samples, size_t count,
                     MediaLoudness *ret_loudness) {
    bool over = false;
    while (count > 0) {
        size_t part = count < STRETCH - meter->samples ? count : STRETCH - meter->samples;
        media_level_add(&meter->level, samples, part);
        take_peak(meter, samples, part);
        meter->samples += part;
        samples += part;
        count -= part;
        if (meter->samples == STRETCH) {
            ret_loudness->rms = media_level_take(&meter->level);
            ret_loudness->peak = level_of(meter->peak);
            *meter = (MediaMeter){0};
            over = true;
        }
    }
    return over;
}
