/* SPDX-License-Identifier: MPL-2.0 */
/* What this node says of its own links, and when: as soon as one comes or goes, and when one has
 * been plainly of another class for a while; never by period. */
#include <string.h>

#include "mesh/core.h"

#define GATHER_US     (50 * MS)  /* what comes together is declared together */
#define MEASURE_US    (250 * MS) /* a new link's round trip is awaited so long */
#define PATIENCE_US   (2 * S)    /* the same where nobody is reached who was not before, */
#define EDGES_FEW     3          /* by who has so many edges, */
#define AGAIN_US      (3 * S)    /* and so long after the last record */
#define SPARED_US     (5 * S)    /* and where the other end let go: it says so */
#define PACE_US       S          /* between two records in the long run, */
#define PACE_BURST    4          /* and so many at once */
#define BEYOND_US     (10 * S)   /* a class is left only after so long beyond it */
#define CALM_US       (30 * S)   /* between two records for classes alone */
#define LOOK_US       S          /* between two looks at what is measured */
#define CLOCK_SHIFT   16         /* the first number of a run: of the clock, in seconds */
#define LOST_LEAST    8          /* packets that a line must lose before it is said to */
#define RTT_GUESS     6          /* of a link not measured yet: up to 320 ms */
#define CONTEST_TIMES 3         /* so often that the copy, outdone now and then, finds it out too */
#define COPIED_US     (600 * S) /* after so long in peace the copy is gone */
#define CONTEST_US    (60 * S)  /* between two records while it is there: each outdoes the other */
#define WEAK_CEILING  32000     /* bytes a second: who may send less carries nothing for others */

/* ---- what is measured ---- */

static bool is_edge(Mesh *mesh, const Neighbour *neighbour) {
    return neighbour && neighbour_is_direct(neighbour) && neighbour_is_greeted(mesh, neighbour);
}

static uint8_t room_of(const LinkState *state) {
    uint8_t room = edge_room_of(state->rate_bps);

    return !state->rate_found && room < EDGE_ROOM_GUESS ? EDGE_ROOM_GUESS : room;
}

/* A few lost of a few say nothing. */
static uint8_t loss_of(const LinkState *state) {
    return state->packets_lost < LOST_LEAST ? 0 : edge_loss_of(state->loss_ppm);
}

static uint8_t classes_of(const LinkState *state) {
    uint8_t rtt = state->rtt_us > 0 ? edge_rtt_of(state->rtt_us) : RTT_GUESS;

    return edge_classes(rtt, loss_of(state), room_of(state));
}

/* Whether a value lies beyond the borders of its class by a quarter. */
static bool is_beyond(uint64_t value, uint64_t from, uint64_t below) {
    return value * 4 < from * 3 || (below != UINT32_MAX && value * 4 > below * 5);
}

/* Its classes, but those that are plainly others now. */
static uint8_t moved(uint8_t classes, const LinkState *state) {
    uint8_t rtt = edge_rtt(classes);
    uint8_t loss = edge_loss(classes);
    uint8_t room = edge_room(classes);

    if (state->rtt_us > 0 &&
        is_beyond(state->rtt_us, rtt ? edge_rtt_bound_us(rtt - 1) : 0, edge_rtt_bound_us(rtt))) {
        rtt = edge_rtt_of(state->rtt_us);
    }
    if (is_beyond(state->loss_ppm, loss ? edge_loss_bound_ppm(loss - 1) : 0,
                  edge_loss_bound_ppm(loss))) {
        loss = loss_of(state);
    }
    if (is_beyond(state->rate_bps, room ? edge_room_bound_bps(room - 1) : 0,
                  edge_room_bound_bps(room))) {
        room = room_of(state);
    }
    return edge_classes(rtt, loss, room);
}

/* ---- edges that come and go ---- */

static void plan(Map *map, uint64_t at_us) {
    map->issue_us = at_us < map->issue_us ? at_us : map->issue_us;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint8_t flags_now(Mesh *mesh) {
    const Member *self = core_self(mesh);
    uint64_t ceiling = mesh->uplink.ceiling;
    size_t edges = 0;
    size_t thin = 0;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const MapEdge *edge = &mesh->map.edges[slot];

        edges += edge->is;
        thin += edge->is && edge_room(edge->classes) == 0;
    }
    return (uint8_t)(((ceiling > 0 && ceiling < WEAK_CEILING) || (edges > 0 && thin == edges)
                          ? EDGES_WEAK
                          : 0) |
                     (self && self->role == MESH_ROLE_RELAY ? EDGES_RELAY : 0));
}

void declare_soon(Mesh *mesh) {
    mesh->map.changed = true;
}

bool declare_is_copied(const Mesh *mesh) {
    const Map *map = &mesh->map;

    return map->outdone > MESH_OUTDONE_MAX && mesh->now_us < map->outdone_us + COPIED_US;
}

