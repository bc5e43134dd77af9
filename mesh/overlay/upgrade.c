/* SPDX-License-Identifier: MPL-2.0 */
/* ICE: while a member relays, an agent on each side looks for a direct path. */
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"

#define FIRST_RETRY_US (20 * S)
#define LAST_RETRY_US  (300 * S)
#define GIVE_UP_US     (40 * S) /* an agent that did not connect by then is ended */
#define SERVERS_SIZE   4
#define PROBE_AGAIN_US (300 * MS)
#define AGAIN_US       S       /* between two agents that one neighbour makes us start */
#define DOUBTED_US     (5 * S) /* a pair that fell silent may come back within that */

static void effect(Mesh *mesh, MeshEffectKind kind, const Neighbour *neighbour, Bytes offer,
                   Bytes servers) {
    effects_add(&mesh->effects,
                &(MeshEffect){.kind = kind,
                              .ice = {.agent = neighbour->agent,
                                      .controlling = neighbour->controlling,
                                      .server_count = servers.length / sizeof(MeshPath)}},
                offer, servers);
}

Neighbour *upgrade_neighbour(const Mesh *mesh, uint32_t agent) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour->upgrade != UPGRADE_NONE && neighbour->agent == agent) {
            return neighbour_at(mesh, slot);
        }
    }
    return NULL;
}

/* Members reached at an address of their own answer STUN there. */
static size_t find_servers(const Mesh *mesh, MeshPath ret_servers[SERVERS_SIZE]) {
    size_t count = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end && count < SERVERS_SIZE; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour_is_direct(neighbour) &&
            neighbour->path.kind == MESH_PATH_KNOCK) {
            ret_servers[count++] = neighbour->path;
        }
    }
    return count;
}

static void start(Mesh *mesh, Neighbour *neighbour, uint32_t round, bool controlling) {
    MeshPath servers[SERVERS_SIZE];
    size_t count = find_servers(mesh, servers);

    neighbour->agent = ++mesh->neighbours.next_agent;
    neighbour->round = round;
    neighbour->controlling = controlling;
    neighbour->upgrade = UPGRADE_GATHERING;
    neighbour->upgrade_began_us = mesh->now_us;
    neighbour->upgrade_give_up_us = mesh->now_us + GIVE_UP_US;
    effect(mesh, MESH_EFFECT_ICE_START, neighbour, BYTES_NONE,
           BYTES_AT(servers, count * sizeof *servers));
}

static void forget(Neighbour *neighbour) {
    free(neighbour->remote_offer);
    neighbour->remote_offer = NULL;
    neighbour->remote_offer_length = 0;
    neighbour->upgrade = UPGRADE_NONE;
}

void upgrade_stop(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->upgrade != UPGRADE_NONE) {
        effect(mesh, MESH_EFFECT_ICE_STOP, neighbour, BYTES_NONE, BYTES_NONE);
        forget(neighbour);
    }
}

void upgrade_used(Neighbour *neighbour) {
    neighbour->upgrade = UPGRADE_UP;
}

void upgrade_doubt(Mesh *mesh, Neighbour *neighbour) {
    neighbour->upgrade = UPGRADE_DOUBTED;
    neighbour->upgrade_give_up_us = mesh->now_us + DOUBTED_US;
}

void upgrade_again(Neighbour *neighbour, uint64_t now_us) {
    neighbour->upgrade_tries = 0;
    neighbour->upgrade_next_us = now_us;
}

static void try_later(Mesh *mesh, Neighbour *neighbour) {
    uint64_t pause_us = FIRST_RETRY_US
                        << (neighbour->upgrade_tries < 4 ? neighbour->upgrade_tries : 4);

    neighbour->upgrade_tries++;
    neighbour->upgrade_next_us =
        mesh->now_us + (pause_us < LAST_RETRY_US ? pause_us : LAST_RETRY_US);
}

static void give_remote(Mesh *mesh, Neighbour *neighbour) {
    effect(mesh, MESH_EFFECT_ICE_REMOTE, neighbour,
           BYTES_AT(neighbour->remote_offer, neighbour->remote_offer_length), BYTES_NONE);
    free(neighbour->remote_offer);
    neighbour->remote_offer = NULL;
    neighbour->remote_offer_length = 0;
}

void upgrade_offer_gathered(Mesh *mesh, uint32_t agent, Bytes offer) {
    Neighbour *neighbour = upgrade_neighbour(mesh, agent);
    uint8_t body[4 + MESH_OFFER_MAX];
    BytesWriter writer = bytes_writer(body, sizeof body);

    if (!neighbour || neighbour->upgrade != UPGRADE_GATHERING || offer.length > MESH_OFFER_MAX) {
        return;
    }
    bytes_write_u32(&writer, neighbour->round);
    bytes_write(&writer, offer.data, offer.length);
    neighbour->upgrade = UPGRADE_OFFERED;
    neighbour_send(mesh, neighbour, LINK_CONTROL, GIVE_UP_US, MESSAGE_ICE,
                   BYTES_AT(body, bytes_written(&writer)));
    if (neighbour->remote_offer) {
        give_remote(mesh, neighbour);
    }
}

