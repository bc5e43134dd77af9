/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Roll-call motions: OPEN fixes text, choices and voters, signed BALLOTs are public to members,
 * CLOSE lists the ballots that count; the result is a pure function of OPEN and CLOSE.
 * It owns motions, ballots and closes. It never asks who arrived first.
 */
#pragma once

#include "mesh/meeting/act.h"

typedef struct {
    MeshHash id;
    MeshKey author;
    uint64_t height;
    char *text;
    size_t choice_count;
    char *choices[MESH_CHOICES_MAX];
    size_t voter_count;
    uint8_t (*voters)[ACT_VOTER_SIZE];
} Motion;

typedef struct {
    MeshHash id;
    MeshHash motion;
    MeshKey voter;
    uint32_t choice;
    uint64_t height;
} Ballot;

typedef struct {
    MeshHash motion;
    MeshKey author;
    bool presides; /* its author was the founder */
    size_t ballot_count;
    uint8_t (*ballots)[ACT_BALLOT_SIZE];
} Close;

typedef struct {
    Motion *motions; /* by height, then hash */
    size_t motion_count, motion_capacity;
    Ballot *ballots;
    size_t ballot_count, ballot_capacity;
    Close *closes;
    size_t close_count, close_capacity;
} Motions;

typedef struct {
    MeshMotionState state;
    uint32_t counted;
    uint32_t tally[MESH_CHOICES_MAX];
    const char *outcome; /* "", a choice, "tie", "none" */
} MotionResult;

void motions_reset(Motions *motions);

/* Each false when memory or a table is short. */
bool motions_open(Motions *motions, const Entry *entry, uint64_t height, const SealedAct *act);
bool motions_ballot(Motions *motions, const Entry *entry, uint64_t height, const SealedAct *act);
bool motions_close(Motions *motions, const Entry *entry, bool presides, const SealedAct *act);

const Motion *motions_find(const Motions *motions, const MeshHash *id);
/* The place of a choice by its name, ignoring ASCII case; -1 when there is none. */
int motion_choice(const Motion *motion, const char *name);
/* Its place among the voters; voter_count: it may not vote. */
size_t motion_voter(const Motion *motion, const MeshKey *key);
bool motion_may_vote(const Motion *motion, const MeshKey *key);
/* The ballot of a voter that counts while the motion is open: its last; NULL when none. */
const Ballot *motions_last_ballot(const Motions *motions, const Motion *motion,
                                  const MeshKey *voter);
/* By the place of their voters, the ballots that count: while the motion is open the last of each,
 * then those its close lists; NULL: none, as in a void motion. */
void motions_ballots(const Motions *motions, const Motion *motion,
                     const Ballot *ret_ballots[MESH_MEMBERS_MAX]);
/* What a CLOSE written now would list, strictly increasing. */
void motions_list(const Motions *motions, const Motion *motion, SealedAct *ret_close);
void motions_result(const Motions *motions, const Motion *motion, MotionResult *ret_result);
