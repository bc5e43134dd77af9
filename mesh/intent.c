/* SPDX-License-Identifier: MPL-2.0 */
/* What the person wants, written into the journal. */
#include <sodium.h>
#include <string.h>

#include "mesh/coder.h"
#include "mesh/core.h"
#include "mesh/memory.h"

static Bytes text_bytes(const char *text) {
    return BYTES_AT(text, text ? strlen(text) : 0);
}

static bool is_text(const char *text, size_t length_max) {
    Bytes bytes = text_bytes(text);

    return bytes.length > 0 && bytes.length <= length_max &&
           coder_text_is_valid(text, bytes.length);
}

static AuthorAnswer answer_to(const MeshIntent *intent) {
    return (AuthorAnswer){.answer = true, .tag = intent->tag};
}

/* Whether our role is at least this one; FORBIDDEN otherwise. */
static MeshError need_role(Mesh *mesh, MeshRole role) {
    const Member *self = core_self(mesh);

    if (mesh->status != MESH_STATUS_MEMBER || !self) {
        return MESH_ERROR_STATE;
    }
    return self->role <= role ? MESH_OK : MESH_ERROR_FORBIDDEN;
}

/* ---- the meeting ---- */

static MeshError create(Mesh *mesh, const MeshIntent *intent) {
    static const char *const profiles[] = {"meeting", "council", "webinar"};
    const char *profile = intent->profile ? intent->profile : "meeting";
    PublicAct genesis = {.kind = ACT_GENESIS, .genesis.profile = text_bytes(profile)};
    SealedAct title = {.kind = ACT_TITLE, .at_ms = intent->at_ms, .text = text_bytes(intent->text)};
    SealedAct name = {.kind = ACT_NAME, .at_ms = intent->at_ms, .text = text_bytes(mesh->name)};
    bool known = false;
    uint8_t key[32];
    MeshError error;

    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        known |= !strcmp(profiles[i], profile);
    }
    if (mesh->status != MESH_STATUS_NEW || mesh->author.sequence > 0) {
        return MESH_ERROR_STATE;
    }
    if (!known || !is_text(intent->text, MESH_TITLE_MAX)) {
        return MESH_ERROR_INVALID;
    }
    mesh->meeting.key_count = 0; /* of a former try, which the store refused */
    core_random(mesh, key, sizeof key);
    core_learn_key(mesh, key);
    sodium_memzero(key, sizeof key);
    if (mesh->meeting.key_count == 0) {
        return MESH_ERROR_NO_MEMORY;
    }
    error = author_write(mesh, &genesis, &title, (AuthorAnswer){0}, &mesh->meeting.id);
    if (error) {
        return error;
    }
    core_keep(mesh, "id", BYTES_OF(mesh->meeting.id.bytes));
    /* Sealed under the only key there is, before the roster names it. */
    memcpy(mesh->meeting.roster.current_key, mesh->meeting.keys[0].id, ENTRY_KEY_ID_SIZE);
    return author_write(mesh, NULL, &name,
                        (AuthorAnswer){.answer = true, .tag = intent->tag, .meeting = true}, NULL);
}

static MeshError invite(Mesh *mesh, const MeshIntent *intent) {
    PublicAct act = {.kind = ACT_INVITE};
    SealedAct sealed = {.kind = ACT_TICKET, .at_ms = intent->at_ms};
    Ticket ticket = {.inviter = mesh->self.key};
    uint8_t seed[MESH_SEED_SIZE];
    char text[MESH_TICKET_MAX + 1];
    MeshKey key;
    MeshError error = need_role(mesh, MESH_ROLE_MEMBER);

    if (error) {
        return error;
    }
    if (intent->role < MESH_ROLE_MEMBER || intent->role > MESH_ROLE_RELAY || intent->uses == 0) {
        return MESH_ERROR_INVALID;
    }
    if (mesh->meeting.roster.invite_count == MESH_INVITES_MAX) {
        return MESH_ERROR_FULL;
    }
    core_random(mesh, ticket.secret, sizeof ticket.secret);
    ticket.address_count = reach_ticket_addresses(mesh, ticket.addresses, TICKET_ADDRESSES_SIZE);
    ticket_write(&ticket, text);
    ticket_id(ticket.secret, act.invite.ticket);
    ticket_seed(ticket.secret, seed);
    key = mesh_key_of_seed(seed);
    memcpy(act.invite.public_key, key.bytes, sizeof act.invite.public_key);
    act.invite.role = intent->role;
    act.invite.uses = intent->uses;
    act.invite.expires_at = intent->expires_at;
    ticket_psk(ticket.secret, sealed.psk);
    error = author_write(mesh, &act, &sealed,
                         (AuthorAnswer){.answer = true,
                                        .tag = intent->tag,
                                        .text = memory_text(BYTES_AT(text, strlen(text)))},
                         NULL);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(&ticket, sizeof ticket);
    sodium_memzero(sealed.psk, sizeof sealed.psk);
    sodium_memzero(text, sizeof text);
    return error;
}

