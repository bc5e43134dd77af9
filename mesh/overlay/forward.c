/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/forward.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"

#define LIFE_US        S /* what is carried is kept so long at each hop */
#define VOICE_LIFE_US  (500 * MS)
#define BODY_HEAD_SIZE (SHORT_KEY_SIZE + SHORT_KEY_SIZE + 1 + 1)
#define RATE_LEAST     32000    /* bytes a second that anyone may make us carry */
#define VAIN_US        (60 * S) /* whoever dropped what it should carry is passed by so long */

typedef struct {
    uint8_t to[SHORT_KEY_SIZE], from[SHORT_KEY_SIZE];
    uint8_t hops; /* that are left */
    uint8_t priority;
    Bytes datagram;
} Forward;

static bool is_key(const MeshKey *key, const uint8_t other[SHORT_KEY_SIZE]) {
    return !memcmp(key->bytes, other, SHORT_KEY_SIZE);
}

/* ---- ways ---- */

/* It can take something to be carried. */
static bool is_hop(Mesh *mesh, const Neighbour *neighbour) {
    return neighbour && neighbour_is_direct(neighbour) && neighbour_is_greeted(mesh, neighbour);
}

/* The first hop of the best way that begins neither with `one` nor with `other`; NULL. */
static Neighbour *find_detour(const Mesh *mesh, const uint8_t target[SHORT_KEY_SIZE],
                              const uint8_t one[SHORT_KEY_SIZE],
                              const uint8_t other[SHORT_KEY_SIZE]) {
    const Graph *graph = map_graph(mesh);
    uint16_t self = map_index(mesh, &mesh->self.key);
    uint16_t to = map_index_short(mesh, target);
    bool closed[MESH_MEMBERS_MAX] = {false};
    GraphPaths *paths;
    Neighbour *hop = NULL;

    if (!graph || self == GRAPH_NONE || to == GRAPH_NONE) {
        return NULL;
    }
    for (size_t i = 0; i < graph_degree(graph, self); i++) {
        uint8_t classes;
        uint16_t end = graph_other(graph, self, i, &classes);
        const MeshKey *key = map_key(mesh, end);
        const Neighbour *neighbour = neighbour_find(mesh, key);

        closed[end] =
            is_key(key, one) || is_key(key, other) || !neighbour || !neighbour_is_direct(neighbour);
    }
    paths = graph_paths(graph, self, closed);
    if (paths && paths->next[to] != GRAPH_NONE) {
        hop = neighbour_find(mesh, map_key(mesh, paths->next[to]));
    }
    free(paths);
    return hop;
}

/* Where to send on what came from `before`, or begins here: `before` is then the node itself. */
static Neighbour *next_hop(const Mesh *mesh, const uint8_t target[SHORT_KEY_SIZE],
                           const uint8_t origin[SHORT_KEY_SIZE],
                           const uint8_t before[SHORT_KEY_SIZE]) {
    Neighbour *hop = map_first_hop_short(mesh, target);

    if (hop && (is_key(&hop->key, origin) || is_key(&hop->key, before))) {
        /* They see the map otherwise: it would only come back. */
        return find_detour(mesh, target, origin, before);
    }
    return hop;
}

/* The same of what begins here: not by a hop that it went by in vain, if there is another. */
static Neighbour *first_hop(const Mesh *mesh, const uint8_t target[SHORT_KEY_SIZE]) {
    const Neighbour *neighbour = neighbour_find_short(mesh, target);
    Neighbour *hop = next_hop(mesh, target, mesh->self.key.bytes, target);
    Neighbour *other = NULL;

    if (hop && neighbour && mesh->now_us < neighbour->vain_us &&
        is_key(&hop->key, neighbour->vain_hop)) {
        other = find_detour(mesh, target, target, neighbour->vain_hop);
    }
    return other ? other : hop;
}

bool forward_in_vain(Mesh *mesh, Neighbour *neighbour) {
    const Neighbour *hop = first_hop(mesh, neighbour->key.bytes);
    bool first = neighbour->vain_us < neighbour->heard_us + VAIN_US;

    if (hop) {
        memcpy(neighbour->vain_hop, hop->key.bytes, SHORT_KEY_SIZE);
        neighbour->vain_us = mesh->now_us + VAIN_US;
    }
    return first;
}

MeshPath forward_path_by(const Mesh *mesh, const Neighbour *hop,
                         const uint8_t from[SHORT_KEY_SIZE]) {
    MeshPath path = {.kind = MESH_PATH_RELAY, .agent = neighbour_slot(mesh, hop)};

    memcpy(path.ip, from, SHORT_KEY_SIZE);
    return path;
}

bool forward_path(const Mesh *mesh, const uint8_t target[SHORT_KEY_SIZE], MeshPath *ret_path) {
    const Neighbour *hop = first_hop(mesh, target);

    if (hop) {
        *ret_path = forward_path_by(mesh, hop, target);
    }
    return hop != NULL;
}

/* ---- sending ---- */

