/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/feed.h"

#include <stdlib.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define MANY        25 /* when more are here, two push to each */
#define LOSSY       2  /* class of loss on a way from which on two do, see edges.h */
#define PACKET_SIZE 53 /* that a frame costs beside its own bytes */
#define WINDOW_US   S
#define ACTIVE_US   S /* a stream of which a frame went so lately takes its part of the uplink */
#define SHARE       7 /* tenths of the uplink, for streams */

/* ---- the tree ---- */

/* Beside the source one is enough, unless many are here: the link repairs and copies. */
static bool wants_two(const Mesh *mesh, const GraphTree *tree, uint16_t node) {
    return map_present_count(mesh) + 1 > MANY ||
           (tree->hops[node] > 1 && edge_loss(tree->worst[node]) >= LOSSY);
}

/* Whether this node (`self`) pushes to another by the tree of a source, NULL: there is none. One
 * that is not in the map yet, being linked just now, hears the source alone. */
static bool pushes(const Mesh *mesh, const GraphTree *tree, uint16_t self, const MeshKey *to,
                   bool own, bool two) {
    uint16_t node = map_index(mesh, to);

    if (!tree || node == GRAPH_NONE || node >= tree->count || !graph_tree_reaches(tree, node)) {
        return own;
    }
    if (self == GRAPH_NONE || node == tree->source) {
        return false;
    }
    return tree->parent[node] == self ||
           (two && tree->second[node] == self && wants_two(mesh, tree, node));
}

bool feed_pushes(Mesh *mesh, const Neighbour *to, const MeshKey *source) {
    return pushes(mesh, map_tree(mesh, source), map_index(mesh, &mesh->self.key), &to->key,
                  mesh_key_equal(source, &mesh->self.key), false);
}

bool feed_hears_source(Mesh *mesh, const Neighbour *neighbour, const MeshKey *source) {
    const GraphTree *tree = map_tree(mesh, source);
    uint16_t node = map_index(mesh, &neighbour->key);

    return tree && node < tree->count && tree->parent[node] == tree->source;
}

/* All whom this node pushes to by the tree, whether or not they listen now. */
static uint64_t find_targets(Mesh *mesh, const MeshKey *speaker) {
    const GraphTree *tree = map_tree(mesh, speaker);
    uint16_t self = map_index(mesh, &mesh->self.key);
    bool own = mesh_key_equal(speaker, &mesh->self.key);
    uint64_t slots = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && !mesh_key_equal(&neighbour->key, speaker) &&
            pushes(mesh, tree, self, &neighbour->key, own, true)) {
            slots |= 1ull << slot;
        }
    }
    return slots;
}

uint64_t feed_targets(Mesh *mesh, FeedLoad *load, const MeshKey *speaker) {
    uint64_t slots = 0;

    /* Nobody begins to listen without the map taking note of the link. */
    if (load->turn != mesh->map.turn) {
        load->targets = find_targets(mesh, speaker);
        load->turn = mesh->map.turn;
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = load->targets >> slot & 1 ? neighbour_view(mesh, slot) : NULL;

        if (neighbour && neighbour_is_greeted(mesh, neighbour)) {
            slots |= 1ull << slot;
        }
    }
    return slots;
}

/* ---- grants ---- */

void feed_load(Mesh *mesh, FeedLoad *load, size_t size) {
    uint64_t lasted_us = mesh->now_us - load->since_us;

    if (load->since_us == 0 || mesh->now_us >= load->last_us + ACTIVE_US) {
        load->since_us = mesh->now_us;
        load->bytes = 0;
    } else if (lasted_us >= WINDOW_US) {
        uint64_t rate_bps = load->bytes * 8 * S / lasted_us;

        load->rate_bps =
            (uint32_t)(load->rate_bps > 0 ? (load->rate_bps + rate_bps) / 2 : rate_bps);
        load->since_us = mesh->now_us;
        load->bytes = 0;
    }
    load->bytes += size + PACKET_SIZE;
    load->last_us = mesh->now_us;
}

