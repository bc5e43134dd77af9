/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `correlate`: is this speech in that recording, where, and how whole?
 * Owns the comparison: loudness first to find the place, then the waveform piece by piece.
 * Never decides: it prints numbers as JSON and leaves the threshold to the test.
 */
#include "tests/net/correlate/wav.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEP_SAMPLES = WAV_RATE / 100, /* one envelope value in 10 ms */
    STEPS_A_SECOND = 100,
    PIECE_SAMPLES = WAV_RATE * 2 / 5,   /* waveforms are compared 400 ms at a time */
    SEARCH_SAMPLES = WAV_RATE * 6 / 100 /* this far around the place: a jitter buffer moves */
};

static const double ACTIVE_SHARE_OF_PEAK = 0.1;
static const double ACTIVE_FLOOR = 0.001; /* of full scale: below is noise of the coder */

typedef struct {
    double *steps;
    double
        *roots; /* of the steps: quiet syllables count too, a coder keeps their shape, not peaks */
    long count;
    double active; /* from here on a step counts as sound */
} Envelope;

static bool envelope_init(Envelope *envelope, const WavSound *sound) {
    double peak = 0;
    envelope->count = (long)(sound->count / STEP_SAMPLES);
    envelope->steps = calloc((size_t)envelope->count + 1, sizeof *envelope->steps);
    envelope->roots = calloc((size_t)envelope->count + 1, sizeof *envelope->roots);
    if (envelope->steps == NULL || envelope->roots == NULL)
        return false;
    for (long i = 0; i < envelope->count; i++) {
        double sum = 0;
        for (long j = 0; j < STEP_SAMPLES; j++) {
            double value = sound->samples[i * STEP_SAMPLES + j];
            sum += value * value;
        }
        envelope->steps[i] = sqrt(sum / STEP_SAMPLES);
        envelope->roots[i] = sqrt(envelope->steps[i]);
        peak = fmax(peak, envelope->steps[i]);
    }
    envelope->active = fmax(peak * ACTIVE_SHARE_OF_PEAK, ACTIVE_FLOOR);
    return true;
}

static void envelope_finish(Envelope *envelope) {
    free(envelope->steps);
    free(envelope->roots);
}

/* Outside of what was recorded there is silence, so a part that is missing counts against. */
static double envelope_at(const Envelope *envelope, long step) {
    return step >= 0 && step < envelope->count ? envelope->steps[step] : 0;
}

typedef struct {
    double count, x, y, xx, yy, xy;
} Sums;

static void sums_add(Sums *sums, double x, double y) {
    sums->count++;
    sums->x += x;
    sums->y += y;
    sums->xx += x * x;
    sums->yy += y * y;
    sums->xy += x * y;
}

static double sums_correlation(const Sums *sums) {
    double spread_x = sums->xx - sums->x * sums->x / sums->count;
    double spread_y = sums->yy - sums->y * sums->y / sums->count;
    if (sums->count < 2 || spread_x < 1e-9 || spread_y < 1e-9)
        return 0;
    return (sums->xy - sums->x * sums->y / sums->count) / sqrt(spread_x * spread_y);
}

static double envelope_correlation(const Envelope *reference, const Envelope *recording, long lag) {
    Sums sums = {0};
    for (long i = 0; i < reference->count; i++) {
        bool within = i + lag >= 0 && i + lag < recording->count;
        sums_add(&sums, reference->roots[i], within ? recording->roots[i + lag] : 0);
    }
    return sums_correlation(&sums);
}

static long envelope_find(const Envelope *reference, const Envelope *recording, double *ret_best) {
    long best_lag = 0;
    *ret_best = 0;
    for (long lag = -reference->count / 2; lag < recording->count; lag++) {
        double correlation = envelope_correlation(reference, recording, lag);
        if (correlation > *ret_best) {
            *ret_best = correlation;
            best_lag = lag;
        }
    }
    return best_lag;
}

static float sample_at(const WavSound *sound, long index) {
    return index >= 0 && index < (long)sound->count ? sound->samples[index] : 0;
}

