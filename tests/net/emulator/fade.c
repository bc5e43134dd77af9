/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/fade.h"

void emulator_fade_init(EmulatorFade *fade, uint64_t seed, uint64_t now_us) {
    *fade = (EmulatorFade){.state = EMULATOR_FADE_GOOD, .since_us = now_us};
    emulator_random_init(&fade->random, seed);
}

static void fade_account(EmulatorFade *fade, uint64_t until_us) {
    if (until_us <= fade->since_us)
        return;
    if (fade->state == EMULATOR_FADE_BAD)
        fade->bad_us += until_us - fade->since_us;
    fade->since_us = until_us;
}

static uint64_t fade_draw_us(EmulatorFade *fade, const EmulatorSettings *settings) {
    double mean_us = settings->burst_us;
    if (fade->state == EMULATOR_FADE_GOOD)
        mean_us *= (1 - settings->burst_share) / settings->burst_share;
    return 1 + emulator_random_exponential_us(&fade->random, mean_us);
}

void emulator_fade_advance(EmulatorFade *fade, const EmulatorSettings *settings, uint64_t now_us) {
    if (settings->burst_share <= 0) {
        fade_account(fade, now_us);
        fade->state = EMULATOR_FADE_GOOD;
        fade->flip_us = 0;
        return;
    }
    if (settings->burst_us > 0) {
        if (fade->flip_us == 0)
            fade->flip_us = now_us + fade_draw_us(fade, settings);
        while (fade->flip_us <= now_us) {
            fade_account(fade, fade->flip_us);
            fade->state =
                fade->state == EMULATOR_FADE_GOOD ? EMULATOR_FADE_BAD : EMULATOR_FADE_GOOD;
            fade->flip_us += fade_draw_us(fade, settings);
        }
    }
    fade_account(fade, now_us);
}

void emulator_fade_step(EmulatorFade *fade, const EmulatorSettings *settings) {
    if (settings->burst_share <= 0 || settings->burst_us > 0 || settings->burst_frames < 1)
        return;
    double leave_bad = 1 / settings->burst_frames;
    double enter_bad = leave_bad * settings->burst_share / (1 - settings->burst_share);
    double draw = emulator_random_unit(&fade->random);
    if (fade->state == EMULATOR_FADE_GOOD && draw < enter_bad)
        fade->state = EMULATOR_FADE_BAD;
    else if (fade->state == EMULATOR_FADE_BAD && draw < leave_bad)
        fade->state = EMULATOR_FADE_GOOD;
}
