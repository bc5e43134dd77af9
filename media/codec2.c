/* SPDX-License-Identifier: MPL-2.0 */
#include "media/codec2.h"

#include <codec2/codec2.h>
#include <gst/gst.h>
#include <string.h>

#include "media/stage.h"

#define NARROW_SAMPLES 160 /* of 20 ms, at the codec's 8 kHz */

/* Longer than what a resampler holds back at first. */
#define FIFO_SAMPLES (2 * MEDIA_CODEC2_SAMPLES)

#define FRAMES_MAX 6

#define GAIN_WHOLE 16384

/* Resampled samples not taken yet. */
typedef struct {
    MediaStage *stage;
    gsize count;
    gint16 samples[FIFO_SAMPLES];
} Fifo;

struct MediaCodec2 {
    struct CODEC2 *codec;
    Fifo narrow; /* 48 → 8 kHz */
    Fifo wide;   /* 8 → 48 kHz */
    gint gain;   /* of the last sample, of GAIN_WHOLE */
    guint8 last[MEDIA_CODEC2_SIZE];
};

static void on_resampled(GstBuffer *buffer, const GstCaps *caps, void *user) {
    Fifo *fifo = user;
    gsize room = (FIFO_SAMPLES - fifo->count) * sizeof(gint16);
    fifo->count +=
        gst_buffer_extract(buffer, 0, fifo->samples + fifo->count, room) / sizeof(gint16);
}

static GstCaps *caps_of(gint rate) {
    return gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout",
                               G_TYPE_STRING, "interleaved", "channels", G_TYPE_INT, 1, "rate",
                               G_TYPE_INT, rate, NULL);
}

/* The resampler and, behind it, what makes it end at that rate. */
static gboolean fifo_init(Fifo *fifo, gint from, gint to, GError **error) {
    g_autofree char *text =
        g_strdup_printf("audioresample ! capsfilter "
                        "caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=%d",
                        to);
    GstElement *element = gst_parse_bin_from_description(text, TRUE, error);
    if (element == NULL) {
        return FALSE;
    }
    g_autoptr(GstCaps) caps = caps_of(from);
    fifo->stage = media_stage_create(element, caps, on_resampled, fifo);
    return TRUE;
}

MediaCodec2 *media_codec2_create(GError **error) {
    MediaCodec2 *codec = g_new0(MediaCodec2, 1);
    if (!fifo_init(&codec->narrow, 48000, 8000, error) ||
        !fifo_init(&codec->wide, 8000, 48000, error)) {
        media_codec2_destroy(codec);
        return NULL;
    }
    codec->gain = GAIN_WHOLE;
    codec->codec = codec2_create(CODEC2_MODE_3200);
    g_assert(codec->codec != NULL);
    g_assert((gsize)codec2_samples_per_frame(codec->codec) == NARROW_SAMPLES);
    g_assert((gsize)codec2_bytes_per_frame(codec->codec) == MEDIA_CODEC2_SIZE);
    return codec;
}

void media_codec2_destroy(MediaCodec2 *codec) {
    if (codec == NULL) {
        return;
    }
    media_stage_destroy(codec->narrow.stage);
    media_stage_destroy(codec->wide.stage);
    if (codec->codec != NULL) {
        codec2_destroy(codec->codec);
    }
    g_free(codec);
}

/* Exactly `wanted` samples for those pushed. What the resampler still holds back is made up for by
   silence in front, once. */
static void resample(Fifo *fifo, const gint16 *samples, gsize count, gint16 *ret_samples,
                     gsize wanted) {
    media_stage_push(fifo->stage, gst_buffer_new_memdup(samples, count * sizeof(*samples)),
                     MEDIA_CODEC2_MS * GST_MSECOND);
    gsize short_by = wanted > fifo->count ? wanted - fifo->count : 0;
    gsize taken = wanted - short_by;
    memset(ret_samples, 0, short_by * sizeof(*ret_samples));
    memcpy(ret_samples + short_by, fifo->samples, taken * sizeof(*ret_samples));
    fifo->count -= taken;
    memmove(fifo->samples, fifo->samples + taken, fifo->count * sizeof(*fifo->samples));
}

void media_codec2_encode(MediaCodec2 *codec, const gint16 *samples, gsize frames,
                         guint8 *ret_bytes) {
    for (gsize i = 0; i < frames; i++) {
        gint16 narrow[NARROW_SAMPLES];
        resample(&codec->narrow, samples + i * MEDIA_CODEC2_SAMPLES, MEDIA_CODEC2_SAMPLES, narrow,
                 NARROW_SAMPLES);
        codec2_encode(codec->codec, ret_bytes + i * MEDIA_CODEC2_SIZE, narrow);
    }
}

/* At a loudness that it reaches from that of before by the frame's end, without a step. */
static void decode(MediaCodec2 *codec, const guint8 *bytes, gint gain, gint16 *ret_samples) {
    gint16 narrow[NARROW_SAMPLES];
    codec2_decode(codec->codec, narrow, bytes);
    for (gint i = 0; i < NARROW_SAMPLES; i++) {
        gint now = codec->gain + (gain - codec->gain) * (i + 1) / NARROW_SAMPLES;
        narrow[i] = (gint16)(narrow[i] * now / GAIN_WHOLE);
    }
    codec->gain = gain;
    resample(&codec->wide, narrow, NARROW_SAMPLES, ret_samples, MEDIA_CODEC2_SAMPLES);
}

void media_codec2_decode(MediaCodec2 *codec, const guint8 *bytes, gsize frames,
                         gint16 *ret_samples) {
    for (gsize i = 0; i < frames; i++) {
        decode(codec, bytes + i * MEDIA_CODEC2_SIZE, GAIN_WHOLE,
               ret_samples + i * MEDIA_CODEC2_SAMPLES);
        memcpy(codec->last, bytes + i * MEDIA_CODEC2_SIZE, MEDIA_CODEC2_SIZE);
    }
}

void media_codec2_conceal(MediaCodec2 *codec, gint16 *ret_samples) {
    decode(codec, codec->last, codec->gain / 2, ret_samples);
}

void media_codec2_rest(MediaCodec2 *codec) {
    static const gint16 silence[NARROW_SAMPLES];
    gint16 unheard[MEDIA_CODEC2_SAMPLES];
    resample(&codec->wide, silence, NARROW_SAMPLES, unheard, MEDIA_CODEC2_SAMPLES);
}

guint32 media_codec2_duration_us(gsize length) {
    gsize frames = length / MEDIA_CODEC2_SIZE;
    return length % MEDIA_CODEC2_SIZE == 0 && frames <= FRAMES_MAX
               ? (guint32)(frames * MEDIA_CODEC2_MS * 1000)
               : 0;
}
