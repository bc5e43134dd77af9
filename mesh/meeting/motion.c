/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/motion.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/memory.h"

static void free_motion(Motion *motion) {
    free(motion->text);
    free(motion->voters);
    for (size_t c = 0; c < motion->choice_count; c++) {
        free(motion->choices[c]);
    }
}

void motions_reset(Motions *motions) {
    for (size_t i = 0; i < motions->motion_count; i++) {
        free_motion(&motions->motions[i]);
    }
    for (size_t i = 0; i < motions->close_count; i++) {
        free(motions->closes[i].ballots);
    }
    free(motions->motions);
    free(motions->ballots);
    free(motions->closes);
    *motions = (Motions){0};
}

static bool copy_motion(Motion *motion, const SealedAct *act) {
    motion->text = memory_text(act->motion.text);
    motion->voters = memory_copy(act->motion.voters, act->motion.voter_count * ACT_VOTER_SIZE);
    motion->voter_count = act->motion.voter_count;
    for (; motion->choice_count < act->motion.choice_count; motion->choice_count++) {
        motion->choices[motion->choice_count] =
            memory_text(act->motion.choices[motion->choice_count]);
        if (!motion->choices[motion->choice_count]) {
            return false;
        }
    }
    return motion->text && motion->voters;
}

bool motions_open(Motions *motions, const Entry *entry, uint64_t height, const SealedAct *act) {
    Motion motion = {.id = entry->hash, .author = entry->author, .height = height};
    Place place = {.height = height, .hash = entry->hash};
    size_t at;

    if (motions->motion_count == MESH_MOTIONS_MAX ||
        !memory_grow((void **)&motions->motions, &motions->motion_capacity, motions->motion_count,
                     sizeof *motions->motions)) {
        return false;
    }
    if (!copy_motion(&motion, act)) {
        free_motion(&motion);
        return false;
    }
    at = place_find(motions->motions, motions->motion_count, sizeof *motions->motions,
                    offsetof(Motion, height), offsetof(Motion, id), &place);
    memmove(motions->motions + at + 1, motions->motions + at,
            (motions->motion_count - at) * sizeof *motions->motions);
    motions->motions[at] = motion;
    motions->motion_count++;
    return true;
}

bool motions_ballot(Motions *motions, const Entry *entry, uint64_t height, const SealedAct *act) {
    size_t same = 0;

    for (size_t i = 0; i < motions->ballot_count; i++) {
        same += mesh_hash_equal(&motions->ballots[i].motion, &act->ballot.motion) &&
                mesh_key_equal(&motions->ballots[i].voter, &entry->author);
    }
    if (same >= MESH_BALLOTS_MAX ||
        !memory_grow((void **)&motions->ballots, &motions->ballot_capacity, motions->ballot_count,
                     sizeof *motions->ballots)) {
        return false;
    }
    motions->ballots[motions->ballot_count++] = (Ballot){.id = entry->hash,
                                                         .motion = act->ballot.motion,
                                                         .voter = entry->author,
                                                         .choice = act->ballot.choice,
                                                         .height = height};
    return true;
}

bool motions_close(Motions *motions, const Entry *entry, bool presides, const SealedAct *act) {
    Close *close;

    if (!memory_grow((void **)&motions->closes, &motions->close_capacity, motions->close_count,
                     sizeof *motions->closes)) {
        return false;
    }
    close = &motions->closes[motions->close_count++];
    *close = (Close){.motion = act->close.motion,
                     .author = entry->author,
                     .presides = presides,
                     .ballot_count = act->close.ballot_count};
    close->ballots = memory_copy(act->close.ballots, close->ballot_count * ACT_BALLOT_SIZE);
    motions->close_count -= !close->ballots;
    return close->ballots;
}

