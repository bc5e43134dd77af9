/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/mesh_meeting_history.h"

const uint8_t history_keys[EPOCHS][32] = {"the key of the first epoch, 32 .",
                                          "the key of the second epoch, 32 "};

guint history_below(History *history, guint limit) {
    return (guint)g_rand_int_range(history->random, 0, (gint32)limit);
}

static PublicAct invite_by(const History *history, guint ticket, MeshRole role) {
    PublicAct act = {.kind = ACT_INVITE};

    act.invite.ticket[0] = (uint8_t)ticket;
    memcpy(act.invite.public_key, history->tickets[ticket].key.bytes, 32);
    act.invite.role = role;
    act.invite.uses = 1;
    return act;
}

static PublicAct admit_by(const History *history, guint ticket, guint person) {
    PublicAct act = {.kind = ACT_ADMIT};

    act.admit.key = history->people[person].self.key;
    act.admit.ticket[0] = (uint8_t)ticket;
    domain_sign(&history->tickets[ticket], "ticket proof", NULL, BYTES_OF(act.admit.key.bytes),
                act.admit.proof);
    return act;
}

static PublicAct some_invite(History *history) {
    guint ticket = history_below(history, TICKETS);

    return invite_by(history, ticket, (MeshRole)(1 + history_below(history, 4)));
}

static PublicAct some_admit(History *history) {
    guint ticket = history_below(history, TICKETS);
    PublicAct act = admit_by(history, ticket, history_below(history, PEOPLE));

    act.admit.proof[0] ^= history_below(history, 8) == 0;
    return act;
}

static PublicAct some_expel(History *history) {
    const Writer *victim = &history->people[1 + history_below(history, PEOPLE - 1)];
    PublicAct act = {.kind = ACT_EXPEL};

    act.expel.has_key = history_below(history, 3) > 0;
    act.expel.key = victim->self.key;
    act.expel.all_tickets = history_below(history, 2);
    act.expel.ticket[0] = (uint8_t)history_below(history, TICKETS);
    act.expel.cut_count = 1;
    journal_chain_tag(&victim->self.key, victim->chain, act.expel.cuts[0].tag);
    act.expel.cuts[0].count = history_below(history, (guint)victim->sequence + 1);
    act.expel.has_epoch = act.expel.has_key;
    memcpy(act.expel.epoch_key_id, history->keys[history_below(history, 2)].id, ENTRY_KEY_ID_SIZE);
    return act;
}

/* Mostly of a message of one's own; parts are left out, said twice, and contradict each other. */
static void some_voice(History *history, guint author, SealedAct *act) {
    static const uint8_t FRAMES[] = {60, 1, 'a', 60, 1, 'b', 120, 1, 'c'};
    const MeshHash *begun =
        &history->voice[history_below(history, 6) == 0 ? history_below(history, PEOPLE) : author];
    guint number = mesh_hash_is_zero(begun) || history_below(history, 4) == 0
                       ? 0
                       : 1 + history_below(history, 2);

    act->kind = ACT_VOICE;
    act->voice.part =
        (MeshVoicePart){.number = number,
                        .last = history_below(history, 3) == 0,
                        .codec = 1,
                        .from_ms = number > 0 ? history_below(history, 500) : 0,
                        .frames = BYTES_AT(FRAMES, 3 + 3 * history_below(history, 3))};
    if (number > 0) {
        act->voice.message = *begun;
    }
}

/* Mostly one's own; now and then another's, which counts when the founder lowers it. */
static void some_hand(History *history, SealedAct *act) {
    act->kind = ACT_HAND;
    act->hand.up = history_below(history, 3) > 0;
    act->hand.other = !act->hand.up && history_below(history, 2) == 0;
    act->hand.member = history->people[history_below(history, PEOPLE)].self.key;
}

static void some_sealed(History *history, ActKind public_kind, SealedAct *act) {
    static const char *const WORDS[] = {"pour", "contre", "abstention", "Anne", "Luc"};
    const char *word = WORDS[history_below(history, G_N_ELEMENTS(WORDS))];
    guint motion = history->motion_count > 0 ? history_below(history, history->motion_count) : 0;

    memset(act, 0, sizeof *act);
    act->at_ms = history->count; /* no two entries are the same bytes */
    act->kind = public_kind == ACT_INVITE  ? ACT_TICKET
                : public_kind == ACT_ADMIT ? ACT_NAME
                                           : (ActKind)(ACT_NAME + history_below(history, 6));
    if (act->kind == ACT_TICKET) {
        act->psk[0] = (uint8_t)history_below(history, 256);
    } else if (act->kind == ACT_NAME || act->kind == ACT_MESSAGE) {
        act->text = BYTES_AT(word, strlen(word));
    } else if (act->kind == ACT_DOCUMENT) {
        act->document.name = BYTES_AT(word, strlen(word));
    } else if (act->kind == ACT_MOTION) {
        act->motion.text = BYTES_AT("?", 1);
        act->motion.choice_count = 3;
        for (guint i = 0; i < 3; i++) {
            act->motion.choices[i] = BYTES_AT(WORDS[i], strlen(WORDS[i]));
        }
        act->motion.voter_count = PEOPLE;
        for (guint i = 0; i < PEOPLE; i++) {
            memcpy(act->motion.voters[i], history->people[i].self.key.bytes, ACT_VOTER_SIZE);
        }
    } else if (act->kind == ACT_BALLOT) {
        act->ballot.motion = history->motions[motion];
        act->ballot.choice = history_below(history, 4);
    } else if (act->kind == ACT_CLOSE) {
        act->close.motion = history->motions[motion];
        act->close.ballot_count = history->count > 0;
        memcpy(act->close.ballots[0], history->entries[history->count / 2].hash.bytes,
               ACT_BALLOT_SIZE);
    }
}

