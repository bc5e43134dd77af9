/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/live.h"

#include <sodium.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"

#define TAG_SIZE 8
/* number u8, flags and codec u8, level u8, number u16, time u24, duration u16 */
#define HEADER_SIZE 10
#define VIDEO_US    S
/* How long a voice may wait here, its way to the listener not counted: later it would only hold up
 * what comes after it. A copy of a frame rides with the next one and a repair takes a round trip,
 * so long frames, which are for slow lines, have longer. media/ladder.c counts on it. */
#define VOICE_US      (200 * MS)
#define VOICE_MOST_US (500 * MS)

#define FRAME_KEYFRAME 1 /* of the flags: decodable without any earlier frame */
#define KEYFRAME_US    S
/* How long a player holds a frame back: what was asked for so soon is already on its way. */
#define HELD_US (200 * MS)

void live_finish(Mesh *mesh) {
    sodium_memzero(&mesh->live, sizeof mesh->live);
}

static void derive(const EpochKey *epoch, const MeshKey *speaker, const uint8_t *id,
                   LiveKeys *ret_keys) {
    uint8_t bytes[64];

    domain_derive(bytes, sizeof bytes, "stream", epoch->key, BYTES_OF(speaker->bytes),
                  BYTES_AT(id, LIVE_STREAM_ID_SIZE));
    memcpy(ret_keys->cipher, bytes, 32);
    memcpy(ret_keys->tag, bytes + 32, 32);
    sodium_memzero(bytes, sizeof bytes);
}

/* ---- our own ---- */

static void announce(Mesh *mesh, Neighbour *neighbour, MeshStreamKind kind) {
    const LiveOwn *own = &mesh->live.own[kind];
    uint8_t body[2 + LIVE_STREAM_ID_SIZE + ENTRY_KEY_ID_SIZE + 4 + 4];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write_u8(&writer, (uint8_t)kind);
    bytes_write_u8(&writer, (uint8_t)kind);
    bytes_write(&writer, own->id, sizeof own->id);
    bytes_write(&writer, own->epoch_key, sizeof own->epoch_key);
    bytes_write_u32(&writer, own->number);
    bytes_write_u32(&writer, own->time_ms);
    if (neighbour) {
        neighbour_send(mesh, neighbour, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM, BYTES_OF(body));
    } else {
        neighbours_send(mesh, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM, BYTES_OF(body));
    }
}

MeshError live_start(Mesh *mesh, MeshStreamKind kind) {
    const EpochKey *epoch = meeting_current_key(&mesh->meeting);
    const Member *self = core_self(mesh);
    LiveOwn *own;

    if (kind < MESH_STREAM_VOICE || kind > MESH_STREAM_SCREEN) {
        return MESH_ERROR_INVALID;
    }
    if (!self || self->role > MESH_ROLE_GUEST) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (!epoch) {
        return MESH_ERROR_STATE;
    }
    own = &mesh->live.own[kind];
    own->state = LIVE_READY;
    own->wanted_us = UINT64_MAX;
    core_random(mesh, own->id, sizeof own->id);
    memcpy(own->epoch_key, epoch->id, sizeof own->epoch_key);
    derive(epoch, &mesh->self.key, own->id, &own->keys);
    return MESH_OK;
}

void live_stop(Mesh *mesh, MeshStreamKind kind) {
    uint8_t number = (uint8_t)kind;

    if (kind < MESH_STREAM_VOICE || kind > MESH_STREAM_SCREEN ||
        mesh->live.own[kind].state == LIVE_OFF) {
        return;
    }
    sodium_memzero(&mesh->live.own[kind], sizeof mesh->live.own[kind]);
    neighbours_send(mesh, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM_END, BYTES_AT(&number, 1));
}

static void open_stream(Mesh *mesh, LiveStream *stream);

