/* SPDX-License-Identifier: MPL-2.0 */
/* A microphone beside a loudspeaker: the echo goes, whoever speaks into it stays. Without a clock.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "media/clean.h"
#include "media/heard.h"

#define RATE   48000
#define PIECE  (RATE / 100)
#define HEADER 44

/* The room: from the loudspeaker to the microphone, samples. */
#define AIR   144  /* a metre */
#define ROOM  2400 /* 50 ms of walls */
#define WALLS 40
#define ECHO  0.3F
#define NOISE 20

/* Of the cleaning, samples. */
#define DELAY_MAX 1200

/* The far one speaks alone, then both, then the near one alone, s. */
#define ALONE_S 20
#define BOTH_S  10
#define NEAR_S  10
#define TOTAL_S (ALONE_S + BOTH_S + NEAR_S)
#define SAMPLES (TOTAL_S * RATE)

/* After so long it has learnt the room, s. */
#define LEARNT_S 8

#define FAR_TEXT                                                                                     \
    "Bonjour à toutes et à tous. Le secteur nord doit être évacué avant dix-huit heures. Nous " \
    "attendons vos rapports par radio, puis nous voterons. Les ponts sont fermés, la rivière "     \
    "monte encore, et les écoles restent ouvertes comme abris pour la nuit."
#define NEAR_TEXT                                                                                  \
    "La réunion du conseil commence maintenant. Veuillez signaler les mandats reçus, les "       \
    "présents et les absents excusés, s'il vous plaît. Je vous entends bien, continuez."

static gboolean speak(const char *voice, const char *text, const char *path) {
    const char *const words[] = {"espeak-ng", "-v", voice, "-s", "150", "-w", path, text, NULL};
    gint status = 0;
    return g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                        &status, NULL) &&
           status == 0;
}

/* Speech at 48 kHz, over and over until the end; NULL where nothing can speak. To be freed. */
static float *speech(const char *voice, const char *text) {
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "maillon-clean-XXXXXX", NULL);
    g_autofree guint8 *bytes = NULL;
    gsize length = 0;
    int descriptor = g_mkstemp(path);
    close(descriptor);
    gboolean spoken = speak(voice, text, path);
    if (spoken) {
        g_assert_true(g_file_get_contents(path, (char **)&bytes, &length, NULL));
    }
    g_unlink(path);
    if (!spoken) {
        return NULL;
    }
    guint32 rate = 0;
    memcpy(&rate, bytes + 24, sizeof(rate));
    gsize count = (length - HEADER) / 2;
    float *samples = g_new(float, SAMPLES);
    for (gsize i = 0; i < SAMPLES; i++) {
        double at = fmod((double)i * rate / RATE, (double)(count - 1));
        gint16 pair[2];
        memcpy(pair, bytes + HEADER + 2 * (gsize)at, sizeof(pair));
        samples[i] = (float)(pair[0] + (pair[1] - pair[0]) * (at - floor(at)));
    }
    return samples;
}

/* What of the loudspeaker reaches the microphone: later, duller, weaker, off the walls. */
static float *room(const float *played) {
    float *heard = g_new0(float, SAMPLES), dull = 0;
    g_autoptr(GRand) dice = g_rand_new_with_seed(3);
    gsize delays[WALLS];
    float shares[WALLS];
    for (gsize k = 0; k < WALLS; k++) {
        gint32 later = k == 0 ? 0 : g_rand_int_range(dice, 0, ROOM);
        delays[k] = (gsize)(AIR + later);
        shares[k] =
            ECHO *
            (k == 0 ? 1 : (float)(g_rand_double_range(dice, -0.5, 0.5) * exp(-3.0 * later / ROOM)));
    }
    for (gsize i = 0; i < SAMPLES - AIR - ROOM; i++) {
        dull += 0.4F * (played[i] - dull);
        for (gsize k = 0; dull != 0 && k < WALLS; k++) {
            heard[i + delays[k]] += dull * shares[k];
        }
    }
    return heard;
}

typedef struct {
    gint16 *samples;
    gsize count;
} Taken;

static void on_cleaned(const gint16 *samples, gsize count, GstClockTime time, void *user) {
    Taken *taken = user;
    memcpy(taken->samples + taken->count, samples, count * sizeof(*samples));
    taken->count += count;
}

