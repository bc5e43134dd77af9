/* SPDX-License-Identifier: MPL-2.0 */
#include "media/speech.h"

#include <string.h>

#include "media/codec2.h"
#include "media/level.h"
#include "media/opus.h"
#include "media/stage.h"

#define RATE           48000
#define SAMPLES_PER_MS (RATE / 1000)
#define PACKET_MS_MAX  120
#define FRAMES_MAX     2 /* of the encoder in a packet */

/* Below it Opus encodes nothing, so not even to hear whether somebody speaks. */
#define OPUS_RATE_LEAST 6000

/* A packet of Opus that says "still silent" is its first byte alone, at most two. */
#define DTX_SIZE_MAX 2

/*
 * In a silence Opus renews the noise it lets the other side hear every 400 ms. Ours hear none, so
 * the one packet that comes then and is hardly louder than the silence is not worth its headers.
 */
#define RENEWAL_MS     400
#define RENEWAL_LOUDER 6

/* The source left something out when its time runs ahead of its samples by more. */
#define GAP_MIN (100 * GST_MSECOND)

typedef enum {
    SPEECH_TALK,
    SPEECH_SILENCE,
} SpeechState;

typedef struct {
    GBytes *payload;
    MediaCodec codec;
    guint64 media_time_ms;
    guint16 duration_ms;
    guint8 level;
    guint8 flags;
    gboolean still; /* nobody speaks, says Opus */
} Frame;

struct MediaSpeech {
    MediaSpeechOutput output;
    void *user;
    MediaStage *encoder; /* of Opus; with Codec2 it only hears whether somebody speaks */
    MediaCodec2 *coarse;
    GMutex lock; /* of the rung wanted */
    MediaVoiceRung wanted;
    MediaVoiceRung rung; /* in force */
    SpeechState state;
    guint silent_ms;   /* since the last packet that was more than "still silent" */
    guint8 quiet;      /* level of that silence */
    guint32 number;    /* of the next frame */
    guint64 taken_ms;  /* media time of the first sample pending */
    GstClockTime next; /* the source's time for the next sample */
    GBytes *encoded;   /* what the encoder made of the frame just pushed */
    gsize pending;
    gint16 samples[PACKET_MS_MAX * SAMPLES_PER_MS];
};

static void on_encoded(GstBuffer *buffer, const GstCaps *caps, void *user) {
    MediaSpeech *speech = user;
    gpointer data = NULL;
    gsize size = 0;
    gst_buffer_extract_dup(buffer, 0, MEDIA_VOICE_PAYLOAD_MAX, &data, &size);
    g_clear_pointer(&speech->encoded, g_bytes_unref);
    speech->encoded = g_bytes_new_take(data, size);
}

static void set_encoder(MediaSpeech *speech) {
    GstElement *element = media_stage_element(speech->encoder);
    gint rate = (gint)MAX(speech->rung.bitrate_bps, OPUS_RATE_LEAST);
    g_object_set(element, "bitrate", rate, "dtx", speech->rung.dtx, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "frame-size",
                            speech->rung.frame_ms == 60   ? "60"
                            : speech->rung.frame_ms == 40 ? "40"
                                                          : "20");
}

static void follow_rung(MediaSpeech *speech) {
    g_mutex_lock(&speech->lock);
    gboolean changed = speech->rung.rung != speech->wanted.rung;
    speech->rung = speech->wanted;
    g_mutex_unlock(&speech->lock);
    if (changed) {
        set_encoder(speech);
    }
}

MediaSpeech *media_speech_create(const MediaVoiceRung *rung, MediaSpeechOutput output, void *user,
                                 GError **error) {
    GstElement *element = gst_element_factory_make("opusenc", NULL);
    if (element == NULL) {
        g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                    "no encoder for Opus: a GStreamer plugin is missing");
        return NULL;
    }
    gst_util_set_object_arg(G_OBJECT(element), "audio-type", "voice");
    gst_util_set_object_arg(G_OBJECT(element), "bandwidth", "auto");
    g_object_set(element, "max-payload-size", MEDIA_VOICE_PAYLOAD_MAX, NULL);
    g_autoptr(GstCaps) caps =
        gst_caps_from_string("audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=48000");
    MediaSpeech *speech = g_new0(MediaSpeech, 1);
    speech->output = output;
    speech->user = user;
    speech->wanted = *rung;
    speech->rung = *rung;
    speech->next = GST_CLOCK_TIME_NONE;
    g_mutex_init(&speech->lock);
    speech->encoder = media_stage_create(element, caps, on_encoded, speech);
    set_encoder(speech);
    speech->coarse = media_codec2_create(error);
    if (speech->coarse == NULL) {
        g_clear_pointer(&speech, media_speech_destroy);
    }
    return speech;
}