void live_epoch_changed(Mesh *mesh) {
    for (size_t i = 0; i < MESH_STREAMS_MAX; i++) {
        if (mesh->live.streams[i].state == STREAM_LOCKED) {
            open_stream(mesh, &mesh->live.streams[i]);
        }
    }
    for (MeshStreamKind kind = MESH_STREAM_VOICE; kind <= MESH_STREAM_SCREEN; kind++) {
        if (mesh->live.own[kind].state != LIVE_OFF &&
            memcmp(mesh->live.own[kind].epoch_key, mesh->meeting.roster.current_key,
                   ENTRY_KEY_ID_SIZE) != 0 &&
            meeting_current_key(&mesh->meeting)) {
            live_start(mesh, kind);
        }
    }
}

/* Asks our own encoder for a keyframe, unless it made one just now. */
static void want_keyframe(Mesh *mesh, MeshStreamKind kind) {
    LiveOwn *own = &mesh->live.own[kind];
    MeshEffect effect = {.kind = MESH_EFFECT_KEYFRAME, .stream.frame.kind = kind};

    if (kind == MESH_STREAM_VOICE) {
        return;
    }
    if (own->keyframe_us != 0 && mesh->now_us - own->keyframe_us < KEYFRAME_US) {
        own->wanted_us = own->keyframe_us + KEYFRAME_US;
        return;
    }
    own->keyframe_us = mesh->now_us;
    own->wanted_us = UINT64_MAX;
    effects_add(&mesh->effects, &effect, BYTES_NONE, BYTES_NONE);
}

void live_greet(Mesh *mesh, uint32_t slot) {
    for (MeshStreamKind kind = MESH_STREAM_VOICE; kind <= MESH_STREAM_SCREEN; kind++) {
        if (mesh->live.own[kind].state == LIVE_SENDING) {
            announce(mesh, neighbour_at(mesh, slot), kind);
            want_keyframe(mesh, kind);
        }
    }
}

static void write_header(BytesWriter *writer, const MeshFrame *frame) {
    bytes_write_u8(writer, (uint8_t)frame->kind);
    bytes_write_u8(writer, (uint8_t)((frame->flags & 0x0f) | frame->codec << 4));
    bytes_write_u8(writer, frame->level);
    bytes_write_u16(writer, (uint16_t)frame->number);
    bytes_write_u16(writer, (uint16_t)frame->media_time_ms);
    bytes_write_u8(writer, (uint8_t)(frame->media_time_ms >> 16));
    bytes_write_u16(writer, frame->duration_ms);
}

static void nonce_of(uint32_t number, uint8_t ret_nonce[crypto_stream_chacha20_ietf_NONCEBYTES]) {
    BytesWriter writer = bytes_writer(ret_nonce, crypto_stream_chacha20_ietf_NONCEBYTES);

    bytes_write_u64(&writer, 0);
    bytes_write_u32(&writer, number);
}

/* The full number is under the tag, though only its low part travels. */
static void tag_of(const LiveKeys *keys, const MeshFrame *frame, Bytes header, Bytes cipher,
                   uint8_t ret_tag[TAG_SIZE]) {
    uint8_t context[4 + HEADER_SIZE];
    BytesWriter writer = bytes_writer(context, sizeof context);

    bytes_write_u32(&writer, frame->number);
    bytes_write(&writer, header.data, header.length);
    domain_derive(ret_tag, TAG_SIZE, "frame", keys->tag, BYTES_OF(context), cipher);
}

/* What follows from a frame about to be sent: the stream begins, a keyframe is there or due. */
static void account_frame(Mesh *mesh, const MeshFrame *frame) {
    LiveOwn *own = &mesh->live.own[frame->kind];
    bool begins = own->state == LIVE_READY;

    own->number = frame->number;
    own->time_ms = frame->media_time_ms;
    if (frame->flags & FRAME_KEYFRAME) {
        own->keyframe_us = mesh->now_us;
        own->wanted_us = UINT64_MAX;
    } else if (begins || mesh->now_us >= own->wanted_us) {
        want_keyframe(mesh, frame->kind);
    }
    if (begins) {
        own->state = LIVE_SENDING;
        announce(mesh, NULL, frame->kind);
    }
}

