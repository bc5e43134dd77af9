/* SPDX-License-Identifier: MPL-2.0 */
/* Which path a link uses, whether it lives, and what to do when it does not. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"

#define IDLE_US       (18 * S) /* silence after which an idle path is probed: a NAT forgets later */
#define IDLE_MORE_US  (2 * S)
#define WAITING_US    (1500 * MS) /* the same while something awaits its acknowledgement */
#define PROBE_US      S
#define PROBES_LOST   6       /* unanswered: the path is dead */
#define SILENT_US     S       /* a path not heard for so long may be left for another */
#define REVIVE_US     (2 * S) /* keys agreed by hand look for a path so often */
#define REVIVE_FOR    (900 * S)
#define DIRECT_TRIES  5 /* of its addresses, while a member relays */
#define DIRECT_US     (500 * MS)
#define TOKEN_SIZE    8
#define BYES          2
#define LAST_WORDS_US (200 * MS) /* a goodbye may overtake what was sent before it */

/* ---- probing ---- */

void route_probe(Mesh *mesh, Neighbour *neighbour, const MeshPath *path) {
    uint8_t token[TOKEN_SIZE];
    uint8_t datagram[TOKEN_SIZE + SESSION_OVERHEAD_SIZE];
    BytesWriter writer = bytes_writer(token, sizeof token);
    Keys *keys = keyring_sealing(&neighbour->keyring, neighbour->instance);
    size_t length;

    if (!keys || (!keys->confirmed && mesh->now_us >= neighbour->hand_until_us)) {
        return;
    }
    bytes_write_u64(&writer, mesh->now_us);
    length = session_seal(&keys->session, SESSION_PROBE, neighbour->counter++, BYTES_OF(token),
                          datagram);
    neighbour->tx_bytes += length;
    neighbour_transmit(mesh, path, BYTES_AT(datagram, length), LINK_CONTROL);
}

void route_probe_all(Mesh *mesh, Neighbour *neighbour) {
    for (size_t i = 0; i < neighbour->address_count; i++) {
        route_probe(mesh, neighbour, &neighbour->addresses[i]);
    }
}

/* ---- relaying members ---- */

MeshPath route_relay_path(const Mesh *mesh, const Neighbour *carrier,
                          const uint8_t target[SHORT_KEY_SIZE]) {
    MeshPath path = {.kind = MESH_PATH_RELAY, .agent = neighbour_slot(mesh, carrier)};

    memcpy(path.ip, target, SHORT_KEY_SIZE);
    return path;
}

bool route_is_through(const Mesh *mesh, const MeshPath *path, const Neighbour *neighbour) {
    return path->kind == MESH_PATH_RELAY && neighbour_at(mesh, path->agent) == neighbour;
}

static bool is_near(const Neighbour *carrier, const uint8_t key[SHORT_KEY_SIZE]) {
    for (size_t i = 0; i < carrier->near_count; i++) {
        if (!memcmp(carrier->near[i], key, SHORT_KEY_SIZE)) {
            return true;
        }
    }
    return false;
}

Neighbour *route_carrier(const Mesh *mesh, const Neighbour *target, uint32_t which) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *carrier = mesh->neighbours.slots[slot];

        if (carrier && carrier != target && neighbour_is_direct(carrier) &&
            is_near(carrier, target->key.bytes) && which-- == 0) {
            return carrier;
        }
    }
    return NULL;
}

/* ---- up and down ---- */

/* One of both is enough to probe: the other waits a little longer. */
static uint64_t idle_us(const Mesh *mesh, const Neighbour *neighbour) {
    return contact_is_first(mesh, neighbour) ? IDLE_US : IDLE_US + IDLE_MORE_US;
}

static void use(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, uint64_t counter) {
    bool was_direct = neighbour_is_direct(neighbour);

    neighbour->path = *path;
    neighbour->path_counter = counter;
    neighbour->path_heard_us = mesh->now_us;
    neighbour->probes_unanswered = 0;
    neighbour->probe_next_us = mesh->now_us + idle_us(mesh, neighbour);
    link_path_changed(neighbour->link, mesh->now_us);
    if (path->kind != MESH_PATH_ICE && path->kind != MESH_PATH_RELAY) {
        upgrade_stop(mesh, neighbour);
    }
    if (path->kind == MESH_PATH_RELAY) {
        neighbour->direct_tries = 0;
        neighbour->direct_next_us = mesh->now_us;
        upgrade_again(neighbour, mesh->now_us);
    }
    if (path->kind == MESH_PATH_KNOCK) {
        neighbour_add_address(neighbour, path);
        reach_keep_addresses(mesh, neighbour);
    }
    if (was_direct != neighbour_is_direct(neighbour)) {
        mesh->neighbours.near_changed = true;
        map_links_changed(mesh);
    }
    core_notify(mesh, MESH_NOTICE_PEER, NULL, &neighbour->key);
}

