/* SPDX-License-Identifier: MPL-2.0 */
/* From sound to frames to sound, in virtual time: every rung of the ladder, and between them. */
#include <gst/gst.h>
#include <math.h>
#include <string.h>

#include "media/codec2.h"
#include "media/speech.h"
#include "media/voice.h"

#define RATE     48000
#define TICK     (RATE / 100)
#define SECONDS  6
#define SAMPLES  (SECONDS * RATE)
#define WINDOW   (RATE / 50)
#define WINDOWS  (SAMPLES / WINDOW)
#define LAG_MOST 40 /* windows */
#define START_US 5000000
#define SHARP    1000 /* the test's vowel alone bends by 50, a click by thousands */

typedef struct {
    MediaSpeech *speech;
    MediaVoice *voice;
    guint64 now_us;
    guint frames;
    guint bytes;
    guint drop_every; /* 0: none */
    guint drop_run;   /* so many one after the other, */
    gboolean pauses;  /* as if the speaker had said nothing then */
    guint carried;
    guint codecs; /* a bit of each seen */
} Line;

/* Every frame arrives at once, but those dropped. */
static void carry(const MediaFrame *frame, void *user) {
    Line *line = user;
    MediaFrame carried = *frame;
    line->frames++;
    line->bytes += frame->payload.length;
    line->codecs |= 1u << frame->codec;
    if (line->drop_every > 0 && line->frames % line->drop_every < MAX(line->drop_run, 1)) {
        return;
    }
    if (line->pauses) {
        gboolean last = line->frames % line->drop_every == line->drop_every - 1;
        carried.number = line->carried++;
        carried.flags |= last ? MEDIA_FLAG_SILENCE : 0;
    }
    media_voice_put(line->voice, &carried, line->now_us);
}

/* Syllables: a voice of 120 Hz with two formants, now loud, now faint, now nothing. */
static void utter(gint16 *ret_samples) {
    for (guint n = 0; n < SAMPLES; n++) {
        double t = (double)n / RATE, sum = 0;
        double loud = fmod(t, 1.7) > 1.2 ? 0 : pow(sin(G_PI * fmod(t, 0.3) / 0.3), 2);
        double first = 500 + 200 * sin(2 * G_PI * t * 1.3), second = 1500 + 400 * sin(t * 5);
        for (guint k = 1; k < 25; k++) {
            double hertz = 120 * k;
            double gain = exp(-pow((hertz - first) / 200, 2)) +
                          0.5 * exp(-pow((hertz - second) / 300, 2)) + 0.02;
            sum += gain * sin(2 * G_PI * hertz * t);
        }
        ret_samples[n] = (gint16)(5000 * loud * sum);
    }
}

static void envelope(const gint16 *samples, double *ret_loud) {
    for (guint i = 0; i < WINDOWS; i++) {
        double sum = 0;
        for (guint n = 0; n < WINDOW; n++) {
            sum += pow(samples[i * WINDOW + n], 2);
        }
        ret_loud[i] = sqrt(sum / WINDOW);
    }
}

static double correlate(const double *one, const double *other, guint count) {
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (guint i = 0; i < count; i++) {
        x += one[i];
        y += other[i];
        xx += one[i] * one[i];
        yy += other[i] * other[i];
        xy += one[i] * other[i];
    }
    double spread = sqrt((xx - x * x / count) * (yy - y * y / count));
    return spread > 0 ? (xy - x * y / count) / spread : 0;
}

/* How alike the two are in loudness over so many windows, at the best lag; `ret_lag_ms` is that. */
static double alike(const gint16 *said, const gint16 *heard, guint from, guint count,
                    guint *ret_lag_ms) {
    double one[WINDOWS], other[WINDOWS], best = -1;
    envelope(said, one);
    envelope(heard, other);
    for (guint lag = 0; lag < LAG_MOST; lag++) {
        double found = correlate(one + from, other + from + lag, count - lag);
        if (found > best) {
            best = found;
            *ret_lag_ms = lag * 20;
        }
    }
    return best;
}

static Line line_create(void) {
    g_autoptr(GError) error = NULL;
    Line line = {.now_us = START_US};
    line.voice = media_voice_create(1, &error);
    g_assert_no_error(error);
    return line;
}

/* Speaks it all in pieces of 10 ms, the second half on another rung, and writes down what is heard.
 */
static void converse(Line *line, const MediaVoiceRung *rung, const MediaVoiceRung *then,
                     const gint16 *said, gint16 *ret_heard) {
    g_autoptr(GError) error = NULL;
    line->speech = media_speech_create(rung, carry, line, &error);
    g_assert_no_error(error);
    for (guint at = 0; at < SAMPLES; at += TICK) {
        gint32 mix[TICK] = {0};
        if (at == SAMPLES / 2) {
            media_speech_set_rung(line->speech, then);
        }
        line->now_us += 10000;
        media_speech_push(line->speech, said + at, TICK, GST_CLOCK_TIME_NONE);
        media_voice_mix(line->voice, mix, TICK, line->now_us);
        for (guint n = 0; n < TICK; n++) {
            ret_heard[at + n] = (gint16)CLAMP(mix[n], G_MININT16, G_MAXINT16);
        }
    }
    media_speech_destroy(line->speech);
}

