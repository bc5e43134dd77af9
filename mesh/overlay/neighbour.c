/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/neighbour.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/journal/owed.h"
#include "mesh/overlay/message.h"
#include "mesh/overlay/relayed.h"

#define RELAY_OVERHEAD 58      /* of the carrying link: its seal, its framing, ours */
#define HEAD_SIZE      32      /* of a body in two parts */
#define AWAITED_US     (3 * S) /* and so long to speak first */

/* ---- slots ---- */

bool neighbours_init(Neighbours *neighbours) {
    neighbours->dues = calloc(1, sizeof *neighbours->dues);
    return neighbours->dues != NULL;
}

/* The first bytes of a key: two that differ in them are two. */
static uint64_t name_of(const uint8_t key[SHORT_KEY_SIZE]) {
    uint64_t name;

    memcpy(&name, key, sizeof name);
    return name;
}

const Neighbour *neighbour_view(const Mesh *mesh, uint32_t slot) {
    return slot < MESH_PEERS_MAX ? mesh->neighbours.slots[slot] : NULL;
}

Neighbour *neighbour_at(const Mesh *mesh, uint32_t slot) {
    if (!neighbour_view(mesh, slot)) {
        return NULL;
    }
    due_stir(mesh, slot);
    return mesh->neighbours.slots[slot];
}

uint32_t neighbour_slot(const Mesh *mesh, const Neighbour *neighbour) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (mesh->neighbours.slots[slot] == neighbour) {
            return slot;
        }
    }
    return NEIGHBOUR_NONE;
}

/* The slot of this key, or of the one that begins so; NEIGHBOUR_NONE. */
static uint32_t find(const Mesh *mesh, const uint8_t *key, size_t length) {
    const Neighbours *neighbours = &mesh->neighbours;
    uint64_t name = name_of(key);

    for (uint32_t slot = 0; slot < neighbours->end; slot++) {
        if (neighbours->names[slot] == name && neighbours->slots[slot] &&
            !memcmp(neighbours->slots[slot]->key.bytes, key, length)) {
            return slot;
        }
    }
    return NEIGHBOUR_NONE;
}

const Neighbour *neighbour_view_of(const Mesh *mesh, const MeshKey *key) {
    return neighbour_view(mesh, find(mesh, key->bytes, MESH_KEY_SIZE));
}

Neighbour *neighbour_find(const Mesh *mesh, const MeshKey *key) {
    return neighbour_at(mesh, find(mesh, key->bytes, MESH_KEY_SIZE));
}

Neighbour *neighbour_find_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]) {
    return neighbour_at(mesh, find(mesh, key, SHORT_KEY_SIZE));
}

Neighbour *neighbour_want(Mesh *mesh, const MeshKey *key, const uint8_t psk[HANDSHAKE_PSK_SIZE],
                          bool by_ticket) {
    Neighbour *neighbour = neighbour_find(mesh, key);
    uint32_t slot = 0;

    if (neighbour) {
        if (neighbour->by_ticket && !by_ticket) {
            memcpy(neighbour->psk, psk, sizeof neighbour->psk);
            neighbour->by_ticket = false;
            contact_forget(neighbour);
        }
        return neighbour;
    }
    while (slot < MESH_PEERS_MAX && mesh->neighbours.slots[slot]) {
        slot++;
    }
    neighbour = slot < MESH_PEERS_MAX ? calloc(1, sizeof *neighbour) : NULL;
    if (!neighbour) {
        return NULL;
    }
    neighbour->key = *key;
    neighbour->by_ticket = by_ticket;
    neighbour->doubt_us = core_member(mesh, key) ? UINT64_MAX : mesh->now_us + NEIGHBOUR_DOUBT_US;
    neighbour->leave_us = UINT64_MAX;
    neighbour->gone_us = UINT64_MAX;
    neighbour->counter = 1;
    memcpy(neighbour->psk, psk, sizeof neighbour->psk);
    core_random(mesh, neighbour->instance, sizeof neighbour->instance);
    if (identity_static_of_key(key, neighbour->static_key)) {
        free(neighbour);
        return NULL;
    }
    neighbour->first = memcmp(mesh->self.static_public, neighbour->static_key, 32) < 0;
    mesh->neighbours.slots[slot] = neighbour;
    mesh->neighbours.names[slot] = name_of(key->bytes);
    if (mesh->neighbours.end <= slot) {
        mesh->neighbours.end = slot + 1;
    }
    return neighbour_at(mesh, slot);
}

