/* SPDX-License-Identifier: MPL-2.0 */
#include "media/play.h"

#include <gst/gst.h>
#include <string.h>

#include "media/channel.h"
#include "media/gallery.h"
#include "media/mixer.h"
#include "media/process.h"
#include "media/sandbox.h"
#include "media/words.h"

#define STATS_INTERVAL_S 1

/* A recording is handed on this often; half of what one message holds. */
#define RECORD_INTERVAL_MS 50
#define MIX_SAMPLES        (MEDIA_MIX_BYTES_MAX / sizeof(gint16))

typedef struct {
    GMainLoop *loop;
    MediaChannel *channel;
    MediaMixer *mixer;
    MediaGallery *gallery; /* NULL: no video is wanted */
    guint recording;       /* timer; 0: nothing is recorded */
} Play;

static void say_error(Play *play, MediaKind kind, const GError *error) {
    gboolean raw = error->domain == GST_RESOURCE_ERROR || error->domain == GST_STREAM_ERROR ||
                   error->domain == GST_CORE_ERROR;
    media_channel_say(play->channel, MEDIA_ERROR, kind, "%s",
                      raw ? media_words(error, NULL) : error->message);
}

static void open_stream(Play *play, const MediaStreamOpen *open) {
    g_autoptr(GError) error = NULL;
    if (open->kind == MEDIA_KIND_VOICE) {
        media_mixer_open(play->mixer, open->stream, &error);
    } else if (play->gallery != NULL) {
        media_gallery_open(play->gallery, open->stream, &error);
    }
    if (error != NULL) {
        say_error(play, open->kind, error);
    }
}

static void close_stream(Play *play, guint32 stream) {
    media_mixer_close(play->mixer, stream);
    if (play->gallery != NULL) {
        media_gallery_close(play->gallery, stream);
    }
}

static void play_frame(Play *play, const MediaFrame *frame) {
    guint64 now_us = (guint64)g_get_monotonic_time();
    if (frame->kind == MEDIA_KIND_VOICE) {
        media_mixer_put(play->mixer, frame, now_us);
    } else if (play->gallery != NULL) {
        media_gallery_put(play->gallery, frame, now_us);
    }
}

static void on_wish(guint32 stream, void *user) {
    MediaKeyframe wish = {MEDIA_KIND_VIDEO, stream};
    media_channel_send(((Play *)user)->channel,
                       &(MediaMessage){.type = MEDIA_KEYFRAME, .keyframe = wish});
}

/* One message of what was set aside; an empty one when there is nothing. */
static gsize send_mix(Play *play) {
    gint16 samples[MIX_SAMPLES];
    MediaMix mix = {0};
    gsize count = media_mixer_recorded(play->mixer, samples, MIX_SAMPLES, &mix.first);
    for (gsize i = 0; i < count; i++) {
        samples[i] = (gint16)GINT16_TO_LE(samples[i]);
    }
    mix.samples = (MediaBytes){(const uint8_t *)samples, (uint32_t)(count * sizeof(*samples))};
    if (count > 0 || play->recording == 0) {
        media_channel_send(play->channel, &(MediaMessage){.type = MEDIA_MIX, .mix = mix});
    }
    return count;
}

static gboolean on_record(gpointer user) {
    while (send_mix(user) == MIX_SAMPLES) {
    }
    return G_SOURCE_CONTINUE;
}

static void record(Play *play, gboolean on) {
    g_clear_handle_id(&play->recording, g_source_remove);
    media_mixer_record(play->mixer, on);
    if (on) {
        play->recording = g_timeout_add(RECORD_INTERVAL_MS, on_record, play);
    } else {
        while (send_mix(play) > 0) {
        }
    }
}

static void on_message(const MediaMessage *message, void *user) {
    Play *play = user;
    switch (message->type) {
    case MEDIA_STREAM_OPEN:
        open_stream(play, &message->open);
        break;
    case MEDIA_FRAME:
        play_frame(play, &message->frame);
        break;
    case MEDIA_STREAM_CLOSE:
        close_stream(play, message->stream);
        break;
    case MEDIA_STOP:
        g_main_loop_quit(play->loop);
        break;
    case MEDIA_RECORD:
        record(play, message->record);
        break;
    case MEDIA_START:
    case MEDIA_UPLINK:
    case MEDIA_KEYFRAME:
    case MEDIA_SAVE:
    case MEDIA_READY:
    case MEDIA_STATS:
    case MEDIA_RUNG:
    case MEDIA_MIX:
    case MEDIA_METER:
    case MEDIA_LOUDNESS:
    case MEDIA_DEVICES:
    case MEDIA_DEVICE:
    case MEDIA_ECHO:
    case MEDIA_STARTED:
    case MEDIA_ENDED:
    case MEDIA_ERROR:
        /* Not for this role. */
        break;
    }
}

static void on_closed(void *user) {
    g_main_loop_quit(((Play *)user)->loop);
}

