/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/mesh_feed_row.h"

bool row_filter(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return (from + 1 == to || to + 1 == from) && from < 3 && to < 3;
}

Room *row_new(void) {
    Room *room = room_new();

    room_meet(room, 3);
    room->filter = row_filter;
    room_run(room, 70 * S);
    g_assert_true(neighbour_is_direct(peer_neighbour(&room->peers[1], &room->peers[0])));
    g_assert_true(neighbour_is_direct(peer_neighbour(&room->peers[1], &room->peers[2])));
    g_assert_false(peer_neighbour(&room->peers[0], &room->peers[2]) &&
                   neighbour_is_direct(peer_neighbour(&room->peers[0], &room->peers[2])));
    return room;
}

void row_start(Peer *peer, MeshStreamKind kind) {
    g_assert_cmpint(
        peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_STREAM_START, .stream_kind = kind})->error,
        ==, MESH_OK);
}

void row_stop(Peer *peer, MeshStreamKind kind) {
    peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_STREAM_STOP, .stream_kind = kind});
}

guint row_spoken;

void row_speak(Peer *peer, guint frames, uint8_t level) {
    for (guint i = 0; i < frames; i++) {
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_FRAME,
                                     .frame = {.kind = MESH_STREAM_VOICE,
                                               .number = row_spoken++,
                                               .duration_ms = ROW_FRAME_MS,
                                               .level = level,
                                               .payload = BYTES_AT("a voice", 7)}});
        room_run(peer->room, ROW_FRAME_MS * MS);
    }
}

uint32_t row_slot(Peer *peer, const Peer *other) {
    return neighbour_slot(peer->mesh, peer_neighbour(peer, other));
}

Stream *row_heard(Peer *peer, const Peer *speaker) {
    return stream_of(peer->mesh, &speaker->key, MESH_STREAM_VOICE);
}

void row_send(Peer *from, const Peer *to, uint8_t kind, Bytes body) {
    g_assert_true(
        neighbour_send(from->mesh, peer_neighbour(from, to), LINK_CONTROL, UINT64_MAX, kind, body));
    peer_step(from, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    room_run(from->room, 10 * MS);
}

bool ring_filter(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return (from + to) % 2 == 1;
}

Room *ring_new(void) {
    Room *room = room_new();

    room_meet(room, 4);
    room->filter = ring_filter;
    room_run(room, 70 * S);
    return room;
}

Peer *row_pusher(Peer *listener, const Peer *speaker) {
    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        Peer *peer = &listener->room->peers[i];

        if (peer != listener && peer_neighbour(listener, peer) &&
            row_heard(listener, speaker)->pusher == row_slot(listener, peer)) {
            return peer;
        }
    }
    g_assert_not_reached();
}
