/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/ascent.h"

#include "mesh/link/capacity.h"
#include "mesh/link/packet.h"

#define SECOND_US    1000000
#define FIRST_US     (2 * SECOND_US)
#define WAIT_US      (4 * SECOND_US)
#define WAIT_MOST_US (64 * SECOND_US)
#define ENOUGH_VOICE 6     /* times what voice takes: its ladder has all it can use, */
#define ENOUGH       32000 /* or so many bytes a second */
#define MORE_NUM     3     /* a train proves no more than that of what is known */
#define MORE_DENOM   2
#define LEAST        100   /* bytes of a train */
#define CALM_US      10000 /* in the queue of the line */
#define TRIPS_LOST   3

void ascent_init(Ascent *ascent) {
    *ascent = (Ascent){.next_us = 0, .wait_us = WAIT_US};
}

static uint64_t aim(const Rate *rate) {
    return rate_capacity(rate) * MORE_NUM / MORE_DENOM;
}

static void fail(Ascent *ascent, uint64_t now_us) {
    ascent->bytes = 0;
    ascent->next_us = now_us + ascent->wait_us;
    ascent->wait_us *= ascent->wait_us < WAIT_MOST_US ? 2 : 1;
}

void ascent_begin(Ascent *ascent, const Rate *rate, uint64_t now_us, uint32_t lead, uint64_t voice,
                  uint64_t gap_us) {
    uint64_t capacity = rate_capacity(rate);
    uint64_t room;
    bool calm = rate->phase == RATE_STEADY || rate->phase == RATE_START;

    if (ascent->bytes > 0 && now_us > ascent->sent_us + TRIPS_LOST * rate->delay.srtt_us) {
        fail(ascent, now_us);
    }
    if (ascent->next_us == 0) {
        ascent->next_us = now_us + FIRST_US;
    }
    if (ascent->bytes > 0 || now_us < ascent->next_us || ascent->known < ASCENT_KNOWN_SIZE ||
        rate->delay.srtt_us == 0 || !calm || rate_in_company(rate) || rate->breath.out ||
        rate_queue_us(rate) > CALM_US || capacity >= ENOUGH || capacity >= ENOUGH_VOICE * voice) {
        return;
    }
    /* So much that it is gone when the next voice comes, should the line carry no more. */
    room = capacity * gap_us / SECOND_US;
    ascent->left = room > lead + LEAST ? room - lead : LEAST;
    ascent->bytes = lead;
}

void ascent_put_off(Ascent *ascent, uint64_t now_us) {
    uint64_t first_us = now_us + FIRST_US;

    ascent->next_us = ascent->next_us > first_us ? ascent->next_us : first_us;
}

void ascent_sent(Ascent *ascent, uint64_t now_us, uint64_t bytes, uint64_t sent_total) {
    ascent->bytes += bytes;
    ascent->left = bytes + LEAST < ascent->left ? ascent->left - bytes : 0;
    ascent->sent_us = now_us;
    ascent->end = sent_total;
}

/* What is remembered of how long packets take when no train is under way. */
static void remember(Ascent *ascent, const Rate *rate, const DelaySample *sample) {
    unsigned place = ascent->known++ % ASCENT_KNOWN_SIZE;

    ascent->flight_ticks[place] = rate->delay.flight_ticks;
    ascent->sizes[place] = sample->size;
}

/* How much later than the quickest of those the newest came, and the size of the largest. */
static uint64_t late_us(const Ascent *ascent, const Rate *rate, uint32_t *ret_size) {
    int64_t least = INT64_MAX;

    *ret_size = 0;
    for (unsigned i = 0; i < ASCENT_KNOWN_SIZE; i++) {
        least = ascent->flight_ticks[i] < least ? ascent->flight_ticks[i] : least;
        *ret_size = ascent->sizes[i] > *ret_size ? ascent->sizes[i] : *ret_size;
    }
    return rate->delay.flight_ticks > least
               ? (uint64_t)(rate->delay.flight_ticks - least) * PACKET_TICK_US
               : 1;
}

void ascent_acked(Ascent *ascent, Rate *rate, uint64_t now_us, const DelaySample *sample) {
    uint64_t waited_us, proven;
    uint32_t size;

    if (ascent->bytes == 0) {
        remember(ascent, rate, sample);
    }
    if (ascent->bytes == 0 || ascent->left > 0 || sample->sent_total < ascent->end) {
        return;
    }
    /* What left after it came no sooner. */
    waited_us = late_us(ascent, rate, &size) + (sample->sent_us - ascent->sent_us);
    proven = ascent->bytes > size ? (ascent->bytes - size) * SECOND_US / waited_us : 0;
    proven = proven < aim(rate) ? proven : aim(rate);
    if (proven > rate_capacity(rate) + rate_capacity(rate) / 8) {
        capacity_set(rate, proven);
        ascent->bytes = 0;
        ascent->next_us = now_us;
        ascent->wait_us = WAIT_US;
    } else if (sample->sent_us > ascent->sent_us) {
        ascent->bytes = 0; /* its own answer was lost: it proves nothing */
        ascent->next_us = now_us + FIRST_US;
    } else {
        fail(ascent, now_us);
    }
}