/* Where the chains of an author end now: what it wrote beyond counts no more. */
static void cut_chains(Mesh *mesh, PublicAct *act) {
    for (uint32_t i = 0; i < journal_clock_size(mesh->journal); i++) {
        const Chain *chain = journal_chain(mesh->journal, i);

        if (mesh_key_equal(&chain->author, &act->expel.key) &&
            act->expel.cut_count < MESH_CUTS_MAX) {
            ActCut *cut = &act->expel.cuts[act->expel.cut_count++];

            memcpy(cut->tag, chain->tag, JOURNAL_TAG_SIZE);
            cut->count = chain->count;
        }
    }
}

static MeshError expel(Mesh *mesh, const MeshIntent *intent) {
    static const MeshKey nobody;
    PublicAct act = {.kind = ACT_EXPEL, .expel.key = intent->key};
    const Member *member = core_member(mesh, &intent->key);
    uint8_t bytes[32];
    EpochKey key;
    MeshError error = need_role(mesh, MESH_ROLE_MEMBER);

    act.expel.has_key = !mesh_key_equal(&intent->key, &nobody);
    act.expel.all_tickets = mesh_hash_is_zero(&intent->hash);
    memcpy(act.expel.ticket, intent->hash.bytes, sizeof act.expel.ticket);
    if (error || !act.expel.has_key) {
        return error ? error : author_write(mesh, &act, NULL, answer_to(intent), NULL);
    }
    if (core_self(mesh)->role != MESH_ROLE_FOUNDER) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (!member || member->role == MESH_ROLE_FOUNDER) {
        return member ? MESH_ERROR_FORBIDDEN : MESH_ERROR_UNKNOWN;
    }
    if (mesh->meeting.key_count == MESH_EPOCHS_MAX) {
        return MESH_ERROR_FULL;
    }
    cut_chains(mesh, &act);
    core_random(mesh, bytes, sizeof bytes);
    epoch_key_init(&key, bytes);
    core_learn_key(mesh, bytes);
    act.expel.has_epoch = true;
    memcpy(act.expel.epoch_key_id, key.id, sizeof key.id);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(&key, sizeof key);
    return author_write(mesh, &act, NULL, answer_to(intent), NULL);
}

static MeshError say(Mesh *mesh, const MeshIntent *intent) {
    SealedAct act = {.kind = ACT_MESSAGE, .at_ms = intent->at_ms, .text = text_bytes(intent->text)};
    MeshError error = need_role(mesh, MESH_ROLE_GUEST);

    if (error) {
        return error;
    }
    if (act.text.length > MESH_TEXT_MAX) {
        return MESH_ERROR_TOO_LARGE;
    }
    if (!is_text(intent->text, MESH_TEXT_MAX)) {
        return MESH_ERROR_INVALID;
    }
    return author_write(mesh, NULL, &act, answer_to(intent), NULL);
}

/* A part follows those there are, in the order they were spoken. */
static MeshError say_voice(Mesh *mesh, const MeshIntent *intent) {
    SealedAct act = {.kind = ACT_VOICE,
                     .at_ms = intent->at_ms,
                     .voice = {.message = intent->hash, .part = intent->voice}};
    bool begins = mesh_hash_is_zero(&intent->hash);
    MeshError error = need_role(mesh, MESH_ROLE_GUEST);
    VoiceState before;

    if (error) {
        return error;
    }
    if (begins != (intent->voice.number == 0) || intent->voice.number >= MESH_VOICE_PARTS_MAX ||
        !voice_part_is_valid(&intent->voice)) {
        return MESH_ERROR_INVALID;
    }
    if (!begins) {
        before = voices_state(&mesh->meeting.voices, &intent->hash, &mesh->self.key);
        if (before.parts == 0) {
            return MESH_ERROR_UNKNOWN;
        }
        if (before.whole || before.parts != intent->voice.number ||
            before.duration_ms > intent->voice.from_ms) {
            return MESH_ERROR_STATE;
        }
    }
    return author_write(mesh, NULL, &act, answer_to(intent), NULL);
}

/* ---- motions ---- */

