/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/stream.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/ask.h"
#include "mesh/overlay/message.h"
#include "mesh/overlay/relayed.h"

#define KEYFRAME_US S          /* between two requests */
#define RIVAL_US    (250 * MS) /* a stream that came so lately is not displaced */
#define END_US      (300 * MS) /* frames may come behind the word that there are no more; */
#define CUT_US      S          /* in the middle of speech it may be false, and others are asked; */
#define LIE_US      (2 * S)    /* when they come so long after it, it was */
#define LOST_US     (5 * S)    /* without a way to its speaker: perhaps there is one soon */
#define BROUGHT_US  (2 * S)    /* who brings frames is remembered so long, at least */
#define CALM_US     (2 * S)    /* one silent so long makes room for one that is not */

bool streams_reserve(Mesh *mesh, size_t count) {
    Streams *streams = &mesh->streams;

    while (streams->capacity < count) {
        size_t before = streams->capacity;

        if (!memory_grow_secret((void **)&streams->streams, &streams->capacity, before,
                                sizeof *streams->streams)) {
            return false;
        }
        memset(streams->streams + before, 0,
               (streams->capacity - before) * sizeof *streams->streams);
    }
    return true;
}

void streams_finish(Mesh *mesh) {
    Streams *streams = &mesh->streams;

    if (streams->streams) {
        sodium_memzero(streams->streams, streams->capacity * sizeof *streams->streams);
    }
    free(streams->streams);
    sodium_memzero(streams, sizeof *streams);
}

/* ---- opening and closing ---- */

static bool effect(Mesh *mesh, MeshEffectKind kind, const Stream *stream, const MeshFrame *frame) {
    MeshEffect effect = {.kind = kind,
                         .stream = {.stream = stream->stream, .speaker = stream->speaker}};
    Bytes payload = frame ? frame->payload : BYTES_NONE;

    if (frame) {
        effect.stream.frame = *frame;
    }
    effect.stream.frame.kind = stream->kind;
    return effects_add(&mesh->effects, &effect, payload, BYTES_NONE);
}

bool stream_unlock(Mesh *mesh, Stream *stream) {
    const EpochKey *epoch = meeting_key(&mesh->meeting, stream->epoch_key);

    if (stream->state == STREAM_LOCKED && epoch) {
        frame_keys(epoch, &stream->speaker, stream->id, &stream->keys);
        stream->state = STREAM_TOLD;
    }
    return stream->state != STREAM_LOCKED;
}

static bool is_rival(const Stream *stream, const Stream *other) {
    return stream != other && other->state == STREAM_OPEN && other->kind == stream->kind &&
           mesh_key_equal(&stream->speaker, &other->speaker);
}

/* Whether one more may be open; if need be instead of the one silent longest. */
static bool make_room(Mesh *mesh) {
    Stream *calm = NULL;
    size_t count = 0;

    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state == STREAM_OPEN) {
            count++;
            calm = !calm || stream->came_us < calm->came_us ? stream : calm;
        }
    }
    if (count < MESH_STREAMS_OPEN_MAX) {
        return true;
    }
    if (mesh->now_us < calm->came_us + CALM_US) {
        return false;
    }
    effect(mesh, MESH_EFFECT_STREAM_CLOSE, calm, NULL);
    calm->state = STREAM_TOLD;
    return true;
}

void stream_open(Mesh *mesh, Stream *stream) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        if (is_rival(stream, &mesh->streams.streams[i])) {
            stream_close(mesh, &mesh->streams.streams[i]);
        }
    }
    if (!make_room(mesh)) {
        mesh->counters.limited++;
        return;
    }
    stream->state = STREAM_OPEN;
    stream->stream = ++mesh->streams.next_stream;
    stream->ended_us = 0;
    stream->lost_us = 0;
    mesh->streams.look = true;
    effect(mesh, MESH_EFFECT_STREAM_OPEN, stream, NULL);
}

