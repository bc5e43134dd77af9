/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/devices.h"
#include "node/host/match.h"
#include "node/host/notice.h"
#include "node/host/sources.h"
#include "node/host/turn.h"
#include "node/host/voice_message.h"

/*
 * What one entry holds: short enough to be heard, and safe on disk, soon after it was said; long
 * enough that its envelope, some 250 bytes, is not much of it.
 */
#define PART_MS 5000
#define WATCH_S 1

typedef enum {
    RECORD_OPENING, /* the source was asked for */
    RECORD_RUNNING,
    RECORD_ENDING, /* nothing more comes; parts are on their way to the disk */
} RecordState;

/* A part that is full, with its frames. */
typedef struct {
    MeshVoicePart part;
    GBytes *frames;
} Sealed;

struct VoiceRecording {
    Host *host;
    guint64 number; /* of the recordings of this node */
    RecordState state;
    guint room;
    BusCall *call;
    gboolean talk;
    char *failure; /* why it ends before its time */
    gboolean lost; /* the journal takes no more of it */

    char *live_words; /* the microphone was on with these, and goes on; or NULL */
    guint live_room;

    guint limit_ms;
    guint timer;
    guint watch; /* whether the one who speaks is still there */
    guint idle;
    gboolean writing; /* a part is on its way to the disk */
    gboolean known;   /* part 0 is on disk, and gave the id */
    MeshHash id;
    GQueue sealed; /* Sealed: they wait for the one being written */

    gboolean begun; /* a frame came */
    guint32 base_ms, end_ms;
    MeshVoicePart part; /* the one being filled */
    guint8 frames[MESH_VOICE_FRAMES_MAX];
};

gboolean voice_record_runs(const Host *host) {
    return host->recording != NULL;
}

static void sealed_free(gpointer data) {
    Sealed *sealed = data;
    g_bytes_unref(sealed->frames);
    g_free(sealed);
}

static void fail(VoiceRecording *recording, const char *reason) {
    if (recording->failure == NULL) {
        recording->failure = g_strdup(reason);
    }
}

/* ---- its end ---- */

static JsonNode *result_of(const VoiceRecording *recording) {
    char id[MATCH_TEXT_SIZE];
    match_text(recording->id.bytes, id);
    JsonBuilder *builder = json_begin_object();
    if (recording->talk) {
        json_put_flag(builder, "live", FALSE);
    }
    json_put_text(builder, "id", id);
    json_put_int(builder, "duration_ms", recording->end_ms);
    json_builder_end_object(builder);
    return json_built(builder);
}

static void finish(VoiceRecording *recording) {
    g_assert(!recording->writing && recording->state == RECORD_ENDING);
    recording->host->recording = NULL;
    if (!recording->known) {
        bus_call_refuse_text(recording->call, recording->failure != NULL ? recording->failure
                                                                         : N_("nothing was heard"));
    } else {
        if (recording->failure != NULL) {
            notice_tell(recording->host, N_("the voice message ends early: %s"),
                        language_text_in(language_chosen(), recording->failure));
        }
        bus_call_reply(recording->call, result_of(recording));
    }
    g_clear_handle_id(&recording->idle, g_source_remove);
    g_queue_clear_full(&recording->sealed, sealed_free);
    g_free(recording->failure);
    g_free(recording);
}

/* The source is over: whoever spoke live before goes on. */
static void end_capture(VoiceRecording *recording) {
    g_autofree char *words = g_steal_pointer(&recording->live_words);
    if (recording->state == RECORD_ENDING) {
        return;
    }
    recording->state = RECORD_ENDING;
    g_clear_handle_id(&recording->timer, g_source_remove);
    g_clear_handle_id(&recording->watch, g_source_remove);
    media_source_stop(recording->host->media, MEDIA_KIND_VOICE);
    if (words != NULL) {
        sources_resume(recording->host, recording->live_room, words);
    }
}

/* ---- parts, one after the other into the journal ---- */

static void go_on_later(VoiceRecording *recording);

