/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/random.h"

#include <math.h>

static uint64_t rotate_left(uint64_t value, unsigned bits) {
    return value << bits | value >> (64 - bits);
}

static uint64_t splitmix_next(uint64_t *state) {
    *state += 0x9e3779b97f4a7c15U;
    uint64_t mixed = *state;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

void emulator_random_init(EmulatorRandom *random, uint64_t seed) {
    for (unsigned i = 0; i < 4; i++)
        random->word[i] = splitmix_next(&seed);
}

uint64_t emulator_random_next(EmulatorRandom *random) {
    uint64_t *word = random->word;
    uint64_t result = rotate_left(word[1] * 5, 7) * 9;
    uint64_t shifted = word[1] << 17;
    word[2] ^= word[0];
    word[3] ^= word[1];
    word[1] ^= word[2];
    word[0] ^= word[3];
    word[2] ^= shifted;
    word[3] = rotate_left(word[3], 45);
    return result;
}

double emulator_random_unit(EmulatorRandom *random) {
    return (double)(emulator_random_next(random) >> 11) * 0x1p-53;
}

uint64_t emulator_random_exponential_us(EmulatorRandom *random, double mean_us) {
    return (uint64_t)(-log(1.0 - emulator_random_unit(random)) * mean_us);
}
