/* SPDX-License-Identifier: MPL-2.0 */
#include "media/mixer.h"

#include <gio/gio.h>

#include "media/tap.h"

#define TICK_US      10000
#define TICK_SAMPLES (MEDIA_VOICE_RATE / (G_USEC_PER_SEC / TICK_US))

/* A thread that was held up catches up; after a sleep of the machine it begins anew. */
#define CATCH_UP_US (2 * G_USEC_PER_SEC)

struct MediaMixer {
    MediaSink *sink; /* the thread's */
    MediaMixerFailed failed;
    void *user;
    GThread *thread;
    GMutex lock; /* of all that follows */
    GCond changed;
    gboolean stopping;
    MediaVoice *voices[MEDIA_VOICE_STREAMS_MAX];
    guint32 streams[MEDIA_VOICE_STREAMS_MAX];
    MediaTap tap;
};

static void mix_tick(MediaMixer *mixer, guint64 now_us, gint16 ret_samples[TICK_SAMPLES]) {
    gint32 mix[TICK_SAMPLES] = {0};
    for (gsize i = 0; i < MEDIA_VOICE_STREAMS_MAX; i++) {
        if (mixer->voices[i] != NULL) {
            media_voice_mix(mixer->voices[i], mix, TICK_SAMPLES, now_us);
        }
    }
    for (gsize i = 0; i < TICK_SAMPLES; i++) {
        ret_samples[i] = (gint16)CLAMP(mix[i], G_MININT16, G_MAXINT16);
    }
}

/* Waits until then, or until told to stop. */
static gboolean wait_until(MediaMixer *mixer, gint64 time_us) {
    while (!mixer->stopping && g_cond_wait_until(&mixer->changed, &mixer->lock, time_us)) {
    }
    return !mixer->stopping;
}

static gpointer run(gpointer user) {
    MediaMixer *mixer = user;
    gint64 due_us = g_get_monotonic_time();
    g_mutex_lock(&mixer->lock);
    while (wait_until(mixer, due_us)) {
        gint16 samples[TICK_SAMPLES];
        if (g_get_monotonic_time() - due_us > CATCH_UP_US) {
            due_us = g_get_monotonic_time();
        }
        mix_tick(mixer, (guint64)due_us, samples);
        media_tap_add(&mixer->tap, samples, TICK_SAMPLES);
        due_us += TICK_US;
        /* A slow disk holds up this thread, never the one that listens to the node. */
        g_mutex_unlock(&mixer->lock);
        g_autoptr(GError) error = NULL;
        if (!media_sink_write(mixer->sink, samples, TICK_SAMPLES, &error)) {
            mixer->failed(error, mixer->user);
        }
        g_mutex_lock(&mixer->lock);
    }
    g_mutex_unlock(&mixer->lock);
    return NULL;
}

MediaMixer *media_mixer_create(MediaSink *sink, MediaMixerFailed failed, void *user) {
    MediaMixer *mixer = g_new0(MediaMixer, 1);
    mixer->sink = sink;
    mixer->failed = failed;
    mixer->user = user;
    g_mutex_init(&mixer->lock);
    g_cond_init(&mixer->changed);
    mixer->thread = g_thread_new("mixer", run, mixer);
    return mixer;
}

void media_mixer_destroy(MediaMixer *mixer) {
    if (mixer == NULL) {
        return;
    }
    g_mutex_lock(&mixer->lock);
    mixer->stopping = TRUE;
    g_cond_signal(&mixer->changed);
    g_mutex_unlock(&mixer->lock);
    g_thread_join(mixer->thread);
    for (gsize i = 0; i < MEDIA_VOICE_STREAMS_MAX; i++) {
        media_voice_destroy(mixer->voices[i]);
    }
    media_sink_destroy(mixer->sink);
    g_cond_clear(&mixer->changed);
    g_mutex_clear(&mixer->lock);
    g_free(mixer);
}

/* The place of a stream, or of a free one, or MEDIA_VOICE_STREAMS_MAX. */
static gsize find(const MediaMixer *mixer, guint32 stream, gboolean used) {
    for (gsize i = 0; i < MEDIA_VOICE_STREAMS_MAX; i++) {
        gboolean taken = mixer->voices[i] != NULL;
        if (taken == used && (!used || mixer->streams[i] == stream)) {
            return i;
        }
    }
    return MEDIA_VOICE_STREAMS_MAX;
}

static gboolean open_locked(MediaMixer *mixer, guint32 stream, GError **error) {
    if (find(mixer, stream, TRUE) < MEDIA_VOICE_STREAMS_MAX) {
        return TRUE;
    }
    gsize place = find(mixer, stream, FALSE);
    if (place == MEDIA_VOICE_STREAMS_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no more than %d voices at once",
                    MEDIA_VOICE_STREAMS_MAX);
        return FALSE;
    }
    mixer->voices[place] = media_voice_create(stream, error);
    mixer->streams[place] = stream;
    return mixer->voices[place] != NULL;
}

gboolean media_mixer_open(MediaMixer *mixer, guint32 stream, GError **error) {
    g_mutex_lock(&mixer->lock);
    gboolean opened = open_locked(mixer, stream, error);
    g_mutex_unlock(&mixer->lock);
    return opened;
}

void media_mixer_close(MediaMixer *mixer, guint32 stream) {
    g_mutex_lock(&mixer->lock);
    gsize place = find(mixer, stream, TRUE);
    if (place < MEDIA_VOICE_STREAMS_MAX) {
        g_clear_pointer(&mixer->voices[place], media_voice_destroy);
    }
    g_mutex_unlock(&mixer->lock);
}

void media_mixer_put(MediaMixer *mixer, const MediaFrame *frame, guint64 arrival_us) {
    g_mutex_lock(&mixer->lock);
    gsize place = find(mixer, frame->stream, TRUE);
    if (place < MEDIA_VOICE_STREAMS_MAX) {
        media_voice_put(mixer->voices[place], frame, arrival_us);
    }
    g_mutex_unlock(&mixer->lock);
}

void media_mixer_record(MediaMixer *mixer, gboolean on) {
    g_mutex_lock(&mixer->lock);
    if (on) {
        media_tap_open(&mixer->tap);
    } else {
        media_tap_close(&mixer->tap);
    }
    g_mutex_unlock(&mixer->lock);
}

gsize media_mixer_recorded(MediaMixer *mixer, gint16 *ret_samples, gsize count,
                           guint32 *ret_first) {
    g_mutex_lock(&mixer->lock);
    gsize taken = media_tap_take(&mixer->tap, ret_samples, count, ret_first);
    g_mutex_unlock(&mixer->lock);
    return taken;
}

gsize media_mixer_stats(MediaMixer *mixer, MediaStats ret_stats[MEDIA_VOICE_STREAMS_MAX]) {
    gsize count = 0;
    g_mutex_lock(&mixer->lock);
    for (gsize i = 0; i < MEDIA_VOICE_STREAMS_MAX; i++) {
        if (mixer->voices[i] != NULL) {
            /* The tick is written when its first sample is due. */
            ret_stats[count++] =
                media_voice_stats(mixer->voices[i], media_sink_latency_us(mixer->sink));
        }
    }
    g_mutex_unlock(&mixer->lock);
    return count;
}
