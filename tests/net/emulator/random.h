/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The emulator's dice: xoshiro256** seeded through splitmix64.
 * Owns nothing but its four words of state, which the caller embeds.
 * Never draws from the system: the same seed gives the same line, packet by packet.
 */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t word[4];
} EmulatorRandom;

/* Fills the state from a seed; any seed will do, zero too. */
void emulator_random_init(EmulatorRandom *random, uint64_t seed);

/* The next 64 bits. */
uint64_t emulator_random_next(EmulatorRandom *random);

/* A number in [0, 1). */
double emulator_random_unit(EmulatorRandom *random);

/* A length in microseconds, exponentially distributed around its mean. */
uint64_t emulator_random_exponential_us(EmulatorRandom *random, double mean_us);
