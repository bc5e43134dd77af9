/* SPDX-License-Identifier: MPL-2.0 */
/* What comes in: whose datagram it is, and who reads the messages it completes. */
#include <sodium.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/ask.h"
#include "mesh/overlay/message.h"

#define NONSENSE_MOST 32 /* packets and records of one link that no honest one sends */

/* ---- messages ---- */

/* Which messages someone may send who is in no roster yet. */
static bool is_open_to_all(uint8_t kind) {
    return kind == MESSAGE_JOIN || kind == MESSAGE_WELCOME || kind == MESSAGE_REFUSE ||
           kind == MESSAGE_JOIN_RELAY || kind == MESSAGE_WELCOME_RELAY || kind == MESSAGE_DIGEST ||
           kind == MESSAGE_CLOCK || kind == MESSAGE_ENTRY || kind == MESSAGE_ADDRESSES ||
           kind == MESSAGE_GREET;
}

static MeshError dispatch(Mesh *mesh, Neighbour *neighbour, uint8_t kind, Bytes body) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    if (!is_open_to_all(kind) && !neighbour_is_trusted(mesh, neighbour)) {
        return MESH_ERROR_FORBIDDEN;
    }
    switch ((MessageKind)kind) {
    case MESSAGE_GREET:
        neighbour_greeted(mesh, neighbour);
        return MESH_OK;
    case MESSAGE_JOIN:
        return admission_join(mesh, slot, body, false);
    case MESSAGE_JOIN_RELAY:
        return admission_join(mesh, slot, body, true);
    case MESSAGE_WELCOME:
        return join_welcome(mesh, slot, body);
    case MESSAGE_WELCOME_RELAY:
        return join_welcome_relay(mesh, slot, body);
    case MESSAGE_REFUSE:
        return join_refuse(mesh, slot, body);
    case MESSAGE_DIGEST:
        return pull_digest(mesh, slot, body);
    case MESSAGE_CLOCK:
        return pull_clock(mesh, slot, body);
    case MESSAGE_PULL:
        return serve_pull(mesh, slot, body);
    case MESSAGE_PULL_HASH:
        return serve_pull_hash(mesh, slot, body);
    case MESSAGE_ENTRY:
        return sync_entry(mesh, slot, body);
    case MESSAGE_BRIEF:
        return sync_brief(mesh, slot, body);
    case MESSAGE_BRIEF_WANT:
        return serve_brief_want(mesh, slot, body);
    case MESSAGE_KEY_WANT:
        return pull_key_want(mesh, slot, body);
    case MESSAGE_KEY:
        return pull_key(mesh, slot, body);
    case MESSAGE_ADDRESSES:
        return reach_addresses_received(mesh, neighbour, body);
    case MESSAGE_NEARBY:
        return nearby_received(mesh, body);
    case MESSAGE_FORWARD:
        return forward_received(mesh, neighbour, body);
    case MESSAGE_ICE:
        upgrade_offer_received(mesh, neighbour, body);
        return MESH_OK;
    case MESSAGE_WANT:
        return library_want(mesh, slot, body);
    case MESSAGE_BLOCK:
        return library_block(mesh, slot, body);
    case MESSAGE_GIVE:
        return library_given(mesh, slot, body);
    case MESSAGE_LACK:
        return library_lack(mesh, slot, body);
    case MESSAGE_HAVE:
        return library_have(mesh, slot, body);
    case MESSAGE_STREAM:
        return told_stream(mesh, slot, body);
    case MESSAGE_STREAM_END:
        return told_stream_end(mesh, slot, body);
    case MESSAGE_FRAME:
        pulse_voice(mesh, neighbour, false);
        return stream_frame(mesh, slot, body);
    case MESSAGE_KEYFRAME:
        return stream_keyframe_received(mesh, slot, body);
    case MESSAGE_FEED_AT:
        return ask_at_received(mesh, slot, body);
    case MESSAGE_FEED_ASK:
        return ask_received(mesh, slot, body);
    case MESSAGE_MAP:
        return spread_records_received(mesh, slot, body);
    case MESSAGE_MAP_DIGEST:
        return gap_digest_received(mesh, slot, body);
    case MESSAGE_MAP_CLOCK:
        return gap_clock_received(mesh, slot, body);
    case MESSAGE_MAP_HAVE:
        return gap_have_received(mesh, slot, body);
    case MESSAGE_MAP_TELL:
        return spread_tell_received(mesh, slot, body);
    }
    return MESH_OK; /* a kind of a newer version */
}