const Motion *motions_find(const Motions *motions, const MeshHash *id) {
    for (size_t i = 0; i < motions->motion_count; i++) {
        if (mesh_hash_equal(&motions->motions[i].id, id)) {
            return &motions->motions[i];
        }
    }
    return NULL;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

int motion_choice(const Motion *motion, const char *name) {
    for (size_t i = 0; i < motion->choice_count; i++) {
        const char *a = motion->choices[i];
        const char *b = name;

        while (*a && lower(*a) == lower(*b)) {
            a++;
            b++;
        }
        if (!*a && !*b) {
            return (int)i;
        }
    }
    return -1;
}

size_t motion_voter(const Motion *motion, const MeshKey *key) {
    size_t i = 0;

    while (i < motion->voter_count && memcmp(motion->voters[i], key->bytes, ACT_VOTER_SIZE)) {
        i++;
    }
    return i;
}

bool motion_may_vote(const Motion *motion, const MeshKey *key) {
    return motion_voter(motion, key) < motion->voter_count;
}

static bool counts(const Motion *motion, const Ballot *ballot) {
    return mesh_hash_equal(&ballot->motion, &motion->id) && ballot->choice < motion->choice_count &&
           motion_may_vote(motion, &ballot->voter);
}

static bool is_later(const Ballot *a, const Ballot *b) {
    return a->height != b->height ? a->height > b->height
                                  : memcmp(a->id.bytes, b->id.bytes, MESH_HASH_SIZE) > 0;
}

const Ballot *motions_last_ballot(const Motions *motions, const Motion *motion,
                                  const MeshKey *voter) {
    const Ballot *last = NULL;

    for (size_t i = 0; i < motions->ballot_count; i++) {
        const Ballot *ballot = &motions->ballots[i];

        if (mesh_key_equal(&ballot->voter, voter) && counts(motion, ballot) &&
            (!last || is_later(ballot, last))) {
            last = ballot;
        }
    }
    return last;
}

static bool is_last(const Motions *motions, const Motion *motion, const Ballot *ballot) {
    return counts(motion, ballot) && motions_last_ballot(motions, motion, &ballot->voter) == ballot;
}

static int compare_ballots(const void *a, const void *b) {
    return memcmp(a, b, ACT_BALLOT_SIZE);
}

void motions_list(const Motions *motions, const Motion *motion, SealedAct *ret_close) {
    size_t count = 0;

    ret_close->kind = ACT_CLOSE;
    ret_close->close.motion = motion->id;
    for (size_t i = 0; i < motions->ballot_count && count < MESH_MEMBERS_MAX; i++) {
        if (is_last(motions, motion, &motions->ballots[i])) {
            memcpy(ret_close->close.ballots[count++], motions->ballots[i].id.bytes,
                   ACT_BALLOT_SIZE);
        }
    }
    ret_close->close.ballot_count = count;
    qsort(ret_close->close.ballots, count, ACT_BALLOT_SIZE, compare_ballots);
}

/* Of the opener or of the chair. */
static bool is_valid_close(const Motion *motion, const Close *close) {
    return mesh_hash_equal(&close->motion, &motion->id) &&
           (close->presides || mesh_key_equal(&close->author, &motion->author));
}

static bool lists(const Close *close, const Ballot *ballot) {
    for (size_t i = 0; i < close->ballot_count; i++) {
        if (!memcmp(close->ballots[i], ballot->id.bytes, ACT_BALLOT_SIZE)) {
            return true;
        }
    }
    return false;
}

/* The motion's close; `ret_state` is VOID when two of them list different ballots. */
static const Close *find_close(const Motions *motions, const Motion *motion,
                               MeshMotionState *ret_state) {
    const Close *found = NULL;

    *ret_state = MESH_MOTION_OPEN;
    for (size_t i = 0; i < motions->close_count; i++) {
        const Close *close = &motions->closes[i];

        if (!is_valid_close(motion, close)) {
            continue;
        }
        if (!found) {
            found = close;
            *ret_state = MESH_MOTION_CLOSED;
        } else if (found->ballot_count != close->ballot_count ||
                   memcmp(found->ballots, close->ballots, found->ballot_count * ACT_BALLOT_SIZE)) {
            *ret_state = MESH_MOTION_VOID;
        }
    }
    return found;
}

/* The choice with most ballots, abstention aside: only votes cast decide. */
static const char *outcome(const Motion *motion, const MotionResult *result) {
    const char *best = "none";
    uint32_t most = 0;

    for (size_t i = 0; i < motion->choice_count; i++) {
        if (!strcmp(motion->choices[i], "abstention")) {
            continue;
        }
        if (result->tally[i] > most) {
            most = result->tally[i];
            best = motion->choices[i];
        } else if (most > 0 && result->tally[i] == most) {
            best = "tie";
        }
    }
    return best;
}

void motions_ballots(const Motions *motions, const Motion *motion,
                     const Ballot *ret_ballots[MESH_MEMBERS_MAX]) {
    MeshMotionState state;
    const Close *close = find_close(motions, motion, &state);

    memset(ret_ballots, 0, MESH_MEMBERS_MAX * sizeof *ret_ballots);
    for (size_t i = 0; state != MESH_MOTION_VOID && i < motions->ballot_count; i++) {
        const Ballot *ballot = &motions->ballots[i];
        size_t voter;

        if (!mesh_hash_equal(&ballot->motion, &motion->id) ||
            ballot->choice >= motion->choice_count || (close && !lists(close, ballot))) {
            continue;
        }
        voter = motion_voter(motion, &ballot->voter);
        if (voter < motion->voter_count &&
            (!ret_ballots[voter] || is_later(ballot, ret_ballots[voter]))) {
            ret_ballots[voter] = ballot;
        }
    }
}

void motions_result(const Motions *motions, const Motion *motion, MotionResult *ret_result) {
    MotionResult result = {.outcome = ""};
    const Ballot *ballots[MESH_MEMBERS_MAX];

    (void)find_close(motions, motion, &result.state);
    motions_ballots(motions, motion, ballots);
    for (size_t i = 0; i < motion->voter_count; i++) {
        if (ballots[i]) {
            result.counted++;
            result.tally[ballots[i]->choice]++;
        }
    }
    if (result.state == MESH_MOTION_CLOSED) {
        result.outcome = outcome(motion, &result);
    }
    *ret_result = result;
}
