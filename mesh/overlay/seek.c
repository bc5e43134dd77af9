/* SPDX-License-Identifier: MPL-2.0 */
/* Finding the others: who of the roster is linked with, hailing, and being hailed. */
#include <string.h>

#include "mesh/core.h"

#define FIRST_US    (500 * MS)
#define PATIENCE_US (500 * MS) /* those knocked at have so long to answer, */
#define JOINER_US   (50 * MS)  /* and whoever wrote a joiner's ticket */
#define LINKED_US   (5 * S)    /* and one that a joiner is linked with, to let it in */
#define OFTEN_US    (10 * S)
#define OFTEN_TRIES 24 /* four minutes; then */
#define SELDOM_US   (30 * S)
#define WINDOW_US   S
#define TRIALS_SIZE (4 * MESH_HAILS_MAX) /* in one window */
#define LIVING_US   (2 * S)              /* a link heard so lately needs no HERE */
#define ASKED_MOST  4 /* nodes that a joiner knocks at or is linked with, at once */

/* ---- hailing ---- */

/* The secret under which we hail; NULL: there is nobody to hail. */
static const uint8_t *hail_psk(const Mesh *mesh) {
    bool joining = mesh->status == MESH_STATUS_JOINING;

    if (joining && !mesh->admission.welcomed) {
        return mesh->admission.psk;
    }
    return (joining || mesh->status == MESH_STATUS_MEMBER) && mesh->has_psk ? mesh->psk : NULL;
}

static Hail own_hail(Mesh *mesh) {
    Hail hail = {.sender = mesh->self.key};

    hail.address_count = reach_own_addresses(mesh, hail.addresses, REACH_WRITTEN_SIZE);
    return hail;
}

static void hail(Mesh *mesh) {
    Reach *reach = &mesh->reach;
    Hail message = own_hail(mesh);
    uint8_t bytes[MESH_DATAGRAM_MAX];
    size_t length;

    core_random(mesh, message.nonce, sizeof message.nonce);
    memcpy(reach->nonces[reach->nonce_at], message.nonce, sizeof message.nonce);
    reach->nonce_at = (reach->nonce_at + 1) % REACH_NONCES_SIZE;
    length = hail_write(&message, hail_psk(mesh), bytes);
    effects_add(&mesh->effects, &(MeshEffect){.kind = MESH_EFFECT_BEACON}, BYTES_AT(bytes, length),
                BYTES_NONE);
    if (mesh->status == MESH_STATUS_JOINING && reach->hail_tries > 0) {
        /* Whoever of the meeting is there now, be it not the one who wrote the ticket, and was
         * knocked at there already. */
        for (size_t i = 0; i < mesh->admission.ticket.address_count; i++) {
            neighbour_transmit(mesh, &mesh->admission.ticket.addresses[i], BYTES_AT(bytes, length),
                               LINK_CONTROL);
        }
        if (reach->hail_tries > 1 && !mesh->admission.welcomed) {
            porter_knock(mesh, NULL, BYTES_AT(bytes, length));
        }
    } else if (mesh->status == MESH_STATUS_MEMBER && mesh->porter.way.kind != MESH_PATH_NONE) {
        /* The relay that let our knocks in, of which no more is known than where it is. */
        neighbour_transmit(mesh, &mesh->porter.way, BYTES_AT(bytes, length), LINK_CONTROL);
    }
}

void reach_soon(Mesh *mesh) {
    mesh->reach.hail_tries = 0;
    mesh->reach.hail_next_us = mesh->reach.hail_from_us = mesh->now_us;
    company_changed(mesh);
}

void reach_linked(Mesh *mesh) {
    uint64_t next_us = mesh->now_us + LINKED_US;

    if (mesh->status == MESH_STATUS_JOINING && mesh->reach.hail_next_us < next_us) {
        mesh->reach.hail_next_us = next_us;
    }
}

