/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/dice.h"

void dice_init(Dice *dice, uint64_t seed, unsigned use) {
    Dice mother;

    emulator_random_init(&mother, seed);
    emulator_random_init(dice, emulator_random_next(&mother) + use);
}

uint64_t dice_below(Dice *dice, uint64_t below) {
    return below ? emulator_random_next(dice) % below : 0;
}

uint64_t dice_between(Dice *dice, uint64_t from, uint64_t to) {
    return from + dice_below(dice, to - from + 1);
}

bool dice_ppm(Dice *dice, uint64_t ppm) {
    return ppm > 0 && dice_below(dice, 1000000) < ppm;
}

void dice_bytes(void *dice, uint8_t *ret_bytes, size_t length) {
    uint64_t word = 0;

    for (size_t i = 0; i < length; i++) {
        word = i % 8 ? word >> 8 : emulator_random_next(dice);
        ret_bytes[i] = (uint8_t)word;
    }
}
