/* SPDX-License-Identifier: MPL-2.0 */
#include "media/voice.h"

#include "media/codec2.h"
#include "media/decoder.h"
#include "media/jitter.h"
#include "media/opus.h"

#define SAMPLES_PER_MS (MEDIA_VOICE_RATE / 1000)

/* The longest packet of Opus; also the longest concealment. */
#define PENDING_MAX (120 * SAMPLES_PER_MS)

/* Where sound begins or ends in the midst of a wave, the step fades away in so many: no click. */
#define SEAM_SAMPLES (8 * SAMPLES_PER_MS)

/* Concealment is asked for in pieces that every decoder can invent (multiples of 2.5 ms). */
#define CONCEAL_PIECE_MS 20

/* What is heard. */
typedef enum {
    HEARD_NOTHING,
    HEARD_OPUS,
    HEARD_CODEC2,
} Heard;

struct MediaVoice {
    guint32 stream;
    MediaJitter *jitter;
    MediaDecoder *decoder;
    MediaCodec2 *coarse;
    MediaCodec codec; /* of what was played last: what is missing is invented from it */
    Heard heard;
    gint32 last;     /* sample that was heard */
    gint32 step;     /* from there to the first one after a seam, */
    gsize step_left; /* fading for so many more */
    gsize pending_start;
    gsize pending_end;
    gint16 pending[PENDING_MAX];
};

/* A frame waiting to be played. */
typedef struct {
    MediaCodec codec;
    GBytes *bytes;
} Payload;

static void free_payload(void *data) {
    Payload *payload = data;
    g_bytes_unref(payload->bytes);
    g_free(payload);
}

/* opusdec gives 16-bit samples; the caps of the stream make it one channel at 48 kHz. */
static void on_decoded(GstBuffer *buffer, const GstCaps *caps, void *user) {
    MediaVoice *voice = user;
    gsize room = (PENDING_MAX - voice->pending_end) * sizeof(gint16);
    gsize copied = gst_buffer_extract(buffer, 0, voice->pending + voice->pending_end, room);
    voice->pending_end += copied / sizeof(gint16);
}

MediaVoice *media_voice_create(guint32 stream, GError **error) {
    MediaVoice *voice = g_new0(MediaVoice, 1);
    voice->stream = stream;
    voice->codec = MEDIA_CODEC_OPUS;
    voice->decoder = media_decoder_create(MEDIA_CODEC_OPUS, on_decoded, voice, error);
    voice->coarse = voice->decoder != NULL ? media_codec2_create(error) : NULL;
    if (voice->coarse == NULL) {
        media_decoder_destroy(voice->decoder);
        g_free(voice);
        return NULL;
    }
    voice->jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, free_payload);
    return voice;
}

void media_voice_destroy(MediaVoice *voice) {
    if (voice == NULL) {
        return;
    }
    media_decoder_destroy(voice->decoder);
    media_codec2_destroy(voice->coarse);
    media_jitter_destroy(voice->jitter);
    g_free(voice);
}

void media_voice_put(MediaVoice *voice, const MediaFrame *frame, guint64 arrival_us) {
    guint32 duration_us = frame->codec == MEDIA_CODEC_CODEC2
                              ? media_codec2_duration_us(frame->payload.length)
                              : media_opus_duration_us(frame->payload.data, frame->payload.length);
    if (duration_us == 0 || duration_us != frame->duration_ms * 1000u) {
        return;
    }
    Payload *payload = g_new(Payload, 1);
    *payload = (Payload){frame->codec, g_bytes_new(frame->payload.data, frame->payload.length)};
    MediaJitterFrame entry = {.number = frame->number,
                              .media_time_ms = frame->media_time_ms,
                              .duration_ms = frame->duration_ms,
                              .flags = frame->flags,
                              .level = frame->level,
                              .payload = payload};
    media_jitter_put(voice->jitter, &entry, arrival_us);
}

/* The sound lasts what the frame said, whatever the decoder made of it. */
static void pending_fit(MediaVoice *voice, guint duration_ms) {
    gsize wanted = MIN(duration_ms * SAMPLES_PER_MS, PENDING_MAX);
    while (voice->pending_end < wanted) {
        voice->pending[voice->pending_end++] = 0;
    }
    voice->pending_end = wanted;
}

static gint16 *pending_room(MediaVoice *voice, gsize samples) {
    gint16 *room = voice->pending + voice->pending_end;
    g_assert(samples <= PENDING_MAX - voice->pending_end);
    voice->pending_end += samples;
    return room;
}

