/* SPDX-License-Identifier: MPL-2.0 */
/* Which path a link uses, whether it lives, and what to do when it does not. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"
#include "mesh/overlay/relayed.h"

#define KEPT_US       (600 * S)   /* as long as keys are used */
#define FIRST_US      S           /* until the first probe by a new path is repeated */
#define SILENT_US     S           /* a path not heard for so long may be left for another */
#define UNHEARD_US    (1500 * MS) /* and a round trip: whoever probes is heard sooner */
#define DETOUR_US     (3 * S)     /* before ICE looks for a path instead of one that fell silent */
#define REVIVE_US     (2 * S)     /* keys agreed by hand look for a path so often */
#define REVIVE_FOR    (900 * S)
#define DIRECT_TRIES  5 /* of its addresses, while a member relays */
#define CHEAP_TRIES   3 /* of those of IPv4, while IPv6 is in use */
#define DIRECT_US     (500 * MS)
#define NEAR_US       (10 * MS) /* and twice the round trip: a longer way is not worth 20 bytes */
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

void route_probe_others(Mesh *mesh, Neighbour *neighbour) {
    for (size_t i = 0; i < neighbour->address_count; i++) {
        if (!mesh_path_equal(&neighbour->addresses[i], &neighbour->path)) {
            route_probe(mesh, neighbour, &neighbour->addresses[i]);
        }
    }
}

/* Each packet by IPv6 costs 20 bytes more. */
static bool is_cheaper(const MeshPath *path, const MeshPath *than) {
    return path->kind == MESH_PATH_KNOCK && than->kind == MESH_PATH_KNOCK &&
           path->family < than->family;
}

/* By those of its addresses that would be better than the path in use. */
static void probe_better(Mesh *mesh, Neighbour *neighbour) {
    for (size_t i = 0; i < neighbour->address_count; i++) {
        if (neighbour->path.kind == MESH_PATH_RELAY ||
            is_cheaper(&neighbour->addresses[i], &neighbour->path)) {
            route_probe(mesh, neighbour, &neighbour->addresses[i]);
        }
    }
}

/* ---- up and down ---- */

bool route_may_be(const Mesh *mesh, const MeshPath *path, const Neighbour *neighbour) {
    return path->kind != MESH_PATH_RELAY ||
           (!memcmp(path->ip, neighbour->key.bytes, SHORT_KEY_SIZE) &&
            neighbour_at(mesh, path->agent) != neighbour);
}

/* By whom others carry may change with every datagram, and is no other path. */
static bool is_same(const MeshPath *a, const MeshPath *b) {
    return a->kind == MESH_PATH_RELAY ? b->kind == MESH_PATH_RELAY : mesh_path_equal(a, b);
}

/* `why`: when this one is direct no more. */
static void use(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, uint64_t counter,
                MeshEnd why) {
    bool was_direct = neighbour_is_direct(neighbour);

    if (path->kind == MESH_PATH_RELAY && neighbour->path.kind != MESH_PATH_RELAY) {
        neighbour->relayed_us = mesh->now_us;
    }
    neighbour->path = *path;
    neighbour->path_counter = counter;
    pulse_begin(mesh, neighbour);
    link_path_changed(neighbour->link, mesh->now_us);
    if (path->kind == MESH_PATH_ICE) {
        upgrade_used(neighbour);
    } else if (path->kind != MESH_PATH_RELAY) {
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
        map_links_changed(mesh);
    }
    core_notify_peer(mesh, &neighbour->key,
                     was_direct && path->kind == MESH_PATH_RELAY ? why : MESH_END_NONE);
}

static void come_up(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, uint64_t counter) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    neighbour->linked = LINKED_UP;
    neighbour->came_us = mesh->now_us;
    neighbour->gone_us = UINT64_MAX;
    neighbour->contact = CONTACT_IDLE;
    contact_forget(neighbour);
    neighbour->path.kind = MESH_PATH_NONE;
    use(mesh, neighbour, path, counter, MESH_END_NONE);
    company_linked(mesh, neighbour);
    reach_greet(mesh, neighbour);
    reach_linked(mesh);
    join_greet(mesh, slot);
    if (mesh->status == MESH_STATUS_MEMBER && !neighbour->by_ticket) {
        sync_greet(mesh, slot); /* one whose ADMIT we lack shows it by its journal */
    }
    neighbours_greet(mesh);
}

void route_doubt(Mesh *mesh, Neighbour *neighbour) {
    MeshEnd end = neighbour_is_direct(neighbour) ? MESH_END_SILENT : MESH_END_NONE;

    neighbour->linked = LINKED_DOUBTED;
    map_links_changed(mesh);
    core_notify_peer(mesh, &neighbour->key, end);
}

