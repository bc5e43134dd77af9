/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/meeting.h"

#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/memory.h"

void meeting_init(Meeting *meeting) {
    memset(meeting, 0, sizeof *meeting);
}

void meeting_reset(Meeting *meeting) {
    for (size_t i = 0; i < meeting->message_count; i++) {
        free(meeting->messages[i].text);
    }
    for (size_t i = 0; i < meeting->document_count; i++) {
        free(meeting->documents[i].name);
    }
    free(meeting->title);
    free(meeting->profile);
    meeting->title = NULL;
    meeting->profile = NULL;
    meeting->message_count = 0;
    meeting->document_count = 0;
    meeting->author_count = 0;
    meeting->ticket_count = 0;
    motions_reset(&meeting->motions);
    voices_reset(&meeting->voices);
    hands_reset(&meeting->hands);
    roster_reset(&meeting->roster);
}

void meeting_finish(Meeting *meeting) {
    meeting_reset(meeting);
    free(meeting->messages);
    free(meeting->documents);
    free(meeting->authors);
    free(meeting->tickets);
    if (meeting->keys) {
        sodium_memzero(meeting->keys, meeting->key_capacity * sizeof *meeting->keys);
    }
    free(meeting->keys);
    hands_finish(&meeting->hands);
    roster_finish(&meeting->roster);
    sodium_memzero(meeting, sizeof *meeting);
}

/* ---- keys ---- */

const EpochKey *meeting_key(const Meeting *meeting, const uint8_t id[ENTRY_KEY_ID_SIZE]) {
    for (size_t i = 0; i < meeting->key_count; i++) {
        if (!memcmp(meeting->keys[i].id, id, ENTRY_KEY_ID_SIZE)) {
            return &meeting->keys[i];
        }
    }
    return NULL;
}

bool meeting_add_key(Meeting *meeting, const uint8_t bytes[32]) {
    EpochKey key;
    bool added;

    epoch_key_init(&key, bytes);
    added = !meeting_key(meeting, key.id) && meeting->key_count < MESH_EPOCHS_MAX &&
            memory_grow_secret((void **)&meeting->keys, &meeting->key_capacity, meeting->key_count,
                               sizeof *meeting->keys);
    if (added) {
        meeting->keys[meeting->key_count++] = key;
    }
    sodium_memzero(&key, sizeof key);
    return added;
}

const EpochKey *meeting_current_key(const Meeting *meeting) {
    return meeting_key(meeting, meeting->roster.current_key);
}

/* ---- folding ---- */

static bool is_author(const Meeting *meeting, const MeshKey *key) {
    for (size_t i = 0; i < meeting->author_count; i++) {
        if (meeting->authors[i].writes && mesh_key_equal(&meeting->authors[i].key, key)) {
            return true;
        }
    }
    return false;
}

static bool is_ticket(const Meeting *meeting, const uint8_t ticket[ACT_TICKET_ID_SIZE]) {
    for (size_t i = 0; i < meeting->ticket_count; i++) {
        if (!memcmp(meeting->tickets[i].id, ticket, ACT_TICKET_ID_SIZE)) {
            return true;
        }
    }
    return false;
}

static void add_author(Meeting *meeting, const MeshKey *key, const uint8_t *ticket, bool writes) {
    MeetingAuthor *author;

    for (size_t i = 0; i < meeting->author_count; i++) {
        if (mesh_key_equal(&meeting->authors[i].key, key) &&
            !memcmp(meeting->authors[i].ticket, ticket, ACT_TICKET_ID_SIZE)) {
            return;
        }
    }
    if (meeting->author_count < MESH_AUTHORS_MAX &&
        memory_grow((void **)&meeting->authors, &meeting->author_capacity, meeting->author_count,
                    sizeof *meeting->authors)) {
        author = &meeting->authors[meeting->author_count++];
        *author = (MeetingAuthor){.key = *key, .writes = writes};
        memcpy(author->ticket, ticket, ACT_TICKET_ID_SIZE);
    }
}

/* Those admitted by it write: also by an ADMIT that came before it. */
static void add_ticket(Meeting *meeting, const uint8_t ticket[ACT_TICKET_ID_SIZE]) {
    if (is_ticket(meeting, ticket) || meeting->ticket_count == MESH_AUTHORS_MAX ||
        !memory_grow((void **)&meeting->tickets, &meeting->ticket_capacity, meeting->ticket_count,
                     sizeof *meeting->tickets)) {
        return;
    }
    memcpy(meeting->tickets[meeting->ticket_count++].id, ticket, ACT_TICKET_ID_SIZE);
    for (size_t i = 0; i < meeting->author_count; i++) {
        MeetingAuthor *author = &meeting->authors[i];

        author->writes = author->writes || !memcmp(author->ticket, ticket, ACT_TICKET_ID_SIZE);
    }
}