static bool is_one_missing(const Mesh *mesh) {
    uint64_t knocking = due_knocking(mesh);

    if (mesh->status == MESH_STATUS_JOINING || mesh->company.absent > 0) {
        return true;
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = knocking >> slot & 1 ? neighbour_view(mesh, slot) : NULL;

        if (neighbour && neighbour->linked <= LINKED_KEPT && !neighbour->by_ticket &&
            neighbour->contact == CONTACT_KNOCKING) {
            return true;
        }
    }
    return false;
}

static bool is_hailing(const Mesh *mesh) {
    return !mesh->loading && hail_psk(mesh) && is_one_missing(mesh) &&
           mesh->admission.state != ADMISSION_BY_HAND;
}

/* Somebody is knocked at where it was last: most are still there, and on a slow line a hail would
 * hold up what is told them. */
static bool may_be_found(const Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && !neighbour_is_up(neighbour) && neighbour->address_count > 0 &&
            neighbour->contact == CONTACT_KNOCKING && neighbour->contact_tries < CONTACT_TURN) {
            return true;
        }
    }
    return false;
}

void reach_seek(Mesh *mesh) {
    Reach *reach = &mesh->reach;
    bool member = mesh->status == MESH_STATUS_MEMBER;
    uint64_t from_us = reach->hail_from_us + (member ? PATIENCE_US : JOINER_US);
    uint64_t pause_us;

    if (mesh->now_us < reach->hail_next_us || !is_hailing(mesh)) {
        return;
    }
    if (reach->hail_tries == 0 && mesh->now_us < from_us && may_be_found(mesh)) {
        reach->hail_next_us = from_us;
        return;
    }
    hail(mesh);
    pause_us = reach->hail_tries < 6 ? FIRST_US << reach->hail_tries : OFTEN_US;
    if (pause_us > OFTEN_US) {
        pause_us = OFTEN_US;
    }
    reach->hail_next_us = mesh->now_us + (reach->hail_tries > OFTEN_TRIES ? SELDOM_US : pause_us);
    reach->hail_tries++;
}

uint64_t reach_deadline_us(const Mesh *mesh) {
    return is_hailing(mesh) ? mesh->reach.hail_next_us : UINT64_MAX;
}

/* ---- being hailed ---- */

/* The secret of a hail: the meeting's or a ticket's; NULL: for someone else. */
static const uint8_t *read_hail(Mesh *mesh, Bytes datagram, Hail *ret_hail) {
    const Roster *roster = &mesh->meeting.roster;

    if (mesh->status != MESH_STATUS_MEMBER || !mesh->has_psk) {
        return NULL;
    }
    if (!hail_read(datagram, mesh->psk, ret_hail)) {
        return mesh->psk;
    }
    if (mesh->reach.window_trials++ >= TRIALS_SIZE) {
        mesh->counters.limited++;
        return NULL;
    }
    for (size_t i = 0; i < roster->invite_count; i++) {
        if (roster->invites[i].has_psk && !hail_read(datagram, roster->invites[i].psk, ret_hail)) {
            return roster->invites[i].psk;
        }
    }
    return NULL;
}

static void answer(Mesh *mesh, const MeshPath *path, const Hail *hail, const uint8_t *psk) {
    Hail here = own_hail(mesh);
    uint8_t nonce[HAIL_NONCE_SIZE];
    uint8_t bytes[MESH_DATAGRAM_MAX];

    memcpy(here.nonce, hail->nonce, sizeof here.nonce);
    here.seen = *path;
    core_random(mesh, nonce, sizeof nonce);
    neighbour_transmit(mesh, path, BYTES_AT(bytes, hail_write_here(&here, nonce, psk, bytes)),
                       LINK_CONTROL);
}

/* A linked node hails for others. One that began another run hails too: if it is not heard, it is
 * probed, and answered when the probe is not. */
static bool needs_no_answer(const Mesh *mesh, Neighbour *neighbour) {
    if (!neighbour_is_up(neighbour) || neighbour->probes_unanswered > 0) {
        return false;
    }
    if (mesh->now_us >= neighbour->path_heard_us + LIVING_US) {
        neighbour->probe_next_us = mesh->now_us;
    }
    return true;
}

