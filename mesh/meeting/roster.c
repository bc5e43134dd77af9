/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/roster.h"

#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/memory.h"

static void free_names(Roster *roster) {
    for (size_t i = 0; i < roster->member_count; i++) {
        free(roster->members[i].name);
        free(roster->members[i].named);
    }
}

void roster_reset(Roster *roster) {
    free_names(roster);
    if (roster->invites) {
        sodium_memzero(roster->invites, roster->invite_count * sizeof *roster->invites);
    }
    roster->member_count = 0;
    roster->invite_count = 0;
    roster->expelled_count = 0;
    roster->cut_count = 0;
    roster->key_count = 0;
    roster->revoked = (Place){0};
    roster->orphaned = false;
    roster->epoch = 0;
    memset(roster->current_key, 0, sizeof roster->current_key);
    roster->current = (Place){0};
}

void roster_finish(Roster *roster) {
    roster_reset(roster);
    free(roster->members);
    free(roster->invites);
    free(roster->expelled);
    free(roster->cuts);
    *roster = (Roster){.member_count = 0};
}

/* How many members have a lower key. */
static size_t rank_of(const Roster *roster, const MeshKey *key) {
    uint64_t rank = bytes_rank(key->bytes);
    size_t from = 0, until = roster->member_count;

    while (from < until) {
        size_t middle = from + (until - from) / 2;
        const Member *member = &roster->members[roster->by_key[middle]];

        if (roster->ranks[middle] != rank
                ? roster->ranks[middle] < rank
                : memcmp(member->key.bytes, key->bytes, MESH_KEY_SIZE) < 0) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    return from;
}

size_t roster_place(const Roster *roster, const MeshKey *key) {
    size_t rank = rank_of(roster, key);
    size_t place = rank < roster->member_count ? roster->by_key[rank] : 0;

    return rank < roster->member_count && mesh_key_equal(&roster->members[place].key, key)
               ? place
               : roster->member_count;
}

bool roster_has_short(const Roster *roster, const uint8_t key[SHORT_KEY_SIZE]) {
    for (size_t i = 0; i < roster->member_count; i++) {
        if (!memcmp(roster->members[i].key.bytes, key, SHORT_KEY_SIZE)) {
            return true;
        }
    }
    return false;
}

Member *roster_find(Roster *roster, const MeshKey *key) {
    size_t place = roster_place(roster, key);

    return place < roster->member_count ? &roster->members[place] : NULL;
}

const char *roster_name(const Member *member) {
    return member->name ? member->name : "";
}

/* By the last act in the common order: by who admits it at first, then by itself. */
bool roster_set_name(Member *member, const Place *place, Bytes name) {
    const Place *former = member->named ? member->named : &member->admitted;
    bool by_admission = place_compare(place, &member->admitted) == 0;
    Place *named;
    char *text;

    if (name.length == 0 || name.length > MESH_NAME_MAX ||
        (member->name && place_compare(place, former) <= 0)) {
        return false;
    }
    text = memory_text(name);
    named = by_admission ? NULL : memory_copy(place, sizeof *place);
    if (!text || (!by_admission && !named)) {
        free(text);
        free(named);
        return false;
    }
    free(member->name);
    free(member->named);
    member->name = text;
    member->named = named;
    return true;
}

Invite *roster_invite(Roster *roster, const uint8_t id[ACT_TICKET_ID_SIZE]) {
    for (size_t i = 0; i < roster->invite_count; i++) {
        if (!memcmp(roster->invites[i].id, id, ACT_TICKET_ID_SIZE)) {
            return &roster->invites[i];
        }
    }
    return NULL;
}

Member *roster_author(Roster *roster, const MeshKey *key, const Place *place) {
    Member *member = roster_find(roster, key);

    return member && place_compare(&member->admitted, place) < 0 ? member : NULL;
}

size_t roster_size(const Roster *roster) {
    size_t size = 0;

    for (size_t i = 0; i < roster->member_count; i++) {
        size += !roster->members[i].expelled;
    }
    return size;
}

size_t roster_people(const Roster *roster) {
    size_t people = 0;

    for (size_t i = 0; i < roster->member_count; i++) {
        people += !roster->members[i].expelled && roster->members[i].role != MESH_ROLE_RELAY;
    }
    return people;
}

bool roster_proof_is_valid(const Invite *invite, const MeshKey *device,
                           const uint8_t proof[DOMAIN_SIGNATURE_SIZE]) {
    MeshKey ticket_key;

    memcpy(ticket_key.bytes, invite->public_key, MESH_KEY_SIZE);
    return domain_verify(&ticket_key, "ticket proof", NULL, BYTES_OF(device->bytes), proof);
}

MeshError roster_invite_state(const Invite *invite, uint64_t now_s) {
    if (invite->revoked) {
        return MESH_ERROR_TICKET_REVOKED;
    }
    if (now_s > invite->expires_at) {
        return MESH_ERROR_TICKET_EXPIRED;
    }
    return invite->used >= invite->uses ? MESH_ERROR_TICKET_USED : MESH_OK;
}

static bool is_expelled(const Roster *roster, const MeshKey *key) {
    for (size_t i = 0; i < roster->expelled_count; i++) {
        if (mesh_key_equal(&roster->expelled[i], key)) {
            return true;
        }
    }
    return false;
}

/* Those from this place on are to move one up, and one of this key is to come there. */
static void note_place(Roster *roster, const MeshKey *key, size_t place) {
    size_t rank = rank_of(roster, key);

    for (size_t i = 0; i < roster->member_count; i++) {
        if (roster->by_key[i] >= place) {
            roster->by_key[i]++;
        }
    }
    memmove(roster->by_key + rank + 1, roster->by_key + rank,
            (roster->member_count - rank) * sizeof *roster->by_key);
    memmove(roster->ranks + rank + 1, roster->ranks + rank,
            (roster->member_count - rank) * sizeof *roster->ranks);
    roster->by_key[rank] = (uint16_t)place;
    roster->ranks[rank] = bytes_rank(key->bytes);
}

static bool add_member(Roster *roster, const MeshKey *key, MeshRole role,
                       const uint8_t ticket[ACT_TICKET_ID_SIZE], const Place *place) {
    Member *member;

    if (roster->member_count == MESH_MEMBERS_MAX ||
        !memory_grow((void **)&roster->members, &roster->member_capacity, roster->member_count,
                     sizeof *roster->members)) {
        return false;
    }
    member = &roster->members[place_find(roster->members, roster->member_count,
                                         sizeof *roster->members, offsetof(Member, admitted.height),
                                         offsetof(Member, admitted.hash), place)];
    note_place(roster, key, (size_t)(member - roster->members));
    memmove(member + 1, member,
            (size_t)(roster->members + roster->member_count - member) * sizeof *member);
    roster->member_count++;
    *member = (Member){
        .key = *key, .role = role, .expelled = is_expelled(roster, key), .admitted = *place};
    memcpy(member->ticket, ticket, ACT_TICKET_ID_SIZE);
    return true;
}

static void note_key(Roster *roster, const uint8_t id[ENTRY_KEY_ID_SIZE]) {
    if (roster->key_count < MESH_EPOCHS_MAX) {
        memcpy(roster->keys[roster->key_count++], id, ENTRY_KEY_ID_SIZE);
    }
}

static bool begin(Roster *roster, const Entry *entry, const Place *place) {
    static const uint8_t no_ticket[ACT_TICKET_ID_SIZE];

    memcpy(roster->current_key, entry->key_id, ENTRY_KEY_ID_SIZE);
    note_key(roster, entry->key_id);
    return add_member(roster, &entry->author, MESH_ROLE_FOUNDER, no_ticket, place);
}

/* Whether this author published this ticket before, which alone counts then. */
static bool is_repeated(Roster *roster, const Member *author, const Place *place,
                        const PublicAct *act, bool *ret_refold) {
    for (size_t i = 0; i < roster->invite_count; i++) {
        const Invite *invite = &roster->invites[i];

        if (!memcmp(invite->id, act->invite.ticket, ACT_TICKET_ID_SIZE)) {
            *ret_refold = true;
            if (mesh_key_equal(&invite->author, &author->key)) {
                *ret_refold = place_compare(place, &invite->place) < 0;
                return true;
            }
        }
    }
    return false;
}

/* What stands before a revocation may be revoked by it; what comes after an ADMIT, or publishes a
 * ticket of somebody else again, may change what that ADMIT says. */
static bool invite(Roster *roster, const Member *author, const Place *place, const PublicAct *act,
                   bool *ret_refold) {
    Invite *invite;

    if (author->role > MESH_ROLE_MEMBER || is_repeated(roster, author, place, act, ret_refold) ||
        roster->invite_count == MESH_INVITES_MAX ||
        !memory_grow_secret((void **)&roster->invites, &roster->invite_capacity,
                            roster->invite_count, sizeof *roster->invites)) {
        return false;
    }
    if (roster->orphaned || place_compare(place, &roster->revoked) < 0) {
        *ret_refold = true;
    }
    invite = &roster->invites[roster->invite_count++];
    *invite = (Invite){.author = author->key,
                       .place = *place,
                       .role = act->invite.role,
                       .uses = act->invite.uses,
                       .expires_at = act->invite.expires_at};
    memcpy(invite->id, act->invite.ticket, ACT_TICKET_ID_SIZE);
    memcpy(invite->public_key, act->invite.public_key, sizeof invite->public_key);
    return true;
}

/* The ticket that an ADMIT proves to hold. Of several of one id, as a member may publish again
 * what another did, the one of the highest rank: nobody is put down by a copy. */
static Invite *proven(Roster *roster, const Place *place, const PublicAct *act) {
    Invite *best = NULL;

    for (size_t i = 0; i < roster->invite_count; i++) {
        Invite *invite = &roster->invites[i];

        if (!memcmp(invite->id, act->admit.ticket, ACT_TICKET_ID_SIZE) &&
            place_compare(&invite->place, place) < 0 &&
            (!best || invite->role < best->role ||
             (invite->role == best->role && place_compare(&invite->place, &best->place) < 0)) &&
            roster_proof_is_valid(invite, &act->admit.key, act->admit.proof)) {
            best = invite;
        }
    }
    return best;
}

/* Two ADMITs of one device, on both sides of a split, are one: the first in the common order. */
static bool admit(Roster *roster, const Place *place, const PublicAct *act, bool *ret_refold) {
    Invite *invite = proven(roster, place, act);
    const Member *member = roster_find(roster, &act->admit.key);

    if (!invite) {
        roster->orphaned = true;
        return false;
    }
    if (member) {
        *ret_refold = place_compare(place, &member->admitted) < 0;
        return false;
    }
    if (!add_member(roster, &act->admit.key, invite->role, act->admit.ticket, place)) {
        return false;
    }
    invite->used++;
    return true;
}

static void begin_epoch(Roster *roster, const Place *place, const PublicAct *act) {
    roster->epoch++;
    note_key(roster, act->expel.epoch_key_id);
    if (place_compare(place, &roster->current) > 0) {
        memcpy(roster->current_key, act->expel.epoch_key_id, ENTRY_KEY_ID_SIZE);
        roster->current = *place;
    }
}

/* Anyone may withdraw a ticket of one's own, the founder any: those published before. */
static void revoke(Roster *roster, const Member *author, const Place *place, const PublicAct *act) {
    for (size_t i = 0; i < roster->invite_count; i++) {
        Invite *invite = &roster->invites[i];
        bool named =
            act->expel.all_tickets || !memcmp(invite->id, act->expel.ticket, ACT_TICKET_ID_SIZE);

        if (named && place_compare(&invite->place, place) < 0 &&
            (author->role == MESH_ROLE_FOUNDER || mesh_key_equal(&invite->author, &author->key))) {
            invite->revoked = true;
        }
    }
    if (place_compare(place, &roster->revoked) > 0) {
        roster->revoked = *place;
    }
}

static bool has_cut(const Roster *roster, const ActCut *cut) {
    for (size_t i = 0; i < roster->cut_count; i++) {
        if (!memcmp(roster->cuts[i].tag, cut->tag, JOURNAL_TAG_SIZE) &&
            roster->cuts[i].count >= cut->count) {
            return true;
        }
    }
    return false;
}

bool roster_note_expulsion(Roster *roster, const MeshKey *founder, const PublicAct *act) {
    bool noted = false;

    if (act->kind != ACT_EXPEL || !act->expel.has_key || mesh_key_equal(&act->expel.key, founder)) {
        return false;
    }
    if (!is_expelled(roster, &act->expel.key) && roster->expelled_count < MESH_MEMBERS_MAX &&
        memory_grow((void **)&roster->expelled, &roster->expelled_capacity, roster->expelled_count,
                    sizeof *roster->expelled)) {
        roster->expelled[roster->expelled_count++] = act->expel.key;
        noted = true;
    }
    for (size_t i = 0; i < act->expel.cut_count; i++) {
        if (!has_cut(roster, &act->expel.cuts[i]) && roster->cut_count < MESH_ROSTER_CUTS_MAX &&
            memory_grow((void **)&roster->cuts, &roster->cut_capacity, roster->cut_count,
                        sizeof *roster->cuts)) {
            roster->cuts[roster->cut_count++] = act->expel.cuts[i];
            noted = true;
        }
    }
    return noted;
}

static bool expel(Roster *roster, const Member *author, const Place *place, const PublicAct *act,
                  bool *ret_refold) {
    Member *member = act->expel.has_key ? roster_find(roster, &act->expel.key) : NULL;

    revoke(roster, author, place, act);
    if (!act->expel.has_key) {
        return true;
    }
    if (author->role != MESH_ROLE_FOUNDER || (member && member->role == MESH_ROLE_FOUNDER)) {
        return false;
    }
    *ret_refold = roster_note_expulsion(roster, &author->key, act);
    if (member) {
        member->expelled = true;
    }
    if (act->expel.has_epoch) {
        begin_epoch(roster, place, act);
    }
    return true;
}

bool roster_apply(Roster *roster, const Entry *entry, const Place *place, const PublicAct *act,
                  bool *ret_refold) {
    const Member *author = roster_author(roster, &entry->author, place);

    *ret_refold = false;
    if (act->kind == ACT_GENESIS) {
        return roster->member_count == 0 && begin(roster, entry, place);
    }
    if (!author || author->role == MESH_ROLE_RELAY) {
        return false;
    }
    switch (act->kind) {
    case ACT_INVITE:
        return invite(roster, author, place, act, ret_refold);
    case ACT_ADMIT:
        return admit(roster, place, act, ret_refold);
    case ACT_EXPEL:
        return expel(roster, author, place, act, ret_refold);
    default:
        return false;
    }
}

bool roster_is_cut(const Roster *roster, const MeshKey *author, const uint8_t tag[JOURNAL_TAG_SIZE],
                   uint64_t sequence) {
    if (!is_expelled(roster, author)) {
        return false;
    }
    for (size_t i = 0; i < roster->cut_count; i++) {
        if (!memcmp(roster->cuts[i].tag, tag, JOURNAL_TAG_SIZE) &&
            sequence < roster->cuts[i].count) {
            return false;
        }
    }
    return true;
}
