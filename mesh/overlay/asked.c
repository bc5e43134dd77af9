/* SPDX-License-Identifier: MPL-2.0 */
/* What neighbours ask to be pushed, and whether that is granted. */
#include "mesh/core.h"
#include "mesh/overlay/ask.h"
#include "mesh/overlay/relayed.h"

#define RUNS_US (5 * S) /* a stream that came so lately can be pushed on */

/* There is room for one more. */
static bool may_push(Mesh *mesh, FeedLoad *load, uint32_t slot, const MeshKey *speaker,
                     MeshStreamKind kind) {
    uint64_t bit = 1ull << slot;
    uint64_t targets = feed_targets(mesh, load, speaker);
    uint64_t asked = feed_asked(mesh, speaker, kind) | bit;

    if (map_is_weak(mesh, &mesh->self.key) &&
        map_degree(mesh, &neighbour_view(mesh, slot)->key) > 1) {
        return false; /* others can */
    }
    return feed_grant(mesh, load, kind, targets, asked) & bit;
}

/* Whether a neighbour's wish is granted: it is so already, or what is here is further than it has;
 * in an outage of the speaker's line nobody has more. */
static bool grant(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind,
                  uint32_t number) {
    LiveOwn *own = &mesh->live.own[kind];
    Stream *stream = stream_of(mesh, speaker, kind);
    bool again = feed_asked(mesh, speaker, kind) >> slot & 1;

    if (again) {
        return true;
    }
    if (mesh_key_equal(speaker, &mesh->self.key)) {
        if (own->state != LIVE_SENDING || (int32_t)(own->number - number) <= 0 ||
            !may_push(mesh, &own->load, slot, speaker, kind)) {
            return false;
        }
        live_tell(mesh, neighbour_at(mesh, slot), kind);
        return true;
    }
    if (!stream || stream->pusher == slot || stream->came_us == 0 ||
        mesh->now_us >= stream->came_us + RUNS_US || (int32_t)(stream->last_number - number) <= 0 ||
        !may_push(mesh, &stream->load, slot, speaker, kind)) {
        return false;
    }
    relayed_tell(mesh, stream, slot, false);
    return true;
}

MeshError ask_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshStreamKind kind;
    MeshKey speaker;
    uint32_t number;
    MeshError error = ask_read_place(mesh, &reader, &speaker, &kind, &number);
    uint8_t seconds = bytes_read_u8(&reader);

    if (error || !bytes_done(&reader) || seconds > MESH_ASK_S_MAX) {
        return error ? error : MESH_ERROR_MALFORMED;
    }
    if (seconds == 0) {
        feed_ask_no_more(mesh, slot, &speaker, kind);
        return MESH_OK;
    }
    return grant(mesh, slot, &speaker, kind, number)
               ? feed_ask(mesh, slot, &speaker, kind, seconds * S)
               : MESH_OK;
}
