/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/hush.h"

#include "mesh/core.h"

/* Of seven links each is asked for a sign of life after 18 s: one in 2.6 s on average. */
#define HUSH_US (5 * S)
#define ALL_US  (300 * MS) /* more, so that each is asked a few times */

void hush_broken(Mesh *mesh) {
    Hush *hush = &mesh->hush;
    bool deep = hush->state == HUSH_DEEP;

    hush->heard_us = mesh->now_us;
    hush->state = HUSH_NONE;
    if (deep) {
        company_changed(mesh);
    }
}

bool hush_is_deep(const Mesh *mesh) {
    return mesh->hush.state == HUSH_DEEP;
}

/* The direct neighbour not heard longest; NULL: there is none. */
static Neighbour *find_silent(const Mesh *mesh) {
    const Neighbour *silent = NULL;
    uint32_t at = NEIGHBOUR_NONE;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour_is_direct(neighbour) &&
            (!silent || neighbour->heard_us < silent->heard_us)) {
            silent = neighbour;
            at = slot;
        }
    }
    return neighbour_at(mesh, at);
}

static void ask_all(Mesh *mesh) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour_is_direct(neighbour)) {
            pulse_suspect(mesh, neighbour);
        }
    }
}

/* Where all are linked with all, all know where all are, and nobody can be forgotten. */
uint64_t hush_deadline_us(const Mesh *mesh) {
    const Hush *hush = &mesh->hush;

    if (!mesh->company.large || hush->heard_us == 0 || hush->state == HUSH_DEEP) {
        return UINT64_MAX;
    }
    return hush->state == HUSH_NONE ? hush->heard_us + HUSH_US : hush->due_us;
}

void hush_timeout(Mesh *mesh) {
    Hush *hush = &mesh->hush;
    Neighbour *silent;

    if (mesh->now_us < hush_deadline_us(mesh)) {
        return;
    }
    silent = find_silent(mesh);
    if (!silent) {
        hush->heard_us = 0; /* company knocks at all there are anyway */
        return;
    }
    hush->due_us = mesh->now_us + pulse_ask(mesh, silent);
    switch (hush->state) {
    case HUSH_NONE:
        hush->state = HUSH_ASKED;
        break;
    case HUSH_ASKED:
        hush->state = HUSH_ALL; /* one word may be lost, or one neighbour */
        hush->due_us += ALL_US;
        ask_all(mesh);
        break;
    default:
        hush->state = HUSH_DEEP;
        company_changed(mesh);
        break;
    }
}