void stream_close(Mesh *mesh, Stream *stream) {
    if (stream->state != STREAM_OPEN) {
        return;
    }
    effect(mesh, MESH_EFFECT_STREAM_CLOSE, stream, NULL);
    if (stream->ended_us == 0) {
        relayed_end(mesh, stream, NEIGHBOUR_NONE);
    }
    stream->state = STREAM_TOLD;
    stream->ended_us = 0;
    stream->wish = (StreamWish){.quiet_us = UINT64_MAX};
    stream->voice = (StreamVoice){0};
}

void stream_end(Mesh *mesh, Stream *stream, uint32_t slot) {
    if (stream->state == STREAM_OPEN && stream->ended_us == 0) {
        stream->ended_us = mesh->now_us;
        relayed_end(mesh, stream, slot);
    }
}

void stream_forget(Mesh *mesh, Stream *stream) {
    stream_close(mesh, stream);
    sodium_memzero(stream, sizeof *stream);
}

Stream *stream_of(Mesh *mesh, const MeshKey *speaker, MeshStreamKind kind) {
    Stream *found = NULL;

    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if ((stream->state != STREAM_OPEN && stream->state != STREAM_TOLD &&
             stream->state != STREAM_LOCKED) ||
            stream->kind != kind || !mesh_key_equal(&stream->speaker, speaker)) {
            continue;
        }
        if (!found || (found->state != STREAM_OPEN &&
                       (stream->state == STREAM_OPEN || stream->came_us > found->came_us))) {
            found = stream;
        }
    }
    return found;
}

/* ---- frames ---- */

void stream_ask(Mesh *mesh, uint32_t slot, uint8_t name, uint64_t *last_us) {
    if (*last_us == 0 || mesh->now_us - *last_us >= KEYFRAME_US) {
        *last_us = mesh->now_us;
        neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CONTROL, KEYFRAME_US, MESSAGE_KEYFRAME,
                       BYTES_AT(&name, 1));
    }
}

/* It came before, or is older than we remember. */
static bool was_seen(const Stream *stream, uint32_t number) {
    int32_t behind = (int32_t)(stream->last_number - number);

    return behind >= STREAM_WINDOW || (behind >= 0 && stream->seen >> behind & 1);
}

/* The end of the tag of a frame. */
static uint16_t end_of(Bytes body) {
    const uint8_t *end = body.data + body.length;

    return (uint16_t)(end[-1] << 8 | end[-2]);
}

/* It is the one that came: what only has its number is anybody's. */
static bool is_repeat(const Stream *stream, uint32_t number, Bytes body) {
    return stream->last_number - number < STREAM_WINDOW &&
           stream->tags[number % STREAM_WINDOW] == end_of(body);
}

static void note_bringer(const Mesh *mesh, Stream *stream, uint32_t slot) {
    if (mesh->now_us >= stream->brought_us + BROUGHT_US) {
        stream->brought_before = stream->brought;
        stream->brought = 0;
        stream->brought_us = mesh->now_us;
    }
    stream->brought |= 1ull << slot;
}

bool stream_comes_from(const Mesh *mesh, const Stream *stream, uint32_t slot) {
    return stream->names[slot] != 0 && mesh->now_us < stream->brought_us + 2 * BROUGHT_US &&
           (stream->brought | stream->brought_before) >> slot & 1;
}

/* Notes a frame that is new and genuine. */
static void see(Mesh *mesh, Stream *stream, uint32_t slot, const MeshFrame *frame, Bytes body) {
    int32_t ahead = (int32_t)(frame->number - stream->last_number);

    if (ahead > 0) {
        stream->seen = ahead < STREAM_WINDOW ? stream->seen << ahead : 0;
        stream->last_number = frame->number;
        stream->last_time_ms = frame->media_time_ms;
    }
    if (ahead >= 0) {
        stream->paused = (frame->flags & (FRAME_SILENCE | FRAME_LAST)) != 0;
    }
    stream->seen |= 1ull << (ahead > 0 ? 0 : -ahead);
    stream->tags[frame->number % STREAM_WINDOW] = end_of(body);
    stream->came_us = mesh->now_us;
    stream->pusher = slot;
    note_bringer(mesh, stream, slot);
    ask_came(mesh, stream, slot, frame->duration_ms * MS);
}

