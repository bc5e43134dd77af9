/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The level meter of RFC 6464: how loud a stretch of sound is.
 * It owns a running sum of squares.
 * It never keeps samples.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double squares;
    size_t samples;
} MediaLevel;

/* Adds 16-bit mono samples. */
void media_level_add(MediaLevel *level, const int16_t *samples, size_t count);

/* The level of all added since the last take, in -dBov, 0 (loudest) … 127, and begins again. */
uint8_t media_level_take(MediaLevel *level);
