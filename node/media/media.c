/* SPDX-License-Identifier: MPL-2.0 */
#include "node/media/media.h"

#include <string.h>
#include <unistd.h>

#include "media/heard.h"
#include "node/cli/language.h"
#include "node/media/devices.h"
#include "node/media/helper.h"
#include "node/media/take.h"

G_DEFINE_QUARK(maillon - media - error, media_error)

/* Both helpers together, s. */
#define END_S 3

/* A player given up is tried again when somebody begins to speak, but not each time, s. */
#define PLAY_REST_S 30

#define KINDS (MEDIA_KIND_SCREEN + 1)

typedef struct {
    MediaKind kind;
    gboolean known;
    MediaStats before; /* of the helpers that died */
    MediaStats now;
} Stream;

struct Media {
    MediaHandler handler;
    MediaHelper *play;
    MediaHelper *capture;
    MediaUplink line;
    MediaSave save;
    gboolean record;
    gboolean pictures; /* the player is to show them */
    gboolean meter;
    int heard;          /* memory that the player and the capture share; -1: there is none */
    gboolean cancelled; /* what is played is taken out of a microphone */
    char *sink;         /* where sound goes */
    char *video_sink;
    MediaDevices *devices;
    MediaTake *takes[KINDS];
    MediaRung rungs[KINDS]; /* the last said; of kind NONE: none yet */
    GHashTable *streams;    /* number → Stream */
};

static void stats_add(MediaStats *sum, const MediaStats *more) {
    sum->frames += more->frames;
    sum->in_time += more->in_time;
    sum->late += more->late;
    sum->lost += more->lost;
    sum->concealed += more->concealed;
    sum->delay_ms = more->delay_ms != 0 ? more->delay_ms : sum->delay_ms;
    sum->decoded += more->decoded;
    sum->keyframes += more->keyframes;
}

static Stream *stream_find(const Media *media, guint32 number) {
    return g_hash_table_lookup(media->streams, GUINT_TO_POINTER(number));
}

static void notice_gone(Media *media, const char *what, const char *reason, gboolean again) {
    g_autofree char *text =
        g_strdup_printf(again ? _("The helper that %s ended (%s); it is started again.")
                              : _("The helper that %s does not work (%s); the meeting goes on."),
                        what, reason);
    media->handler.notice(media->handler.user, text);
}

/* ---- play ---- */

static gboolean is_played(const Media *media, MediaKind kind) {
    return kind == MEDIA_KIND_VOICE || media->pictures;
}

static void stream_announce(Media *media, guint32 number, MediaKind kind) {
    if (!is_played(media, kind)) {
        return;
    }
    MediaStreamOpen open = {number, kind == MEDIA_KIND_VOICE ? MEDIA_KIND_VOICE : MEDIA_KIND_VIDEO};
    media_helper_send(media->play, &(MediaMessage){.type = MEDIA_STREAM_OPEN, .open = open});
}

static void on_play_ready(gpointer user, const char *text) {
    Media *media = user;
    GHashTableIter iterator;
    gpointer number = NULL, stream = NULL;
    g_hash_table_iter_init(&iterator, media->streams);
    while (g_hash_table_iter_next(&iterator, &number, &stream)) {
        stream_announce(media, GPOINTER_TO_UINT(number), ((Stream *)stream)->kind);
    }
    if (media->record) {
        media_helper_send(media->play, &(MediaMessage){.type = MEDIA_RECORD, .record = true});
    }
    if (media_helper_restarts(media->play) == 0 && media->handler.began != NULL) {
        media->handler.began(media->handler.user, text);
    }
}

static void on_play_message(gpointer user, const MediaMessage *message) {
    Media *media = user;
    if (message->type == MEDIA_STATS) {
        Stream *stream = stream_find(media, message->stats.stream);
        if (stream != NULL) {
            stream->known = TRUE;
            stream->now = message->stats;
        }
    } else if (message->type == MEDIA_MIX && media->handler.mix != NULL) {
        media->handler.mix(media->handler.user, &message->mix);
    } else if (message->type == MEDIA_KEYFRAME && media->handler.keyframe != NULL) {
        media->handler.keyframe(media->handler.user, message->keyframe.stream);
    } else if (message->type == MEDIA_ERROR) {
        g_autofree char *raw = g_strndup(message->notice.text.data, message->notice.text.length);
        g_autofree char *text = g_utf8_make_valid(raw, -1);
        media->handler.notice(media->handler.user, text);
    }
}