bool meeting_allows(const Meeting *meeting, const Entry *entry) {
    PublicAct act;

    if (!act_read_public(entry->public_act, &act) && act.kind == ACT_GENESIS) {
        return mesh_hash_equal(&entry->hash, &meeting->id);
    }
    return is_author(meeting, &entry->author);
}

static bool add_message(Meeting *meeting, const Entry *entry, uint64_t height,
                        const SealedAct *act) {
    Place place = {.height = height, .hash = entry->hash};
    bool voice = act->kind == ACT_VOICE;
    size_t at;
    char *text;

    if ((!voice && act->text.length > MESH_TEXT_MAX) ||
        !memory_grow((void **)&meeting->messages, &meeting->message_capacity,
                     meeting->message_count, sizeof *meeting->messages)) {
        return false;
    }
    text = memory_text(voice ? BYTES_NONE : act->text);
    if (!text) {
        return false;
    }
    at = place_find(meeting->messages, meeting->message_count, sizeof *meeting->messages,
                    offsetof(Message, height), offsetof(Message, id), &place);
    memmove(meeting->messages + at + 1, meeting->messages + at,
            (meeting->message_count - at) * sizeof *meeting->messages);
    meeting->messages[at] = (Message){.id = entry->hash,
                                      .author = entry->author,
                                      .height = height,
                                      .sent_at_ms = act->at_ms,
                                      .voice = voice,
                                      .text = text};
    meeting->message_count++;
    return true;
}

/* The first part is a message, which the later ones lengthen. True: more of it is here to hear. */
static bool add_voice(Meeting *meeting, const Entry *entry, uint64_t height, const SealedAct *act,
                      MeshHash *ret_message) {
    uint32_t number = act->voice.part.number;
    const VoicePart *part;

    *ret_message = number > 0 ? act->voice.message : entry->hash;
    if (!voices_add(&meeting->voices, entry, height, act)) {
        return false;
    }
    if (number == 0) {
        return add_message(meeting, entry, height, act);
    }
    part = voices_part(&meeting->voices, ret_message, number);
    return part && mesh_hash_equal(&part->place.hash, &entry->hash);
}

static bool add_document(Meeting *meeting, const Entry *entry, uint64_t height,
                         const SealedAct *act) {
    Place place = {.height = height, .hash = entry->hash};
    Announced document = {.id = entry->hash,
                          .author = entry->author,
                          .height = height,
                          .root = act->document.root,
                          .size = act->document.size};
    size_t at;

    if (act->document.size > MESH_DOCUMENT_SIZE_MAX ||
        act->document.name.length > MESH_DOCUMENT_NAME_MAX ||
        meeting->document_count == MESH_DOCUMENTS_MAX ||
        !memory_grow((void **)&meeting->documents, &meeting->document_capacity,
                     meeting->document_count, sizeof *meeting->documents)) {
        return false;
    }
    document.name = memory_text(act->document.name);
    if (!document.name) {
        return false;
    }
    memcpy(document.blob, act->document.id, sizeof document.blob);
    memcpy(document.key, act->document.key, sizeof document.key);
    at = place_find(meeting->documents, meeting->document_count, sizeof *meeting->documents,
                    offsetof(Announced, height), offsetof(Announced, id), &place);
    memmove(meeting->documents + at + 1, meeting->documents + at,
            (meeting->document_count - at) * sizeof *meeting->documents);
    meeting->documents[at] = document;
    meeting->document_count++;
    sodium_memzero(document.key, sizeof document.key);
    return true;
}

static bool set_text(char **place, Bytes text, size_t max) {
    char *copy = text.length <= max ? memory_text(text) : NULL;

    if (copy) {
        free(*place);
        *place = copy;
    }
    return copy;
}

/* The member that a NAME in this entry names: with an ADMIT the one it admitted, else its author.
 * NULL when the ADMIT counts for nothing. */
static Member *named_member(Meeting *meeting, const Entry *entry, Member *author,
                            const PublicAct *public) {
    Member *admitted;

    if (public->kind != ACT_ADMIT) {
        return author;
    }
    admitted = roster_find(&meeting->roster, &public->admit.key);
    return admitted && mesh_hash_equal(&admitted->admitted.hash, &entry->hash) ? admitted : NULL;
}