/* One of a former run, whose clock was ahead, is outdone for good; a copy of this node goes on. */
static void outdone(Mesh *mesh) {
    Map *map = &mesh->map;

    map->outdone = mesh->now_us < map->outdone_us + COPIED_US ? map->outdone : 0;
    map->outdone_us = mesh->now_us;
    map->outdone += map->outdone < CONTEST_TIMES * MESH_OUTDONE_MAX;
    if (map->outdone == MESH_OUTDONE_MAX + 1) {
        core_notify(mesh, MESH_NOTICE_COPIED, NULL, &mesh->self.key);
    }
}

void declare_above(Mesh *mesh, uint64_t number) {
    Map *map = &mesh->map;

    if (map->number > 0 && number > map->above && number >= map->number) {
        outdone(mesh);
    }
    map->above = later(map->above, number);
    plan(map, mesh->now_us);
}

/* Until when others that come with an edge are waited for: longer where it only makes ways shorter.
 */
static uint64_t gathered_us(Mesh *mesh, uint32_t slot) {
    const uint8_t *last = map_record(mesh, &mesh->self.key);

    return last && edges_count(last) >= EDGES_FEW &&
                   map_hops(mesh, &neighbour_at(mesh, slot)->key) > 1
               ? later(mesh->now_us + PATIENCE_US, mesh->map.issued_us + AGAIN_US)
               : mesh->now_us + GATHER_US;
}

static void edge_came(Mesh *mesh, uint32_t slot) {
    LinkState state = link_state(neighbour_at(mesh, slot)->link, mesh->now_us);
    uint64_t due_us = gathered_us(mesh, slot);

    mesh->map.edges[slot] = (MapEdge){
        .is = true, .guessed = state.rtt_us == 0, .classes = classes_of(&state), .due_us = due_us};
    mesh->map.guessed |= state.rtt_us == 0;
    plan(&mesh->map, state.rtt_us == 0 ? later(due_us, mesh->now_us + MEASURE_US) : due_us);
}

/* An edge counts while both ends declare it: one who lets go says so, and the other need not. */
static void edge_went(Mesh *mesh, uint32_t slot) {
    const Neighbour *neighbour = neighbour_at(mesh, slot);
    bool spared = neighbour && !neighbour_is_up(neighbour) && neighbour->gone_us != UINT64_MAX &&
                  neighbour->gone_why == MESH_END_SPARED;

    if (neighbour && neighbour_is_up(neighbour)) {
        spread_cut(mesh, slot); /* it is doubted, or others carry */
    }
    mesh->map.edges[slot] = (MapEdge){0};
    plan(&mesh->map, mesh->now_us + (spared ? SPARED_US : GATHER_US));
}

static void find_changes(Mesh *mesh) {
    const uint8_t *last = map_record(mesh, &mesh->self.key);

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        MapEdge *edge = &mesh->map.edges[slot];
        bool is = is_edge(mesh, neighbour_at(mesh, slot));

        if (is && !edge->is) {
            edge_came(mesh, slot);
        } else if (!is && edge->is) {
            edge_went(mesh, slot);
        }
    }
    if (last && edges_flags(last) != flags_now(mesh)) {
        plan(&mesh->map, mesh->now_us + GATHER_US);
    }
}

/* ---- classes ---- */

/* The first measure of an edge is not waited for as a change is. */
static void measure(Mesh *mesh) {
    Map *map = &mesh->map;
    bool guessed = false;

    for (uint32_t slot = 0; map->guessed && slot < mesh->neighbours.end; slot++) {
        MapEdge *edge = &map->edges[slot];
        LinkState state;

        if (!edge->guessed) {
            continue;
        }
        guessed = true;
        state = link_state(neighbour_at(mesh, slot)->link, mesh->now_us);
        if (state.rtt_us > 0) {
            edge->guessed = false;
            edge->classes = classes_of(&state);
            plan(map, later(edge->due_us, mesh->now_us));
        }
    }
    map->guessed = guessed;
}

static void look(Mesh *mesh) {
    Map *map = &mesh->map;

    map->look_us = mesh->now_us + LOOK_US;
    map->beyond_us = UINT64_MAX;
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        MapEdge *edge = &map->edges[slot];
        LinkState state;

        if (!edge->is) {
            continue;
        }
        state = link_state(neighbour_at(mesh, slot)->link, mesh->now_us);
        if (state.reason == LINK_LINE_OUTAGE) {
            continue; /* it is not a line now, of any class */
        }
        if (moved(edge->classes, &state) == edge->classes) {
            edge->beyond_us = 0;
        } else if (edge->beyond_us == 0) {
            edge->beyond_us = mesh->now_us;
        }
        if (edge->beyond_us > 0) {
            uint64_t due_us = later(edge->beyond_us + BEYOND_US, map->calm_us);

            map->beyond_us = due_us < map->beyond_us ? due_us : map->beyond_us;
        }
    }
    if (mesh->now_us >= map->beyond_us) {
        map->calm_us = mesh->now_us + CALM_US;
        plan(map, mesh->now_us);
    }
}

