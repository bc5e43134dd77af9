/* SPDX-License-Identifier: MPL-2.0 */
#include "media/lag.h"

#include <math.h>
#include <string.h>

/* Mean square below which nobody speaks: -66 dB of full scale, of what the filters leave. */
#define FAINT 100.0F

/* What was seen a second ago counts so much of what is seen now. */
#define MEMORY 0.7F

/* So much plainer than all others together, in the mean, and so near to the one before. */
#define PLAIN 16.0F
#define NEAR  6 /* steps: 3 ms */

/* The lag 0 is where an echo without any delay would be. */
#define ZERO (-MEDIA_LAG_FIRST)

void media_lag_init(MediaLag *lag) {
    memset(lag, 0, sizeof(*lag));
    lag->before = MEDIA_LAG_COUNT;
}

/* A mean of each step, then what changes from one to the next: so hum counts
   little, and what begins counts much. */
static void thin(const int16_t samples[MEDIA_LAG_PIECE], float *edge, float *ret_steps) {
    for (size_t step = 0; step < MEDIA_LAG_PIECE / MEDIA_LAG_STEP; step++) {
        float sum = 0;
        for (size_t i = 0; i < MEDIA_LAG_STEP; i++) {
            sum += samples[step * MEDIA_LAG_STEP + i];
        }
        sum /= MEDIA_LAG_STEP;
        ret_steps[step] = sum - *edge;
        *edge = sum;
    }
}

static float power(const float *steps) {
    float sum = 0;
    for (size_t i = 0; i < MEDIA_LAG_WINDOW; i++) {
        sum += steps[i] * steps[i];
    }
    return sum;
}

/* The square of the correlation: a loudspeaker may well turn the sign. */
static float like(const float *told, const float *captured, float captured_power) {
    float both = 0, told_power = power(told);
    for (size_t i = 0; i < MEDIA_LAG_WINDOW; i++) {
        both += told[i] * captured[i];
    }
    return told_power > FAINT * MEDIA_LAG_WINDOW ? both * both / told_power / captured_power : 0;
}

/* The captured window has what was told later before it in time, and earlier after it. */
static bool compare(MediaLag *lag) {
    const float *captured = lag->captured + MEDIA_LAG_COUNT - 1 - ZERO;
    float captured_power = power(captured);
    if (captured_power < FAINT * MEDIA_LAG_WINDOW ||
        power(lag->told + MEDIA_LAG_COUNT - 1 - ZERO) < FAINT * MEDIA_LAG_WINDOW) {
        return false;
    }
    for (size_t i = 0; i < MEDIA_LAG_COUNT; i++) {
        const float *told = lag->told + MEDIA_LAG_COUNT - 1 - i;
        lag->likeness[i] = MEMORY * lag->likeness[i] + like(told, captured, captured_power);
    }
    return true;
}

static bool find(MediaLag *lag, int *ret_samples) {
    int best = 0, before = lag->before;
    float sum = 0;
    for (int i = 0; i < MEDIA_LAG_COUNT; i++) {
        sum += lag->likeness[i];
        best = lag->likeness[i] > lag->likeness[best] ? i : best;
    }
    bool plain = lag->likeness[best] > PLAIN * sum / MEDIA_LAG_COUNT;
    lag->before = plain ? best : MEDIA_LAG_COUNT;
    if (!plain || best - before > NEAR || before - best > NEAR) {
        return false;
    }
    *ret_samples = (best - ZERO) * MEDIA_LAG_STEP;
    return true;
}

bool media_lag_push(MediaLag *lag, const int16_t told[MEDIA_LAG_PIECE],
                    const int16_t captured[MEDIA_LAG_PIECE], int *ret_samples) {
    thin(told, &lag->told_edge, lag->told + lag->count);
    thin(captured, &lag->captured_edge, lag->captured + lag->count);
    lag->count += MEDIA_LAG_PIECE / MEDIA_LAG_STEP;
    if (lag->count < MEDIA_LAG_HISTORY) {
        return false;
    }
    bool found = compare(lag) && find(lag, ret_samples);
    lag->count -= MEDIA_LAG_WINDOW;
    memmove(lag->told, lag->told + MEDIA_LAG_WINDOW, lag->count * sizeof(*lag->told));
    memmove(lag->captured, lag->captured + MEDIA_LAG_WINDOW, lag->count * sizeof(*lag->captured));
    return found;
}
