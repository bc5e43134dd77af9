/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/company.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/candidate.h"

#define SHUN_US       (600 * S)
#define DIRECT_US     (45 * S)   /* ICE has failed by then, if it does */
#define PACE_US       (500 * MS) /* between two looks, where many come and go */
#define TURN_US       (50 * MS)
#define SELDOM_US     (60 * S) /* though nothing changed: shunned ones may be wanted again */
#define VAIN_TRIES    12       /* of one who is here, but does not answer */
#define KEPT_SLOTS    32       /* of those who are neither linked with nor knocked at, no more */
#define FRESH_US      (3 * S)  /* the map has told of one who is new by then */
#define CROWDED_LINKS 24
#define CROWDED_RELAY 40
#define CROWDED_SLOTS (MESH_PEERS_MAX * 3 / 4)

void company_finish(Mesh *mesh) {
    free(mesh->company.members);
}

/* ---- what is noted ---- */

/* `hint`: where it may stand. NULL: nothing is noted. */
static CompanyMember *find(const Mesh *mesh, const MeshKey *key, size_t hint) {
    const Company *company = &mesh->company;

    for (size_t i = 0; i < company->count; i++) {
        CompanyMember *member = &company->members[(hint + i) % company->count];

        if (mesh_key_equal(&member->key, key)) {
            return member;
        }
    }
    return NULL;
}

/* The same, made when there is none; NULL when memory is short. */
static CompanyMember *note(Mesh *mesh, const MeshKey *key, size_t hint) {
    Company *company = &mesh->company;
    CompanyMember *member = find(mesh, key, hint);

    if (!member && memory_grow((void **)&company->members, &company->capacity, company->count,
                               sizeof *company->members)) {
        member = &company->members[company->count++];
        *member = (CompanyMember){.key = *key, .noted_us = mesh->now_us};
    }
    return member;
}

void company_changed(Mesh *mesh) {
    mesh->company.changed = true;
}

void company_linked(Mesh *mesh, const Neighbour *neighbour) {
    CompanyMember *member = find(mesh, &neighbour->key, 0);

    if (member) {
        member->tries = 0;
    }
    company_changed(mesh);
}

void company_shun(Mesh *mesh, const MeshKey *key) {
    CompanyMember *member = core_member(mesh, key) ? note(mesh, key, 0) : NULL;

    if (member) {
        member->shunned_us = mesh->now_us + SHUN_US;
        company_changed(mesh);
    }
}

bool company_shuns(const Mesh *mesh, const MeshKey *key) {
    const CompanyMember *member = find(mesh, key, 0);

    return mesh->company.large && member && mesh->now_us < member->shunned_us;
}

bool company_answers(const Mesh *mesh, const MeshKey *key) {
    return !mesh->company.large || !map_reaches(mesh, key);
}

/* Whether there is a link, and enough others that may soon be. */
static bool is_at_hand(const Mesh *mesh) {
    size_t links = 0, contacts = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);
        bool up = neighbour && neighbour_is_up(neighbour);

        links += up;
        contacts += up || (neighbour && neighbour->contact == CONTACT_KNOCKING);
    }
    return links > 0 && contacts >= CHOICE_KNOCK;
}

/* Who comes in among many, and all for who comes in, are soon in the map: where others are at hand
 * they are not linked with before that, lest everyone links with everyone. */
static bool is_fresh(const Mesh *mesh, const CompanyMember *member) {
    return mesh->now_us < member->noted_us + FRESH_US &&
           mesh->meeting.roster.member_count > CHOICE_ALL + 1;
}

/* ---- who there is ---- */

/* Whoever is relayed for so long, or does not answer though it is here, is not soon tried again. */
static void find_vain(Mesh *mesh, CompanyMember *member, const Neighbour *neighbour) {
    bool relayed = candidate_is_linked(neighbour) && neighbour->path.kind == MESH_PATH_RELAY &&
                   mesh->now_us >= neighbour->relayed_us + DIRECT_US;
    bool silent = neighbour && !neighbour_is_up(neighbour) &&
                  neighbour->contact == CONTACT_KNOCKING &&
                  neighbour->contact_tries >= VAIN_TRIES && map_reaches(mesh, &member->key);

    if ((relayed || silent) && mesh->now_us >= member->shunned_us) {
        member->shunned_us = mesh->now_us + SHUN_US;
    }
}

typedef struct {
    ChoiceCandidate candidates[MESH_MEMBERS_MAX];
    ChoiceVerdict verdicts[MESH_MEMBERS_MAX];
    CompanyMember *members[MESH_MEMBERS_MAX];
    size_t count;
} Look;