static void write_genesis(History *history) {
    PublicAct act = {.kind = ACT_GENESIS, .genesis.profile = BYTES_AT("meeting", 7)};
    static SealedAct title;

    title.kind = ACT_TITLE;
    title.text = BYTES_AT("Title", 5);
    writer_act(&history->people[0], NULL, NULL, 0, &act, &title, &history->keys[0],
               &history->entries[history->count++]);
}

/* The founder invites and admits some of them; the others come later or never. */
static void write_beginning(History *history) {
    static const MeshRole ROLES[] = {MESH_ROLE_MEMBER, MESH_ROLE_GUEST, MESH_ROLE_MEMBER};
    static SealedAct name;

    write_genesis(history);
    name.kind = ACT_NAME;
    name.text = BYTES_AT("Jeanne", 6);
    for (guint i = 0; i < G_N_ELEMENTS(ROLES); i++) {
        PublicAct invite = invite_by(history, i, ROLES[i]);
        PublicAct admit = admit_by(history, i, i + 1);

        writer_act(&history->people[0], &history->entries[0].hash, NULL, 0, &invite, NULL, NULL,
                   &history->entries[history->count++]);
        writer_act(&history->people[0], &history->entries[0].hash, NULL, 0, &admit, &name,
                   &history->keys[0], &history->entries[history->count++]);
    }
}

/* Each cites the genesis, or some of what there is: seldom all an honest author would. */
static void write_some(History *history) {
    guint author = history_below(history, 3) == 0 ? 0 : history_below(history, PEOPLE);
    Writer *writer = &history->people[author];
    Writer twin = *writer;
    guint kind = history_below(history, 8);
    PublicAct public = {.kind = ACT_NONE};
    static SealedAct sealed;
    MeshHash cited[4] = {history->entries[0].hash};
    size_t count = 1 + history_below(history, 4);

    for (size_t i = 1; i < count; i++) {
        cited[i] =
            history->entries[history->count - 1 - history_below(history, MIN(history->count, 12))]
                .hash;
    }
    if (kind < 2) {
        public = some_invite(history);
    } else if (kind < 4) {
        public = some_admit(history);
    } else if (kind == 4 && history_below(history, 2) == 0) {
        public = some_expel(history);
    }
    some_sealed(history, public.kind, &sealed);
    if (public.kind == ACT_NONE && history_below(history, 3) == 0) {
        some_voice(history, author, &sealed);
    } else if (public.kind == ACT_NONE && history_below(history, 4) == 0) {
        some_hand(history, &sealed);
    }
    writer_act(writer, &history->entries[0].hash, cited, count,
               public.kind == ACT_NONE ? NULL : &public, &sealed,
               &history->keys[history_below(history, 2)], &history->entries[history->count]);
    if (sealed.kind == ACT_MOTION) {
        history->motions[history->motion_count++] = history->entries[history->count].hash;
    } else if (sealed.kind == ACT_VOICE && sealed.voice.part.number == 0) {
        history->voice[author] = history->entries[history->count].hash;
    }
    history->count++;
    if (history_below(history, 25) == 0 && author != 0) {
        *writer = twin; /* its next entry will have the same number: a fork */
    } else if (history_below(history, 15) == 0) {
        writer_restart(writer);
    }
}

History *history_new(guint32 seed) {
    History *history = g_new0(History, 1);

    history->random = g_rand_new_with_seed(seed);
    for (uint8_t i = 0; i < PEOPLE + TICKETS; i++) {
        uint8_t bytes[MESH_SEED_SIZE] = {i, 77};

        if (i < PEOPLE) {
            writer_init(&history->people[i], i);
        } else {
            identity_init(&history->tickets[i - PEOPLE], bytes);
        }
    }
    for (guint i = 0; i < EPOCHS; i++) {
        epoch_key_init(&history->keys[i], history_keys[i]);
    }
    write_beginning(history);
    while (history->count < ENTRIES) {
        write_some(history);
    }
    return history;
}

void history_free(History *history) {
    g_rand_free(history->random);
    g_free(history);
}
