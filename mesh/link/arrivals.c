/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/arrivals.h"

#include <string.h>

#include "mesh/link/packet.h"

#define SECOND_US 1000000
#define GAP_US    1000 /* arrivals closer than this tell nothing */
#define PAIR_US   2000 /* departures as close as this are one */
#define SPREAD_US 8000 /* arrivals of a pair that are closer tell of timers and shaking */

static ArrivalsFound found_between(const ArrivalsPoint *from, const ArrivalsPoint *to,
                                   uint64_t limited_at_us) {
    uint64_t arrival_us = (uint64_t)(to->arrival_us - from->arrival_us);
    uint64_t sent_us = to->sent_us > from->sent_us ? to->sent_us - from->sent_us : 1;
    uint64_t bytes = to->sent_total - from->sent_total;
    ArrivalsFound found = {.limited = limited_at_us >= from->sent_us};

    if (arrival_us >= GAP_US) {
        found.carried = bytes * SECOND_US / arrival_us;
        found.departed = bytes * SECOND_US / sent_us;
        found.proven = found.carried < found.departed ? found.carried : found.departed;
    }
    return found;
}

static uint64_t proven_since(const Arrivals *arrivals, const ArrivalsPoint *to,
                             uint64_t limited_at_us) {
    for (uint32_t i = arrivals->count; i-- > 0;) {
        if (arrivals->points[i].sent_us > limited_at_us) {
            return found_between(&arrivals->points[i], to, limited_at_us).proven;
        }
    }
    return 0;
}

static int64_t longer_us(const ArrivalsPoint *before, const ArrivalsPoint *here) {
    return (here->arrival_us - before->arrival_us) - (int64_t)(here->sent_us - before->sent_us);
}

/* The two left together and arrived apart: the line spread them, and so shows what it carries. */
static uint64_t spread_by(const ArrivalsPoint *before, const ArrivalsPoint *here) {
    int64_t apart_us = here->arrival_us - before->arrival_us;
    bool pair = here->sent_us >= before->sent_us && here->sent_us - before->sent_us <= PAIR_US;

    return pair && apart_us >= SPREAD_US
               ? (here->sent_total - before->sent_total) * SECOND_US / (uint64_t)apart_us
               : 0;
}

ArrivalsFound arrivals_learn(Arrivals *arrivals, const Delay *delay, const DelaySample *sample,
                             uint64_t limited_at_us, uint64_t jump_us) {
    ArrivalsPoint here = {.arrival_us =
                              (int64_t)(sample->sent_us / PACKET_TICK_US * PACKET_TICK_US) +
                              delay->flight_ticks * PACKET_TICK_US,
                          .sent_us = sample->sent_us,
                          .sent_total = sample->sent_total};
    ArrivalsFound found = {.limited =
                               arrivals->count > 0 && limited_at_us >= arrivals->points[0].sent_us};
    uint64_t spread = arrivals->count > 0 ? spread_by(&arrivals->points[0], &here) : 0;
    bool jumped;

    if (arrivals->count > 0 && here.arrival_us < arrivals->points[0].arrival_us) {
        arrivals->count = 0; /* clocks do not run back */
    }
    jumped = arrivals->count > 0 && jump_us < INT64_MAX &&
             longer_us(&arrivals->points[0], &here) > (int64_t)jump_us;
    if (jumped) {
        /* Once says nothing of the rate; twice is how slow the line is now. */
        arrivals->count = arrivals->jumps > 0;
    }
    arrivals->jumps = jumped ? arrivals->jumps + 1 : 0;
    if (arrivals->count > 0) {
        found = found_between(&arrivals->points[arrivals->count - 1], &here, limited_at_us);
        found.since = proven_since(arrivals, &here, limited_at_us);
    }
    found.spread = spread;
    if (arrivals->count > 0) {
        if (here.arrival_us - arrivals->points[0].arrival_us < GAP_US) {
            return found;
        }
    }
    memmove(arrivals->points + 1, arrivals->points,
            sizeof arrivals->points - sizeof arrivals->points[0]);
    arrivals->points[0] = here;
    arrivals->count += arrivals->count < ARRIVALS_SIZE;
    return found;
}

void arrivals_forget(Arrivals *arrivals) {
    arrivals->count = 0;
}

bool arrivals_grow(const ArrivalsFound *found) {
    return found->carried > 0 && found->carried * 10 < found->departed * 9;
}

bool arrivals_shrink(const ArrivalsFound *found) {
    return found->carried * 9 > found->departed * 10;
}