void upgrade_offer_received(Mesh *mesh, Neighbour *neighbour, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint32_t round = bytes_read_u32(&reader);
    Bytes offer = bytes_rest(&reader);
    bool ours = memcmp(mesh->self.key.bytes, neighbour->key.bytes, MESH_KEY_SIZE) < 0;

    if (reader.failed || offer.length == 0 || offer.length > MESH_OFFER_MAX) {
        mesh->counters.malformed++;
        return;
    }
    if (ours && (neighbour->upgrade == UPGRADE_NONE || neighbour->round != round)) {
        return; /* an answer that comes too late */
    }
    if (!ours) {
        if (mesh->now_us < neighbour->upgrade_began_us + AGAIN_US) {
            mesh->counters.limited++;
            return;
        }
        upgrade_stop(mesh, neighbour);
        start(mesh, neighbour, round, false);
    }
    free(neighbour->remote_offer);
    neighbour->remote_offer = malloc(offer.length);
    if (!neighbour->remote_offer) {
        return;
    }
    memcpy(neighbour->remote_offer, offer.data, offer.length);
    neighbour->remote_offer_length = offer.length;
    if (neighbour->upgrade != UPGRADE_GATHERING) {
        give_remote(mesh, neighbour);
    }
}

static MeshPath path_of(const Neighbour *neighbour) {
    return (MeshPath){.kind = MESH_PATH_ICE, .agent = neighbour->agent};
}

void upgrade_agent_state(Mesh *mesh, uint32_t agent, bool up) {
    Neighbour *neighbour = upgrade_neighbour(mesh, agent);
    MeshPath path;

    if (!neighbour) {
        return;
    }
    path = path_of(neighbour);
    if (up) {
        neighbour->upgrade = UPGRADE_UP;
        route_probe(mesh, neighbour, &path);
        neighbour->upgrade_next_us = mesh->now_us + PROBE_AGAIN_US;
        return;
    }
    forget(neighbour);
    try_later(mesh, neighbour);
    if (neighbour_is_up(neighbour) && mesh_path_equal(&neighbour->path, &path)) {
        route_dead(mesh, neighbour, MESH_END_SILENT);
    }
}

static bool is_relayed(const Neighbour *neighbour) {
    return neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_RELAY;
}

static bool is_connected(const Neighbour *neighbour) {
    return neighbour->upgrade == UPGRADE_UP || neighbour->upgrade == UPGRADE_DOUBTED;
}

static bool is_due(const Mesh *mesh, const Neighbour *neighbour) {
    return is_relayed(neighbour) && mesh->now_us >= neighbour->upgrade_next_us &&
           (is_connected(neighbour) ||
            (neighbour->upgrade == UPGRADE_NONE &&
             memcmp(mesh->self.key.bytes, neighbour->key.bytes, MESH_KEY_SIZE) < 0));
}

/* An agent runs whose path is not in use. */
static bool is_trying(const Neighbour *neighbour) {
    return neighbour->upgrade != UPGRADE_NONE && neighbour->path.kind != MESH_PATH_ICE;
}

void upgrade_timeout(Mesh *mesh, Neighbour *neighbour) {
    if (is_trying(neighbour) && mesh->now_us >= neighbour->upgrade_give_up_us) {
        bool lived = neighbour->upgrade == UPGRADE_DOUBTED;

        upgrade_stop(mesh, neighbour);
        if (lived) {
            upgrade_again(neighbour, mesh->now_us);
        } else {
            try_later(mesh, neighbour);
        }
    } else if (is_due(mesh, neighbour) && is_connected(neighbour)) {
        MeshPath path = path_of(neighbour);

        route_probe(mesh, neighbour, &path);
        neighbour->upgrade_next_us = mesh->now_us + PROBE_AGAIN_US;
    } else if (is_due(mesh, neighbour)) {
        start(mesh, neighbour, neighbour->round + 1, true);
    }
}

uint64_t upgrade_deadline_us(const Mesh *mesh, const Neighbour *neighbour) {
    uint64_t deadline = is_trying(neighbour) ? neighbour->upgrade_give_up_us : UINT64_MAX;

    if (!is_relayed(neighbour)) {
        return deadline;
    }
    if ((is_connected(neighbour) ||
         (neighbour->upgrade == UPGRADE_NONE &&
          memcmp(mesh->self.key.bytes, neighbour->key.bytes, MESH_KEY_SIZE) < 0)) &&
        neighbour->upgrade_next_us < deadline) {
        deadline = neighbour->upgrade_next_us;
    }
    return deadline;
}
