/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/correlate/wav.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_PCM = 1, FORMAT_FLOAT = 3, FORMAT_EXTENSIBLE = 0xfffe };

typedef struct {
    unsigned kind;
    unsigned channels;
    unsigned rate;
    unsigned bits;
    const uint8_t *data;
    size_t length;
} Wave;

static uint32_t read_little(const uint8_t *bytes, unsigned count) {
    uint32_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

static uint8_t *file_load(const char *path, size_t *ret_length) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t length = 0, capacity = 1 << 20, count;
    if (file == NULL)
        return NULL;
    while ((bytes = realloc(bytes, capacity)) != NULL &&
           (count = fread(bytes + length, 1, capacity - length, file)) > 0) {
        length += count;
        if (length == capacity)
            capacity *= 2;
    }
    fclose(file);
    *ret_length = length;
    return bytes;
}

static void format_take(Wave *wave, const uint8_t *chunk, size_t size) {
    wave->kind = read_little(chunk, 2);
    wave->channels = read_little(chunk + 2, 2);
    wave->rate = read_little(chunk + 4, 4);
    wave->bits = read_little(chunk + 14, 2);
    if (wave->kind == FORMAT_EXTENSIBLE && size >= 26)
        wave->kind = read_little(chunk + 24, 2);
}

static bool wave_parse(Wave *wave, const uint8_t *bytes, size_t length) {
    size_t at = 12;
    *wave = (Wave){0};
    if (length < 12 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WAVE", 4) != 0)
        return false;
    while (at + 8 <= length) {
        const uint8_t *chunk = bytes + at + 8;
        size_t left = length - at - 8;
        size_t size = read_little(bytes + at + 4, 4);
        if (memcmp(bytes + at, "data", 4) == 0) {
            wave->data = chunk;
            wave->length = size == 0 || size > left ? left : size;
            break;
        }
        if (size > left)
            return false;
        if (memcmp(bytes + at, "fmt ", 4) == 0 && size >= 16)
            format_take(wave, chunk, size);
        at += 8 + size + size % 2;
    }
    bool known = (wave->kind == FORMAT_PCM && wave->bits == 16) ||
                 (wave->kind == FORMAT_FLOAT && wave->bits == 32);
    return known && wave->channels > 0 && wave->rate >= WAV_RATE;
}

static float wave_value(const Wave *wave, size_t index) {
    if (wave->kind == FORMAT_PCM)
        return (float)(int16_t)read_little(wave->data + 2 * index, 2) / 32768;
    float value;
    uint32_t bits = read_little(wave->data + 4 * index, 4);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Averages all that falls into one output sample: a plain low-pass, good enough to compare. */
static bool wave_decimate(const Wave *wave, WavSound *ret_sound) {
    size_t frames = wave->length / (wave->bits / 8) / wave->channels;
    size_t count = (size_t)((uint64_t)frames * WAV_RATE / wave->rate);
    float *samples = calloc(count + 1, sizeof *samples);
    if (samples == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t from = (size_t)((uint64_t)i * wave->rate / WAV_RATE);
        size_t until = (size_t)((uint64_t)(i + 1) * wave->rate / WAV_RATE);
        float sum = 0;
        for (size_t j = from * wave->channels; j < until * wave->channels; j++)
            sum += wave_value(wave, j);
        samples[i] = sum / (float)((until - from) * wave->channels);
    }
    *ret_sound = (WavSound){.samples = samples, .count = count};
    return true;
}

bool wav_sound_read(const char *path, WavSound *ret_sound) {
    size_t length = 0;
    Wave wave;
    uint8_t *bytes = file_load(path, &length);
    if (bytes == NULL) {
        fprintf(stderr, "correlate: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool done = wave_parse(&wave, bytes, length) && wave_decimate(&wave, ret_sound);
    if (!done)
        fprintf(stderr, "correlate: %s: not a WAV file of 16-bit or float samples\n", path);
    free(bytes);
    return done;
}

void wav_sound_finish(WavSound *sound) {
    free(sound->samples);
    *sound = (WavSound){0};
}