static gboolean on_stats(gpointer user) {
    Play *play = user;
    MediaStats stats[MEDIA_VOICE_STREAMS_MAX + MEDIA_VIDEO_STREAMS_MAX];
    gsize count = media_mixer_stats(play->mixer, stats);
    count += play->gallery != NULL ? media_gallery_stats(play->gallery, stats + count) : 0;
    for (gsize i = 0; i < count; i++) {
        media_channel_send(play->channel, &(MediaMessage){.type = MEDIA_STATS, .stats = stats[i]});
    }
    return G_SOURCE_CONTINUE;
}

typedef struct {
    Play *play;
    GError *error;
} Failure;

static gboolean on_failure(gpointer user) {
    Failure *failure = user;
    say_error(failure->play, MEDIA_KIND_NONE, failure->error);
    return G_SOURCE_REMOVE;
}

static void failure_free(gpointer user) {
    Failure *failure = user;
    g_error_free(failure->error);
    g_free(failure);
}

/* In the mixer's thread: the channel belongs to the other one. */
static void on_sink_failed(const GError *error, void *user) {
    Failure *failure = g_new(Failure, 1);
    *failure = (Failure){user, error == NULL ? g_error_new_literal(G_FILE_ERROR, 0, "no sound")
                                             : g_error_copy(error)};
    g_main_context_invoke_full(NULL, G_PRIORITY_DEFAULT, on_failure, failure, failure_free);
}

static void ignore(guint32 stream, void *user) {
}

/* Decoders made and dropped: their plugins are loaded before no file can be opened any more. */
static gboolean warm_up_voice(GError **error) {
    MediaVoice *voice = media_voice_create(0, error);
    media_voice_destroy(voice);
    return voice != NULL;
}

static gboolean warm_up_video(GError **error) {
    MediaGallery *gallery = media_gallery_create(media_canvas_create("fake"), ignore, NULL);
    gboolean opened = media_gallery_open(gallery, 0, error);
    media_gallery_destroy(gallery);
    return opened;
}

/* Whoever lacks the plugins of video still hears. */
static MediaCanvas *canvas_open(Play *play, const char *name) {
    g_autoptr(GError) error = NULL;
    if (strcmp(name, "none") == 0) {
        return NULL;
    }
    if (!warm_up_video(&error)) {
        say_error(play, MEDIA_KIND_VIDEO, error);
        return NULL;
    }
    return media_canvas_create(name);
}

static gboolean start(Play *play, const MediaPlayOptions *options, GError **error) {
    MediaSink *sink = warm_up_voice(error)
                          ? media_sink_create(options->sink, options->go_on, options->heard, error)
                          : NULL;
    if (sink == NULL) {
        return FALSE;
    }
    MediaCanvas *canvas = canvas_open(play, options->video_sink);
    g_autofree char *sound = g_strdup(media_sink_description(sink));
    g_autofree char *sight =
        g_strdup(canvas != NULL ? media_canvas_description(canvas) : "no pictures");
    /* The mixer's thread, which decodes, begins inside. */
    g_autofree char *sandbox = media_sandbox_enter();
    play->mixer = media_mixer_create(sink, on_sink_failed, play);
    play->gallery = canvas != NULL ? media_gallery_create(canvas, on_wish, play) : NULL;
    media_channel_say(play->channel, MEDIA_READY, MEDIA_KIND_NONE, "%s; %s; %s", sound, sight,
                      sandbox);
    return TRUE;
}

int media_play_run(const MediaPlayOptions *options) {
    g_autoptr(GError) error = NULL;
    Play play = {.loop = g_main_loop_new(NULL, FALSE)};
    MediaChannelHandler handler = {on_message, on_closed, &play};
    int status = 1;
    play.channel = media_channel_create(options->endpoint, handler, &error);
    if (play.channel == NULL) {
        g_printerr("maillon-media: %s\n", error->message);
    } else if (!start(&play, options, &error)) {
        g_printerr("maillon-media: %s\n", error->message);
        say_error(&play, MEDIA_KIND_NONE, error);
        media_channel_say(play.channel, MEDIA_ENDED, MEDIA_KIND_NONE, "%s", error->message);
    } else {
        guint stats = g_timeout_add_seconds(STATS_INTERVAL_S, on_stats, &play);
        media_process_watch(play.loop);
        g_main_loop_run(play.loop);
        media_process_unwatch();
        g_source_remove(stats);
        g_clear_handle_id(&play.recording, g_source_remove);
        on_stats(&play);
        status = 0;
    }
    media_mixer_destroy(play.mixer);
    media_gallery_destroy(play.gallery);
    if (status == 0) {
        media_channel_say(play.channel, MEDIA_ENDED, MEDIA_KIND_NONE, "stopped");
    }
    media_channel_destroy(play.channel);
    g_main_loop_unref(play.loop);
    return status;
}