static void fill(Mesh *mesh, Look *look) {
    const Roster *roster = &mesh->meeting.roster;
    bool at_hand;

    for (size_t i = 0; i < roster->member_count; i++) {
        if (!roster->members[i].expelled &&
            !mesh_key_equal(&roster->members[i].key, &mesh->self.key)) {
            note(mesh, &roster->members[i].key, i); /* may move them all */
        }
    }
    mesh->company.absent = 0;
    at_hand = is_at_hand(mesh);
    for (size_t i = 0; i < roster->member_count; i++) {
        CompanyMember *member = find(mesh, &roster->members[i].key, i);
        const Neighbour *neighbour = neighbour_find(mesh, &roster->members[i].key);
        ChoiceCandidate *candidate = &look->candidates[look->count];

        if (roster->members[i].expelled || !member) {
            continue;
        }
        find_vain(mesh, member, neighbour);
        *candidate = candidate_of(mesh, member, neighbour);
        candidate->relay = roster->members[i].role == MESH_ROLE_RELAY;
        candidate->fresh = at_hand && !candidate->linked && !candidate->present &&
                           !candidate->knocked && is_fresh(mesh, member);
        mesh->company.absent += !candidate->linked && !candidate->present && !candidate->fresh;
        look->members[look->count++] = member;
    }
    candidates_compare(mesh, look->members, look->candidates, look->count);
}

/* ---- what comes of it ---- */

static void knock(Mesh *mesh, CompanyMember *member, bool here) {
    bool known = neighbour_find(mesh, &member->key);
    bool soon = !known || (here && !member->present);
    Neighbour *neighbour;

    if (!known && !neighbours_make_room(mesh, false)) {
        mesh->counters.limited++;
        return;
    }
    neighbour = neighbour_want(mesh, &member->key, mesh->psk, false);
    if (!neighbour || neighbour_is_up(neighbour)) {
        return;
    }
    if (!known) {
        reach_recall(mesh, neighbour);
    }
    if (neighbour->contact == CONTACT_IDLE) {
        contact_begin(mesh, neighbour, soon);
        neighbour->contact_tries = here ? 0 : member->tries;
        neighbour->turn_tries =
            neighbour->contact_tries + (member->tries < CONTACT_TURN ? CONTACT_TURN : 1);
    } else if (soon) {
        contact_begin(mesh, neighbour, true);
    }
    member->turn_us = mesh->now_us;
}

static void rest(Mesh *mesh, CompanyMember *member, Neighbour *neighbour, size_t slots) {
    if (!neighbour || neighbour_is_up(neighbour) || neighbour->leave_us != UINT64_MAX ||
        neighbour->hand_until_us > 0) {
        return;
    }
    if (neighbour->contact == CONTACT_KNOCKING) {
        member->tries = neighbour->contact_tries;
        member->turn_us = mesh->now_us;
        neighbour->contact = CONTACT_IDLE;
    }
    if (slots > KEPT_SLOTS && !neighbour_is_awaited(mesh, neighbour)) {
        neighbour_drop(mesh, neighbour);
    }
}

/* With a word, and when nothing is under way to it. */
static void let_go(Mesh *mesh, CompanyMember *member, Neighbour *neighbour) {
    if (link_state(neighbour->link, mesh->now_us).waiting == 0) {
        member->shunned_us = mesh->now_us + SHUN_US;
        mesh->company.dropped_us = mesh->now_us;
        route_part(mesh, neighbour);
    }
}

static void act(Mesh *mesh, const Look *look, size_t slots) {
    for (size_t i = 0; i < look->count; i++) {
        CompanyMember *member = look->members[i];
        Neighbour *neighbour = neighbour_find(mesh, &member->key);
        bool here = look->candidates[i].present;

        switch (look->verdicts[i]) {
        case CHOICE_REST:
            rest(mesh, member, neighbour, slots);
            break;
        case CHOICE_WANT:
            knock(mesh, member, here);
            break;
        case CHOICE_DROP:
            let_go(mesh, member, neighbour);
            break;
        case CHOICE_KEEP:
            break;
        }
        member->present = here;
        member->tries = here ? 0 : member->tries;
    }
}