/* How long it is worth sending: a still picture for as long as it is to be shown. */
static uint64_t life_us(const MeshFrame *frame) {
    uint64_t lasts_us = frame->duration_ms * MS;
    uint64_t voice_us = VOICE_US + lasts_us * 5 / 2;

    if (frame->kind == MESH_STREAM_VOICE) {
        return voice_us < VOICE_MOST_US ? voice_us : VOICE_MOST_US;
    }
    return lasts_us > VIDEO_US ? lasts_us : VIDEO_US;
}

MeshError live_frame(Mesh *mesh, const MeshFrame *frame) {
    uint8_t body[HEADER_SIZE + MESH_FRAME_MAX + TAG_SIZE];
    uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    BytesWriter writer = bytes_writer(body, sizeof body);
    const LiveOwn *own;
    bool voice = frame->kind == MESH_STREAM_VOICE;
    uint8_t tag[TAG_SIZE];

    if (frame->kind < MESH_STREAM_VOICE || frame->kind > MESH_STREAM_SCREEN ||
        mesh->live.own[frame->kind].state == LIVE_OFF) {
        return MESH_ERROR_STATE;
    }
    if (frame->payload.length == 0 || frame->payload.length > MESH_FRAME_MAX) {
        return MESH_ERROR_TOO_LARGE;
    }
    own = &mesh->live.own[frame->kind];
    account_frame(mesh, frame);
    write_header(&writer, frame);
    nonce_of(frame->number, nonce);
    crypto_stream_chacha20_ietf_xor(writer.at, frame->payload.data, frame->payload.length, nonce,
                                    own->keys.cipher);
    writer.at += frame->payload.length;
    tag_of(&own->keys, frame, BYTES_AT(body, HEADER_SIZE),
           BYTES_AT(body + HEADER_SIZE, frame->payload.length), tag);
    bytes_write(&writer, tag, sizeof tag);
    neighbours_send(mesh, voice ? LINK_VOICE : LINK_PICTURE, life_us(frame), MESSAGE_FRAME,
                    BYTES_AT(body, bytes_written(&writer)));
    return MESH_OK;
}

/* ---- others' ---- */

static LiveStream *find(Mesh *mesh, uint32_t slot, uint8_t number) {
    for (size_t i = 0; i < MESH_STREAMS_MAX; i++) {
        LiveStream *stream = &mesh->live.streams[i];

        if (stream->state != STREAM_FREE && stream->slot == slot && stream->number == number) {
            return stream;
        }
    }
    return NULL;
}

/* The one of that kind, else a free one; NULL. */
static LiveStream *find_place(Mesh *mesh, uint32_t slot, MeshStreamKind kind) {
    LiveStream *found = NULL;

    for (size_t i = 0; i < MESH_STREAMS_MAX; i++) {
        LiveStream *stream = &mesh->live.streams[i];

        if (stream->state == STREAM_FREE) {
            found = found ? found : stream;
        } else if (stream->slot == slot && stream->kind == kind) {
            return stream;
        }
    }
    return found;
}

static void effect(Mesh *mesh, MeshEffectKind kind, const LiveStream *stream,
                   const MeshFrame *frame) {
    const Neighbour *neighbour = neighbour_at(mesh, stream->slot);
    MeshEffect effect = {.kind = kind, .stream = {.stream = stream->stream}};
    Bytes payload = frame ? frame->payload : BYTES_NONE;

    if (neighbour) {
        effect.stream.speaker = neighbour->key;
    }
    if (frame) {
        effect.stream.frame = *frame;
    }
    effect.stream.frame.kind = stream->kind;
    effects_add(&mesh->effects, &effect, payload, BYTES_NONE);
}

static void open_stream(Mesh *mesh, LiveStream *stream) {
    const EpochKey *epoch = meeting_key(&mesh->meeting, stream->epoch_key);
    const Neighbour *neighbour = neighbour_at(mesh, stream->slot);

    if (!epoch || !neighbour) {
        return;
    }
    derive(epoch, &neighbour->key, stream->id, &stream->keys);
    stream->stream = ++mesh->live.next_stream;
    stream->state = STREAM_OPEN;
    effect(mesh, MESH_EFFECT_STREAM_OPEN, stream, NULL);
}

