/* SPDX-License-Identifier: MPL-2.0 */
/*
 * All chance in a simulated world: one row of numbers for each user of it, from the world's seed.
 * It owns a few words of state, embedded by the caller. It never draws from the system, and never
 * computes in floating point, so that a seed means the same on every machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/net/emulator/random.h"

typedef EmulatorRandom Dice;

/* Who draws: the same seed gives each its own row. */
typedef enum {
    DICE_SCENARIO,
    DICE_NETWORK,
    DICE_ICE,
    DICE_NODE, /* and one more for each node */
} DiceUse;

void dice_init(Dice *dice, uint64_t seed, unsigned use);
/* 0 … below - 1; 0 for below 0. */
uint64_t dice_below(Dice *dice, uint64_t below);
/* from … to, both included. */
uint64_t dice_between(Dice *dice, uint64_t from, uint64_t to);
/* True as often as so many times in a million. */
bool dice_ppm(Dice *dice, uint64_t ppm);
/* Of the type MeshRandom; the context is a Dice. */
void dice_bytes(void *dice, uint8_t *ret_bytes, size_t length);
