/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/live.h"

#include <sodium.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"

#define KEYFRAME_US S
/* How long a player holds a frame back: what was asked for so soon is already on its way. */
#define HELD_US (200 * MS)

void live_finish(Mesh *mesh) {
    sodium_memzero(&mesh->live, sizeof mesh->live);
}

static void announce(Mesh *mesh, Neighbour *neighbour, MeshStreamKind kind) {
    const LiveOwn *own = &mesh->live.own[kind];
    StreamWord word = {.name = own->name,
                       .kind = kind,
                       .speaker = mesh->self.key,
                       .last_number = own->number,
                       .last_time_ms = own->time_ms};
    uint8_t body[STREAM_WORD_SIZE];

    memcpy(word.id, own->id, sizeof word.id);
    memcpy(word.epoch_key, own->epoch_key, sizeof word.epoch_key);
    told_write(&word, body);
    if (neighbour) {
        neighbour_send(mesh, neighbour, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM, BYTES_OF(body));
    } else {
        neighbours_send(mesh, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM, BYTES_OF(body));
    }
}

static void end(Mesh *mesh, const LiveOwn *own) {
    if (own->state == LIVE_SENDING) {
        neighbours_send(mesh, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM_END,
                        BYTES_AT(&own->name, 1));
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
    end(mesh, own);
    own->state = LIVE_READY;
    own->wanted_us = UINT64_MAX;
    own->name = told_name(mesh);
    core_random(mesh, own->id, sizeof own->id);
    memcpy(own->epoch_key, epoch->id, sizeof own->epoch_key);
    frame_keys(epoch, &mesh->self.key, own->id, &own->keys);
    return MESH_OK;
}

void live_stop(Mesh *mesh, MeshStreamKind kind) {
    if (kind < MESH_STREAM_VOICE || kind > MESH_STREAM_SCREEN) {
        return;
    }
    end(mesh, &mesh->live.own[kind]);
    sodium_memzero(&mesh->live.own[kind], sizeof mesh->live.own[kind]);
}

void live_epoch_changed(Mesh *mesh) {
    for (MeshStreamKind kind = MESH_STREAM_VOICE; kind <= MESH_STREAM_SCREEN; kind++) {
        if (mesh->live.own[kind].state != LIVE_OFF &&
            memcmp(mesh->live.own[kind].epoch_key, mesh->meeting.roster.current_key,
                   ENTRY_KEY_ID_SIZE) != 0 &&
            meeting_current_key(&mesh->meeting)) {
            live_start(mesh, kind);
        }
    }
}

const LiveOwn *live_named(const Mesh *mesh, uint8_t name) {
    for (MeshStreamKind kind = MESH_STREAM_VOICE; kind <= MESH_STREAM_SCREEN; kind++) {
        const LiveOwn *own = &mesh->live.own[kind];

        if (own->state != LIVE_OFF && own->name == name) {
            return own;
        }
    }
    return NULL;
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

void live_tell(Mesh *mesh, Neighbour *neighbour, MeshStreamKind kind) {
    if (mesh->live.own[kind].state == LIVE_SENDING) {
        announce(mesh, neighbour, kind);
        want_keyframe(mesh, kind);
    }
}

void live_greet(Mesh *mesh, uint32_t slot) {
    for (MeshStreamKind kind = MESH_STREAM_VOICE; kind <= MESH_STREAM_SCREEN; kind++) {
        live_tell(mesh, neighbour_at(mesh, slot), kind);
    }
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

MeshError live_frame(Mesh *mesh, const MeshFrame *frame) {
    uint8_t body[FRAME_BODY_SIZE];
    LiveOwn *own;
    uint64_t slots;
    size_t length;

    if (frame->kind < MESH_STREAM_VOICE || frame->kind > MESH_STREAM_SCREEN ||
        mesh->live.own[frame->kind].state == LIVE_OFF) {
        return MESH_ERROR_STATE;
    }
    if (frame->payload.length == 0 || frame->payload.length > MESH_FRAME_MAX) {
        return MESH_ERROR_TOO_LARGE;
    }
    own = &mesh->live.own[frame->kind];
    account_frame(mesh, frame);
    length = frame_seal(&own->keys, own->name, frame, body);
    feed_load(mesh, &own->load, length);
    slots = feed_targets(mesh, &own->load, &mesh->self.key) |
            feed_asked(mesh, &mesh->self.key, frame->kind);
    feed_frame(mesh, &own->load, slots, frame, own->name, BYTES_AT(body, length));
    return MESH_OK;
}

MeshError live_keyframe_wanted(Mesh *mesh, uint32_t slot, uint8_t name) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    uint32_t trip_us = link_rtt_us(neighbour->link);
    const LiveOwn *own = live_named(mesh, name);
    MeshStreamKind kind;

    if (!own || own->state != LIVE_SENDING) {
        return MESH_ERROR_UNKNOWN; /* it has just ended */
    }
    kind = (MeshStreamKind)(own - mesh->live.own);
    announce(mesh, neighbour, kind);
    if (own->keyframe_us == 0 || mesh->now_us - own->keyframe_us >= trip_us + HELD_US) {
        want_keyframe(mesh, kind);
    }
    return MESH_OK;
}
