/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/match.h"
#include "node/host/voice_message.h"

#define MS 1000

/* How long the rest of a message is waited for that is still being spoken, or on its way. */
#define WAIT_S 20
/* After the last frame: what the jitter buffer and the output still hold. */
#define TAIL_MS 1000
/* The helper that plays may just be starting. */
#define OPEN_S 5

/* Nobody measured it again: as speech has it, so that no frame is taken for a silence. */
#define SPEECH_LEVEL 30

typedef enum {
    PLAY_OPENING, /* the helper that plays is not there yet */
    PLAY_RUNNING,
    PLAY_WAITING, /* for a part that is not here */
    PLAY_TAIL,
} PlayState;

struct VoicePlaying {
    Host *host;
    BusCall *call;
    guint room;
    MeshHash id;
    PlayState state;
    guint32 stream;
    guint timer;
    gint64 begun_us;
    gint64 origin_us; /* when what stands at 0 ms of the message is due */
    gint64 until_us;  /* WAITING, OPENING: until then */

    guint32 parts;      /* taken so far */
    MeshVoicePart part; /* what is left of the last one, in `bytes` */
    gboolean ready;     /* `frame` is the next one to be sent */
    MeshVoiceFrame frame;
    guint32 end_ms;
    guint32 number;
    guint8 bytes[MESH_ENTRY_MAX];
};

static gboolean find(const VoicePlaying *playing, Room **ret_room, MeshMessage *ret_message) {
    *ret_room = room_find(playing->host, playing->room);
    return *ret_room != NULL && match_message_id((*ret_room)->mesh, &playing->id, ret_message);
}

static void finish(VoicePlaying *playing) {
    Room *room = NULL;
    MeshMessage message;
    gboolean whole = find(playing, &room, &message) && message.voice_whole &&
                     playing->parts == message.voice_parts && !playing->ready;
    JsonBuilder *builder = json_begin_object();
    json_put_int(builder, "played_ms", playing->end_ms);
    json_put_flag(builder, "whole", whole);
    json_builder_end_object(builder);
    bus_call_reply(playing->call, json_built(builder));
    media_stream_close(playing->host->media, playing->stream);
    playing->host->playing = NULL;
    g_clear_handle_id(&playing->timer, g_source_remove);
    g_free(playing);
}

/* ---- frames ---- */

/* Another part, when it is here. */
static gboolean next_part(VoicePlaying *playing) {
    Room *room = NULL;
    MeshMessage message;
    if (!find(playing, &room, &message) || playing->parts >= message.voice_parts ||
        mesh_voice_part(room->mesh, &playing->id, playing->parts, playing->bytes, &playing->part) !=
            MESH_OK) {
        return FALSE;
    }
    playing->parts++;
    return TRUE;
}

static gboolean next_frame(VoicePlaying *playing) {
    while (!mesh_voice_frame(&playing->part, &playing->frame)) {
        if (!next_part(playing)) {
            return FALSE;
        }
    }
    playing->frame.at_ms =
        MAX(playing->frame.at_ms, playing->end_ms); /* whatever its author says */
    playing->ready = TRUE;
    return TRUE;
}

/* Whether a silence follows the frame, the end of what is here included. */
static gboolean pauses_after(const VoicePlaying *playing) {
    MeshVoicePart rest = playing->part;
    MeshMessage message;
    Room *room = NULL;
    MeshVoiceFrame next;
    if (rest.frames.length == 0) {
        return !find(playing, &room, &message) || playing->parts >= message.voice_parts;
    }
    return !mesh_voice_frame(&rest, &next) || next.at_ms > playing->part.from_ms;
}

static void send_frame(VoicePlaying *playing) {
    gint64 due_us = playing->origin_us + (gint64)playing->frame.at_ms * MS;
    MediaFrame frame = {
        .stream = playing->stream,
        .number = playing->number++,
        .media_time_ms = (guint32)((due_us - playing->begun_us) / MS),
        .duration_ms = playing->frame.duration_ms,
        .kind = MEDIA_KIND_VOICE,
        .flags = MEDIA_FLAG_KEYFRAME | (pauses_after(playing) ? MEDIA_FLAG_SILENCE : 0),
        .codec = (MediaCodec)playing->part.codec,
        .level = SPEECH_LEVEL,
        .payload = {playing->frame.payload.data, (guint32)playing->frame.payload.length}};
    media_stream_frame(playing->host->media, playing->stream, &frame);
    playing->end_ms = playing->frame.at_ms + frame.duration_ms;
    playing->ready = FALSE;
}