/* Adds up what lines are known to carry, bit/s, until that is enough. True: of all that were looked
 * at it is known. */
static bool add_lines(const Mesh *mesh, uint64_t slots, uint64_t enough_bps, uint64_t *sum_bps) {
    bool known = true;

    for (uint32_t slot = 0; slot < mesh->neighbours.end && *sum_bps < enough_bps; slot++) {
        const Neighbour *neighbour = slots >> slot & 1 ? neighbour_view(mesh, slot) : NULL;

        if (!neighbour || !neighbour_is_direct(neighbour)) {
            continue;
        }
        if (link_line(neighbour->link) != LINK_LINE_START) {
            *sum_bps += link_rate_bps(neighbour->link);
        } else {
            known = false;
        }
    }
    return known;
}

/* What this node may send, bit/s: of more than enough nothing is said. UINT64_MAX while that is
 * unknown: of a line to one of `slots`, or of all. */
static uint64_t uplink_bps(const Mesh *mesh, uint64_t slots, uint64_t enough_bps) {
    uint64_t ceiling_bps = mesh->uplink.ceiling > 0 ? mesh->uplink.ceiling * 8 : UINT64_MAX;
    uint64_t sum_bps = 0;
    bool known = add_lines(mesh, slots, UINT64_MAX, &sum_bps);

    add_lines(mesh, ~slots, known ? enough_bps : 0, &sum_bps);
    return known && sum_bps > 0 && sum_bps < ceiling_bps ? sum_bps : ceiling_bps;
}

static unsigned count_bits(uint64_t mask) {
    unsigned count = 0;

    for (; mask; mask &= mask - 1) {
        count++;
    }
    return count;
}

static uint64_t taken_bps(const Mesh *mesh, const FeedLoad *load) {
    return load->since_us > 0 && mesh->now_us < load->last_us + ACTIVE_US
               ? (uint64_t)load->rate_bps * count_bits(load->pushed)
               : 0;
}

/* What streams take that go before this one: voices before pictures, this node's own before
 * others', and those known longer. */
static uint64_t before_bps(const Mesh *mesh, const FeedLoad *load, MeshStreamKind kind) {
    bool picture = kind != MESH_STREAM_VOICE;
    uint64_t sum_bps = 0;
    bool earlier = true;

    for (MeshStreamKind own = MESH_STREAM_VOICE; own <= MESH_STREAM_SCREEN; own++) {
        if (picture || own == MESH_STREAM_VOICE) {
            sum_bps += taken_bps(mesh, &mesh->live.own[own].load);
        }
    }
    for (size_t i = 0; i < mesh->streams.used; i++) {
        const Stream *stream = &mesh->streams.streams[i];
        bool voice = stream->kind == MESH_STREAM_VOICE;

        if (&stream->load == load) {
            earlier = false;
        } else if (stream->state != STREAM_FREE &&
                   (voice ? picture || earlier : picture && earlier)) {
            sum_bps += taken_bps(mesh, &stream->load);
        }
    }
    return sum_bps;
}

static uint64_t first_of(uint64_t slots, uint64_t most) {
    uint64_t some = 0;

    for (; slots && most > 0; slots &= slots - 1, most--) {
        some |= slots & -slots;
    }
    return some;
}

