/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Losses that come in bursts: the two-state chain of Gilbert and Elliott, in time or in frames.
 * Owns its dice and the account of how long the line was bad.
 * Never decides about a single frame: it says in which state the line stands.
 */
#pragma once

#include "tests/net/emulator/random.h"
#include "tests/net/emulator/settings.h"

typedef enum {
    EMULATOR_FADE_GOOD,
    EMULATOR_FADE_BAD,
} EmulatorFadeState;

typedef struct {
    EmulatorRandom random;
    EmulatorFadeState state;
    uint64_t since_us; /* accounted up to here */
    uint64_t flip_us;  /* when the state ends, in time mode; 0 = not drawn yet */
    uint64_t bad_us;
} EmulatorFade;

void emulator_fade_init(EmulatorFade *fade, uint64_t seed, uint64_t now_us);

/* Plays the chain up to now, by time; without a length in time it stands still. */
void emulator_fade_advance(EmulatorFade *fade, const EmulatorSettings *settings, uint64_t now_us);

/* One frame passes: plays the chain one step when its length is given in frames. */
void emulator_fade_step(EmulatorFade *fade, const EmulatorSettings *settings);
