/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/watch.h"

#include "mesh/core.h"
#include "mesh/link/link.h"
#include "tests/sim/node.h"

static void watch_links(const Node *node) {
    World *world = node->world;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const Neighbour *neighbour = neighbour_view(node->mesh, slot);

        if (!neighbour)
            continue;
        world_expect(world, neighbour->address_count <= MESH_ADDRESSES_MAX,
                     "%s knows %zu addresses of one", node->name, neighbour->address_count);
        if (neighbour_is_up(neighbour)) {
            LinkState state = link_state(neighbour->link, node->mesh->now_us);

            world_expect(world, state.waiting <= MESH_QUEUE_BYTES_MAX,
                         "%s has %" G_GUINT64_FORMAT " bytes waiting in one link", node->name,
                         state.waiting);
        }
    }
}

static void watch_tables(const Node *node) {
    const Mesh *mesh = node->mesh;
    World *world = node->world;

    world_expect(world, mesh->neighbours.end <= MESH_PEERS_MAX, "%s has %u neighbours", node->name,
                 mesh->neighbours.end);
    world_expect(world, mesh->meeting.roster.member_count <= MESH_MEMBERS_MAX, "%s has %zu members",
                 node->name, mesh->meeting.roster.member_count);
    world_expect(world, journal_waiting(mesh->journal) <= MESH_PENDING_MAX,
                 "%s holds %zu entries that wait", node->name, journal_waiting(mesh->journal));
    world_expect(world, journal_clock_size(mesh->journal) <= MESH_CHAINS_MAX, "%s has %zu chains",
                 node->name, journal_clock_size(mesh->journal));
    world_expect(world, effects_room(&mesh->effects) > 0, "%s holds as many effects as it may",
                 node->name);
    world_expect(world, mesh->library.fetch_count <= MESH_BLOCKS_WANTED_MAX,
                 "%s has %zu blocks asked of its store", node->name, mesh->library.fetch_count);
}

void watch_node(Node *node) {
    watch_links(node);
    watch_tables(node);
    world_expect(node->world, due_is_true(node->mesh), "%s relies on what is not so of a neighbour",
                 node->name);
    world_expect(node->world, node->world->noisy || mesh_counters(node->mesh).malformed == 0,
                 "%s found honest datagrams malformed", node->name);
}