/* Takes over the payload, which lasts as long as its frame says. */
static void play(MediaVoice *voice, Payload *payload, guint duration_ms) {
    gsize length = 0;
    const guint8 *bytes = g_bytes_get_data(payload->bytes, &length);
    voice->codec = payload->codec;
    if (payload->codec == MEDIA_CODEC_CODEC2) {
        gsize frames = length / MEDIA_CODEC2_SIZE;
        media_codec2_decode(voice->coarse, bytes, frames,
                            pending_room(voice, frames * MEDIA_CODEC2_SAMPLES));
    } else {
        media_decoder_push(voice->decoder, g_bytes_ref(payload->bytes), duration_ms);
    }
    free_payload(payload);
    pending_fit(voice, duration_ms);
}

static void conceal(MediaVoice *voice, guint duration_ms) {
    for (guint left_ms = duration_ms; left_ms > 0;) {
        guint piece_ms = MIN(left_ms, CONCEAL_PIECE_MS);
        if (voice->codec != MEDIA_CODEC_CODEC2) {
            media_decoder_conceal(voice->decoder, piece_ms);
        } else if (PENDING_MAX - voice->pending_end >= MEDIA_CODEC2_SAMPLES) {
            media_codec2_conceal(voice->coarse, pending_room(voice, MEDIA_CODEC2_SAMPLES));
        }
        left_ms -= piece_ms;
    }
    pending_fit(voice, duration_ms);
}

/* Samples of silence before the next step. */
static gsize silence_of(const MediaJitterStep *step, gsize silence_max) {
    guint64 silence = silence_max;
    if (step->wait_us < G_USEC_PER_SEC) {
        silence = step->wait_us * MEDIA_VOICE_RATE / G_USEC_PER_SEC + 1;
    }
    return (gsize)MIN(silence, silence_max);
}

/* What comes next is another kind of sound than what was heard, or none after some. */
static void follow_seam(MediaVoice *voice, Heard heard) {
    if (heard != voice->heard) {
        if (voice->heard == HEARD_CODEC2) {
            media_codec2_rest(voice->coarse);
        }
        voice->step = voice->last - (voice->pending_end > 0 ? voice->pending[0] : 0);
        voice->step_left = SEAM_SAMPLES;
    }
    voice->heard = heard;
}

/* Nothing is pending: decides what comes next. Returns samples of silence to hear first. */
static gsize advance(MediaVoice *voice, guint64 now_us, gsize silence_max) {
    MediaJitterStep step = media_jitter_take(voice->jitter, now_us);
    voice->pending_start = 0;
    voice->pending_end = 0;
    gsize silence = 0;
    switch (step.action) {
    case MEDIA_JITTER_PLAY:
        play(voice, step.frame.payload, step.duration_ms);
        break;
    case MEDIA_JITTER_CONCEAL:
        conceal(voice, step.duration_ms);
        break;
    case MEDIA_JITTER_WAIT:
        silence = silence_of(&step, silence_max);
        break;
    }
    follow_seam(voice, step.action == MEDIA_JITTER_WAIT     ? HEARD_NOTHING
                       : voice->codec == MEDIA_CODEC_CODEC2 ? HEARD_CODEC2
                                                            : HEARD_OPUS);
    return silence;
}

/* The next sample, its step from the one before faded away. */
static gint32 faded(MediaVoice *voice, gint32 sample) {
    if (voice->step_left > 0) {
        gint64 left = (gint64)voice->step_left--;
        sample += (gint32)(voice->step * left * left / (SEAM_SAMPLES * SEAM_SAMPLES));
    }
    voice->last = sample;
    return sample;
}

void media_voice_mix(MediaVoice *voice, gint32 *mix, gsize count, guint64 now_us) {
    gsize done = 0;
    while (done < count) {
        if (voice->pending_start < voice->pending_end) {
            mix[done++] += faded(voice, voice->pending[voice->pending_start++]);
            continue;
        }
        guint64 at_us = now_us + done * G_USEC_PER_SEC / MEDIA_VOICE_RATE;
        for (gsize left = advance(voice, at_us, count - done); left > 0; left--) {
            mix[done++] += faded(voice, 0);
        }
    }
}

MediaStats media_voice_stats(const MediaVoice *voice, guint64 output_us) {
    MediaJitterCounters counters = media_jitter_counters(voice->jitter);
    guint64 delay_ms = (counters.wait_us + output_us + 500) / 1000;
    return (MediaStats){.stream = voice->stream,
                        .frames = counters.in_time + counters.late + counters.lost,
                        .in_time = counters.in_time,
                        .late = counters.late,
                        .lost = counters.lost,
                        .concealed = counters.concealed,
                        .delay_ms = (guint16)MIN(delay_ms, G_MAXUINT16)};
}