/* Whoever was reached by way of one that is lost: by way of another or, while none is known, not;
 * the map may soon tell of one. */
static void carry_otherwise(Mesh *mesh, const Neighbour *lost) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *carried = neighbour_at(mesh, slot);
        MeshPath path;

        if (!carried || !neighbour_is_up(carried) || carried->path.kind != MESH_PATH_RELAY ||
            neighbour_at(mesh, carried->path.agent) != lost) {
            continue;
        }
        if (forward_path(mesh, carried->key.bytes, &path)) {
            use(mesh, carried, &path, carried->path_counter, MESH_END_NONE);
        } else {
            route_doubt(mesh, carried);
        }
        carried->probes_unanswered = 1;
        carried->probe_next_us = mesh->now_us;
    }
}

static void end(Mesh *mesh, Neighbour *neighbour, MeshEnd why) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    /* Both ends begin anew, lest one waits for what the other forgot. */
    neighbour->linked = LINKED_NOT;
    neighbour->quiet = false;
    neighbour->greeting = GREETING_NONE;
    contact_forget(neighbour);
    keyring_lost(&neighbour->keyring);
    core_random(mesh, neighbour->instance, sizeof neighbour->instance);
    neighbour->nonsense = 0;
    neighbour->voice_us = 0;
    upgrade_stop(mesh, neighbour);
    sync_lost(mesh, slot);
    library_lost(mesh, slot);
    told_lost(mesh, slot);
    feed_lost(mesh, slot);
    spread_lost(mesh, slot);
    map_links_changed(mesh);
    core_notify_peer(mesh, &neighbour->key, why);
    carry_otherwise(mesh, neighbour);
}

void route_lost(Mesh *mesh, Neighbour *neighbour, MeshEnd why) {
    if (!neighbour_is_up(neighbour)) {
        return;
    }
    /* That it is gone was told when it fell silent. */
    end(mesh, neighbour, neighbour->linked == LINKED_KEPT ? MESH_END_NONE : why);
    if (neighbour->leave_us == UINT64_MAX &&
        (core_member(mesh, &neighbour->key) || mesh->status == MESH_STATUS_JOINING)) {
        contact_begin(mesh, neighbour, false);
        reach_soon(mesh);
    }
}

static void bye(Mesh *mesh, Neighbour *neighbour, Bye why) {
    uint8_t byte = (uint8_t)why;
    uint8_t datagram[sizeof byte + SESSION_OVERHEAD_SIZE];
    size_t length = session_seal(&neighbour->keyring.current->session, SESSION_BYE,
                                 neighbour->counter++, BYTES_AT(&byte, sizeof byte), datagram);

    neighbour->tx_bytes += length;
    neighbour_transmit(mesh, &neighbour->path, BYTES_AT(datagram, length), LINK_CONTROL);
}

void route_bye(Mesh *mesh, Neighbour *neighbour, Bye why) {
    for (unsigned i = 0; neighbour_is_up(neighbour) && i < BYES; i++) {
        bye(mesh, neighbour, why);
    }
}

void route_part(Mesh *mesh, Neighbour *neighbour) {
    route_bye(mesh, neighbour, BYE_SPARES);
    end(mesh, neighbour, MESH_END_LET_GO);
    neighbour->contact = CONTACT_IDLE;
    neighbour->sighted_us = mesh->now_us; /* what was still under way says nothing */
}

void route_parted(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->keyring.current && neighbour->path.kind != MESH_PATH_NONE) {
        bye(mesh, neighbour, BYE_SPARES);
    }
}

void route_left(Mesh *mesh, Neighbour *neighbour, Bytes why) {
    if (neighbour->gone_us == UINT64_MAX) {
        neighbour->gone_why =
            why.length > 0 && why.data[0] == BYE_SPARES ? MESH_END_SPARED : MESH_END_LEFT;
        neighbour->gone_us = mesh->now_us + LAST_WORDS_US;
    }
}

void route_detour(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, MeshEnd why) {
    bool ice = neighbour->path.kind == MESH_PATH_ICE;

    use(mesh, neighbour, path, neighbour->path_counter, why);
    route_probe(mesh, neighbour, path); /* so that the other follows */
    if (ice) {
        upgrade_doubt(mesh, neighbour);
    } else {
        neighbour->upgrade_next_us = mesh->now_us + DETOUR_US; /* its addresses are tried first */
    }
}