/* ---- in real time: the player's jitter buffer expects frames as they were spoken ---- */

static gboolean on_timer(gpointer data);

static void call_again(VoicePlaying *playing, gint64 at_us) {
    gint64 wait_us = at_us - g_get_monotonic_time();
    g_clear_handle_id(&playing->timer, g_source_remove);
    playing->timer =
        g_timeout_add(wait_us > 0 ? (guint)((wait_us + MS - 1) / MS) : 0, on_timer, playing);
}

/* What is said after a wait is due now. */
static void go_on(VoicePlaying *playing, gint64 now_us) {
    if (playing->state == PLAY_WAITING) {
        playing->origin_us = now_us - (gint64)playing->frame.at_ms * MS;
    }
    playing->state = PLAY_RUNNING;
}

static void pause_or_end(VoicePlaying *playing, gint64 now_us) {
    Room *room = NULL;
    MeshMessage message;
    gboolean here = find(playing, &room, &message);
    if (playing->state == PLAY_RUNNING) {
        playing->state = PLAY_WAITING;
        playing->until_us = now_us + WAIT_S * G_USEC_PER_SEC;
    }
    if (!here || message.voice_whole || now_us >= playing->until_us) {
        gint64 heard_us = playing->origin_us + (gint64)playing->end_ms * MS;
        playing->state = PLAY_TAIL;
        playing->until_us = MAX(heard_us, now_us) + TAIL_MS * MS;
    }
    call_again(playing, playing->until_us);
}

static void run(VoicePlaying *playing, gint64 now_us) {
    while (playing->ready || next_frame(playing)) {
        go_on(playing, now_us);
        gint64 due_us = playing->origin_us + (gint64)playing->frame.at_ms * MS;
        if (due_us > now_us) {
            call_again(playing, due_us);
            return;
        }
        send_frame(playing);
    }
    pause_or_end(playing, now_us);
}

static gboolean open_stream(VoicePlaying *playing, gint64 now_us) {
    if (!media_plays(playing->host->media)) {
        return FALSE;
    }
    playing->stream = ++playing->host->stream;
    media_stream_open(playing->host->media, playing->stream, MEDIA_KIND_VOICE);
    playing->state = PLAY_RUNNING;
    playing->begun_us = now_us;
    playing->origin_us = now_us;
    return TRUE;
}

static void give_up(VoicePlaying *playing) {
    bus_call_refuse(playing->call, N_("nothing plays on this node"));
    playing->host->playing = NULL;
    g_free(playing);
}

static gboolean on_timer(gpointer data) {
    VoicePlaying *playing = data;
    gint64 now_us = g_get_monotonic_time();
    playing->timer = 0;
    if (playing->state == PLAY_OPENING && !open_stream(playing, now_us)) {
        if (now_us >= playing->until_us) {
            give_up(playing);
        } else {
            call_again(playing, now_us + G_USEC_PER_SEC / 10);
        }
    } else if (playing->state == PLAY_TAIL) {
        finish(playing);
    } else {
        run(playing, now_us);
    }
    return G_SOURCE_REMOVE;
}

/* ---- for the others ---- */

void voice_play_begin(Room *room, const MeshMessage *message, BusCall *call) {
    Host *host = room->host;
    if (host->media == NULL) {
        bus_call_refuse(call, N_("this node runs without media"));
        return;
    }
    voice_play_stop(host);
    VoicePlaying *playing = g_new0(VoicePlaying, 1);
    playing->host = host;
    playing->call = call;
    playing->room = room->number;
    playing->id = message->id;
    playing->until_us = g_get_monotonic_time() + OPEN_S * G_USEC_PER_SEC;
    host->playing = playing;
    call_again(playing, 0);
}

void voice_play_stop(Host *host) {
    if (host->playing != NULL) {
        finish(host->playing);
    }
}

void voice_play_room_left(Room *room) {
    VoicePlaying *playing = room->host->playing;
    if (playing != NULL && playing->room == room->number) {
        finish(playing);
    }
}

/* In the middle of a step of the Mesh. */
void voice_play_changed(Room *room, const MeshHash *id) {
    VoicePlaying *playing = room->host->playing;
    if (playing != NULL && playing->state == PLAY_WAITING && playing->room == room->number &&
        memcmp(&playing->id, id, sizeof *id) == 0) {
        call_again(playing, 0);
    }
}