void neighbour_drop(Mesh *mesh, Neighbour *neighbour) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    route_lost(mesh, neighbour,
               core_member(mesh, &neighbour->key) ? MESH_END_LET_GO : MESH_END_EXPELLED);
    upgrade_stop(mesh, neighbour);
    library_lost(mesh, slot);
    sync_forget(mesh, slot);
    admission_forget(mesh, slot);
    keyring_finish(&neighbour->keyring);
    link_destroy(neighbour->link);
    contact_forget(neighbour);
    free(neighbour->remote_offer);
    sodium_memzero(neighbour, sizeof *neighbour);
    free(neighbour);
    mesh->neighbours.slots[slot] = NULL;
    due_stir(mesh, slot);
    while (mesh->neighbours.end > 0 && !mesh->neighbours.slots[mesh->neighbours.end - 1]) {
        mesh->neighbours.end--;
    }
}

void neighbours_leave(Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour) {
            neighbour->leave_us = mesh->now_us;
        }
    }
}

bool neighbour_is_awaited(const Mesh *mesh, const Neighbour *neighbour) {
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        const Keys *keys = neighbour->keyring.keys[i];

        if (keys && !keys->own && mesh->now_us < keys->made_us + AWAITED_US) {
            return true;
        }
    }
    return false;
}

bool neighbours_any_up(const Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour->linked == LINKED_UP) {
            return true;
        }
    }
    return false;
}

bool neighbours_make_room(Mesh *mesh, bool stranger) {
    Neighbour *least = NULL;
    size_t strangers = 0;
    size_t count = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);
        bool idle = neighbour && !neighbour_is_up(neighbour) && neighbour->hand_until_us == 0 &&
                    !neighbour_is_awaited(mesh, neighbour);

        count += neighbour != NULL;
        strangers += neighbour && neighbour->doubt_us != UINT64_MAX;
        if (idle && (!least || neighbour->heard_us < least->heard_us)) {
            least = neighbour;
        }
    }
    if (stranger && strangers >= MESH_HALF_OPEN_MAX) {
        return false;
    }
    if (count == MESH_PEERS_MAX && least) {
        neighbour_drop(mesh, least);
        count--;
    }
    return count < MESH_PEERS_MAX;
}

void neighbours_finish(Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour) {
            neighbour_drop(mesh, neighbour);
        }
    }
    free(mesh->neighbours.dues);
}

bool neighbour_is_up(const Neighbour *neighbour) {
    return neighbour->linked != LINKED_NOT;
}

bool neighbour_may_send(const Neighbour *neighbour) {
    return neighbour_is_up(neighbour) && !neighbour->quiet;
}

bool neighbour_is_direct(const Neighbour *neighbour) {
    return neighbour->linked == LINKED_UP && neighbour->path.kind != MESH_PATH_RELAY;
}

bool neighbour_is_trusted(Mesh *mesh, const Neighbour *neighbour) {
    return neighbour_is_up(neighbour) && neighbour->leave_us == UINT64_MAX &&
           mesh->status == MESH_STATUS_MEMBER && core_member(mesh, &neighbour->key);
}

bool neighbour_is_greeted(Mesh *mesh, const Neighbour *neighbour) {
    return neighbour->greeting == GREETING_BOTH && neighbour_is_trusted(mesh, neighbour);
}

void neighbour_add_address(Neighbour *neighbour, const MeshPath *path) {
    size_t at = 0;

    if (path->kind != MESH_PATH_KNOCK) {
        return;
    }
    while (at < neighbour->address_count && !mesh_path_equal(&neighbour->addresses[at], path)) {
        at++;
    }
    if (at == neighbour->address_count && at < MESH_ADDRESSES_MAX) {
        neighbour->address_count++;
    } else if (at == MESH_ADDRESSES_MAX) {
        at--;
    }
    memmove(neighbour->addresses + 1, neighbour->addresses, at * sizeof *neighbour->addresses);
    neighbour->addresses[0] = *path;
}

/* Begins to tell what only members are told. */
static void tell_all(Mesh *mesh, Neighbour *neighbour) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    sync_push(mesh, slot);
    sync_greet(mesh, slot);
    live_greet(mesh, slot);
    relayed_greet(mesh, slot);
    gap_greet(mesh, slot);
    nearby_greet(mesh, slot);
    map_links_changed(mesh);
}

static void greet(Mesh *mesh, Neighbour *neighbour) {
    neighbour->greeting |= GREETING_SAID;
    neighbour->by_ticket = false;
    neighbour->doubt_us = UINT64_MAX;
    reach_keep_addresses(mesh, neighbour);
    if (!neighbour->keyring.current->greets) {
        neighbour_send(mesh, neighbour, LINK_CONTROL, UINT64_MAX, MESSAGE_GREET, BYTES_NONE);
    }
    if (neighbour->greeting == GREETING_BOTH) {
        tell_all(mesh, neighbour);
    }
}