/* The path is dead: another one, or none. */
void route_dead(Mesh *mesh, Neighbour *neighbour, MeshEnd why) {
    MeshPath dead = neighbour->path;
    MeshPath path;

    /* One that forgot the link is reached by ever another hop, and never answers. */
    if ((dead.kind == MESH_PATH_RELAY && !forward_in_vain(mesh, neighbour)) ||
        !forward_path(mesh, neighbour->key.bytes, &path) || mesh_path_equal(&path, &dead)) {
        route_lost(mesh, neighbour, why);
        return;
    }
    if (dead.kind == MESH_PATH_ICE) {
        upgrade_stop(mesh, neighbour);
    }
    use(mesh, neighbour, &path, neighbour->path_counter, why);
    route_probe(mesh, neighbour, &path);
    neighbour->probes_unanswered = 1;
    neighbour->probe_next_us = mesh->now_us + FIRST_US;
}

/* Where all are linked with all it is most often the line that is gone, and comes back: what is
 * under way then need not be asked for again. */
static bool is_worth_keeping(Mesh *mesh, const Neighbour *neighbour) {
    bool somewhere = neighbour->path.kind != MESH_PATH_RELAY || neighbour->address_count > 0;

    return !mesh->company.large && somewhere && neighbour->gone_us == UINT64_MAX &&
           neighbour_is_greeted(mesh, neighbour) &&
           mesh->now_us < neighbour->path_heard_us + KEPT_US;
}

void route_silent(Mesh *mesh, Neighbour *neighbour) {
    MeshPath path;

    if (!is_worth_keeping(mesh, neighbour) || forward_path(mesh, neighbour->key.bytes, &path)) {
        route_dead(mesh, neighbour, MESH_END_SILENT);
        return;
    }
    if (neighbour->linked == LINKED_KEPT) {
        return;
    }
    if (neighbour->path.kind == MESH_PATH_RELAY) {
        upgrade_stop(mesh, neighbour);
        neighbour->path = neighbour->addresses[0]; /* others carry no more */
    }
    neighbour->linked = LINKED_KEPT;
    neighbour->probes_unanswered = 1;
    map_links_changed(mesh);
    sync_silent(mesh, neighbour_slot(mesh, neighbour));
    library_silent(mesh, neighbour_slot(mesh, neighbour));
    mesh->streams.look = true; /* those of it are over, if it is gone */
    core_notify_peer(mesh, &neighbour->key, MESH_END_SILENT);
    carry_otherwise(mesh, neighbour);
}

void route_back(Mesh *mesh, Neighbour *neighbour) {
    uint32_t slot = neighbour_slot(mesh, neighbour);

    if (neighbour->linked == LINKED_KEPT) {
        neighbour->contact = CONTACT_IDLE;
        contact_forget(neighbour);
        live_greet(mesh, slot); /* it may hold them to be over */
        relayed_greet(mesh, slot);
        spread_by(&mesh->map, mesh->now_us);
    }
    neighbour->linked = LINKED_UP;
    neighbour->quiet = false;
    link_back(neighbour->link);
    map_links_changed(mesh);
    core_notify_peer(mesh, &neighbour->key, MESH_END_NONE);
}

/* Whether what came by `path` makes it the better one. */
static bool is_better(const Mesh *mesh, const Neighbour *neighbour, const MeshPath *path,
                      const RouteSign *sign) {
    bool silent = mesh->now_us >= neighbour->path_heard_us + SILENT_US;
    bool tells = sign->kind == SESSION_DATA;

    if (neighbour->path.kind == MESH_PATH_RELAY) {
        /* Of a probe we know only that it reaches us: ours answers whether we reach them. */
        return sign->kind != SESSION_PROBE;
    }
    if (path->kind == MESH_PATH_RELAY) {
        /* It would not take the detour if the direct path lived; unless it does not know of it. */
        return sign->kind != SESSION_ECHO && sign->counter > neighbour->path_counter &&
               pulse_is_settled(mesh, neighbour);
    }
    if (is_cheaper(path, &neighbour->path) && sign->kind == SESSION_ECHO &&
        sign->took_us <= 2 * (uint64_t)link_rtt_us(neighbour->link) + NEAR_US) {
        return true;
    }
    if (is_cheaper(&neighbour->path, path)) {
        tells = tells && pulse_is_settled(mesh, neighbour); /* it may not know of the cheaper one */
    }
    return sign->counter > neighbour->path_counter && (tells || silent);
}

/* Why it takes another way than the one in use. */
static MeshEnd why_other(const Mesh *mesh, const Neighbour *neighbour) {
    return mesh->now_us >= neighbour->path_heard_us + UNHEARD_US + neighbour->trip_us
               ? MESH_END_SILENT
               : MESH_END_UNHEARD;
}