/* In the middle of a step of the Mesh. */
static void part_done(Room *room, const MeshEffect *effect, gpointer data) {
    VoiceRecording *recording = data;
    recording->writing = FALSE;
    if (effect->done.error != MESH_OK) {
        recording->lost = TRUE;
        fail(recording, mesh_error_text(effect->done.error));
    } else if (!recording->known) {
        recording->known = TRUE;
        recording->id = effect->done.hash;
    }
    go_on_later(recording);
}

static void write_next(VoiceRecording *recording, Room *room) {
    Sealed *sealed = g_queue_pop_head(&recording->sealed);
    MeshIntent intent = {.kind = MESH_INTENT_VOICE, .voice = sealed->part};
    if (recording->known) {
        intent.hash = recording->id;
    }
    intent.voice.frames.data = g_bytes_get_data(sealed->frames, &intent.voice.frames.length);
    recording->writing = TRUE;
    room_intent(room, &intent, part_done, recording);
    sealed_free(sealed);
}

/* What is to be done now: write, or end. Frees the recording at its end. */
static void go_on(VoiceRecording *recording) {
    Room *room = room_find(recording->host, recording->room);
    if (recording->writing) {
        return;
    }
    if (room == NULL || recording->lost) {
        fail(recording, mesh_error_text(MESH_ERROR_STATE));
        g_queue_clear_full(&recording->sealed, sealed_free);
        end_capture(recording);
    }
    if (recording->sealed.length > 0) {
        write_next(recording, room);
    } else if (recording->state == RECORD_ENDING) {
        finish(recording);
    }
}

static gboolean on_idle(gpointer data) {
    VoiceRecording *recording = data;
    recording->idle = 0;
    go_on(recording);
    return G_SOURCE_REMOVE;
}

static void go_on_later(VoiceRecording *recording) {
    if (recording->idle == 0) {
        recording->idle = g_idle_add_full(G_PRIORITY_DEFAULT, on_idle, recording, NULL);
    }
}

static void seal(VoiceRecording *recording, gboolean last) {
    MeshVoicePart *part = &recording->part;
    if (part->frames.length == 0) {
        return; /* nothing was heard at all */
    }
    Sealed *sealed = g_new(Sealed, 1);
    part->last = last;
    *sealed = (Sealed){*part, g_bytes_new(part->frames.data, part->frames.length)};
    g_queue_push_tail(&recording->sealed, sealed);
    part->frames.length = 0;
    part->number++;
    go_on_later(recording);
}

static void stop(VoiceRecording *recording) {
    if (recording->state != RECORD_ENDING) {
        end_capture(recording);
        seal(recording, TRUE);
        go_on_later(recording);
    }
}

/* ---- frames ---- */

/* Into the part being filled; FALSE when it does not belong there, or does not fit. */
static gboolean append(VoiceRecording *recording, MediaCodec codec, const MeshVoiceFrame *frame) {
    MeshVoicePart *part = &recording->part;
    guint32 end_ms = frame->at_ms + frame->duration_ms;
    if (part->frames.length == 0) {
        part->codec = (guint8)codec;
    } else if (part->codec != codec || end_ms - part->from_ms > PART_MS) {
        return FALSE;
    }
    if (!mesh_voice_append(part, recording->frames, recording->end_ms, frame)) {
        return FALSE;
    }
    recording->end_ms = end_ms;
    return TRUE;
}

static void take(VoiceRecording *recording, const MediaFrame *taken) {
    if (!recording->begun) {
        recording->begun = TRUE;
        recording->base_ms = taken->media_time_ms;
    }
    MeshVoiceFrame frame = {.at_ms =
                                MAX(taken->media_time_ms - recording->base_ms, recording->end_ms),
                            .duration_ms = (guint8)MIN(taken->duration_ms, MESH_VOICE_FRAME_MS_MAX),
                            .payload = {taken->payload.data, taken->payload.length}};
    if (recording->part.number + 1 >= MESH_VOICE_PARTS_MAX ||
        (guint64)frame.at_ms + frame.duration_ms > recording->limit_ms) {
        stop(recording);
    } else if (!append(recording, taken->codec, &frame)) {
        seal(recording, FALSE);
        append(recording, taken->codec, &frame);
    }
}