void media_speech_destroy(MediaSpeech *speech) {
    if (speech == NULL) {
        return;
    }
    media_stage_destroy(speech->encoder);
    media_codec2_destroy(speech->coarse);
    g_clear_pointer(&speech->encoded, g_bytes_unref);
    g_mutex_clear(&speech->lock);
    g_free(speech);
}

void media_speech_set_rung(MediaSpeech *speech, const MediaVoiceRung *rung) {
    g_mutex_lock(&speech->lock);
    speech->wanted = *rung;
    g_mutex_unlock(&speech->lock);
}

/* Whether the frame is worth sending, and what it says about silence. */
static gboolean judge(MediaSpeech *speech, Frame *frame) {
    if (speech->state == SPEECH_TALK) {
        if (frame->still) {
            speech->state = SPEECH_SILENCE;
            speech->silent_ms = 0;
            speech->quiet = frame->level;
            frame->flags |= MEDIA_FLAG_SILENCE;
        }
        return TRUE;
    }
    if (frame->still) {
        speech->silent_ms += speech->rung.frame_ms;
        speech->quiet = MIN(speech->quiet, frame->level);
        return FALSE;
    }
    gboolean renewal = speech->silent_ms + speech->rung.frame_ms >= RENEWAL_MS &&
                       frame->level + RENEWAL_LOUDER >= speech->quiet;
    speech->silent_ms = 0;
    speech->state = renewal ? SPEECH_SILENCE : SPEECH_TALK;
    return !renewal;
}

static void emit(MediaSpeech *speech, const Frame *frame) {
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(frame->payload, &length);
    MediaFrame message = {.number = speech->number++,
                          .codec = frame->codec,
                          .media_time_ms = (guint32)frame->media_time_ms,
                          .duration_ms = frame->duration_ms,
                          .kind = MEDIA_KIND_VOICE,
                          .flags = MEDIA_FLAG_KEYFRAME | frame->flags,
                          .level = frame->level,
                          .payload = {data, (guint32)length}};
    speech->output(&message, speech->user);
}

static void encode_coarse(MediaSpeech *speech, const gint16 *samples, Frame *frame) {
    guint8 bytes[FRAMES_MAX * MEDIA_CODEC2_SIZE * PACKET_MS_MAX / MEDIA_CODEC2_MS];
    gsize frames = speech->rung.frame_ms / MEDIA_CODEC2_MS;
    media_codec2_encode(speech->coarse, samples, frames, bytes);
    g_bytes_unref(frame->payload);
    frame->payload = g_bytes_new(bytes, frames * MEDIA_CODEC2_SIZE);
}

/* Encodes the frame at that place of the pending samples; FALSE when the encoder gave nothing. */
static gboolean encode(MediaSpeech *speech, const gint16 *samples, Frame *ret_frame) {
    gsize count = speech->rung.frame_ms * SAMPLES_PER_MS;
    MediaLevel level = {0};
    media_level_add(&level, samples, count);
    *ret_frame = (Frame){.codec = speech->rung.codec,
                         .media_time_ms = speech->taken_ms,
                         .duration_ms = speech->rung.frame_ms,
                         .level = media_level_take(&level)};
    speech->taken_ms += speech->rung.frame_ms;
    media_stage_push(speech->encoder, gst_buffer_new_memdup(samples, count * sizeof(*samples)),
                     speech->rung.frame_ms * GST_MSECOND);
    ret_frame->payload = g_steal_pointer(&speech->encoded);
    if (ret_frame->payload == NULL) {
        return FALSE;
    }
    ret_frame->still = g_bytes_get_size(ret_frame->payload) <= DTX_SIZE_MAX;
    if (speech->rung.codec == MEDIA_CODEC_CODEC2) {
        encode_coarse(speech, samples, ret_frame);
    }
    return TRUE;
}