MeshError reach_hail_received(Mesh *mesh, const MeshPath *path, Bytes datagram) {
    Reach *reach = &mesh->reach;
    Neighbour *neighbour;
    const uint8_t *psk;
    const Member *member;
    Hail hail;

    if (mesh->now_us >= reach->window_us + WINDOW_US) {
        reach->window_us = mesh->now_us;
        reach->window_count = 0;
        reach->window_trials = 0;
    }
    if (reach->window_count >= MESH_HAILS_MAX) {
        return MESH_ERROR_FULL;
    }
    psk = read_hail(mesh, datagram, &hail);
    if (!psk) {
        return MESH_ERROR_FOREIGN;
    }
    if (path->kind == MESH_PATH_RELAY && memcmp(path->ip, hail.sender.bytes, SHORT_KEY_SIZE) != 0) {
        return MESH_ERROR_FORGED; /* the answer would go to somebody else */
    }
    member = roster_find(&mesh->meeting.roster, &hail.sender);
    if (mesh_key_equal(&hail.sender, &mesh->self.key)) {
        return MESH_OK; /* our own, come back */
    }
    if (member && member->expelled) {
        return MESH_ERROR_FORBIDDEN;
    }
    neighbour = neighbour_find(mesh, &hail.sender);
    if (neighbour && neighbour_is_up(neighbour) ? !needs_no_answer(mesh, neighbour)
                                                : !member || company_answers(mesh, &hail.sender)) {
        reach->window_count++;
        answer(mesh, path, &hail, psk);
    }
    if (neighbour && neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_RELAY) {
        neighbour_add_address(neighbour, path);
        route_probe(mesh, neighbour, path);
    } else {
        company_found(mesh, &hail.sender, path);
    }
    return MESH_OK;
}

/* By a joiner: those that are linked with, or were knocked at so lately that they may answer. */
static size_t are_asked(const Mesh *mesh) {
    size_t count = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        count +=
            neighbour && (neighbour_is_up(neighbour) || neighbour->contact_tries < CONTACT_TURN);
    }
    return count;
}

MeshError reach_here_received(Mesh *mesh, const MeshPath *path, Bytes datagram) {
    const uint8_t *psk = hail_psk(mesh);
    bool joining = mesh->status == MESH_STATUS_JOINING;
    bool asked = false;
    Neighbour *neighbour;
    Hail here;

    if (!psk || hail_read_here(datagram, psk, &here)) {
        return MESH_ERROR_FOREIGN;
    }
    for (size_t i = 0; i < REACH_NONCES_SIZE; i++) {
        asked |= !memcmp(mesh->reach.nonces[i], here.nonce, sizeof here.nonce);
    }
    if (!asked || mesh_key_equal(&here.sender, &mesh->self.key)) {
        return MESH_ERROR_REPLAYED;
    }
    neighbour = neighbour_find(mesh, &here.sender);
    if (!neighbour && joining && are_asked(mesh) < ASKED_MOST) {
        neighbour = neighbour_want(mesh, &here.sender, psk, true);
    } else if (!neighbour) {
        company_found(mesh, &here.sender, path);
        neighbour = neighbour_find(mesh, &here.sender);
    }
    if (!neighbour) {
        return MESH_OK;
    }
    for (size_t i = here.address_count; i-- > 0;) {
        if (reach_is_portable(&here.addresses[i])) {
            neighbour_add_address(neighbour, &here.addresses[i]);
        }
    }
    neighbour_add_address(neighbour, path);
    if (!neighbour_is_up(neighbour)) {
        contact_begin(mesh, neighbour, true);
    } else if (neighbour->path.kind == MESH_PATH_RELAY || neighbour->linked == LINKED_KEPT) {
        route_probe(mesh, neighbour, path);
    }
    return MESH_OK;
}
