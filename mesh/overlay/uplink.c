/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/uplink.h"

#include "mesh/core.h"

#define IPV4_SIZE      28 /* with UDP */
#define IPV6_SIZE      48
#define AHEAD_US       (60 * MS) /* of the ceiling, that what is urgent may run ahead */
#define LOOK_US        (200 * MS)
#define BUSY_BYTES     2400      /* waiting: the link could send more than it does */
#define ALIKE_US       (20 * MS) /* queues that differ by less are one */
#define FAVOUR         1024
#define FAVOUR_COMPANY (FAVOUR + 1) /* the usual queue, but shared */
#define COMPANY_LOOKS  10
#define FAVOUR_LEAST   (FAVOUR / 4)
#define FAVOUR_MOST    (4 * FAVOUR)

/* ---- the ceiling ---- */

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* How long so many bytes fill the ceiling. */
static uint64_t filled_us(const Uplink *uplink, size_t size) {
    return size * S / uplink->ceiling;
}

void uplink_sent(Mesh *mesh, const MeshPath *path, size_t length) {
    Uplink *uplink = &mesh->uplink;
    size_t size = length + (path->family == 6 ? IPV6_SIZE : IPV4_SIZE);

    if (uplink->ceiling > 0) {
        uint64_t most_us =
            mesh->now_us + AHEAD_US + 2 * filled_us(uplink, MESH_DATAGRAM_MAX + IPV6_SIZE);

        uplink->free_us = later(uplink->free_us, mesh->now_us) + filled_us(uplink, size);
        /* Who knocks at many in vain may exceed the least of ceilings: that is not made up for. */
        uplink->free_us = uplink->free_us < most_us ? uplink->free_us : most_us;
    }
}

/* A link sent so much, headers not counted. */
static void link_sent(Mesh *mesh, size_t length) {
    Uplink *uplink = &mesh->uplink;

    if (uplink->ceiling > 0) {
        uplink->links_us =
            later(uplink->links_us, mesh->now_us) + 2 * filled_us(uplink, length + IPV4_SIZE);
    }
}

/* When what is urgent may leave. */
static uint64_t urgent_us(const Uplink *uplink) {
    uint64_t ahead_us = uplink->free_us > AHEAD_US ? uplink->free_us - AHEAD_US : 0;

    return ahead_us < uplink->links_us ? ahead_us : uplink->links_us;
}

static bool is_any_up(const Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour_is_up(neighbour)) {
            return true;
        }
    }
    return false;
}

/* While the ceiling is filled no documents leave, and no pictures. */
static void hold(Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour_is_up(neighbour)) {
            link_hold(neighbour->link, mesh->uplink.free_us > mesh->now_us);
        }
    }
}

void uplink_set_ceiling(Mesh *mesh, uint64_t bps) {
    mesh->uplink.ceiling = bps / 8 + (bps % 8 > 0);
    mesh->uplink.free_us = 0;
    mesh->uplink.links_us = 0;
    hold(mesh);
    declare_soon(mesh);
}

uint64_t uplink_deadline_us(const Mesh *mesh) {
    const Uplink *uplink = &mesh->uplink;
    uint64_t deadline_us = UINT64_MAX;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour =
            due_line_us(mesh, slot) < deadline_us ? neighbour_view(mesh, slot) : NULL;

        if (neighbour && neighbour_may_send(neighbour)) {
            uint64_t due_us = link_deadline_us(neighbour->link, mesh->now_us);

            deadline_us = due_us < deadline_us ? due_us : deadline_us;
        }
    }
    deadline_us = later(deadline_us, urgent_us(uplink));
    if (uplink->free_us > mesh->now_us && uplink->free_us < deadline_us && is_any_up(mesh)) {
        deadline_us = uplink->free_us;
    }
    return deadline_us;
}

/* ---- sharing ---- */

/* It could send more than it does, and knows what its line carries. */
static bool is_busy(const Neighbour *neighbour, LinkState state) {
    return neighbour_is_direct(neighbour) && state.waiting > BUSY_BYTES &&
           (state.reason == LINK_LINE_STEADY || state.reason == LINK_LINE_SHARED);
}

/*
 * Links that stand in one queue see the same queue. Each keeps what it found that the line carries
 * for it; so that their parts become equal, one that has less wants a longer queue than one that
 * has more. Where the queues only look alike, nothing else comes of it.
 */
/* Notes what each link says of its line, and tells which of them stand in one queue, a bit each. */
static uint64_t find_common(Mesh *mesh) {
    uint64_t busy = due_busy(mesh);
    uint64_t queue_us = UINT64_MAX;
    uint64_t common = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = busy >> slot & 1 ? neighbour_at(mesh, slot) : NULL;
        LinkState state;

        if (!neighbour || !neighbour_is_up(neighbour)) {
            continue;
        }
        state = link_state(neighbour->link, mesh->now_us);
        if (is_busy(neighbour, state)) {
            neighbour->line_bps = state.rate_bps;
            neighbour->line_queue_us =
                (uint32_t)((7 * (uint64_t)neighbour->line_queue_us + state.queue_own_us) / 8);
            queue_us = neighbour->line_queue_us < queue_us ? neighbour->line_queue_us : queue_us;
            common |= 1ull << slot;
        }
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (common >> slot & 1 &&
            neighbour_view(mesh, slot)->line_queue_us > 2 * queue_us + ALIKE_US) {
            common &= ~(1ull << slot);
        }
    }
    return common;
}