/* Nothing else of its speaker is heard: what comes of another stream does not displace it. */
static bool may_open(const Mesh *mesh, const Stream *stream) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        const Stream *other = &mesh->streams.streams[i];

        if (is_rival(stream, other) && other->ended_us == 0 &&
            mesh->now_us < other->came_us + RIVAL_US) {
            return false;
        }
    }
    return true;
}

static void deliver(Mesh *mesh, Stream *stream, MeshFrame *frame) {
    if (effect(mesh, MESH_EFFECT_FRAME, stream, frame)) {
        frame_open(&stream->keys, frame, effects_last(&mesh->effects)); /* where it is to be */
    }
}

/* Whoever lacks the key of an epoch that the journal knows still passes its frames on. */
static bool may_pass_sealed(const Mesh *mesh, const Stream *stream) {
    const Roster *roster = &mesh->meeting.roster;

    for (size_t i = 0; i < roster->key_count; i++) {
        if (!memcmp(roster->keys[i], stream->epoch_key, sizeof stream->epoch_key)) {
            return true;
        }
    }
    return false;
}

static MeshError take(Mesh *mesh, Stream *stream, uint32_t slot, MeshFrame *frame, Bytes body) {
    bool open = stream->state == STREAM_OPEN;

    if (stream->state == STREAM_LOCKED && !may_pass_sealed(mesh, stream)) {
        return MESH_ERROR_UNKNOWN;
    }
    if (stream->state != STREAM_LOCKED && !frame_is_genuine(&stream->keys, frame, body)) {
        if (!stream->proven && stream->word != slot) {
            stream_ask(mesh, slot, body.data[0], &mesh->streams.lacked_us[slot]);
        } else {
            mesh->streams.forged_us[slot] = mesh->now_us;
        }
        return MESH_ERROR_FORGED;
    }
    if (stream->state == STREAM_TOLD && !may_open(mesh, stream)) {
        return MESH_OK;
    }
    stream->proven |= stream->state != STREAM_LOCKED;
    see(mesh, stream, slot, frame, body);
    if (stream->state == STREAM_TOLD) {
        stream_open(mesh, stream);
    }
    relayed_frame(mesh, stream, slot, frame, body);
    if (!open && stream->state != STREAM_LOCKED) {
        relayed_tell_all(mesh, stream);
    }
    if (stream->state == STREAM_OPEN) {
        deliver(mesh, stream, frame);
    }
    return MESH_OK;
}

MeshError stream_frame(Mesh *mesh, uint32_t slot, Bytes body) {
    uint8_t name = body.length > 0 ? body.data[0] : 0;
    Stream *stream = told_find(mesh, slot, name);
    MeshFrame frame;
    MeshError error =
        frame_read(body, stream ? stream->kind : MESH_STREAM_VOICE,
                   stream ? stream->last_number : 0, stream ? stream->last_time_ms : 0, &frame);

    if (error) {
        return error;
    }
    if (!stream) {
        /* It was told of when we did not know yet who speaks, or gave way to others. */
        stream_ask(mesh, slot, name, &mesh->streams.lacked_us[slot]);
        return MESH_ERROR_UNKNOWN;
    }
    if (stream->state == STREAM_OVER) {
        return MESH_OK;
    }
    /* While no frame was genuine, somebody's false word may be all that makes this one look old. */
    if ((stream->proven || stream->state == STREAM_LOCKED) && was_seen(stream, frame.number)) {
        mesh->counters.duplicates++;
        if (is_repeat(stream, frame.number, body)) {
            note_bringer(mesh, stream, slot);
            ask_came_again(stream, slot);
        }
        return MESH_OK;
    }
    return take(mesh, stream, slot, &frame, body);
}

/* ---- keyframes ---- */

/* Asks whoever pushes it, and so on up to the speaker. */
static void want_keyframe(Mesh *mesh, Stream *stream) {
    uint32_t slot = stream->pusher != NEIGHBOUR_NONE ? stream->pusher : stream->first;

    if (slot != NEIGHBOUR_NONE && stream->names[slot] != 0) {
        stream_ask(mesh, slot, stream->names[slot], &stream->keyframe_us);
    }
}