/* ---- datagrams ---- */

void neighbours_count(Mesh *mesh, MeshError error) {
    switch (error) {
    case MESH_OK:
        break;
    case MESH_ERROR_MALFORMED:
        mesh->counters.malformed++;
        break;
    case MESH_ERROR_FORGED:
        mesh->counters.forged++;
        break;
    case MESH_ERROR_REPLAYED:
        mesh->counters.replayed++;
        break;
    case MESH_ERROR_FULL:
        mesh->counters.limited++;
        break;
    default:
        mesh->counters.refused++;
        break;
    }
}

static void take_messages(Mesh *mesh, uint32_t slot) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    Bytes message;

    /* A message may end the link: then nothing more of it is read. */
    while (neighbour && neighbour == neighbour_at(mesh, slot) && neighbour_is_up(neighbour) &&
           link_take(neighbour->link, &message)) {
        neighbours_count(mesh, dispatch(mesh, neighbour, message.data[0],
                                        BYTES_AT(message.data + 1, message.length - 1)));
    }
}

static void echo(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, Bytes token) {
    uint8_t datagram[64 + SESSION_OVERHEAD_SIZE];
    size_t length;

    if (token.length > 64) {
        return;
    }
    length = session_seal(&neighbour->keyring.current->session, SESSION_ECHO, neighbour->counter++,
                          token, datagram);
    neighbour->tx_bytes += length;
    neighbour_transmit(mesh, path, BYTES_AT(datagram, length), LINK_CONTROL);
}

void neighbour_nonsense(Mesh *mesh, Neighbour *neighbour) {
    if (++neighbour->nonsense >= NONSENSE_MOST) {
        neighbour->nonsense = 0;
        route_lost(mesh, neighbour, MESH_END_RENEWED);
    }
}

static void judge(Mesh *mesh, uint32_t slot, MeshError error) {
    Neighbour *neighbour = neighbour_at(mesh, slot);

    if (neighbour && error == MESH_ERROR_MALFORMED) {
        neighbour_nonsense(mesh, neighbour);
    }
}

/* Since the probe that this answers. */
static uint64_t took_us(const Mesh *mesh, SessionKind kind, Bytes plain) {
    BytesReader reader = bytes_reader(plain.data, plain.length);
    uint64_t began_us = kind == SESSION_ECHO ? bytes_read_u64(&reader) : mesh->now_us;

    return !reader.failed && began_us <= mesh->now_us ? mesh->now_us - began_us : UINT64_MAX;
}

static MeshError opened(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, Keys *keys,
                        SessionKind kind, uint64_t counter, Bytes plain) {
    const Keyring *keyring = &neighbour->keyring;
    uint32_t slot = neighbour_slot(mesh, neighbour);
    RouteSign sign = {.kind = kind, .counter = counter, .took_us = took_us(mesh, kind, plain)};
    MeshError error = MESH_OK;

    if (keyring_is_stale(keyring, keys, neighbour->instance)) {
        contact_sighted(mesh, neighbour, path);
        return MESH_OK;
    }
    if (kind == SESSION_BYE) {
        route_left(mesh, neighbour, plain);
        return MESH_OK;
    }
    if (keys != keyring->current && keyring_is_newer(keyring, keys, neighbour->first) &&
        !contact_confirmed(mesh, neighbour, keys)) {
        return MESH_ERROR_NO_MEMORY;
    }
    route_heard(mesh, neighbour, path, &sign);
    if (kind == SESSION_PROBE) {
        echo(mesh, neighbour, path, plain);
    } else if (kind == SESSION_ECHO && mesh_path_equal(path, &neighbour->path)) {
        link_answered(neighbour->link, mesh->now_us, sign.took_us);
    } else if (kind == SESSION_DATA) {
        error = link_receive(neighbour->link, mesh->now_us, counter, plain);
        take_messages(mesh, slot);
        judge(mesh, slot, error);
    }
    return error;
}