/* Those that were beyond their classes for long enough get those that are true now. */
static void settle(Mesh *mesh) {
    Map *map = &mesh->map;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        MapEdge *edge = &map->edges[slot];

        if (edge->is && edge->beyond_us > 0 && mesh->now_us >= edge->beyond_us + BEYOND_US) {
            LinkState state = link_state(neighbour_at(mesh, slot)->link, mesh->now_us);

            edge->classes = moved(edge->classes, &state);
            edge->beyond_us = 0;
        }
    }
    map->beyond_us = UINT64_MAX; /* the next look says */
    map->look_us = mesh->now_us;
}

/* ---- issuing ---- */

static size_t collect(const Mesh *mesh, Edge edges[MESH_PEERS_MAX]) {
    size_t count = 0;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        if (mesh->map.edges[slot].is) {
            edges[count].classes = mesh->map.edges[slot].classes;
            memcpy(edges[count++].key, neighbour_at(mesh, slot)->key.bytes, SHORT_KEY_SIZE);
        }
    }
    return count;
}

/* The last says the same, and is not outdone by another. */
static bool says_the_same(const Map *map, const uint8_t *last, const uint8_t *record) {
    return last && edges_number(last) == map->number && map->above < map->number &&
           edges_flags(last) == edges_flags(record) && edges_count(last) == edges_count(record) &&
           !memcmp(edges_at(last, 0), edges_at(record, 0), edges_count(record) * sizeof(Edge));
}

static void issue(Mesh *mesh) {
    Map *map = &mesh->map;
    const uint8_t *last = map_record(mesh, &mesh->self.key);
    uint8_t record[EDGES_SIZE(MESH_PEERS_MAX)];
    Edge edges[MESH_PEERS_MAX];
    uint64_t first = map->number == 0 ? mesh->now_s << CLOCK_SHIFT : 0;
    uint64_t number = later(later(map->number, map->above) + 1, first);
    size_t count;
    MapNode *node;
    bool urgent;

    settle(mesh);
    count = collect(mesh, edges);
    if (count == 0 && map->number == 0 && map->above == 0) {
        return;
    }
    edges_write(&mesh->self, &mesh->meeting.id, number, flags_now(mesh), edges, count, record);
    if (says_the_same(map, last, record)) {
        return;
    }
    urgent = last && map_loses(mesh, record, last);
    node = map_keep(mesh, record);
    if (!node) {
        map->issue_us = mesh->now_us + S;
        return;
    }
    if (urgent && map->cut) {
        spread_mend(mesh);
    }
    node->urgent |= urgent;
    map->number = number;
    map->issued_us = mesh->now_us;
    map->paid_us = later(map->paid_us, mesh->now_us) + PACE_US;
    spread_record(mesh, node, 0);
    map->send_us = mesh->now_us; /* it was gathered already */
}

static uint64_t issue_due_us(const Mesh *mesh) {
    const Map *map = &mesh->map;
    uint64_t most_us = (PACE_BURST - 1) * PACE_US;
    uint64_t free_us = map->paid_us > most_us ? map->paid_us - most_us : 0;

    if (declare_is_copied(mesh) && map->outdone == CONTEST_TIMES * MESH_OUTDONE_MAX) {
        free_us = later(free_us, map->issued_us + CONTEST_US);
    }
    return map->issue_us == UINT64_MAX ? UINT64_MAX : later(map->issue_us, free_us);
}

void declare_timeout(Mesh *mesh) {
    Map *map = &mesh->map;

    if (mesh->status != MESH_STATUS_MEMBER) {
        return;
    }
    if (map->changed) {
        map->changed = false;
        find_changes(mesh);
    }
    measure(mesh);
    if (mesh->now_us >= map->look_us) {
        look(mesh);
    }
    if (mesh->now_us >= issue_due_us(mesh)) {
        map->issue_us = UINT64_MAX;
        issue(mesh);
    }
}

uint64_t declare_deadline_us(const Mesh *mesh) {
    const Map *map = &mesh->map;
    uint64_t due_us = issue_due_us(mesh);
    uint64_t beyond_us = later(map->beyond_us, map->look_us);

    if (mesh->status != MESH_STATUS_MEMBER) {
        return UINT64_MAX;
    }
    due_us = beyond_us < due_us ? beyond_us : due_us;
    return map->changed ? mesh->now_us : due_us;
}