static bool submit(Mesh *mesh, Neighbour *hop, const Forward *forward) {
    uint8_t head[BODY_HEAD_SIZE];
    BytesWriter writer = bytes_writer(head, sizeof head);
    bool voice = forward->priority == LINK_VOICE;

    bytes_write(&writer, forward->to, SHORT_KEY_SIZE);
    bytes_write(&writer, forward->from, SHORT_KEY_SIZE);
    bytes_write_u8(&writer, forward->hops);
    bytes_write_u8(&writer, forward->priority);
    return neighbour_send_parts(mesh, hop, (LinkPriority)forward->priority,
                                voice ? VOICE_LIFE_US : LIFE_US, MESSAGE_FORWARD, BYTES_OF(head),
                                forward->datagram);
}

void forward_send(Mesh *mesh, const MeshPath *path, Bytes datagram, LinkPriority priority) {
    Forward forward = {.hops = MESH_HOPS_MAX, .priority = (uint8_t)priority, .datagram = datagram};
    Neighbour *hop = first_hop(mesh, path->ip);

    if (!hop) {
        hop = neighbour_at(mesh, path->agent); /* it knew a way just now */
    }
    if (is_hop(mesh, hop)) {
        memcpy(forward.to, path->ip, SHORT_KEY_SIZE);
        memcpy(forward.from, mesh->self.key.bytes, SHORT_KEY_SIZE);
        submit(mesh, hop, &forward);
    } else {
        porter_send(mesh, path->ip, datagram);
    }
}

bool forward_for(Mesh *mesh, Neighbour *to, const uint8_t from[SHORT_KEY_SIZE], uint8_t hops,
                 Bytes datagram) {
    Forward forward = {.hops = hops, .priority = LINK_CONTROL, .datagram = datagram};

    memcpy(forward.to, to->key.bytes, SHORT_KEY_SIZE);
    memcpy(forward.from, from, SHORT_KEY_SIZE);
    return submit(mesh, to, &forward);
}

/* ---- carrying ---- */

/*
 * Whether a neighbour may make us carry so much more: as much as the line to the next hop takes,
 * and of what goes before others' chat half of that.
 */
static bool is_within(Mesh *mesh, Neighbour *from, const Neighbour *hop, const Forward *forward) {
    uint64_t rate = link_rate_bps(hop->link) / 8;
    uint64_t *paid_us = &from->carried_us;
    uint64_t cost_us;

    if (mesh->relay && rate > MESH_CARRIED_RATE_MAX) {
        rate = MESH_CARRIED_RATE_MAX;
    }
    cost_us = forward->datagram.length * S / (rate > RATE_LEAST ? rate : RATE_LEAST);

    if (forward->priority <= LINK_VOICE) {
        paid_us = &from->carried_soon_us;
        cost_us *= 2;
    }
    if (*paid_us > mesh->now_us + LIFE_US) {
        return false;
    }
    *paid_us = (*paid_us > mesh->now_us ? *paid_us : mesh->now_us) + cost_us;
    return true;
}

static MeshError carry(Mesh *mesh, Neighbour *from, Forward *forward) {
    Neighbour *hop = next_hop(mesh, forward->to, forward->from, from->key.bytes);

    if (!hop) {
        return porter_answer(mesh, forward->to, forward->from, forward->datagram);
    }
    if (!is_hop(mesh, hop) || forward->hops == 0) {
        return MESH_ERROR_UNKNOWN;
    }
    if (!is_within(mesh, from, hop, forward)) {
        return MESH_ERROR_FULL;
    }
    forward->hops--;
    mesh->counters.forwarded += submit(mesh, hop, forward);
    return MESH_OK;
}

/* Reads a datagram as if it had come by itself. What comes of it is counted there. */
static MeshError deliver(Mesh *mesh, const Neighbour *from, const Forward *forward) {
    MeshPath path = forward_path_by(mesh, from, forward->from);
    uint8_t first = forward->datagram.data[0];

    /* Those who carry know each other's keys; who comes by a relay knows nobody's. */
    if (first == HAIL_HERE || (first == HAIL_HAIL && !core_is_relay(mesh, &from->key))) {
        return MESH_ERROR_FORBIDDEN;
    }
    mesh->neighbours.carried = true;
    neighbours_datagram(mesh, &path, forward->datagram);
    mesh->neighbours.carried = false;
    return MESH_OK;
}

MeshError forward_received(Mesh *mesh, Neighbour *from, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    Forward forward;

    bytes_read_into(&reader, forward.to, SHORT_KEY_SIZE);
    bytes_read_into(&reader, forward.from, SHORT_KEY_SIZE);
    forward.hops = bytes_read_u8(&reader);
    forward.priority = bytes_read_u8(&reader);
    forward.datagram = bytes_rest(&reader);
    if (reader.failed || forward.datagram.length == 0 ||
        forward.datagram.length > MESH_DATAGRAM_SAFE_MAX || forward.priority >= LINK_PRIORITIES ||
        forward.hops > MESH_HOPS_MAX) {
        return MESH_ERROR_MALFORMED;
    }
    /* What is carried is not carried inside what is carried, and does not come back to its sender;
     * and who lets it go first says who it is. */
    if (mesh->neighbours.carried || !neighbour_is_direct(from) ||
        is_key(&mesh->self.key, forward.from) ||
        (forward.hops == MESH_HOPS_MAX && !is_key(&from->key, forward.from))) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (forward.priority == LINK_VOICE) {
        pulse_voice(mesh, from, false);
    }
    return is_key(&mesh->self.key, forward.to) ? deliver(mesh, from, &forward)
                                               : carry(mesh, from, &forward);
}