static bool comes_by(const Neighbour *neighbour, const MeshPath *path) {
    switch (path->kind) {
    case MESH_PATH_ICE:
        return neighbour->upgrade != UPGRADE_NONE && neighbour->agent == path->agent;
    case MESH_PATH_RELAY:
        return !memcmp(neighbour->key.bytes, path->ip, SHORT_KEY_SIZE);
    default:
        return mesh_path_equal(&neighbour->path, path);
    }
}

/* Tries the keys of this phase that were agreed with one neighbour; true when some opened it,
 * `ret_error` is what came of it. */
static bool open_by(Mesh *mesh, uint32_t slot, const MeshPath *path, uint8_t phase, Bytes datagram,
                    MeshError *ret_error) {
    const Neighbour *neighbour = neighbour_view(mesh, slot);
    uint8_t plain[MESH_DATAGRAM_MAX];
    SessionKind kind;
    uint64_t counter;
    size_t length;
    bool replayed = false;

    if (!route_may_be(mesh, path, neighbour)) {
        return false;
    }
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        Keys *keys = neighbour->keyring.keys[i];
        MeshError error =
            keys && keys->session.phase == phase
                ? session_open(&keys->session, datagram, &kind, &counter, plain, &length)
                : MESH_ERROR_FORGED;

        if (!error) {
            neighbour_at(mesh, slot)->rx_bytes += datagram.length;
            *ret_error = opened(mesh, neighbour_at(mesh, slot), path, keys, kind, counter,
                                BYTES_AT(plain, length));
            sodium_memzero(plain, length);
            return true;
        }
        replayed = replayed || error == MESH_ERROR_REPLAYED;
    }
    /* A counter too old for one may be new to another: only the keys tell whose it is. */
    mesh->counters.replayed += replayed && comes_by(neighbour, path);
    return false;
}

static MeshError transport(Mesh *mesh, const MeshPath *path, uint8_t phase, Bytes datagram) {
    MeshError error = MESH_ERROR_FOREIGN;

    /* Where it comes from says whose it most often is; a moved node is found by trying all. */
    for (int expected = 1; expected >= 0; expected--) {
        uint64_t slots =
            expected && path->kind == MESH_PATH_KNOCK ? due_by(mesh, path) : UINT64_MAX;

        for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
            const Neighbour *neighbour = slots >> slot & 1 ? neighbour_view(mesh, slot) : NULL;

            if (neighbour && comes_by(neighbour, path) == expected &&
                open_by(mesh, slot, path, phase, datagram, &error)) {
                return error;
            }
        }
    }
    return error;
}

MeshError neighbours_datagram(Mesh *mesh, const MeshPath *path, Bytes datagram) {
    SessionKind kind;
    uint8_t phase;
    MeshError error = MESH_ERROR_MALFORMED;

    mesh->counters.datagrams_in++;
    if (datagram.length == 0 || datagram.length > MESH_DATAGRAM_MAX) {
        error = MESH_ERROR_MALFORMED;
    } else if (datagram.data[0] == HANDSHAKE_INIT) {
        error = contact_init(mesh, path, datagram);
    } else if (datagram.data[0] == HANDSHAKE_ANSWER) {
        error = contact_answer(mesh, path, datagram);
    } else if (datagram.data[0] == HAIL_HAIL) {
        error = reach_hail_received(mesh, path, datagram);
    } else if (datagram.data[0] == HAIL_HERE) {
        error = reach_here_received(mesh, path, datagram);
    } else if (datagram.data[0] == PORTER_PASS) {
        error = porter_received(mesh, path, datagram);
    } else if (session_peek(datagram, &kind, &phase)) {
        error = transport(mesh, path, phase, datagram);
    }
    if (error == MESH_ERROR_FOREIGN) {
        mesh->counters.foreign++;
    } else {
        neighbours_count(mesh, error);
    }
    return error;
}
