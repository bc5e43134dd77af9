/* SPDX-License-Identifier: MPL-2.0 */
#include "media/leap.h"

uint64_t media_leap_due_us(MediaLeap *leap, uint64_t given_us, uint64_t lasts_us, uint64_t now_us) {
    uint64_t soon_us = leap->next_us > now_us ? leap->next_us : now_us;
    uint64_t latest_us = soon_us + MEDIA_LEAP_US;
    if (given_us <= latest_us) {
        leap->back_us = 0;
    } else if (given_us < leap->back_us || given_us - leap->back_us > latest_us) {
        leap->back_us = given_us - soon_us;
    }
    leap->next_us = given_us - leap->back_us + lasts_us;
    return given_us - leap->back_us;
}
