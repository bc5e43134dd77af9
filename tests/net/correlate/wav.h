/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A WAV file read as sound to compare: mono, 8 kHz, floating point.
 * Owns the samples it hands out until the sound is finished.
 * Never minds a header whose lengths were not filled in: a killed writer leaves such a file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { WAV_RATE = 8000 };

typedef struct {
    float *samples;
    size_t count;
} WavSound;

/* Reads 16-bit or float PCM of any rate and channel count; false with the reason on stderr. */
bool wav_sound_read(const char *path, WavSound *ret_sound);
void wav_sound_finish(WavSound *sound);