/* What could be a better path: then it is, once a probe of ours by it is answered. */
static bool may_be_better(const Neighbour *neighbour, const MeshPath *path) {
    return (neighbour->path.kind == MESH_PATH_RELAY && path->kind != MESH_PATH_RELAY) ||
           is_cheaper(path, &neighbour->path);
}

void route_heard(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, const RouteSign *sign) {
    uint64_t newest =
        sign->counter > neighbour->path_counter ? sign->counter : neighbour->path_counter;

    neighbour->heard_us = mesh->now_us;
    hush_broken(mesh);
    if (!neighbour_is_up(neighbour)) {
        come_up(mesh, neighbour, path, sign->counter);
    } else if (is_same(path, &neighbour->path)) {
        neighbour->path = *path;
        pulse_heard(mesh, neighbour, sign->kind != SESSION_PROBE);
        neighbour->path_counter = newest;
    } else if (is_better(mesh, neighbour, path, sign)) {
        if (path->kind == MESH_PATH_RELAY) {
            route_detour(mesh, neighbour, path, why_other(mesh, neighbour));
            neighbour->path_counter = newest;
        } else {
            use(mesh, neighbour, path, newest, MESH_END_NONE);
        }
    } else if (sign->kind == SESSION_PROBE && may_be_better(neighbour, path)) {
        route_probe(mesh, neighbour, path);
    }
}

/* ---- time ---- */

static bool may_revive(const Mesh *mesh, const Neighbour *neighbour) {
    const Keyring *keyring = &neighbour->keyring;
    bool fresh = keyring->current &&
                 !keyring_is_stale(keyring, keyring->current, neighbour->instance) &&
                 mesh->now_us < keyring->used_us + REVIVE_FOR;

    return !neighbour_is_up(neighbour) && (fresh || mesh->now_us < neighbour->hand_until_us);
}

/* Of two that are linked directly one looks: the other, probed, does so too. */
static bool looks_for_better(const Neighbour *neighbour) {
    if (!neighbour_is_up(neighbour)) {
        return false;
    }
    if (neighbour->path.kind == MESH_PATH_RELAY) {
        return neighbour->direct_tries < DIRECT_TRIES;
    }
    return neighbour->first && neighbour->path.kind == MESH_PATH_KNOCK &&
           neighbour->path.family == 6 && neighbour->direct_tries < CHEAP_TRIES;
}

void route_timeout(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour_is_up(neighbour) && mesh->now_us >= neighbour->gone_us) {
        route_lost(mesh, neighbour, neighbour->gone_why);
        contact_rest(mesh, neighbour);
        company_shun(mesh, &neighbour->key); /* it goes, or has enough others */
    }
    if (neighbour_is_up(neighbour)) {
        pulse_timeout(mesh, neighbour);
    } else if (mesh->now_us >= neighbour->probe_next_us && may_revive(mesh, neighbour)) {
        route_probe_all(mesh, neighbour);
        neighbour->probe_next_us = mesh->now_us + REVIVE_US;
    }
    if (looks_for_better(neighbour) && mesh->now_us >= neighbour->direct_next_us) {
        probe_better(mesh, neighbour);
        neighbour->direct_next_us = mesh->now_us + (DIRECT_US << neighbour->direct_tries++);
    }
}

uint64_t route_deadline_us(const Mesh *mesh, const Neighbour *neighbour) {
    uint64_t deadline = UINT64_MAX;

    if (neighbour_is_up(neighbour)) {
        deadline = pulse_due_us(mesh, neighbour);
    } else if (may_revive(mesh, neighbour)) {
        deadline = neighbour->probe_next_us;
    }
    if (neighbour_is_up(neighbour) && neighbour->gone_us < deadline) {
        deadline = neighbour->gone_us;
    }
    if (looks_for_better(neighbour) && neighbour->direct_next_us < deadline) {
        deadline = neighbour->direct_next_us;
    }
    return deadline;
}

void route_wake(Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);
        MeshPath path;

        if (neighbour && neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_ICE &&
            forward_path(mesh, neighbour->key.bytes, &path)) {
            route_dead(mesh, neighbour,
                       MESH_END_NETWORK); /* its agent's sockets had the former addresses */
        } else if (neighbour && neighbour_is_up(neighbour)) {
            /* As if the path had been silent: what answers now is the one to use. */
            neighbour->probe_next_us = mesh->now_us;
            neighbour->probes_unanswered = 1;
            neighbour->direct_tries = 0;
            neighbour->direct_next_us = mesh->now_us;
            link_back(neighbour->link);
            upgrade_again(neighbour, mesh->now_us);
        }
        if (neighbour && neighbour->linked <= LINKED_KEPT &&
            neighbour->contact == CONTACT_KNOCKING) {
            contact_begin(mesh, neighbour, true);
        }
    }
}