static MeshError read_choices(const MeshIntent *intent, SealedAct *act) {
    static const char *const usual[] = {"pour", "contre", "abstention", NULL};
    const char *const *choices = intent->choices ? intent->choices : usual;

    for (size_t i = 0; choices[i]; i++) {
        if (i == MESH_CHOICES_MAX || !is_text(choices[i], MESH_CHOICE_MAX)) {
            return MESH_ERROR_INVALID;
        }
        for (size_t earlier = 0; earlier < i; earlier++) {
            if (!strcmp(choices[earlier], choices[i])) {
                return MESH_ERROR_INVALID;
            }
        }
        act->motion.choices[act->motion.choice_count++] = text_bytes(choices[i]);
    }
    return act->motion.choice_count >= 2 ? MESH_OK : MESH_ERROR_INVALID;
}

static MeshError open_motion(Mesh *mesh, const MeshIntent *intent) {
    SealedAct act = {.kind = ACT_MOTION, .at_ms = intent->at_ms};
    const Roster *roster = &mesh->meeting.roster;
    MeshError error = need_role(mesh, MESH_ROLE_MEMBER);

    if (!error && !is_text(intent->text, MESH_TEXT_MAX)) {
        error = MESH_ERROR_INVALID;
    }
    if (!error && mesh->meeting.motions.motion_count == MESH_MOTIONS_MAX) {
        error = MESH_ERROR_FULL;
    }
    if (!error) {
        error = read_choices(intent, &act);
    }
    if (error) {
        return error;
    }
    act.motion.text = text_bytes(intent->text);
    for (size_t i = 0; i < roster->member_count; i++) {
        if (!roster->members[i].expelled && roster->members[i].role <= MESH_ROLE_MEMBER) {
            memcpy(act.motion.voters[act.motion.voter_count++], roster->members[i].key.bytes,
                   ACT_VOTER_SIZE);
        }
    }
    return author_write(mesh, NULL, &act, answer_to(intent), NULL);
}

static MeshError find_open(Mesh *mesh, const MeshIntent *intent, const Motion **ret_motion) {
    MotionResult result;

    if (mesh->status != MESH_STATUS_MEMBER || !core_self(mesh)) {
        return MESH_ERROR_STATE;
    }
    *ret_motion = motions_find(&mesh->meeting.motions, &intent->hash);
    if (!*ret_motion) {
        return MESH_ERROR_UNKNOWN;
    }
    motions_result(&mesh->meeting.motions, *ret_motion, &result);
    return result.state == MESH_MOTION_OPEN ? MESH_OK : MESH_ERROR_CLOSED;
}

static MeshError vote(Mesh *mesh, const MeshIntent *intent) {
    SealedAct act = {.kind = ACT_BALLOT, .at_ms = intent->at_ms, .ballot.motion = intent->hash};
    const Motion *motion;
    int choice;
    MeshError error = find_open(mesh, intent, &motion);

    if (error) {
        return error;
    }
    if (!motion_may_vote(motion, &mesh->self.key)) {
        return MESH_ERROR_FORBIDDEN;
    }
    choice = motion_choice(motion, intent->choice ? intent->choice : "");
    if (choice < 0) {
        return MESH_ERROR_INVALID;
    }
    act.ballot.choice = (uint32_t)choice;
    return author_write(mesh, NULL, &act, answer_to(intent), NULL);
}

static MeshError close_motion(Mesh *mesh, const MeshIntent *intent) {
    SealedAct act = {.kind = ACT_CLOSE, .at_ms = intent->at_ms};
    const Motion *motion;
    MeshError error = find_open(mesh, intent, &motion);

    if (error) {
        return error;
    }
    if (!mesh_key_equal(&motion->author, &mesh->self.key) &&
        core_self(mesh)->role != MESH_ROLE_FOUNDER) {
        return MESH_ERROR_FORBIDDEN;
    }
    motions_list(&mesh->meeting.motions, motion, &act);
    act.at_ms = intent->at_ms;
    return author_write(mesh, NULL, &act, answer_to(intent), NULL);
}

/* ---- hands ---- */

/* A hand that is waved fills nobody's journal. */
static bool may_move_hand(Mesh *mesh) {
    uint64_t paid_us = mesh->hand_paid_us > mesh->now_us ? mesh->hand_paid_us : mesh->now_us;

    if (paid_us - mesh->now_us > (MESH_HAND_BURST_MAX - 1) * MESH_HAND_PAUSE_S * S) {
        return false;
    }
    mesh->hand_paid_us = paid_us + MESH_HAND_PAUSE_S * S;
    return true;
}