/* When the choice is to be made again though nothing changes until then. */
static uint64_t next_look_us(const Mesh *mesh, const Look *look) {
    uint64_t next_us = mesh->company.large ? mesh->now_us + SELDOM_US : UINT64_MAX;
    size_t knocked = 0;
    uint64_t turn_us = UINT64_MAX;

    for (size_t i = 0; i < look->count; i++) {
        const Neighbour *neighbour = neighbour_find(mesh, &look->candidates[i].key);
        uint64_t at_us = UINT64_MAX;

        if (candidate_is_linked(neighbour) && neighbour->path.kind == MESH_PATH_RELAY &&
            !look->candidates[i].shunned && mesh->company.large) {
            at_us = neighbour->relayed_us + DIRECT_US;
        } else if (look->verdicts[i] == CHOICE_DROP) {
            at_us = mesh->now_us + S;
        } else if (look->candidates[i].fresh) {
            at_us = look->members[i]->noted_us + FRESH_US;
        } else if (look->candidates[i].surplus) {
            at_us = mesh->now_us + CHOICE_CALM_US;
        } else if (look->verdicts[i] == CHOICE_WANT && !look->candidates[i].present && neighbour &&
                   neighbour->contact == CONTACT_KNOCKING) {
            knocked++;
            turn_us = neighbour->contact_next_us < turn_us ? neighbour->contact_next_us : turn_us;
        }
        next_us = at_us < next_us ? at_us : next_us;
    }
    if (knocked < mesh->company.absent) {
        turn_us = turn_us > mesh->now_us + TURN_US ? turn_us : mesh->now_us + TURN_US;
        next_us = turn_us < next_us ? turn_us : next_us;
    }
    return next_us;
}

static void look_around(Mesh *mesh) {
    Company *company = &mesh->company;
    Look look = {.count = 0};
    size_t links = 0, slots = 0;

    fill(mesh, &look);
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        slots += neighbour != NULL;
        links += neighbour && neighbour_is_up(neighbour);
    }
    /* Who hears nobody does not know how many are here. */
    company->large =
        hush_is_deep(mesh) ? company->large : !choice_is_small(look.candidates, look.count);
    choice_make(&(ChoiceSelf){.key = mesh->self.key,
                              .weak = map_is_weak(mesh, &mesh->self.key),
                              .relay = mesh->relay,
                              .crowded = links > (mesh->relay ? CROWDED_RELAY : CROWDED_LINKS) ||
                                         slots > CROWDED_SLOTS,
                              .unheard = hush_is_deep(mesh),
                              .calm_us = company->dropped_us ? mesh->now_us - company->dropped_us
                                                             : UINT64_MAX},
                look.candidates, look.count, look.verdicts);
    act(mesh, &look, slots);
    company->looked_us = mesh->now_us;
    company->look_us = next_look_us(mesh, &look);
    if (links > (mesh->relay ? CHOICE_RELAY_MOST : CHOICE_MOST) &&
        company->look_us > mesh->now_us + CHOICE_CALM_US) {
        company->look_us = mesh->now_us + CHOICE_CALM_US;
    }
}

void company_found(Mesh *mesh, const MeshKey *key, const MeshPath *path) {
    CompanyMember *member = core_member(mesh, key) ? note(mesh, key, 0) : NULL;
    Neighbour *neighbour = neighbour_find(mesh, key);

    if (!member || (!neighbour && (!company_answers(mesh, key) ||
                                   (is_fresh(mesh, member) && is_at_hand(mesh))))) {
        return;
    }
    if (!neighbour && neighbours_make_room(mesh, false)) {
        neighbour = neighbour_want(mesh, key, mesh->psk, false);
    }
    if (!neighbour || neighbour_is_up(neighbour)) {
        return;
    }
    neighbour_add_address(neighbour, path);
    if (company_answers(mesh, key) || neighbour->contact == CONTACT_KNOCKING) {
        member->tries = 0;
        contact_begin(mesh, neighbour, true);
        member->turn_us = 0;
    }
}

/* ---- time ---- */

static uint64_t due_us(const Mesh *mesh) {
    const Company *company = &mesh->company;
    uint64_t changed_us = UINT64_MAX;

    if (mesh->loading || mesh->status != MESH_STATUS_MEMBER || !mesh->has_psk) {
        return UINT64_MAX;
    }
    if (company->looked_us == 0) {
        return mesh->now_us;
    }
    if (company->changed) {
        changed_us = company->large ? company->looked_us + PACE_US : mesh->now_us;
    }
    return changed_us < company->look_us ? changed_us : company->look_us;
}

void company_timeout(Mesh *mesh) {
    if (mesh->now_us >= due_us(mesh)) {
        mesh->company.changed = false;
        look_around(mesh);
    }
}

uint64_t company_deadline_us(const Mesh *mesh) {
    return due_us(mesh);
}
