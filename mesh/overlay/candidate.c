/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/candidate.h"

#include "mesh/core.h"
#include "mesh/overlay/surplus.h"

bool candidate_is_linked(const Neighbour *neighbour) {
    return neighbour && neighbour_is_up(neighbour) && neighbour->leave_us == UINT64_MAX &&
           neighbour->gone_us == UINT64_MAX;
}

/* Links of another that come before ours, and all that are not ours. */
static void count_links(const Mesh *mesh, const MeshKey *key, ChoiceCandidate *candidate) {
    const Graph *graph = map_graph(mesh);
    uint16_t self = map_index(mesh, &mesh->self.key);
    uint16_t node = map_index(mesh, key);
    uint64_t ours = choice_rank(key, &mesh->self.key);

    for (size_t i = 0; graph && node != GRAPH_NONE && i < graph_degree(graph, node); i++) {
        uint8_t classes;
        uint16_t other = graph_other(graph, node, i, &classes);

        candidate->degree += other != self;
        candidate->before +=
            candidate->linked && other != self && choice_rank(key, map_key(mesh, other)) < ours;
    }
}

/* Whether a knock can go anywhere. */
static bool is_somewhere(const Mesh *mesh, const MeshKey *key, const Neighbour *neighbour) {
    return (neighbour && neighbour->address_count > 0) || reach_recalls(mesh, key);
}

static bool had_its_turn(const Mesh *mesh, const Neighbour *neighbour) {
    return neighbour->contact_tries >= neighbour->turn_tries &&
           mesh->now_us >= neighbour->contact_next_us;
}

ChoiceCandidate candidate_of(const Mesh *mesh, const CompanyMember *member,
                             const Neighbour *neighbour) {
    ChoiceCandidate candidate = {.key = member->key,
                                 .linked = candidate_is_linked(neighbour),
                                 .present = map_reaches(mesh, &member->key) && !hush_is_deep(mesh),
                                 .weak = map_is_weak(mesh, &member->key),
                                 .shunned = mesh->now_us < member->shunned_us,
                                 .turn_us = member->turn_us};

    count_links(mesh, &member->key, &candidate);
    if (candidate.linked) {
        candidate.direct = neighbour->path.kind != MESH_PATH_RELAY;
        candidate.rtt_us = neighbour->trip_us;
        candidate.age_us = mesh->now_us - neighbour->came_us;
    } else {
        candidate.rtt_us = map_rtt_us(mesh, &member->key);
        candidate.nowhere = !candidate.present && !is_somewhere(mesh, &member->key, neighbour);
        candidate.knocked = neighbour && neighbour->contact == CONTACT_KNOCKING;
        candidate.vain = candidate.knocked && had_its_turn(mesh, neighbour);
    }
    return candidate;
}

/* Which links neither end needs: looked at by who has more than it needs itself. */
static void find_surplus(const Mesh *mesh, ChoiceCandidate *candidates, size_t count) {
    const Graph *graph = map_graph(mesh);
    uint16_t self = map_index(mesh, &mesh->self.key);
    SurplusNode nodes[MESH_MEMBERS_MAX];

    if (!graph || self == GRAPH_NONE ||
        graph_degree(graph, self) <=
            (map_is_weak(mesh, &mesh->self.key) ? CHOICE_WEAK_TARGET : SURPLUS_NEED)) {
        return;
    }
    for (uint16_t i = 0; i < graph_count(graph); i++) {
        const MeshKey *key = map_key(mesh, i);
        uint8_t flags = edges_flags(map_record(mesh, key));

        nodes[i] =
            (SurplusNode){.key = key, .weak = flags & EDGES_WEAK, .relay = flags & EDGES_RELAY};
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t other = map_index(mesh, &candidates[i].key);

        candidates[i].surplus =
            candidates[i].direct && other != GRAPH_NONE && surplus_goes(graph, nodes, self, other);
    }
}

/* Whether all whom it declared to be linked with are gone as well: then nobody here found it dead.
 */
static bool is_orphan(const Mesh *mesh, const uint8_t *record) {
    for (size_t i = 0; i < edges_count(record); i++) {
        uint16_t other = map_index_short(mesh, edges_at(record, i)->key);
        const MeshKey *key = other == GRAPH_NONE ? NULL : map_key(mesh, other);

        if (key && (mesh_key_equal(key, &mesh->self.key) || map_reaches(mesh, key))) {
            return false;
        }
    }
    return true;
}

void candidates_compare(const Mesh *mesh, CompanyMember *const *members,
                        ChoiceCandidate *candidates, size_t count) {
    find_surplus(mesh, candidates, count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *record = candidates[i].linked || candidates[i].present
                                    ? NULL
                                    : map_record(mesh, &candidates[i].key);

        candidates[i].orphan =
            record && members[i]->tries < CONTACT_TURN && is_orphan(mesh, record);
    }
}