uint64_t feed_grant(Mesh *mesh, const FeedLoad *load, MeshStreamKind kind, uint64_t targets,
                    uint64_t asked) {
    uint64_t most = mesh->relay ? MESH_RELAY_PUSHES_MAX : MESH_PUSHES_MAX;
    uint64_t wanted = targets | asked;
    uint64_t before, uplink, granted;

    if (!wanted) {
        return 0;
    }
    before = before_bps(mesh, load, kind);
    uplink = uplink_bps(
        mesh, wanted, ((before + count_bits(wanted) * (uint64_t)load->rate_bps) / SHARE + 1) * 10);
    if (uplink != UINT64_MAX && load->rate_bps > 0) {
        uint64_t share_bps = uplink / 10 * SHARE;

        most = share_bps > before ? (share_bps - before) / load->rate_bps : 0;
    }
    if (most == 0 && kind == MESH_STREAM_VOICE) {
        most = 1;
    }
    granted = first_of(targets, most);
    return granted | first_of(asked & ~granted, most - count_bits(granted));
}

void feed_frame(Mesh *mesh, FeedLoad *load, uint64_t slots, const MeshFrame *frame, uint8_t name,
                Bytes body) {
    bool voice = frame->kind == MESH_STREAM_VOICE;

    load->pushed = slots;
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (slots >> slot & 1) {
            neighbour_send_parts(mesh, neighbour_at(mesh, slot), voice ? LINK_VOICE : LINK_PICTURE,
                                 frame_life_us(frame), MESSAGE_FRAME, BYTES_AT(&name, 1),
                                 BYTES_AT(body.data + 1, body.length - 1));
        }
    }
}

/* ---- asks ---- */

void feed_finish(Mesh *mesh) {
    free(mesh->feed.asks);
}

uint64_t feed_asked(const Mesh *mesh, const MeshKey *speaker, MeshStreamKind kind) {
    uint64_t slots = 0;

    for (size_t i = 0; i < mesh->feed.ask_count; i++) {
        const FeedAsk *ask = &mesh->feed.asks[i];
        const Neighbour *neighbour = neighbour_view(mesh, ask->slot);

        if (ask->kind == kind && mesh_key_equal(&ask->speaker, speaker) && neighbour &&
            neighbour_is_up(neighbour) && mesh->now_us < ask->until_us) {
            slots |= 1ull << ask->slot;
        }
    }
    return slots;
}

static FeedAsk *find(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind) {
    for (size_t i = 0; i < mesh->feed.ask_count; i++) {
        FeedAsk *ask = &mesh->feed.asks[i];

        if (ask->slot == slot && ask->kind == kind && mesh_key_equal(&ask->speaker, speaker)) {
            return ask;
        }
    }
    return NULL;
}

static void forget(Mesh *mesh, size_t index) {
    mesh->feed.asks[index] = mesh->feed.asks[--mesh->feed.ask_count];
}

MeshError feed_ask(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind,
                   uint64_t for_us) {
    FeedAsk *ask = find(mesh, slot, speaker, kind);

    for (size_t i = mesh->feed.ask_count; !ask && i > 0; i--) {
        if (mesh->now_us >= mesh->feed.asks[i - 1].until_us) {
            forget(mesh, i - 1);
        }
    }
    if (!ask && mesh->feed.ask_count == MESH_ASKS_MAX) {
        return MESH_ERROR_FULL;
    }
    if (!ask && !memory_grow((void **)&mesh->feed.asks, &mesh->feed.ask_capacity,
                             mesh->feed.ask_count, sizeof *mesh->feed.asks)) {
        return MESH_ERROR_NO_MEMORY;
    }
    ask = ask ? ask : &mesh->feed.asks[mesh->feed.ask_count++];
    *ask = (FeedAsk){
        .slot = slot, .speaker = *speaker, .kind = kind, .until_us = mesh->now_us + for_us};
    return MESH_OK;
}

void feed_ask_no_more(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind) {
    FeedAsk *ask = find(mesh, slot, speaker, kind);

    if (ask) {
        forget(mesh, (size_t)(ask - mesh->feed.asks));
    }
}

void feed_lost(Mesh *mesh, uint32_t slot) {
    for (size_t i = mesh->feed.ask_count; i > 0; i--) {
        if (mesh->feed.asks[i - 1].slot == slot) {
            forget(mesh, i - 1);
        }
    }
}