gboolean voice_record_frame(Host *host, const MediaFrame *frame) {
    VoiceRecording *recording = host->recording;
    if (recording == NULL || recording->state == RECORD_ENDING) {
        return FALSE;
    }
    take(recording, frame);
    return TRUE;
}

gboolean voice_record_ended(Host *host, const char *reason) {
    VoiceRecording *recording = host->recording;
    if (recording == NULL || recording->state == RECORD_ENDING) {
        return FALSE;
    }
    if (reason != NULL) {
        fail(recording, reason);
    }
    stop(recording);
    return TRUE;
}

/* ---- beginning ---- */

static gboolean on_limit(gpointer data) {
    VoiceRecording *recording = data;
    recording->timer = 0;
    stop(recording);
    return G_SOURCE_REMOVE;
}

/* A recording whose program was killed ends as if it had been told to. */
static gboolean on_watch(gpointer data) {
    VoiceRecording *recording = data;
    if (bus_call_is_awaited(recording->call)) {
        return G_SOURCE_CONTINUE;
    }
    recording->watch = 0;
    stop(recording);
    return G_SOURCE_REMOVE;
}

typedef struct {
    Host *host;
    guint64 number;
} Asked;

static void started(gpointer data, const GError *error) {
    g_autofree Asked *asked = data;
    VoiceRecording *recording = asked->host->recording;
    if (recording == NULL || recording->number != asked->number ||
        recording->state != RECORD_OPENING) {
        return;
    }
    if (error != NULL) {
        fail(recording, error->message);
        stop(recording);
        return;
    }
    /* Its frames tell the time, but who says nothing sends none. */
    recording->state = RECORD_RUNNING;
    recording->timer = g_timeout_add(recording->limit_ms, on_limit, recording);
}

void voice_record_begin(Room *room, const char *words, guint seconds, gboolean talk,
                        BusCall *call) {
    Host *host = room->host;
    if (host->recording != NULL) {
        bus_call_refuse(call,
                        N_("a voice message is being recorded: `maillon voice stop` ends it"));
        return;
    }
    VoiceRecording *recording = g_new0(VoiceRecording, 1);
    host->recording = recording;
    recording->host = host;
    recording->number = ++host->recordings;
    recording->room = room->number;
    recording->call = call;
    recording->talk = talk;
    recording->limit_ms =
        seconds > 0 ? MIN(seconds, MESH_VOICE_MS_MAX / 1000) * 1000 : MESH_VOICE_MS_MAX;
    g_queue_init(&recording->sealed);
    recording->watch = g_timeout_add_seconds(WATCH_S, on_watch, recording);
    recording->live_words = sources_make_way(host, &recording->live_room);
    Asked *asked = g_new(Asked, 1);
    *asked = (Asked){host, recording->number};
    devices_make_way(host, MEDIA_KIND_VOICE);
    media_source_record(host->media, devices_source(host, MEDIA_KIND_VOICE, words), started, asked);
}

void voice_record_stop(Host *host) {
    if (host->recording != NULL) {
        stop(host->recording);
    }
}

void voice_record_mic_off(Host *host) {
    if (host->recording != NULL) {
        g_clear_pointer(&host->recording->live_words, g_free);
    }
}

/* Ends it now, what was said on disk. */
static void end_now(Host *host) {
    voice_record_stop(host);
    while (host->recording != NULL) {
        turn_end(host); /* of what was written before */
        go_on(host->recording);
    }
}

void voice_record_room_left(Room *room) {
    VoiceRecording *recording = room->host->recording;
    if (recording != NULL && recording->live_room == room->number) {
        voice_record_mic_off(room->host);
    }
    if (recording != NULL && recording->room == room->number) {
        end_now(room->host);
    }
}

void voice_record_destroy(Host *host) {
    voice_record_mic_off(host);
    end_now(host);
}