/* The player begins to count anew. */
static void stream_counted(Stream *stream) {
    stats_add(&stream->before, &stream->now);
    stream->now = (MediaStats){0};
}

static void on_play_gone(gpointer user, const char *reason, gboolean again) {
    Media *media = user;
    GHashTableIter iterator;
    gpointer value = NULL;
    g_hash_table_iter_init(&iterator, media->streams);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        stream_counted(value);
    }
    if (reason != NULL) { /* else we wanted it so */
        notice_gone(media, _("plays"), reason, again);
    }
}

/* ---- capture ---- */

static void on_capture_ready(gpointer user, const char *text) {
    Media *media = user;
    media_helper_send(media->capture, &(MediaMessage){.type = MEDIA_UPLINK, .uplink = media->line});
    media_helper_send(media->capture, &(MediaMessage){.type = MEDIA_SAVE, .save = media->save});
    media_helper_send(media->capture, &(MediaMessage){.type = MEDIA_METER, .meter = media->meter});
    media_devices_ready(media->devices);
    for (MediaKind kind = MEDIA_KIND_VOICE; kind < KINDS; kind++) {
        media_take_ready(media->takes[kind]);
    }
}

static void on_capture_message(gpointer user, const MediaMessage *message) {
    Media *media = user;
    MediaKind kind = MEDIA_KIND_NONE;
    if (message->type == MEDIA_FRAME) {
        kind = message->frame.kind;
    } else if (message->type == MEDIA_ECHO) {
        media->cancelled = message->cancelled;
        return;
    } else if (message->type == MEDIA_RUNG) {
        media->rungs[message->rung.kind] = message->rung;
        return;
    } else if (message->type == MEDIA_DEVICE) {
        media_devices_told(media->devices, &message->device);
        return;
    } else if (message->type == MEDIA_LOUDNESS && media->handler.loudness != NULL) {
        media->handler.loudness(media->handler.user, &message->loudness);
        return;
    } else if (message->type == MEDIA_STARTED) {
        kind = message->kind;
    } else if (message->type == MEDIA_ENDED || message->type == MEDIA_ERROR) {
        kind = message->notice.kind;
    }
    if (kind != MEDIA_KIND_NONE) {
        media_take_message(media->takes[kind], message);
    } else if (message->type == MEDIA_ERROR) {
        on_play_message(media, message);
    }
}

static void on_capture_gone(gpointer user, const char *reason, gboolean again) {
    Media *media = user;
    notice_gone(media, _("captures"), reason, again);
    media_devices_gone(media->devices, reason, again);
    for (MediaKind kind = MEDIA_KIND_VOICE; kind < KINDS; kind++) {
        media_take_gone(media->takes[kind], reason, again);
    }
}

/* ---- the façade ---- */

static gboolean is_set(const char *variable) {
    const char *value = g_getenv(variable);
    return value != NULL && value[0] != '\0';
}