void neighbours_greet(Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && !(neighbour->greeting & GREETING_SAID) &&
            neighbour_is_trusted(mesh, neighbour)) {
            greet(mesh, neighbour_at(mesh, slot));
        }
    }
}

void neighbour_greeted(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->greeting & GREETING_HEARD) {
        return;
    }
    neighbour->greeting |= GREETING_HEARD;
    if (neighbour->greeting == GREETING_BOTH) {
        tell_all(mesh, neighbour);
    }
}

/* ---- sending ---- */

bool neighbour_send(Mesh *mesh, Neighbour *neighbour, LinkPriority priority, uint64_t life_us,
                    uint8_t kind, Bytes body) {
    return neighbour_send_parts(mesh, neighbour, priority, life_us, kind, BYTES_NONE, body);
}

bool neighbour_send_parts(Mesh *mesh, Neighbour *neighbour, LinkPriority priority, uint64_t life_us,
                          uint8_t kind, Bytes head, Bytes rest) {
    uint64_t deadline_us = life_us == UINT64_MAX ? UINT64_MAX : mesh->now_us + life_us;
    uint8_t bytes[1 + HEAD_SIZE];
    BytesWriter first = bytes_writer(bytes, sizeof bytes);
    MeshError error;

    bytes_write_u8(&first, kind);
    bytes_write(&first, head.data, head.length);
    assert(!first.failed);
    if (!neighbour_is_up(neighbour) || head.length + rest.length >= MESH_MESSAGE_MAX) {
        return false;
    }
    if (priority == LINK_VOICE) {
        pulse_voice(mesh, neighbour, true);
    } else if (priority <= LINK_CHAT) {
        owed_settle(mesh, neighbour_slot(mesh, neighbour));
    }
    error = link_submit_parts(neighbour->link, priority, mesh->now_us, deadline_us,
                              BYTES_AT(bytes, bytes_written(&first)), rest, NULL);
    mesh->counters.limited += error != MESH_OK;
    return !error;
}

void neighbours_send(Mesh *mesh, LinkPriority priority, uint64_t life_us, uint8_t kind,
                     Bytes body) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour_is_greeted(mesh, neighbour)) {
            neighbour_send(mesh, neighbour_at(mesh, slot), priority, life_us, kind, body);
        }
    }
}

void neighbour_transmit(Mesh *mesh, const MeshPath *path, Bytes bytes, LinkPriority priority) {
    if (path->kind == MESH_PATH_RELAY) {
        forward_send(mesh, path, bytes, priority);
    } else if (path->kind != MESH_PATH_NONE) {
        if (effects_add(&mesh->effects,
                        &(MeshEffect){.kind = MESH_EFFECT_SEND, .send = {.path = *path}}, bytes,
                        BYTES_NONE)) {
            mesh->counters.datagrams_out++;
            uplink_sent(mesh, path, bytes.length);
        } else {
            mesh->counters.limited++;
        }
    }
}

/* Only from the knock port does what is larger leave whole, or not at all; and what is carried for
 * us leaves others room for what they add. */
static size_t capacity_of(const Neighbour *neighbour) {
    size_t most =
        neighbour->path.kind == MESH_PATH_KNOCK ? MESH_DATAGRAM_MAX : MESH_DATAGRAM_SAFE_MAX;
    size_t carried =
        neighbour->path.kind == MESH_PATH_RELAY ? SESSION_OVERHEAD_SIZE + RELAY_OVERHEAD : 0;

    return most - SESSION_OVERHEAD_SIZE - carried;
}

bool neighbour_flush(Mesh *mesh, Neighbour *neighbour, LinkPriority *ret_priority) {
    uint8_t plain[MESH_DATAGRAM_MAX];
    uint8_t datagram[MESH_DATAGRAM_MAX];
    size_t length = link_next(neighbour->link, mesh->now_us, neighbour->counter, plain,
                              capacity_of(neighbour), ret_priority);

    if (length == 0) {
        return false;
    }
    length = session_seal(&neighbour->keyring.current->session, SESSION_DATA, neighbour->counter++,
                          BYTES_AT(plain, length), datagram);
    neighbour->keyring.sealed++;
    neighbour->tx_bytes += length;
    neighbour_transmit(mesh, &neighbour->path, BYTES_AT(datagram, length), *ret_priority);
    return true;
}
