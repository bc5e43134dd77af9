/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/due.h"

#include "mesh/core.h"

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t bit_of(uint32_t slot) {
    return 1ull << slot;
}

void due_stir(const Mesh *mesh, uint32_t slot) {
    mesh->neighbours.dues->stirred |= bit_of(slot);
}

uint64_t due_busy(const Mesh *mesh) {
    return mesh->neighbours.dues->busy | mesh->neighbours.dues->stirred;
}

uint64_t due_line_us(const Mesh *mesh, uint32_t slot) {
    const Dues *dues = mesh->neighbours.dues;

    return dues->stirred >> slot & 1 ? 0 : dues->line_us[slot];
}

uint64_t due_by(const Mesh *mesh, const MeshPath *path) {
    const Dues *dues = mesh->neighbours.dues;
    uint64_t mark = mesh_path_mark(path);
    uint64_t slots = dues->stirred;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        slots |= (uint64_t)(dues->paths[slot] == mark) << slot;
    }
    return slots;
}

uint64_t due_knocking(const Mesh *mesh) {
    return mesh->neighbours.dues->knocking | mesh->neighbours.dues->stirred;
}

/* ---- one neighbour ---- */

/* What a link held that was lost means nothing any more; one that is not up yet stays. */
static bool has_lost_link(const Neighbour *neighbour) {
    const Keyring *keyring = &neighbour->keyring;

    return neighbour->link && !neighbour_is_up(neighbour) &&
           (!keyring->current || keyring_is_stale(keyring, keyring->current, neighbour->instance));
}

/* When it must be looked after. Without any change it is never earlier than it was: so what was
 * found once may be relied on until then. */
static uint64_t deadline_us(const Mesh *mesh, const Neighbour *neighbour) {
    uint64_t deadline = least(neighbour->leave_us, neighbour->doubt_us);

    deadline = least(deadline, route_deadline_us(mesh, neighbour));
    deadline = least(deadline, upgrade_deadline_us(mesh, neighbour));
    return least(deadline, contact_deadline_us(neighbour));
}

/* When there is something to do for it: some of that can wait for a step that comes anyway. */
static uint64_t look_us(const Mesh *mesh, const Neighbour *neighbour) {
    if (has_lost_link(neighbour)) {
        return 0;
    }
    return least(deadline_us(mesh, neighbour), contact_renew_us(neighbour));
}

static bool is_busy(const Neighbour *neighbour) {
    return neighbour_may_send(neighbour) && !link_rests(neighbour->link);
}

static uint64_t line_us(const Mesh *mesh, const Neighbour *neighbour) {
    return is_busy(neighbour) ? link_look_us(neighbour->link, mesh->now_us) : UINT64_MAX;
}

/* One who is in the roster by now stays; who is not may come again. */
static void end_doubt(Mesh *mesh, Neighbour *neighbour) {
    if (core_member(mesh, &neighbour->key)) {
        neighbour->doubt_us = UINT64_MAX;
    } else if (mesh->status == MESH_STATUS_JOINING) {
        neighbour->doubt_us = mesh->now_us + NEIGHBOUR_DOUBT_US; /* we know no roster yet */
    } else if (mesh->now_us < neighbour->hand_until_us) {
        neighbour->doubt_us = neighbour->hand_until_us;
    } else {
        neighbour->leave_us = mesh->now_us;
    }
}

static void look_after(Mesh *mesh, Neighbour *neighbour) {
    if (mesh->now_us >= neighbour->doubt_us) {
        end_doubt(mesh, neighbour);
    }
    if (mesh->now_us >= neighbour->leave_us) {
        route_bye(mesh, neighbour, BYE_GOES);
        neighbour_drop(mesh, neighbour);
        return;
    }
    contact_timeout(mesh, neighbour);
    route_timeout(mesh, neighbour);
    upgrade_timeout(mesh, neighbour);
    if (has_lost_link(neighbour)) {
        link_destroy(neighbour->link);
        neighbour->link = NULL;
    }
}

/* ---- all ---- */

void due_timeout(Mesh *mesh) {
    const Dues *dues = mesh->neighbours.dues;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (dues->stirred >> slot & 1 || mesh->now_us >= dues->look_us[slot]) {
            Neighbour *neighbour = neighbour_at(mesh, slot);

            if (neighbour) {
                look_after(mesh, neighbour);
            }
        }
    }
}

uint64_t due_deadline_us(const Mesh *mesh) {
    const Dues *dues = mesh->neighbours.dues;
    uint64_t deadline = uplink_deadline_us(mesh);

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && (dues->stirred >> slot & 1 || dues->look_us[slot] < deadline)) {
            deadline = least(deadline, deadline_us(mesh, neighbour));
        }
    }
    return deadline;
}

void due_settle(Mesh *mesh) {
    Dues *dues = mesh->neighbours.dues;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX && dues->stirred >> slot; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);
        uint64_t bit = bit_of(slot);

        if (!(dues->stirred & bit)) {
            continue;
        }
        dues->busy &= ~bit;
        dues->knocking &= ~bit;
        dues->look_us[slot] = UINT64_MAX;
        dues->line_us[slot] = UINT64_MAX;
        if (neighbour) {
            dues->busy |= is_busy(neighbour) ? bit : 0;
            dues->knocking |= neighbour->contact == CONTACT_KNOCKING ? bit : 0;
            dues->look_us[slot] = look_us(mesh, neighbour);
            dues->line_us[slot] = line_us(mesh, neighbour);
            dues->paths[slot] = mesh_path_mark(&neighbour->path);
        }
    }
    dues->stirred = 0;
}

/* Something of one that is not stirred is otherwise than it is held to be. */
static bool is_wrong(const Mesh *mesh, const Neighbour *neighbour, uint32_t slot) {
    const Dues *dues = mesh->neighbours.dues;
    bool late = dues->line_us[slot] > mesh->now_us && is_busy(neighbour) &&
                dues->line_us[slot] > link_deadline_us(neighbour->link, mesh->now_us);

    return late || dues->look_us[slot] > look_us(mesh, neighbour) ||
           dues->paths[slot] != mesh_path_mark(&neighbour->path) ||
           (dues->busy >> slot & 1) != is_busy(neighbour) ||
           (dues->knocking >> slot & 1) != (neighbour->contact == CONTACT_KNOCKING);
}

bool due_is_true(const Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);
        bool stirred = mesh->neighbours.dues->stirred >> slot & 1;

        if (neighbour && !stirred && is_wrong(mesh, neighbour, slot)) {
            return false;
        }
    }
    return true;
}