/* Only the INVITE that this entry itself made. */
static void set_psk(Meeting *meeting, const Entry *entry, const uint8_t psk[32]) {
    for (size_t i = 0; i < meeting->roster.invite_count; i++) {
        Invite *invite = &meeting->roster.invites[i];

        if (mesh_hash_equal(&invite->place.hash, &entry->hash)) {
            invite->has_psk = true;
            memcpy(invite->psk, psk, sizeof invite->psk);
        }
    }
}

/* Everyone who is here may ask to speak, also who only listens; the chair lowers any hand. */
static bool take_hand(Meeting *meeting, const Place *place, const Member *author,
                      const SealedAct *act, MeshKey *ret_whose) {
    *ret_whose = act->hand.other ? act->hand.member : author->key;
    if (author->role > MESH_ROLE_OBSERVER ||
        (act->hand.other &&
         (author->role != MESH_ROLE_FOUNDER || !roster_find(&meeting->roster, ret_whose)))) {
        return false;
    }
    return hands_take(&meeting->hands, ret_whose, act->hand.up, place);
}

static void fold_sealed(Meeting *meeting, const Entry *entry, const Place *place, Member *author,
                        const PublicAct *public, const SealedAct *act, MeetingChange *change) {
    bool speaks = author->role <= MESH_ROLE_GUEST;
    uint64_t height = place->height;
    Member *named;

    change->hash = entry->hash;
    switch (act->kind) {
    case ACT_TITLE:
        change->notice = MESH_NOTICE_MEETING;
        change->any =
            public->kind == ACT_GENESIS && set_text(&meeting->title, act->text, MESH_TITLE_MAX);
        break;
    case ACT_TICKET:
        set_psk(meeting, entry, act->psk);
        break;
    case ACT_NAME:
        named = named_member(meeting, entry, author, public);
        change->notice = MESH_NOTICE_MEMBER;
        if (named) {
            change->key = named->key;
            change->any = roster_set_name(named, place, act->text);
        }
        break;
    case ACT_MESSAGE:
        change->notice = MESH_NOTICE_MESSAGE;
        change->any = speaks && add_message(meeting, entry, height, act);
        break;
    case ACT_VOICE:
        change->notice = MESH_NOTICE_MESSAGE;
        change->any = speaks && add_voice(meeting, entry, height, act, &change->hash);
        break;
    case ACT_DOCUMENT:
        change->notice = MESH_NOTICE_DOCUMENT;
        change->any = speaks && add_document(meeting, entry, height, act);
        break;
    case ACT_MOTION:
        change->notice = MESH_NOTICE_MOTION;
        change->any =
            author->role <= MESH_ROLE_MEMBER && motions_open(&meeting->motions, entry, height, act);
        break;
    case ACT_BALLOT:
        change->notice = MESH_NOTICE_MOTION;
        change->hash = act->ballot.motion;
        change->any = motions_ballot(&meeting->motions, entry, height, act);
        break;
    case ACT_CLOSE:
        change->notice = MESH_NOTICE_MOTION;
        change->hash = act->close.motion;
        change->any =
            motions_close(&meeting->motions, entry, author->role == MESH_ROLE_FOUNDER, act);
        break;
    case ACT_HAND:
        change->notice = MESH_NOTICE_HAND;
        change->any = take_hand(meeting, place, author, act, &change->key);
        break;
    default:
        break;
    }
}

static void fold_public(Meeting *meeting, const Entry *entry, const Place *place,
                        const PublicAct *act, MeetingChange *change) {
    if (!roster_apply(&meeting->roster, entry, place, act, &change->refold)) {
        return;
    }
    change->any = true;
    change->notice = act->kind == ACT_GENESIS ? MESH_NOTICE_MEETING : MESH_NOTICE_MEMBER;
    if (act->kind == ACT_GENESIS) {
        set_text(&meeting->profile, act->genesis.profile, MESH_NAME_MAX);
    } else if (act->kind == ACT_ADMIT) {
        change->key = act->admit.key;
    } else if (act->kind == ACT_EXPEL) {
        change->key = act->expel.key;
    }
}

/* Whoever an act names may write from now on. True when it may have written before, under an act
 * that counted for nothing. */
static bool note_author(Meeting *meeting, const Entry *entry, const PublicAct *act) {
    static const uint8_t no_ticket[ACT_TICKET_ID_SIZE];
    bool known = false;

    if (act->kind == ACT_GENESIS) {
        add_author(meeting, &entry->author, no_ticket, true);
    } else if (act->kind == ACT_INVITE && act->invite.role != MESH_ROLE_RELAY) {
        add_ticket(meeting, act->invite.ticket);
    } else if (act->kind == ACT_ADMIT) {
        known = is_author(meeting, &act->admit.key);
        add_author(meeting, &act->admit.key, act->admit.ticket,
                   is_ticket(meeting, act->admit.ticket));
    }
    return known;
}