static void come_up(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, uint64_t counter) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    neighbour->linked = LINKED_UP;
    neighbour->gone_us = UINT64_MAX;
    neighbour->contact = CONTACT_IDLE;
    use(mesh, neighbour, path, counter);
    mesh->neighbours.near_changed = true;
    reach_greet(mesh, neighbour);
    join_greet(mesh, slot);
    if (mesh->status == MESH_STATUS_MEMBER && !neighbour->by_ticket) {
        sync_greet(mesh, slot); /* one whose ADMIT we lack shows it by its journal */
    }
    neighbours_greet(mesh);
}

void route_lost(Mesh *mesh, Neighbour *neighbour) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    if (!neighbour_is_up(neighbour)) {
        return;
    }
    /* Both ends begin anew, lest one waits for what the other forgot. */
    neighbour->linked = LINKED_NOT;
    neighbour->greeting = GREETING_NONE;
    neighbour->init_length = 0;
    keyring_lost(&neighbour->keyring);
    core_random(mesh, neighbour->instance, sizeof neighbour->instance);
    neighbour->near_count = 0;
    neighbour->nonsense = 0;
    upgrade_stop(mesh, neighbour);
    sync_lost(mesh, slot);
    library_lost(mesh, slot);
    told_lost(mesh, slot);
    feed_lost(mesh, slot);
    spread_lost(mesh, slot);
    map_links_changed(mesh);
    mesh->neighbours.near_changed = true;
    core_notify(mesh, MESH_NOTICE_PEER, NULL, &neighbour->key);
    for (uint32_t other = 0; other < MESH_PEERS_MAX; other++) {
        Neighbour *carried = mesh->neighbours.slots[other];

        if (carried && neighbour_is_up(carried) &&
            route_is_through(mesh, &carried->path, neighbour)) {
            route_dead(mesh, carried);
        }
    }
    if (neighbour->leave_us == UINT64_MAX && core_member(mesh, &neighbour->key)) {
        contact_begin(mesh, neighbour, false);
        reach_soon(mesh);
    }
}

void route_bye(Mesh *mesh, Neighbour *neighbour) {
    uint8_t datagram[SESSION_OVERHEAD_SIZE];

    for (unsigned i = 0; neighbour_is_up(neighbour) && i < BYES; i++) {
        size_t length = session_seal(&neighbour->keyring.current->session, SESSION_BYE,
                                     neighbour->counter++, BYTES_NONE, datagram);

        neighbour->tx_bytes += length;
        neighbour_transmit(mesh, &neighbour->path, BYTES_AT(datagram, length), LINK_CONTROL);
    }
}

void route_left(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->gone_us == UINT64_MAX) {
        neighbour->gone_us = mesh->now_us + LAST_WORDS_US;
    }
}

/* The path is dead: another one, or none. */
void route_dead(Mesh *mesh, Neighbour *neighbour) {
    MeshPath dead = neighbour->path;

    for (uint32_t which = 0; which < MESH_PEERS_MAX; which++) {
        Neighbour *carrier = route_carrier(mesh, neighbour, which);
        MeshPath path;

        if (!carrier) {
            break;
        }
        path = route_relay_path(mesh, carrier, neighbour->key.bytes);
        if (!mesh_path_equal(&path, &dead)) {
            if (dead.kind == MESH_PATH_ICE) {
                upgrade_stop(mesh, neighbour);
            }
            use(mesh, neighbour, &path, neighbour->path_counter);
            route_probe(mesh, neighbour, &path);
            neighbour->probes_unanswered = 1;
            neighbour->probe_next_us = mesh->now_us + PROBE_US;
            return;
        }
    }
    route_lost(mesh, neighbour);
}

/* Whether what came by `path` makes it the better one. */
static bool is_better(const Mesh *mesh, const Neighbour *neighbour, const MeshPath *path,
                      SessionKind kind, uint64_t counter) {
    bool silent = mesh->now_us >= neighbour->path_heard_us + SILENT_US;

    if (neighbour->path.kind == MESH_PATH_RELAY && path->kind != MESH_PATH_RELAY) {
        /* Of a probe we know only that it reaches us: ours answers whether we reach them. */
        return kind != SESSION_PROBE;
    }
    if (path->kind == MESH_PATH_RELAY && neighbour->path.kind != MESH_PATH_RELAY) {
        /* It would not take the detour if the direct path lived. */
        return kind == SESSION_DATA && counter > neighbour->path_counter && silent;
    }
    return counter > neighbour->path_counter && (kind == SESSION_DATA || silent);
}