/* How late a sound card plays, and how much too late its microphone says that it captured, ms. */
typedef struct {
    guint told_ms;
    guint true_ms;
    guint microphone_ms;
} Card;

static const Card honest = {120, 120, 0};

/*
 * What the others get of a microphone, when it is known what is played, and when it is not (NULL).
 * The sound card says how long after it was given the samples they are heard, and how long it is.
 */
static gint16 *clean(const float *captured, const float *played, const Card *card) {
    GstClockTime late = card->microphone_ms * GST_MSECOND;
    gsize latency = (gsize)card->true_ms * RATE / 1000;
    int descriptor = media_heard_make();
    MediaHeard *heard = media_heard_open(descriptor);
    Taken taken = {g_new0(gint16, SAMPLES), 0};
    MediaClean *cleaner = media_clean_create(heard, on_cleaned, &taken);
    GstClockTime base = 5000 * GST_SECOND;
    g_assert_nonnull(cleaner);
    for (gsize at = 0; at < SAMPLES; at += PIECE) {
        gint16 out[PIECE], in[PIECE];
        for (gsize i = 0; i < PIECE; i++) {
            gboolean told = played != NULL && at + i + latency < SAMPLES;
            out[i] = (gint16)(told ? played[at + i + latency] : 0);
            in[i] = (gint16)CLAMP(captured[at + i], G_MININT16, G_MAXINT16);
        }
        GstClockTime time = gst_util_uint64_scale(at, GST_SECOND, RATE);
        guint64 heard_us = (base + time) / GST_USECOND + card->told_ms * 1000;
        media_heard_write(heard, media_heard_place(heard_us), out, PIECE);
        media_clean_push(cleaner, in, PIECE, time + late, base, base + time + 15 * GST_MSECOND);
    }
    g_assert_cmpuint(taken.count, ==, SAMPLES);
    media_clean_destroy(cleaner);
    media_heard_close(heard);
    close(descriptor);
    return taken.samples;
}

static double loudness_db(const gint16 *samples, gint from_s, gint until_s) {
    double sum = 1;
    for (gsize i = (gsize)from_s * RATE; i < (gsize)until_s * RATE; i++) {
        sum += (double)samples[i] * samples[i];
    }
    return 10 * log10(sum / ((until_s - from_s) * RATE) / 32768 / 32768);
}

/* How loud the speech is that is in it, dB: the cleaning delays it a little. */
static double share_db(const gint16 *in, const float *speech, gint from_s, gint until_s) {
    double best = 0;
    for (gsize delay = 0; delay < DELAY_MAX; delay++) {
        double xy = 0, xx = 1, yy = 1;
        for (gsize i = (gsize)from_s * RATE; i < (gsize)until_s * RATE - DELAY_MAX; i += 8) {
            double x = in[i + delay], y = speech[i];
            xy += x * y;
            xx += x * x;
            yy += y * y;
        }
        best = MAX(best, xy * xy / xx / yy);
    }
    return loudness_db(in, from_s, until_s) + 10 * log10(best);
}

/* Two who speak, in one room. */
typedef struct {
    float *far;
    float *near;
    float *captured;
    gint16 *raw; /* what the others get when nothing is known to be played */
} Scene;

static gboolean scene_open(Scene *scene) {
    *scene = (Scene){speech("fr", FAR_TEXT), speech("fr+f3", NEAR_TEXT), NULL, NULL};
    if (scene->far == NULL || scene->near == NULL || !media_clean_possible()) {
        g_free(scene->far);
        g_free(scene->near);
        g_test_skip("espeak-ng or webrtcdsp is missing");
        return FALSE;
    }
    g_autoptr(GRand) dice = g_rand_new_with_seed(7);
    for (gsize i = 0; i < SAMPLES; i++) {
        scene->far[i] *= i < (ALONE_S + BOTH_S) * RATE ? 1 : 0;
        scene->near[i] *= i < ALONE_S * RATE ? 0 : 0.5F;
    }
    scene->captured = room(scene->far);
    for (gsize i = 0; i < SAMPLES; i++) {
        scene->captured[i] += scene->near[i] + (float)g_rand_double_range(dice, -NOISE, NOISE);
    }
    scene->raw = clean(scene->captured, NULL, &honest);
    return TRUE;
}