static void close_stream(Mesh *mesh, LiveStream *stream) {
    if (stream->state == STREAM_OPEN) {
        effect(mesh, MESH_EFFECT_STREAM_CLOSE, stream, NULL);
    }
    sodium_memzero(stream, sizeof *stream);
}

void live_lost(Mesh *mesh, uint32_t slot) {
    mesh->live.lacked_us[slot] = 0;
    for (size_t i = 0; i < MESH_STREAMS_MAX; i++) {
        if (mesh->live.streams[i].state != STREAM_FREE && mesh->live.streams[i].slot == slot) {
            close_stream(mesh, &mesh->live.streams[i]);
        }
    }
}

MeshError live_stream(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t number = bytes_read_u8(&reader);
    uint8_t kind = bytes_read_u8(&reader);
    const uint8_t *id = bytes_read(&reader, LIVE_STREAM_ID_SIZE);
    const uint8_t *key_id = bytes_read(&reader, ENTRY_KEY_ID_SIZE);
    uint32_t last_number = bytes_read_u32(&reader);
    uint32_t last_time_ms = bytes_read_u32(&reader);
    const Neighbour *neighbour = neighbour_at(mesh, slot);
    const Member *speaker = core_member(mesh, &neighbour->key);
    LiveStream *stream;

    if (!bytes_done(&reader) || kind < MESH_STREAM_VOICE || kind > MESH_STREAM_SCREEN) {
        return MESH_ERROR_MALFORMED;
    }
    if (!speaker || speaker->role > MESH_ROLE_GUEST) {
        return MESH_ERROR_FORBIDDEN;
    }
    stream = find(mesh, slot, number);
    if (stream && bytes_equal(stream->id, id, LIVE_STREAM_ID_SIZE)) {
        return MESH_OK; /* told twice */
    }
    if (stream && stream->kind != (MeshStreamKind)kind) {
        close_stream(mesh, stream); /* the number means another stream now */
    }
    stream = find_place(mesh, slot, (MeshStreamKind)kind);
    if (!stream) {
        return MESH_ERROR_FULL;
    }
    close_stream(mesh, stream);
    *stream = (LiveStream){.state = STREAM_LOCKED,
                           .slot = slot,
                           .number = number,
                           .kind = (MeshStreamKind)kind,
                           .last_number = last_number,
                           .last_time_ms = last_time_ms};
    memcpy(stream->id, id, sizeof stream->id);
    memcpy(stream->epoch_key, key_id, sizeof stream->epoch_key);
    open_stream(mesh, stream);
    return MESH_OK;
}

MeshError live_stream_end(Mesh *mesh, uint32_t slot, Bytes body) {
    LiveStream *stream = body.length == 1 ? find(mesh, slot, body.data[0]) : NULL;

    if (stream) {
        close_stream(mesh, stream);
    }
    return body.length == 1 ? MESH_OK : MESH_ERROR_MALFORMED;
}

/* Asks a speaker to tell of a stream, and to make its next frame a keyframe. */
static void ask(Mesh *mesh, uint32_t slot, uint8_t number, uint64_t *last_us) {
    if (*last_us == 0 || mesh->now_us - *last_us >= KEYFRAME_US) {
        *last_us = mesh->now_us;
        neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CONTROL, KEYFRAME_US, MESSAGE_KEYFRAME,
                       BYTES_AT(&number, 1));
    }
}

/* The number nearest to the last one whose low `bits` are these. */
static uint32_t complete(uint32_t low, unsigned bits, uint32_t last) {
    uint32_t mask = (1u << bits) - 1;
    uint32_t ahead = (low - last) & mask;

    return ahead <= mask / 2 ? last + ahead : last - (mask + 1 - ahead);
}