static double piece_correlation(const WavSound *reference, const WavSound *recording, long from,
                                long place) {
    double best = 0, xx = 0;
    for (long i = 0; i < PIECE_SAMPLES; i++)
        xx += (double)reference->samples[from + i] * reference->samples[from + i];
    for (long shift = -SEARCH_SAMPLES; shift <= SEARCH_SAMPLES; shift++) {
        double xy = 0, yy = 0;
        for (long i = 0; i < PIECE_SAMPLES; i++) {
            double x = reference->samples[from + i];
            double y = sample_at(recording, place + shift + i);
            xy += x * y;
            yy += y * y;
        }
        if (xx > 1e-9 && yy > 1e-9)
            best = fmax(best, fabs(xy) / sqrt(xx * yy));
    }
    return best;
}

/* The mean over all pieces that hold sound, each weighed by its energy. */
static double pcm_correlation(const WavSound *reference, const WavSound *recording,
                              long offset_samples) {
    double weight = 0, sum = 0;
    for (long from = 0; from + PIECE_SAMPLES <= (long)reference->count; from += PIECE_SAMPLES) {
        double energy = 0;
        for (long i = 0; i < PIECE_SAMPLES; i++)
            energy += reference->samples[from + i] * reference->samples[from + i];
        if (energy < PIECE_SAMPLES * ACTIVE_FLOOR * ACTIVE_FLOOR)
            continue;
        weight += energy;
        sum += energy * piece_correlation(reference, recording, from, from + offset_samples);
    }
    return weight > 0 ? sum / weight : 0;
}

/* Of the steps that sound in the reference, those that sound in the recording too. */
static double active_share(const Envelope *reference, const Envelope *recording, long lag) {
    long wanted = 0, found = 0;
    for (long i = 0; i < reference->count; i++) {
        if (reference->steps[i] < reference->active)
            continue;
        wanted++;
        /* One step of tolerance: the place is only known to 10 ms. */
        double there =
            fmax(envelope_at(recording, i + lag),
                 fmax(envelope_at(recording, i + lag - 1), envelope_at(recording, i + lag + 1)));
        found += there >= recording->active / 2;
    }
    return wanted > 0 ? (double)found / (double)wanted : 0;
}

/* From the first to the last sound around the place, with one second of margin each side. */
static double sounding_s(const Envelope *recording, long from, long until) {
    long first = -1, last = -1;
    for (long i = from - STEPS_A_SECOND; i < until + STEPS_A_SECOND; i++) {
        if (envelope_at(recording, i) < recording->active)
            continue;
        if (first < 0)
            first = i;
        last = i;
    }
    return first < 0 ? 0 : (double)(last - first + 1) / STEPS_A_SECOND;
}

static void compare(const WavSound *reference, const WavSound *recording, Envelope *asked,
                    Envelope *heard) {
    double envelope;
    long lag = envelope_find(asked, heard, &envelope);
    printf("{\"offset_s\":%.2f,\"envelope_correlation\":%.3f,\"pcm_correlation\":%.3f,"
           "\"duration_s\":%.2f,\"active_share\":%.3f,\"reference_duration_s\":%.2f,"
           "\"recording_s\":%.2f}\n",
           (double)lag / STEPS_A_SECOND, envelope,
           pcm_correlation(reference, recording, lag * STEP_SAMPLES),
           sounding_s(heard, lag, lag + asked->count), active_share(asked, heard, lag),
           sounding_s(asked, 0, asked->count), (double)recording->count / WAV_RATE);
}

int main(int count, char **words) {
    WavSound reference = {0}, recording = {0};
    Envelope asked = {0}, heard = {0};
    if (count != 3) {
        fputs("usage: correlate REFERENCE.wav RECORDING.wav\n", stderr);
        return 2;
    }
    if (!wav_sound_read(words[1], &reference) || !wav_sound_read(words[2], &recording)) {
        wav_sound_finish(&reference);
        return 1;
    }
    bool done = envelope_init(&asked, &reference) && envelope_init(&heard, &recording);
    if (done)
        compare(&reference, &recording, &asked, &heard);
    envelope_finish(&asked);
    envelope_finish(&heard);
    wav_sound_finish(&reference);
    wav_sound_finish(&recording);
    return done ? 0 : 1;
}