/* How much of the usual queue this one wants, whose part would be `part_bps`. */
static uint32_t favour(const Neighbour *neighbour, uint64_t part_bps) {
    uint64_t ratio = part_bps * FAVOUR / ((uint64_t)neighbour->line_bps + 1);

    ratio = ratio < FAVOUR_MOST ? ratio * ratio / FAVOUR : FAVOUR_MOST;
    ratio = ratio > FAVOUR_MOST ? FAVOUR_MOST : ratio < FAVOUR_LEAST ? FAVOUR_LEAST : ratio;
    return ratio == FAVOUR ? FAVOUR_COMPANY : (uint32_t)ratio;
}

/* Who shared a queue a moment ago and waits for its next messages still does: what it finds there
 * is of its like. */
static uint32_t favour_later(Neighbour *neighbour) {
    neighbour->company -= neighbour->company > 0;
    return neighbour->company > 0 ? FAVOUR_COMPANY : FAVOUR;
}

static void compare(Mesh *mesh) {
    uint64_t common = find_common(mesh);
    uint64_t busy = due_busy(mesh);
    uint64_t sum = 0, count = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (common >> slot & 1) {
            sum += neighbour_view(mesh, slot)->line_bps;
            count++;
        }
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *seen = neighbour_view(mesh, slot);
        Neighbour *neighbour;

        if (!seen || !neighbour_is_up(seen)) {
            continue;
        }
        if (!(busy >> slot & 1) && seen->company == 0) {
            link_favour(seen->link, FAVOUR);
            continue;
        }
        neighbour = neighbour_at(mesh, slot);
        if (common >> slot & 1 && count > 1) {
            neighbour->company = COMPANY_LOOKS;
            link_favour(neighbour->link, favour(neighbour, sum / count));
        } else {
            link_favour(neighbour->link, favour_later(neighbour));
        }
    }
}

/* ---- who is next ---- */

static uint64_t served(const Mesh *mesh, const Neighbour *neighbour) {
    return neighbour->served > mesh->uplink.served ? neighbour->served : mesh->uplink.served;
}

static bool is_due(const Mesh *mesh, const Neighbour *neighbour) {
    return neighbour && neighbour_may_send(neighbour) &&
           link_deadline_us(neighbour->link, mesh->now_us) <= mesh->now_us;
}

/* The links that may have something to send now, a bit each. */
static uint64_t find_due(const Mesh *mesh) {
    uint64_t due = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (due_line_us(mesh, slot) <= mesh->now_us) {
            due |= (uint64_t)is_due(mesh, neighbour_view(mesh, slot)) << slot;
        }
    }
    return due;
}

/* Of these the link with the most urgent to send; NULL: none. */
static Neighbour *next(Mesh *mesh, uint64_t due) {
    unsigned best_urgency = LINK_PRIORITIES;
    Neighbour *best = NULL;

    if ((due & (due - 1)) == 0) {
        return due ? neighbour_at(mesh, (uint32_t)__builtin_ctzll(due))
                   : NULL; /* as nearly always */
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour;
        unsigned urgency;

        if (!(due >> slot & 1)) {
            continue;
        }
        neighbour = neighbour_at(mesh, slot);
        urgency = link_urgency(neighbour->link, mesh->now_us);
        if (urgency == LINK_PRIORITIES) {
            urgency = LINK_URGENT; /* something is to be looked after, and may come of it */
        }
        if (!best || urgency < best_urgency ||
            (urgency == best_urgency && served(mesh, neighbour) < served(mesh, best))) {
            best = neighbour;
            best_urgency = urgency;
        }
    }
    return best;
}

/* One packet of the most urgent link that is due. The link is `spent` when it has none; false:
 * nothing is left to be sent now. */
static bool send_next(Mesh *mesh, uint64_t *due, uint64_t *spent) {
    Neighbour *neighbour = next(mesh, *due & ~*spent);
    LinkPriority priority = LINK_CONTROL;
    uint64_t before, own;

    if (!neighbour) {
        return false;
    }
    before = neighbour->tx_bytes;
    own = 1ull << neighbour_slot(mesh, neighbour);
    if (!neighbour_flush(mesh, neighbour, &priority)) {
        *spent |= own;
        return true;
    }
    link_sent(mesh, neighbour->tx_bytes - before);
    if (priority == LINK_DOCUMENT) {
        mesh->uplink.served = served(mesh, neighbour);
        neighbour->served = mesh->uplink.served + neighbour->tx_bytes - before;
    }
    if (neighbour->path.kind == MESH_PATH_RELAY) {
        *due = find_due(mesh); /* whoever carries has something now */
        *spent = 0;
    } else if (!is_due(mesh, neighbour)) {
        *due &= ~own;
    }
    return true;
}

void uplink_flush(Mesh *mesh) {
    uint64_t due, spent = 0;
    bool more = true;

    if (mesh->now_us >= mesh->uplink.look_us) {
        mesh->uplink.look_us = mesh->now_us + LOOK_US;
        compare(mesh);
    }
    due = find_due(mesh);
    while (more && effects_room(&mesh->effects) > 0 && urgent_us(&mesh->uplink) <= mesh->now_us) {
        if (mesh->uplink.ceiling > 0) {
            hold(mesh);
            due = find_due(mesh);
        }
        more = send_next(mesh, &due, &spent);
    }
}