gboolean media_has_display(void) {
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

/* The words of the player, to be freed. */
static char **play_options(const Media *media) {
    const char *const options[] = {"--sink", media->sink, "--video-sink", media->video_sink, NULL};
    return g_strdupv((char **)options);
}

Media *media_create(const char *home, const char *sink, const char *video_sink,
                    MediaHandler handler) {
    Media *media = g_new0(Media, 1);
    gboolean unseen = strcmp(video_sink, "auto") == 0 && !media_has_display();
    const char *const capture[] = {NULL};
    media->handler = handler;
    media->pictures = TRUE;
    media->heard = media_heard_make();
    media->sink = g_strdup(sink);
    media->video_sink = g_strdup(unseen ? "none" : video_sink);
    g_auto(GStrv) play = play_options(media);
    media->streams = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    media->play = media_helper_create(
        home, "play", (const char *const *)play, media->heard,
        (MediaHelperHandler){on_play_ready, on_play_message, on_play_gone, media});
    media->capture = media_helper_create(
        home, "capture", capture, media->heard,
        (MediaHelperHandler){on_capture_ready, on_capture_message, on_capture_gone, media});
    media->devices = media_devices_create(media->capture);
    for (MediaKind kind = MEDIA_KIND_VOICE; kind < KINDS; kind++) {
        media->takes[kind] = media_take_create(kind, media->capture, &media->handler);
    }
    media_helper_start(media->play, 0);
    return media;
}

void media_destroy(Media *media) {
    if (media == NULL) {
        return;
    }
    gint64 until_us = g_get_monotonic_time() + END_S * G_USEC_PER_SEC;
    media_helper_end(media->capture);
    media_helper_end(media->play);
    media_helper_destroy(media->capture, until_us);
    media_helper_destroy(media->play, until_us);
    for (MediaKind kind = MEDIA_KIND_VOICE; kind < KINDS; kind++) {
        media_take_destroy(media->takes[kind]);
    }
    media_devices_destroy(media->devices);
    if (media->heard >= 0) {
        close(media->heard);
    }
    g_hash_table_unref(media->streams);
    g_free(media->sink);
    g_free(media->video_sink);
    g_free(media);
}

static void source_start(Media *media, MediaKind kind, const char *source, MediaProfile profile,
                         MediaStartDone done, gpointer data) {
    if (media == NULL) {
        g_autoptr(GError) error = g_error_new_literal(MEDIA_ERROR_QUARK, MEDIA_FAILED_OFF,
                                                      N_("this node runs without media"));
        done(data, error);
        return;
    }
    media->rungs[kind] = (MediaRung){0};
    media_take_start(media->takes[kind], source, profile, done, data);
    media_helper_start(media->capture, 0);
}

void media_source_start(Media *media, MediaKind kind, const char *source, MediaStartDone done,
                        gpointer data) {
    source_start(media, kind, source, MEDIA_PROFILE_AUTO, done, data);
}

void media_source_record(Media *media, const char *source, MediaStartDone done, gpointer data) {
    source_start(media, MEDIA_KIND_VOICE, source, MEDIA_PROFILE_RECORD, done, data);
}

void media_source_stop(Media *media, MediaKind kind) {
    if (media != NULL) {
        media_take_stop(media->takes[kind]);
    }
}

gboolean media_source_runs(const Media *media, MediaKind kind) {
    return media != NULL && media_take_runs(media->takes[kind]);
}

gboolean media_rung(const Media *media, MediaKind kind, MediaRung *ret_rung) {
    if (!media_source_runs(media, kind) || media_take_records(media->takes[kind]) ||
        media->rungs[kind].kind == MEDIA_KIND_NONE) {
        return FALSE;
    }
    *ret_rung = media->rungs[kind];
    return TRUE;
}

void media_uplink(Media *media, const MediaUplink *uplink) {
    if (media != NULL) {
        media->line = *uplink;
        media_helper_send(media->capture, &(MediaMessage){.type = MEDIA_UPLINK, .uplink = *uplink});
    }
}

void media_save(Media *media, MediaSave level) {
    if (media != NULL) {
        media->save = level;
        media_helper_send(media->capture, &(MediaMessage){.type = MEDIA_SAVE, .save = level});
    }
}

void media_keyframe(Media *media, MediaKind kind) {
    if (media != NULL) {
        MediaKeyframe keyframe = {.kind = kind};
        media_helper_send(media->capture,
                          &(MediaMessage){.type = MEDIA_KEYFRAME, .keyframe = keyframe});
    }
}

void media_devices(Media *media, MediaDevicesDone done, gpointer data) {
    if (media == NULL) {
        g_autoptr(GError) error = g_error_new_literal(MEDIA_ERROR_QUARK, MEDIA_FAILED_OFF,
                                                      N_("this node runs without media"));
        g_autoptr(GPtrArray) none = g_ptr_array_new();
        done(data, none, error);
        return;
    }
    media_devices_ask(media->devices, done, data);
    media_helper_start(media->capture, 0);
}

gboolean media_cancels_echo(const Media *media) {
    return media != NULL && media->cancelled;
}

void media_meter(Media *media, gboolean on) {
    if (media != NULL) {
        media->meter = on;
        media_helper_send(media->capture, &(MediaMessage){.type = MEDIA_METER, .meter = on});
    }
}

void media_output(Media *media, const char *sink) {
    if (media == NULL || strcmp(media->sink, sink) == 0) {
        return;
    }
    g_free(media->sink);
    media->sink = g_strdup(sink);
    g_auto(GStrv) play = play_options(media);
    media_helper_renew(media->play, (const char *const *)play);
}

void media_stream_open(Media *media, guint32 stream, MediaKind kind) {
    if (media == NULL || stream_find(media, stream) != NULL) {
        return;
    }
    Stream *opened = g_new0(Stream, 1);
    opened->kind = kind;
    g_hash_table_insert(media->streams, GUINT_TO_POINTER(stream), opened);
    stream_announce(media, stream, kind);
    media_helper_start(media->play, PLAY_REST_S);
}

void media_stream_frame(Media *media, guint32 stream, const MediaFrame *frame) {
    Stream *opened = media != NULL ? stream_find(media, stream) : NULL;
    if (opened == NULL || !is_played(media, opened->kind)) {
        return;
    }
    MediaFrame sent = *frame;
    sent.stream = stream;
    sent.kind = opened->kind == MEDIA_KIND_VOICE ? MEDIA_KIND_VOICE : MEDIA_KIND_VIDEO;
    media_helper_send(media->play, &(MediaMessage){.type = MEDIA_FRAME, .frame = sent});
}

void media_stream_close(Media *media, guint32 stream) {
    if (media != NULL && g_hash_table_remove(media->streams, GUINT_TO_POINTER(stream))) {
        media_helper_send(media->play,
                          &(MediaMessage){.type = MEDIA_STREAM_CLOSE, .stream = stream});
    }
}

void media_pictures(Media *media, gboolean shown) {
    if (media == NULL || media->pictures == shown) {
        return;
    }
    media->pictures = shown;
    GHashTableIter iterator;
    gpointer number = NULL, value = NULL;
    g_hash_table_iter_init(&iterator, media->streams);
    while (g_hash_table_iter_next(&iterator, &number, &value)) {
        Stream *stream = value;
        if (stream->kind == MEDIA_KIND_VOICE) {
            continue;
        }
        if (shown) {
            stream_announce(media, GPOINTER_TO_UINT(number), stream->kind);
        } else {
            stream_counted(stream);
            MediaMessage close = {.type = MEDIA_STREAM_CLOSE, .stream = GPOINTER_TO_UINT(number)};
            media_helper_send(media->play, &close);
        }
    }
}

gboolean media_plays(const Media *media) {
    return media != NULL && media_helper_ready(media->play);
}

gboolean media_stream_stats(const Media *media, guint32 stream, MediaStats *ret_stats) {
    Stream *opened = media != NULL ? stream_find(media, stream) : NULL;
    if (opened == NULL || !opened->known) {
        return FALSE;
    }
    MediaStats sum = opened->before;
    stats_add(&sum, &opened->now);
    sum.stream = stream;
    *ret_stats = sum;
    return TRUE;
}

void media_record(Media *media, gboolean on) {
    media->record = on;
    media_helper_send(media->play, &(MediaMessage){.type = MEDIA_RECORD, .record = on});
}

guint64 media_refused(const Media *media) {
    return media != NULL ? media_helper_refused(media->play) + media_helper_refused(media->capture)
                         : 0;
}

guint64 media_dropped(const Media *media) {
    return media != NULL ? media_helper_dropped(media->play) + media_helper_dropped(media->capture)
                         : 0;
}

guint media_restarts(const Media *media) {
    return media != NULL
               ? media_helper_restarts(media->play) + media_helper_restarts(media->capture)
               : 0;
}