static MediaStats line_end(Line *line) {
    MediaStats stats = media_voice_stats(line->voice, 0);
    media_voice_destroy(line->voice);
    return stats;
}

/* The lowest rung, the highest, or those between: the best that a line of that rate reaches. */
static MediaVoiceRung rung_for(guint32 rate_bps) {
    MediaVoiceRung now = media_ladder_voice_first(MEDIA_PROFILE_NARROW);
    for (guint i = 0; i < 10; i++) {
        now = media_ladder_voice(&(MediaUplink){rate_bps, 0, 20, 0}, &now);
    }
    return now;
}

static void test_rungs(void) {
    static const guint32 rates[] = {9000, 16000, 60000, 90000, 110000, 150000, 230000, 4000000};
    g_autofree gint16 *said = g_new(gint16, SAMPLES), *heard = g_new(gint16, SAMPLES);
    utter(said);
    guint rungs = 0;
    for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
        MediaVoiceRung rung = rung_for(rates[i]);
        Line line = line_create();
        guint lag_ms = 0;
        converse(&line, &rung, &rung, said, heard);
        double found = alike(said, heard, 0, WINDOWS, &lag_ms);
        MediaStats stats = line_end(&line);
        g_test_message("rung %u: codec %d, %u ms, %u frames, %u bytes, loudness %.3f after %u ms",
                       rung.rung, rung.codec, rung.packet_ms, line.frames, line.bytes, found,
                       lag_ms);
        g_assert_cmpfloat(found, >, 0.9);
        g_assert_cmpuint(lag_ms, <=, rung.packet_ms + 80);
        g_assert_cmpuint(stats.late + stats.lost, ==, 0);
        g_assert_cmpuint(line.codecs, ==, 1u << rung.codec);
        /* On average no more than the encoder was told. */
        g_assert_cmpuint(line.bytes * 8 / SECONDS, <=, rung.bitrate_bps);
        rungs |= 1u << rung.rung;
    }
    g_assert_cmphex(rungs, ==, 0xff);
}

/* From Codec2 to Opus and back, in mid-speech: heard on, in one row of numbers. */
static void test_between(void) {
    g_autofree gint16 *said = g_new(gint16, SAMPLES), *heard = g_new(gint16, SAMPLES);
    MediaVoiceRung low = rung_for(9000), high = rung_for(230000);
    utter(said);
    for (guint down = 0; down < 2; down++) {
        Line line = line_create();
        guint lag_ms = 0, lag_then_ms = 0;
        converse(&line, down ? &high : &low, down ? &low : &high, said, heard);
        double found = alike(said, heard, 0, WINDOWS / 2, &lag_ms);
        double then = alike(said, heard, WINDOWS / 2, WINDOWS / 2, &lag_then_ms);
        MediaStats stats = line_end(&line);
        g_test_message("loudness %.3f after %u ms, then %.3f after %u; %u of %u late", found,
                       lag_ms, then, lag_then_ms, stats.late, stats.frames);
        g_assert_cmphex(line.codecs, ==, 1u << MEDIA_CODEC_CODEC2 | 1u << MEDIA_CODEC_OPUS);
        g_assert_cmpfloat(found, >, 0.9);
        g_assert_cmpfloat(then, >, 0.8);
        g_assert_cmpuint(stats.lost, ==, 0);
    }
}

/* A frame in ten is missing: what is invented for it keeps the sound going. */
static void test_missing(void) {
    g_autofree gint16 *said = g_new(gint16, SAMPLES), *heard = g_new(gint16, SAMPLES);
    static const guint32 rates[] = {9000, 16000, 230000};
    utter(said);
    for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
        MediaVoiceRung rung = rung_for(rates[i]);
        Line line = line_create();
        guint lag_ms = 0;
        line.drop_every = 10;
        converse(&line, &rung, &rung, said, heard);
        double found = alike(said, heard, 0, WINDOWS, &lag_ms);
        MediaStats stats = line_end(&line);
        g_test_message("rung %u: loudness %.3f, %u of %u lost, %u concealed", rung.rung, found,
                       stats.lost, stats.frames, stats.concealed);
        g_assert_cmpuint(stats.lost, >=, line.frames / 10 - 1);
        g_assert_cmpuint(stats.concealed, >=, stats.lost);
        g_assert_cmpfloat(found, >, 0.75);
    }
}

/* The sharpest bend of a sound: a click is one, a voice of few high notes has none. */
static gint sharpest(const gint16 *samples) {
    gint most = 0;
    for (guint n = 1; n + 1 < SAMPLES; n++) {
        most = MAX(most, ABS(samples[n - 1] - 2 * samples[n] + samples[n + 1]));
    }
    return most;
}