MeshError stream_keyframe(Mesh *mesh, uint32_t number) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state == STREAM_OPEN && stream->stream == number &&
            stream->kind != MESH_STREAM_VOICE) {
            want_keyframe(mesh, stream);
            return MESH_OK;
        }
    }
    return MESH_ERROR_UNKNOWN;
}

MeshError stream_keyframe_received(Mesh *mesh, uint32_t slot, Bytes body) {
    Stream *stream;

    if (body.length != 1 || body.data[0] == 0) {
        return MESH_ERROR_MALFORMED;
    }
    if (live_named(mesh, body.data[0])) {
        return live_keyframe_wanted(mesh, slot, body.data[0]);
    }
    stream = told_find_own(mesh, body.data[0]);
    if (!stream || stream->state == STREAM_OVER || slot == stream->pusher) {
        return MESH_ERROR_UNKNOWN;
    }
    relayed_tell(mesh, stream, slot, true);
    if (stream->kind != MESH_STREAM_VOICE) {
        want_keyframe(mesh, stream);
    }
    return MESH_OK;
}

/* ---- time ---- */

void streams_epoch_changed(Mesh *mesh) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state != STREAM_LOCKED || !stream_unlock(mesh, stream)) {
            continue;
        }
        stream->seen = 0; /* what was passed on unproven proves nothing */
        stream->word = NEIGHBOUR_NONE;
        if (told_by_speaker(mesh, stream)) {
            stream_open(mesh, stream);
        }
    }
}

void streams_roster_changed(Mesh *mesh) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];
        const Member *speaker =
            stream->state == STREAM_FREE ? NULL : core_member(mesh, &stream->speaker);

        if (stream->state != STREAM_FREE && (!speaker || speaker->role > MESH_ROLE_GUEST)) {
            stream_forget(mesh, stream);
        }
    }
}

static bool has_way(Mesh *mesh, const Stream *stream) {
    const Neighbour *speaker = neighbour_view_of(mesh, &stream->speaker);

    return (speaker && speaker->linked != LINKED_KEPT && neighbour_is_greeted(mesh, speaker)) ||
           map_reaches(mesh, &stream->speaker);
}

/* When one whose speaker cannot be reached is given up. */
static uint64_t lost_us(const Stream *stream) {
    uint64_t last_us = stream->came_us > stream->lost_us ? stream->came_us : stream->lost_us;

    return stream->lost_us == 0 ? UINT64_MAX : last_us + LOST_US;
}

/* When one that somebody said ended is over. */
static uint64_t end_us(const Stream *stream) {
    uint64_t last_us = stream->came_us > stream->ended_us ? stream->came_us : stream->ended_us;

    return stream->ended_us == 0 ? UINT64_MAX : last_us + (stream->paused ? END_US : CUT_US);
}

static void step(Mesh *mesh, Stream *stream) {
    if (stream->ended_us > 0 && stream->came_us > stream->ended_us + LIE_US) {
        stream->ended_us = 0;
    }
    if (mesh->streams.look && has_way(mesh, stream)) {
        stream->lost_us = 0;
    } else if (mesh->streams.look && stream->lost_us == 0) {
        stream->lost_us = mesh->now_us;
    }
    if (mesh->now_us >= end_us(stream) || mesh->now_us >= lost_us(stream)) {
        stream_close(mesh, stream);
    }
}

void streams_timeout(Mesh *mesh) {
    mesh->streams.look |= mesh->streams.digest != mesh->map.digest;
    mesh->streams.digest = mesh->map.digest;
    for (size_t i = 0; i < mesh->streams.used; i++) {
        if (mesh->streams.streams[i].state == STREAM_OPEN) {
            step(mesh, &mesh->streams.streams[i]);
        }
    }
    mesh->streams.look = false;
    ask_timeout(mesh);
}

uint64_t streams_deadline_us(const Mesh *mesh) {
    uint64_t deadline = ask_deadline_us(mesh);

    for (size_t i = 0; i < mesh->streams.used; i++) {
        const Stream *stream = &mesh->streams.streams[i];

        if (stream->state != STREAM_OPEN) {
            continue;
        }
        deadline = end_us(stream) < deadline ? end_us(stream) : deadline;
        deadline = lost_us(stream) < deadline ? lost_us(stream) : deadline;
    }
    return deadline;
}