static MeshError move_hand(Mesh *mesh, const MeshIntent *intent) {
    static const MeshKey nobody;
    SealedAct act = {.kind = ACT_HAND, .at_ms = intent->at_ms, .hand.up = intent->up};
    MeshError error = need_role(mesh, MESH_ROLE_OBSERVER);

    if (error) {
        return error;
    }
    act.hand.member = mesh_key_equal(&intent->key, &nobody) ? mesh->self.key : intent->key;
    act.hand.other = !mesh_key_equal(&act.hand.member, &mesh->self.key);
    if (act.hand.other && act.hand.up) {
        return MESH_ERROR_INVALID;
    }
    if (act.hand.other && core_self(mesh)->role != MESH_ROLE_FOUNDER) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (!core_member(mesh, &act.hand.member)) {
        return MESH_ERROR_UNKNOWN;
    }
    /* It is as it is wanted: done, without a word to anyone. */
    if (hands_is_up(&mesh->meeting.hands, &act.hand.member) == act.hand.up) {
        core_done(mesh, intent->tag, MESH_OK, NULL, NULL);
        return MESH_OK;
    }
    return may_move_hand(mesh) ? author_write(mesh, NULL, &act, answer_to(intent), NULL)
                               : MESH_ERROR_FULL;
}

/* ---- all ---- */

/* Those that end by an entry being stored, or at once by an error. */
static MeshError write_intent(Mesh *mesh, const MeshIntent *intent) {
    switch (intent->kind) {
    case MESH_INTENT_CREATE:
        return create(mesh, intent);
    case MESH_INTENT_INVITE:
        return invite(mesh, intent);
    case MESH_INTENT_EXPEL:
        return expel(mesh, intent);
    case MESH_INTENT_SAY:
        return say(mesh, intent);
    case MESH_INTENT_VOICE:
        return say_voice(mesh, intent);
    case MESH_INTENT_MOTION_OPEN:
        return open_motion(mesh, intent);
    case MESH_INTENT_VOTE:
        return vote(mesh, intent);
    case MESH_INTENT_MOTION_CLOSE:
        return close_motion(mesh, intent);
    case MESH_INTENT_HAND:
        return move_hand(mesh, intent);
    default:
        return MESH_ERROR_INVALID;
    }
}

/* What a relay may be asked: to come in, to take in what is sealed, to send less. */
static bool is_for_relay(MeshIntentKind kind) {
    return kind == MESH_INTENT_JOIN || kind == MESH_INTENT_ACCEPT || kind == MESH_INTENT_IMPORT ||
           kind == MESH_INTENT_CEILING;
}

void intent_step(Mesh *mesh, const MeshIntent *intent) {
    MeshError error = MESH_OK;

    if (mesh->relay && !is_for_relay(intent->kind)) {
        core_done(mesh, intent->tag, MESH_ERROR_RELAY, NULL, NULL);
        return;
    }
    switch (intent->kind) {
    case MESH_INTENT_JOIN:
        join_wanted(mesh, intent);
        return;
    case MESH_INTENT_ANSWER:
        admission_answer_wanted(mesh, intent);
        return;
    case MESH_INTENT_ACCEPT:
        join_accept_wanted(mesh, intent);
        return;
    case MESH_INTENT_IMPORT:
        sync_import(mesh, intent);
        return;
    case MESH_INTENT_DOCUMENT_BEGIN:
    case MESH_INTENT_DOCUMENT_LEAF:
    case MESH_INTENT_DOCUMENT_END:
    case MESH_INTENT_DOCUMENT_CANCEL:
        draft_intent(mesh, intent);
        return;
    case MESH_INTENT_DOCUMENT_FETCH:
        error = library_fetch(mesh, &intent->hash);
        core_done(mesh, intent->tag, error, &intent->hash, NULL);
        return;
    case MESH_INTENT_STREAM_START:
        error = live_start(mesh, intent->stream_kind);
        core_done(mesh, intent->tag, error, NULL, NULL);
        return;
    case MESH_INTENT_STREAM_STOP:
        live_stop(mesh, intent->stream_kind);
        core_done(mesh, intent->tag, MESH_OK, NULL, NULL);
        return;
    case MESH_INTENT_CEILING:
        uplink_set_ceiling(mesh, intent->size);
        core_done(mesh, intent->tag, MESH_OK, NULL, NULL);
        return;
    case MESH_INTENT_KEYFRAME:
        error = stream_keyframe(mesh, intent->stream);
        core_done(mesh, intent->tag, error, NULL, NULL);
        return;
    default:
        error = write_intent(mesh, intent);
        break;
    }
    if (error) {
        core_done(mesh, intent->tag, error, NULL, NULL);
    }
}
