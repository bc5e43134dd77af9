/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/relayed.h"

#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/loudest.h"
#include "mesh/overlay/message.h"

void relayed_tell(Mesh *mesh, Stream *stream, uint32_t slot, bool anew) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    StreamWord word = {.kind = stream->kind,
                       .speaker = stream->speaker,
                       .last_number = stream->last_number,
                       .last_time_ms = stream->last_time_ms};
    uint8_t body[STREAM_WORD_SIZE];

    if ((stream->told >> slot & 1 && !anew) || !neighbour ||
        !neighbour_is_greeted(mesh, neighbour) ||
        mesh_key_equal(&neighbour->key, &stream->speaker)) {
        return;
    }
    if (stream->name == 0) {
        stream->name = told_name(mesh);
    }
    word.name = stream->name;
    memcpy(word.id, stream->id, sizeof word.id);
    memcpy(word.epoch_key, stream->epoch_key, sizeof word.epoch_key);
    told_write(&word, body);
    if (neighbour_send(mesh, neighbour, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM, BYTES_OF(body))) {
        stream->told |= 1ull << slot;
    }
}

void relayed_tell_all(Mesh *mesh, Stream *stream) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && !(stream->tellers >> slot & 1) &&
            !feed_hears_source(mesh, neighbour, &stream->speaker)) {
            relayed_tell(mesh, stream, slot, false);
        }
    }
}

void relayed_greet(Mesh *mesh, uint32_t slot) {
    mesh->streams.look = true;
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state == STREAM_OPEN && stream->proven &&
            !feed_hears_source(mesh, neighbour_at(mesh, slot), &stream->speaker)) {
            relayed_tell(mesh, stream, slot, false);
        }
    }
}

void relayed_end(Mesh *mesh, Stream *stream, uint32_t from) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && slot != from && stream->told >> slot & 1) {
            neighbour_send(mesh, neighbour, LINK_CONTROL, UINT64_MAX, MESSAGE_STREAM_END,
                           BYTES_AT(&stream->name, 1));
        }
    }
}

void relayed_frame(Mesh *mesh, Stream *stream, uint32_t slot, const MeshFrame *frame, Bytes body) {
    uint64_t asked = feed_asked(mesh, &stream->speaker, stream->kind) & ~(1ull << slot);
    uint64_t slots = feed_targets(mesh, &stream->load, &stream->speaker) & ~(1ull << slot);

    feed_load(mesh, &stream->load, body.length);
    if (frame->kind == MESH_STREAM_VOICE && !loudest_passes(mesh, stream, frame)) {
        stream->load.pushed = 0;
        return;
    }
    slots = feed_grant(mesh, &stream->load, stream->kind, slots, asked);
    for (uint32_t to = 0; slots && to < mesh->neighbours.end; to++) {
        if (slots >> to & 1) {
            relayed_tell(mesh, stream, to, false);
        }
    }
    slots &= stream->told;
    stream->load.pushed = slots;
    if (!slots) {
        return;
    }
    feed_frame(mesh, &stream->load, slots, frame, stream->name, body);
    mesh->counters.forwarded++;
}
