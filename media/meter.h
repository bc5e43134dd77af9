/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a person watches while they try a microphone: how loud it is now, a few times a second.
 * It owns the stretch of sound it is in.
 * It never keeps samples.
 */
#pragma once

#include <stdbool.h>

#include "media/level.h"
#include "media/protocol.h"

typedef struct {
    MediaLevel level;
    int peak; /* the greatest magnitude, 0 … 32768 */
    size_t samples;
} MediaMeter;

/* Adds 16-bit mono samples at 48 kHz. True when a stretch is over: `ret_loudness` is the newest. */
bool media_meter_add(MediaMeter *meter, const int16_t *samples, size_t count,
                     MediaLoudness *ret_loudness);