static void scene_close(Scene *scene) {
    g_free(scene->far);
    g_free(scene->near);
    g_free(scene->captured);
    g_free(scene->raw);
}

/* However much the sound card errs: what it says is not quite true, or not at all. */
static void test_echo(void) {
    static const Card cards[] = {{120, 120, 0}, {120, 140, 0}, {120, 100, 0}, {120, 40, 0},
                                 {30, 100, 0},  {30, 250, 0},  {30, 30, 400}};
    Scene scene;
    if (!scene_open(&scene)) {
        return;
    }
    double echo_db = loudness_db(scene.raw, LEARNT_S, ALONE_S);
    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++) {
        g_autofree gint16 *cleaned = clean(scene.captured, scene.far, &cards[i]);
        double left_db = loudness_db(cleaned, LEARNT_S, ALONE_S);
        g_test_message("a card %u ms late that says %u, its microphone %u: an echo of %.1f dB, "
                       "%.1f dB less; in the "
                       "first %d s %.1f dB less",
                       cards[i].true_ms, cards[i].told_ms, cards[i].microphone_ms, echo_db,
                       echo_db - left_db, LEARNT_S,
                       loudness_db(scene.raw, 0, LEARNT_S) - loudness_db(cleaned, 0, LEARNT_S));
        g_assert_cmpfloat(echo_db, >, -30);
        g_assert_cmpfloat(echo_db - left_db, >, 20);
    }
    scene_close(&scene);
}

static void test_near(void) {
    Scene scene;
    if (!scene_open(&scene)) {
        return;
    }
    g_autofree gint16 *cleaned = clean(scene.captured, scene.far, &honest);
    double alone_db = share_db(cleaned, scene.near, ALONE_S + BOTH_S + 1, TOTAL_S);
    double wanted_db = share_db(scene.raw, scene.near, ALONE_S + BOTH_S + 1, TOTAL_S);
    double both_db = share_db(cleaned, scene.near, ALONE_S, ALONE_S + BOTH_S);
    double both_raw_db = share_db(scene.raw, scene.near, ALONE_S, ALONE_S + BOTH_S);
    g_test_message("who is near: %.1f dB alone, %.1f dB where nothing is known to be played; while "
                   "both speak %.1f dB and %.1f dB",
                   alone_db, wanted_db, both_db, both_raw_db);
    g_assert_cmpfloat(alone_db, >, wanted_db - 2);
    g_assert_cmpfloat(both_db, >, both_raw_db - 8);
    scene_close(&scene);
}

/* Pieces of any size, without times, with times that jump: as many samples come out, and no harm.
 */
static void test_pieces(void) {
    static const gsize sizes[] = {1, 479, 480, 481, 960, 4800, 7};
    int descriptor = media_heard_make();
    MediaHeard *heard = media_heard_open(descriptor);
    Taken taken = {g_new0(gint16, SAMPLES), 0};
    MediaClean *cleaner = media_clean_create(heard, on_cleaned, &taken);
    if (cleaner == NULL) {
        g_test_skip("webrtcdsp is missing");
    }
    gint16 samples[4800] = {0};
    gsize given = 0;
    for (gsize i = 0; cleaner != NULL && i < 10 * G_N_ELEMENTS(sizes); i++) {
        gsize count = sizes[i % G_N_ELEMENTS(sizes)];
        GstClockTime time = i % 3 == 0 ? GST_CLOCK_TIME_NONE : (i % 5) * GST_SECOND;
        media_clean_push(cleaner, samples, count, time, i % 2 == 0 ? GST_CLOCK_TIME_NONE : 0,
                         i * GST_MSECOND);
        given += count;
        g_assert_cmpuint(taken.count, ==, given / PIECE * PIECE);
    }
    media_clean_destroy(cleaner);
    media_clean_destroy(NULL);
    media_heard_close(heard);
    close(descriptor);
    g_free(taken.samples);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/clean/echo", test_echo);
    g_test_add_func("/clean/near", test_near);
    g_test_add_func("/clean/pieces", test_pieces);
    return g_test_run();
}