/* Whether so much is missing that it falls silent, or its speaker does, in the midst of a vowel,
 * and begins again in one: no click. */
static void test_seams(void) {
    g_autofree gint16 *said = g_new(gint16, SAMPLES), *heard = g_new(gint16, SAMPLES);
    static const guint32 rates[] = {9000, 16000, 110000, 230000};
    for (guint n = 0; n < SAMPLES; n++) {
        double t = (double)n / RATE, loud = MIN(t, 1);
        said[n] = (gint16)(9000 * loud * (sin(2 * G_PI * 150 * t) + sin(2 * G_PI * 450 * t)));
    }
    for (guint i = 0; i < 2 * G_N_ELEMENTS(rates); i++) {
        MediaVoiceRung rung = rung_for(rates[i / 2]);
        Line line = line_create();
        line.pauses = i % 2 == 1;
        line.drop_run = 360 / rung.packet_ms;
        line.drop_every = 2 * line.drop_run + 1;
        converse(&line, &rung, &rung, said, heard);
        MediaStats stats = line_end(&line);
        gint sharp = sharpest(heard);
        g_test_message("rung %u, %s: bends by %d", rung.rung, line.pauses ? "pauses" : "losses",
                       sharp);
        g_assert_cmpuint(stats.lost > 0, ==, !line.pauses);
        g_assert_cmpint(sharp, <, SHARP);
    }
}

/* After a rest it begins from nothing, not with the last few milliseconds of before. */
static void test_rest(void) {
    guint8 bytes[MEDIA_CODEC2_SIZE];
    gint16 heard[2][MEDIA_CODEC2_SAMPLES];
    g_autofree gint16 *said = g_new(gint16, SAMPLES);
    utter(said);
    for (guint rested = 0; rested < 2; rested++) {
        MediaCodec2 *codec = media_codec2_create(NULL);
        for (guint i = 0; i < 8; i++) { /* to the middle of a syllable */
            media_codec2_encode(codec, said + i * MEDIA_CODEC2_SAMPLES, 1, bytes);
            media_codec2_decode(codec, bytes, 1, heard[rested]);
        }
        if (rested) {
            media_codec2_rest(codec);
        }
        media_codec2_decode(codec, bytes, 1, heard[rested]);
        media_codec2_destroy(codec);
    }
    gint most[2] = {0};
    for (guint n = 0; n < RATE / 1000; n++) {
        most[0] = MAX(most[0], ABS((gint)heard[0][n]));
        most[1] = MAX(most[1], ABS((gint)heard[1][n]));
    }
    g_test_message("the first millisecond: %d, rested %d", most[0], most[1]);
    g_assert_cmpint(most[0], >, 1000);
    g_assert_cmpint(most[1], <, 100);
}

/* Only what lasts as long as it says is taken in; any bytes of that length are. */
static void test_refused(void) {
    guint8 bytes[64];
    gint16 samples[MEDIA_CODEC2_SAMPLES];
    memset(bytes, 0xa5, sizeof(bytes));
    Line line = line_create();
    MediaFrame frame = {.kind = MEDIA_KIND_VOICE,
                        .codec = MEDIA_CODEC_CODEC2,
                        .duration_ms = 120,
                        .payload = {bytes, 48}};
    for (guint length = 1; length <= sizeof(bytes); length++) {
        frame.number = length;
        frame.payload.length = length;
        carry(&frame, &line);
    }
    gint32 mix[TICK] = {0};
    for (guint i = 0; i < 100; i++) {
        line.now_us += 10000;
        media_voice_mix(line.voice, mix, TICK, line.now_us);
    }
    MediaStats stats = line_end(&line);
    g_assert_cmpuint(stats.in_time, ==, 1);
    g_assert_cmpuint(media_codec2_duration_us(0), ==, 0);
    g_assert_cmpuint(media_codec2_duration_us(24), ==, 60000);
    g_assert_cmpuint(media_codec2_duration_us(56), ==, 0);
    /* Nothing was decoded yet: what is invented is sound all the same. */
    MediaCodec2 *codec = media_codec2_create(NULL);
    for (guint i = 0; i < 40; i++) {
        media_codec2_conceal(codec, samples);
    }
    for (guint n = 0; n < MEDIA_CODEC2_SAMPLES; n++) {
        g_assert_cmpint(ABS((gint)samples[n]), <=, 8);
    }
    media_codec2_destroy(codec);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    gst_init(NULL, NULL);
    g_test_add_func("/media/voice/rungs", test_rungs);
    g_test_add_func("/media/voice/between", test_between);
    g_test_add_func("/media/voice/missing", test_missing);
    g_test_add_func("/media/voice/seams", test_seams);
    g_test_add_func("/media/voice/rest", test_rest);
    g_test_add_func("/media/voice/refused", test_refused);
    int status = g_test_run();
    gst_deinit();
    return status;
}