MeetingChange meeting_fold(Meeting *meeting, const Entry *entry, uint64_t height,
                           const uint8_t tag[JOURNAL_TAG_SIZE], bool cut) {
    MeetingChange change = {.notice = MESH_NOTICE_MEETING};
    Place place = {.height = height, .hash = entry->hash};
    uint8_t plain[MESH_ENTRY_MAX];
    size_t length;
    PublicAct public;
    SealedAct act;
    const EpochKey *key = entry->has_sealed ? meeting_key(meeting, entry->key_id) : NULL;
    Member *author;
    bool known;

    if (act_read_public(entry->public_act, &public)) {
        return change;
    }
    known = note_author(meeting, entry, &public);
    if (cut || roster_is_cut(&meeting->roster, &entry->author, tag, entry->sequence)) {
        return change;
    }
    if (public.kind != ACT_NONE) {
        fold_public(meeting, entry, &place, &public, &change);
        change.refold = change.refold || (change.any && known);
    }
    author = public.kind == ACT_GENESIS ? roster_find(&meeting->roster, &entry->author)
                                        : roster_author(&meeting->roster, &entry->author, &place);
    if (author && author->role != MESH_ROLE_RELAY && key &&
        !entry_open(entry, key, plain, &length) &&
        !act_read_sealed(BYTES_AT(plain, length), &act)) {
        fold_sealed(meeting, entry, &place, author, &public, &act, &change);
    }
    sodium_memzero(plain, sizeof plain);
    sodium_memzero(&act, sizeof act);
    return change;
}

/* ---- folding again ---- */

static int compare_records(const void *a, const void *b) {
    const Record *const *left = a;
    const Record *const *right = b;

    return place_compare(&(Place){.height = (*left)->height, .hash = (*left)->hash},
                         &(Place){.height = (*right)->height, .hash = (*right)->hash});
}

/* The entry of an applied record, which was read when it was held. */
static Entry entry_of(const Record *record) {
    Entry entry;
    MeshError error = entry_read_kept(record->bytes, record->length, &entry);

    assert(!error);
    return entry;
}

/* The founder's expulsions, which nobody's expulsion cuts, come first: they say what of the rest
 * counts. */
static void note_expulsions(Meeting *meeting, const Journal *journal) {
    const Record *genesis = journal_find(journal, &meeting->id);
    const MeshKey *founder = genesis ? &journal_chain(journal, genesis->chain)->author : NULL;

    for (size_t i = 0; founder && i < journal_count(journal); i++) {
        const Record *record = journal_record(journal, i);
        PublicAct act;

        if (mesh_key_equal(&journal_chain(journal, record->chain)->author, founder) &&
            !journal_is_cut(journal, record) &&
            !act_read_public(entry_of(record).public_act, &act)) {
            roster_note_expulsion(&meeting->roster, founder, &act);
        }
    }
}

static void mark_forked(Meeting *meeting, const Journal *journal) {
    for (uint32_t i = 0; i < journal_clock_size(journal); i++) {
        const Chain *chain = journal_chain(journal, i);
        Member *member =
            chain->fork_at != UINT64_MAX ? roster_find(&meeting->roster, &chain->author) : NULL;

        if (member) {
            member->forked = true;
        }
    }
}

bool meeting_refold(Meeting *meeting, const Journal *journal) {
    size_t count = journal_count(journal);
    const Record **order = count > 0 ? malloc(count * sizeof *order) : NULL;

    if (count > 0 && !order) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = journal_record(journal, i);
    }
    if (count > 0) {
        qsort(order, count, sizeof *order, compare_records);
    }
    meeting_reset(meeting);
    note_expulsions(meeting, journal);
    for (size_t i = 0; i < count; i++) {
        Entry entry = entry_of(order[i]);

        meeting_fold(meeting, &entry, order[i]->height,
                     journal_chain(journal, order[i]->chain)->tag,
                     journal_is_cut(journal, order[i]));
    }
    mark_forked(meeting, journal);
    free(order);
    return true;
}

const Announced *meeting_document(const Meeting *meeting, const MeshHash *id) {
    for (size_t i = 0; i < meeting->document_count; i++) {
        if (mesh_hash_equal(&meeting->documents[i].id, id)) {
            return &meeting->documents[i];
        }
    }
    return NULL;
}
