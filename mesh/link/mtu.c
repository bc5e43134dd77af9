/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/mtu.h"

#define NARROW_US      ((uint64_t)60000000)
#define NARROW_MOST_US ((uint64_t)600000000)
#define DOUBT_LOST     8 /* large ones lost on a path that carried some before */
#define DOUBT_TURNS    4
#define NEW_LOST       3 /* the same, where none ever arrived */
#define NEW_TURNS      2
#define TRIAL_LOST     3  /* trials of one size, before it is held too large */
#define TRIAL_LEAST    40 /* more that a packet may have is not worth a trial */

/* Tried, one after the other: the largest datagram on Ethernet, then through most tunnels. */
static const uint32_t TRIED[] = {MESH_DATAGRAM_MAX + 28, 1400};
enum { TRIED_COUNT = sizeof TRIED / sizeof TRIED[0] };

void mtu_reset(Mtu *mtu) {
    *mtu = (Mtu){.known = MTU_BASE_SIZE, .narrow_us = NARROW_US, .wait_us = NARROW_US};
}

static void wait_longer(uint64_t *wait_us) {
    *wait_us *= *wait_us < NARROW_MOST_US ? 2 : 1;
}

static void search_again(Mtu *mtu, uint64_t from_us) {
    mtu->out = false;
    mtu->step = mtu->vain = 0;
    mtu->from_us = from_us;
}

/* Back to what every path but a few carries. */
static void fall(Mtu *mtu) {
    mtu->known = MTU_BASE_SIZE;
    mtu->proven = mtu->passed = false;
    mtu->lost = mtu->turns = 0;
}

void mtu_doubt(Mtu *mtu) {
    if (mtu->known > MTU_BASE_SIZE) {
        fall(mtu);
        search_again(mtu, mtu->from_us);
    }
}

/* The size below which all is well, should what is used be too large. */
static uint32_t small_size(const Mtu *mtu) {
    return mtu->known > MTU_BASE_SIZE ? MTU_BASE_SIZE : MTU_SAFE_SIZE;
}

static void count_lost(Mtu *mtu, uint64_t now_us, uint64_t sent_us) {
    mtu->turns += mtu->passed;
    mtu->passed = false;
    mtu->lost++;
    mtu->lost_us = sent_us > mtu->lost_us ? sent_us : mtu->lost_us;
    if (mtu->lost < (mtu->proven ? DOUBT_LOST : NEW_LOST) ||
        mtu->turns < (mtu->proven ? DOUBT_TURNS : NEW_TURNS)) {
        return;
    }
    if (mtu->known > MTU_BASE_SIZE) {
        search_again(mtu, now_us + mtu->wait_us);
        wait_longer(&mtu->wait_us);
    } else {
        mtu->narrow_until_us = now_us + mtu->narrow_us;
        wait_longer(&mtu->narrow_us);
    }
    fall(mtu);
}

/* Larger than what passes by enough. */
static bool is_worth_trial(const Mtu *mtu, uint32_t step) {
    return step < TRIED_COUNT && TRIED[step] >= mtu->known + TRIAL_LEAST;
}

static void trial_lost(Mtu *mtu, uint64_t now_us) {
    if (!mtu->out || ++mtu->vain < TRIAL_LOST) {
        mtu->out = false;
        return;
    }
    mtu->out = false;
    mtu->vain = 0;
    if (!is_worth_trial(mtu, ++mtu->step)) {
        search_again(mtu, now_us + mtu->wait_us);
        wait_longer(&mtu->wait_us);
    }
}

static void trial_arrived(Mtu *mtu, uint64_t now_us, uint32_t size) {
    bool largest = mtu->step == 0;

    mtu->known = size;
    search_again(mtu, largest ? mtu->from_us : now_us + mtu->wait_us);
    if (!largest) {
        wait_longer(&mtu->wait_us);
    }
}

void mtu_learn(Mtu *mtu, uint64_t now_us, uint32_t size, uint64_t sent_us, bool lost) {
    if (size <= small_size(mtu)) {
        mtu->passed = mtu->passed || (!lost && mtu->lost > 0 && sent_us > mtu->lost_us);
        return;
    }
    if (lost && size > mtu->known) {
        trial_lost(mtu, now_us);
    } else if (lost) {
        count_lost(mtu, now_us, sent_us);
    } else {
        if (size > mtu->known) {
            trial_arrived(mtu, now_us, size);
        }
        mtu->proven = true;
        mtu->passed = false;
        mtu->lost = mtu->turns = 0;
        mtu->narrow_until_us = 0;
        mtu->narrow_us = NARROW_US;
    }
}

uint32_t mtu_limit(const Mtu *mtu, uint64_t now_us) {
    return now_us < mtu->narrow_until_us ? MTU_SAFE_SIZE : mtu->known;
}

uint32_t mtu_wanted(const Mtu *mtu, uint64_t now_us) {
    bool may = !mtu->out && mtu->proven && now_us >= mtu->from_us;

    return may && is_worth_trial(mtu, mtu->step) ? TRIED[mtu->step] : 0;
}

void mtu_tried(Mtu *mtu) {
    mtu->out = true;
}

bool mtu_is_trial(const Mtu *mtu, uint32_t size) {
    return size > mtu->known;
}