void route_heard(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, SessionKind kind,
                 uint64_t counter) {
    neighbour->heard_us = mesh->now_us;
    if (!neighbour_is_up(neighbour)) {
        come_up(mesh, neighbour, path, counter);
    } else if (mesh_path_equal(path, &neighbour->path)) {
        neighbour->path_heard_us = mesh->now_us;
        neighbour->probes_unanswered = 0;
        neighbour->probe_next_us = mesh->now_us + idle_us(mesh, neighbour);
        if (counter > neighbour->path_counter) {
            neighbour->path_counter = counter;
        }
    } else if (is_better(mesh, neighbour, path, kind, counter)) {
        use(mesh, neighbour, path, counter);
    } else if (kind == SESSION_PROBE && neighbour->path.kind == MESH_PATH_RELAY &&
               path->kind != MESH_PATH_RELAY) {
        route_probe(mesh, neighbour, path);
    }
}

/* ---- time ---- */

static uint64_t probe_due_us(const Neighbour *neighbour) {
    uint64_t due_us = neighbour->probe_next_us;

    if (neighbour_is_up(neighbour) && neighbour->probes_unanswered == 0 &&
        link_expects(neighbour->link)) {
        uint64_t soon_us = neighbour->path_heard_us + WAITING_US;

        due_us = soon_us < due_us ? soon_us : due_us;
    }
    return due_us;
}

static bool may_revive(const Mesh *mesh, const Neighbour *neighbour) {
    const Keyring *keyring = &neighbour->keyring;
    bool fresh = keyring->current &&
                 !keyring_is_stale(keyring, keyring->current, neighbour->instance) &&
                 mesh->now_us < keyring->used_us + REVIVE_FOR;

    return !neighbour_is_up(neighbour) && (fresh || mesh->now_us < neighbour->hand_until_us);
}

static void probe_path(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->probes_unanswered >= PROBES_LOST) {
        route_dead(mesh, neighbour);
        return;
    }
    route_probe(mesh, neighbour, &neighbour->path);
    neighbour->probes_unanswered++;
    neighbour->probe_next_us =
        mesh->now_us + PROBE_US + link_state(neighbour->link, mesh->now_us).rtt_us;
}

void route_timeout(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour_is_up(neighbour) && mesh->now_us >= neighbour->gone_us) {
        route_lost(mesh, neighbour);
        contact_rest(mesh, neighbour);
    }
    if (mesh->now_us >= probe_due_us(neighbour)) {
        if (neighbour_is_up(neighbour)) {
            probe_path(mesh, neighbour);
        } else if (may_revive(mesh, neighbour)) {
            route_probe_all(mesh, neighbour);
            neighbour->probe_next_us = mesh->now_us + REVIVE_US;
        }
    }
    if (neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_RELAY &&
        neighbour->direct_tries < DIRECT_TRIES && mesh->now_us >= neighbour->direct_next_us) {
        route_probe_all(mesh, neighbour);
        neighbour->direct_next_us = mesh->now_us + (DIRECT_US << neighbour->direct_tries++);
    }
}

uint64_t route_deadline_us(const Mesh *mesh, const Neighbour *neighbour) {
    uint64_t deadline = UINT64_MAX;

    if (neighbour_is_up(neighbour) || may_revive(mesh, neighbour)) {
        deadline = probe_due_us(neighbour);
    }
    if (neighbour_is_up(neighbour) && neighbour->gone_us < deadline) {
        deadline = neighbour->gone_us;
    }
    if (neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_RELAY) {
        if (neighbour->direct_tries < DIRECT_TRIES && neighbour->direct_next_us < deadline) {
            deadline = neighbour->direct_next_us;
        }
    }
    return deadline;
}

void route_wake(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = mesh->neighbours.slots[slot];

        if (neighbour && neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_ICE &&
            route_carrier(mesh, neighbour, 0)) {
            route_dead(mesh, neighbour); /* its agent's sockets had the former addresses */
        } else if (neighbour && neighbour_is_up(neighbour)) {
            /* As if the path had been silent: what answers now is the one to use. */
            neighbour->probe_next_us = mesh->now_us;
            neighbour->probes_unanswered = 1;
            neighbour->direct_tries = 0;
            neighbour->direct_next_us = mesh->now_us;
            upgrade_again(neighbour, mesh->now_us);
        } else if (neighbour && neighbour->contact == CONTACT_KNOCKING) {
            contact_begin(mesh, neighbour, true);
        }
    }
}
