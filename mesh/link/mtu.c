/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/mtu.h"

#define NARROW_US      ((uint64_t)60000000)
#define NARROW_MOST_US ((uint64_t)600000000)
#define DOUBT_LOST     8 /* large ones lost on a path that carried some before */
#define DOUBT_TURNS    4
#define NEW_LOST       3 /* the same, where none ever arrived */
#define NEW_TURNS      2

void mtu_reset(Mtu *mtu) {
    *mtu = (Mtu){.narrow_us = NARROW_US};
}

static void count_lost(Mtu *mtu, uint64_t now_us, uint64_t sent_us) {
    mtu->turns += mtu->passed;
    mtu->passed = false;
    mtu->lost++;
    mtu->lost_sent_us = sent_us > mtu->lost_sent_us ? sent_us : mtu->lost_sent_us;
    if (mtu->lost >= (mtu->proven ? DOUBT_LOST : NEW_LOST) &&
        mtu->turns >= (mtu->proven ? DOUBT_TURNS : NEW_TURNS)) {
        mtu->narrow_until_us = now_us + mtu->narrow_us;
        mtu->narrow_us *= mtu->narrow_us < NARROW_MOST_US ? 2 : 1;
        mtu->proven = false;
        mtu->lost = mtu->turns = 0;
    }
}

void mtu_learn(Mtu *mtu, uint64_t now_us, uint32_t size, uint64_t sent_us, bool lost) {
    if (size <= MTU_SAFE_SIZE) {
        mtu->passed = mtu->passed || (!lost && mtu->lost > 0 && sent_us > mtu->lost_sent_us);
    } else if (lost) {
        count_lost(mtu, now_us, sent_us);
    } else {
        mtu_reset(mtu);
        mtu->proven = true;
    }
}

uint32_t mtu_limit(const Mtu *mtu, uint64_t now_us) {
    return now_us < mtu->narrow_until_us ? MTU_SAFE_SIZE : UINT32_MAX;
}