static MeshFrame read_header(BytesReader *reader, const LiveStream *stream) {
    MeshFrame frame = {.kind = stream->kind};
    uint8_t flags = bytes_read_u8(reader);
    uint32_t time_ms;

    frame.flags = flags & 0x0f;
    frame.codec = flags >> 4;
    frame.level = bytes_read_u8(reader);
    frame.number = complete(bytes_read_u16(reader), 16, stream->last_number);
    time_ms = bytes_read_u16(reader);
    time_ms |= (uint32_t)bytes_read_u8(reader) << 16;
    frame.media_time_ms = complete(time_ms, 24, stream->last_time_ms);
    frame.duration_ms = bytes_read_u16(reader);
    return frame;
}

MeshError live_frame_received(Mesh *mesh, uint32_t slot, Bytes body) {
    uint8_t plain[MESH_FRAME_MAX];
    uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    uint8_t tag[TAG_SIZE];
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t number = bytes_read_u8(&reader);
    LiveStream *stream = find(mesh, slot, number);
    MeshFrame frame;
    Bytes cipher;

    if (body.length <= HEADER_SIZE + TAG_SIZE ||
        body.length > HEADER_SIZE + MESH_FRAME_MAX + TAG_SIZE) {
        return MESH_ERROR_MALFORMED;
    }
    if (!stream) {
        /* It was told of when we did not know yet who speaks, or it has just ended. */
        ask(mesh, slot, number, &mesh->live.lacked_us[slot]);
    }
    if (!stream || stream->state != STREAM_OPEN) {
        return MESH_ERROR_UNKNOWN;
    }
    frame = read_header(&reader, stream);
    cipher = BYTES_AT(body.data + HEADER_SIZE, body.length - HEADER_SIZE - TAG_SIZE);
    tag_of(&stream->keys, &frame, BYTES_AT(body.data, HEADER_SIZE), cipher, tag);
    if (!bytes_equal(tag, body.data + body.length - TAG_SIZE, TAG_SIZE)) {
        return MESH_ERROR_FORGED;
    }
    nonce_of(frame.number, nonce);
    crypto_stream_chacha20_ietf_xor(plain, cipher.data, cipher.length, nonce, stream->keys.cipher);
    frame.payload = BYTES_AT(plain, cipher.length);
    if ((int32_t)(frame.number - stream->last_number) > 0) {
        stream->last_number = frame.number;
        stream->last_time_ms = frame.media_time_ms;
    }
    effect(mesh, MESH_EFFECT_FRAME, stream, &frame);
    return MESH_OK;
}

/* ---- keyframes ---- */

MeshError live_keyframe(Mesh *mesh, uint32_t number) {
    LiveStream *stream = NULL;

    for (size_t i = 0; !stream && i < MESH_STREAMS_MAX; i++) {
        LiveStream *candidate = &mesh->live.streams[i];

        stream = candidate->state == STREAM_OPEN && candidate->stream == number ? candidate : NULL;
    }
    if (!stream || stream->kind == MESH_STREAM_VOICE) {
        return MESH_ERROR_UNKNOWN;
    }
    ask(mesh, stream->slot, stream->number, &stream->asked_us);
    return MESH_OK;
}

MeshError live_keyframe_received(Mesh *mesh, uint32_t slot, Bytes body) {
    uint8_t kind = body.length == 1 ? body.data[0] : 0;
    Neighbour *neighbour = neighbour_at(mesh, slot);
    uint32_t trip_us = link_state(neighbour->link, mesh->now_us).rtt_us;
    const LiveOwn *own;

    if (kind < MESH_STREAM_VOICE || kind > MESH_STREAM_SCREEN) {
        return MESH_ERROR_MALFORMED;
    }
    own = &mesh->live.own[kind];
    if (own->state != LIVE_SENDING) {
        return MESH_ERROR_UNKNOWN; /* it has just ended */
    }
    announce(mesh, neighbour, (MeshStreamKind)kind);
    if (own->keyframe_us == 0 || mesh->now_us - own->keyframe_us >= trip_us + HELD_US) {
        want_keyframe(mesh, (MeshStreamKind)kind);
    }
    return MESH_OK;
}