/* Makes the first frame both of them, when they follow each other and are of one kind. */
static gboolean join(Frame *first, Frame *second) {
    guint8 bytes[MEDIA_VOICE_PAYLOAD_MAX];
    gsize one = 0, other = 0, length = 0;
    const guint8 *begin = g_bytes_get_data(first->payload, &one);
    const guint8 *rest = g_bytes_get_data(second->payload, &other);
    if (first->media_time_ms + first->duration_ms != second->media_time_ms) {
        return FALSE;
    }
    if (first->codec == MEDIA_CODEC_OPUS) {
        length = media_opus_join(begin, one, rest, other, bytes, sizeof(bytes));
    } else if (one + other <= sizeof(bytes)) {
        memcpy(bytes, begin, one);
        memcpy(bytes + one, rest, other);
        length = one + other;
    }
    if (length == 0) {
        return FALSE;
    }
    g_bytes_unref(first->payload);
    g_clear_pointer(&second->payload, g_bytes_unref);
    first->payload = g_bytes_new(bytes, length);
    first->duration_ms += second->duration_ms;
    first->level = MIN(first->level, second->level);
    first->flags |= second->flags;
    return TRUE;
}

/* Sends one packet: its frames worth sending, joined if they can be. The last of all always goes.
 */
static void send_packet(MediaSpeech *speech, guint frames, gboolean last) {
    Frame kept[FRAMES_MAX];
    guint count = 0;
    for (guint i = 0; i < frames; i++) {
        Frame frame = {0};
        if (!encode(speech, speech->samples + i * speech->rung.frame_ms * SAMPLES_PER_MS, &frame)) {
            continue;
        }
        gboolean worth = judge(speech, &frame);
        if (worth || (last && i + 1 == frames)) {
            kept[count++] = frame;
        } else {
            g_bytes_unref(frame.payload);
        }
    }
    if (last && count > 0) {
        kept[count - 1].flags |= MEDIA_FLAG_LAST;
    }
    if (count == 2 && join(&kept[0], &kept[1])) {
        count = 1;
    }
    for (guint i = 0; i < count; i++) {
        emit(speech, &kept[i]);
        g_bytes_unref(kept[i].payload);
    }
    speech->pending = 0;
}

static void follow_gap(MediaSpeech *speech, gsize count, GstClockTime time) {
    if (!GST_CLOCK_TIME_IS_VALID(time)) {
        time = speech->next;
    } else if (GST_CLOCK_TIME_IS_VALID(speech->next) && time > speech->next + GAP_MIN) {
        /* What is pending belongs before the gap. */
        speech->taken_ms += (time - speech->next) / GST_MSECOND + speech->pending / SAMPLES_PER_MS;
        speech->pending = 0;
    }
    if (GST_CLOCK_TIME_IS_VALID(time)) {
        speech->next = time + gst_util_uint64_scale(count, GST_SECOND, RATE);
    }
}

void media_speech_push(MediaSpeech *speech, const gint16 *samples, gsize count, GstClockTime time) {
    follow_gap(speech, count, time);
    while (count > 0) {
        if (speech->pending == 0) {
            follow_rung(speech);
        }
        gsize wanted = speech->rung.packet_ms * SAMPLES_PER_MS;
        gsize part = MIN(count, wanted - speech->pending);
        memcpy(speech->samples + speech->pending, samples, part * sizeof(*samples));
        speech->pending += part;
        samples += part;
        count -= part;
        if (speech->pending == wanted) {
            send_packet(speech, speech->rung.packet_ms / speech->rung.frame_ms, FALSE);
        }
    }
}

void media_speech_end(MediaSpeech *speech) {
    gsize frame = speech->rung.frame_ms * SAMPLES_PER_MS;
    guint frames = (guint)MAX((speech->pending + frame - 1) / frame, 1);
    memset(speech->samples + speech->pending, 0,
           (frames * frame - speech->pending) * sizeof(*speech->samples));
    send_packet(speech, frames, TRUE);
}
