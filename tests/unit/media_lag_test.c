/* SPDX-License-Identifier: MPL-2.0 */
/* How late an echo comes: found where there is one, and nowhere else. */
#include <glib.h>
#include <math.h>

#include "media/lag.h"

#define RATE    48000
#define SECONDS 30
#define SAMPLES (SECONDS * RATE)

/* Something like speech: syllables of a voice whose pitch wavers. To be freed. */
static gint16 *voice(guint32 seed, double pitch) {
    g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
    gint16 *samples = g_new(gint16, SAMPLES);
    double phase = 0, loud = 0, wanted = 0;
    for (gsize i = 0; i < SAMPLES; i++) {
        if (i % (RATE / 8) == 0) {
            wanted = g_rand_double_range(dice, 0, 1) < 0.6 ? g_rand_double_range(dice, 0.2, 1) : 0;
            pitch *= g_rand_double_range(dice, 0.9, 1.1);
            pitch = CLAMP(pitch, 90, 300);
        }
        loud += (wanted - loud) / 500;
        phase += pitch / RATE;
        samples[i] = (gint16)(loud * (6000 * sin(2 * G_PI * phase) + 4000 * sin(9 * G_PI * phase) +
                                      g_rand_double_range(dice, -3000, 3000)));
    }
    return samples;
}

typedef struct {
    guint found;
    gint first, last;
} Found;

/* The captured sound is what `told` was `later` samples before, so loud, and another voice. */
static Found listen(const gint16 *told, double loud, gint later, const gint16 *other) {
    g_autofree MediaLag *lag = g_new(MediaLag, 1);
    Found found = {0};
    media_lag_init(lag);
    for (gint at = RATE; at + RATE < SAMPLES; at += MEDIA_LAG_PIECE) {
        gint16 captured[MEDIA_LAG_PIECE];
        for (gint i = 0; i < MEDIA_LAG_PIECE; i++) {
            double echo = loud * told[at + i - later];
            captured[i] = (gint16)(echo + (other != NULL ? other[at + i] : 0));
        }
        gint samples = 0;
        if (media_lag_push(lag, told + at, captured, &samples)) {
            found.first = found.found++ == 0 ? samples : found.first;
            found.last = samples;
        }
    }
    return found;
}

static void test_found(void) {
    static const gint laters[] = {0, 480, 960, 5000, 14000, -480, -4000};
    g_autofree gint16 *told = voice(1, 120);
    g_autofree gint16 *other = voice(2, 200);
    for (gsize i = 0; i < G_N_ELEMENTS(laters); i++) {
        for (gint both = 0; both < 2; both++) {
            Found found = listen(told, -0.5, laters[i], both ? other : NULL);
            g_test_message("%d samples late: %u times, %d to %d", laters[i], found.found,
                           found.first, found.last);
            g_assert_cmpuint(found.found, >, SECONDS / 3);
            g_assert_cmpint(ABS(found.first - laters[i]), <=, 2 * MEDIA_LAG_STEP);
            g_assert_cmpint(ABS(found.last - laters[i]), <=, 2 * MEDIA_LAG_STEP);
        }
    }
}

static void test_nothing(void) {
    g_autofree gint16 *told = voice(1, 120);
    g_autofree gint16 *other = voice(2, 200);
    g_autofree gint16 *silence = g_new0(gint16, SAMPLES);
    Found unlike = listen(told, 0, 0, other);
    g_test_message("another voice: %u times", unlike.found);
    g_assert_cmpuint(unlike.found, ==, 0);
    g_assert_cmpuint(listen(told, 0, 0, NULL).found, ==, 0);
    g_assert_cmpuint(listen(silence, 1, 0, NULL).found, ==, 0);
    g_assert_cmpuint(listen(silence, 1, 0, other).found, ==, 0);
    /* Later than is looked for. */
    g_assert_cmpuint(listen(told, 0.5, 20000, NULL).found, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lag/found", test_found);
    g_test_add_func("/lag/nothing", test_nothing);
    return g_test_run();
}
