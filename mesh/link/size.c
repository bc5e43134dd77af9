/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/parts.h"

#define PROBE_BYTES        400   /* of a packet that only asks whether the line is back */
#define BESIDE_US          12000 /* of the line, beside what is urgent in a packet, */
#define BESIDE_PARTS       4     /* and of the packet */
#define FIRST_BYTES        450   /* the same of the first packets, on a line not known yet */
#define VOICE_PACKET_SOON  25000 /* where even then it is large enough for voice: */
#define VOICE_PACKET_GOOD  800
#define VOICE_PACKET_LEAST 160
#define ALONE_PACKET_US    750000
#define ALONE_PACKET_LEAST 400
#define FRAGMENT_LEAST     64    /* smaller ones cost more than they carry, */
#define FRAGMENT_RIDING    24    /* if not so much when the packet leaves anyway */
#define RIDING_QUEUE_US    40000 /* that may be left in the line; what is more goes first */
#define RIDING_MORE        16    /* part of the rate more, to see whether the line carries it */
#define VOICE_QUARTERS     1     /* of a packet queued in the line: less to wait for */
#define COMPANY_QUARTERS   2
#define ALONE_QUARTERS     4
#define LONG_QUARTERS      3
#define SLOW_QUARTERS      1
#define LONG_PACKET_US     160000
#define LARGE_LEAST_US     20000 /* a packet that takes less is large enough */

/* What is sent so slowly that a line become faster shows, and a queue goes. */
static uint64_t riding_bytes(const Link *link, uint64_t us) {
    uint64_t capacity = rate_capacity(&link->rate);

    return earlier(rate_pace(&link->rate), capacity + capacity / RIDING_MORE) * us / 1000000;
}

/* Wire bytes of a packet that nothing waits for too long: while voice flows, that is little. */
static uint64_t wanted_size(const Link *link, uint64_t now_us) {
    uint64_t slow = flow_room(link);
    uint64_t soon = rate_bytes_in(&link->rate, VOICE_PACKET_SOON);

    if (!flow_is_on(link, now_us)) {
        if (link->rate.confirmed == 0) {
            return UINT32_MAX; /* few packets may leave: each should carry much */
        }
        return later(rate_bytes_in(&link->rate, ALONE_PACKET_US), ALONE_PACKET_LEAST);
    }
    if (flow_is_slow(link)) {
        return later(riding_bytes(link, link->voice_gap_us), VOICE_PACKET_LEAST);
    }
    return earlier(later(slow, VOICE_PACKET_LEAST), later(soon, VOICE_PACKET_GOOD));
}

/* Of a packet, that should wait in the line; less beside voice, but not so little that the queue of
 * others who do the same drowns it. */
static uint32_t quarters(const Link *link, uint64_t now_us) {
    if (!flow_is_on(link, now_us)) {
        uint64_t packet_us = rate_packet_us(&link->rate);

        return packet_us > SLOW_PACKET_US   ? SLOW_QUARTERS
               : packet_us > LONG_PACKET_US ? LONG_QUARTERS
                                            : ALONE_QUARTERS;
    }
    return rate_in_company(&link->rate) ? COMPANY_QUARTERS : VOICE_QUARTERS;
}

/* Whether packets larger than any path takes are of use: voice would wait for them, in a queue that
 * others keep full, or seem to, they find room less often, and on a fast line they save little. */
static bool is_large_good(const Link *link, uint64_t now_us) {
    return !flow_is_on(link, now_us) && link->rate.phase != RATE_SHARED &&
           link->rate.breath.others == 0 &&
           rate_bytes_in(&link->rate, LARGE_LEAST_US) < MTU_BASE_SIZE;
}

uint32_t size_full(const Link *link, uint64_t now_us, size_t capacity) {
    uint64_t full = earlier(capacity + link->overhead, mtu_limit(&link->mtu, now_us));

    return (uint32_t)(is_large_good(link, now_us) ? full : earlier(full, MTU_BASE_SIZE));
}

uint32_t size_trial(const Link *link, uint64_t now_us, size_t capacity) {
    uint32_t size = mtu_wanted(&link->mtu, now_us);
    bool busy = link->rate.phase == RATE_STEADY && link->rate.confirmed > 0 &&
                link->queue.waiting[LINK_DOCUMENT] >= 2 * (uint64_t)size;

    return busy && size <= capacity + link->overhead && size <= wanted_size(link, now_us) &&
                   is_large_good(link, now_us) && !queue_ready(&link->queue, LINK_PICTURE)
               ? size
               : 0;
}

/* Bytes that a packet with voice may hold, to be gone when the next is there. */
static uint64_t riding_size(const Link *link, uint64_t now_us) {
    uint64_t queue_us = delay_latest_us(&link->rate.delay);
    uint64_t next_us = link->voice_us + link->voice_gap_us;
    uint64_t wire;

    next_us -= queue_us > RIDING_QUEUE_US ? earlier(queue_us - RIDING_QUEUE_US, next_us) : 0;

    if (link->queue.waiting[LINK_VOICE] == 0 || flow_due_us(link) <= now_us) {
        return UINT64_MAX;
    }
    wire = next_us > now_us ? riding_bytes(link, next_us - now_us) : 0;
    return wire > link->overhead ? wire - link->overhead : 0;
}

/* Where a packet takes a while, and voice does not nearly fill the line. */
static bool is_brief_good(const Link *link) {
    return rate_bytes_in(&link->rate, BESIDE_US) < VOICE_PACKET_GOOD && !flow_is_slow(link) &&
           !rate_in_company(&link->rate);
}

PlanLimits size_limits(Link *link, uint64_t now_us, size_t capacity) {
    uint32_t full = size_full(link, now_us, capacity);
    uint64_t wire = earlier(wanted_size(link, now_us), full);
    PlanLimits found = {.urgent = full - link->overhead,
                        .brief = is_brief_good(link),
                        .fragment = FRAGMENT_LEAST,
                        .voices = !flow_is_slow(link) ? SIZE_MAX
                                  : link->queue.waiting[LINK_VOICE] <= 5 * link->voice_size / 2
                                      ? 1
                                      : 2};

    rate_aim(&link->rate, now_us, full, (uint32_t)wire, quarters(link, now_us));
    if (repair_in_outage(link)) {
        /* All else waits for an answer. */
        found.urgent = flow_goes_on(link, now_us)
                           ? found.urgent
                           : earlier(found.urgent, PROBE_BYTES - link->overhead);
        return found;
    }
    found.other = (size_t)(wire > link->overhead ? wire - link->overhead : 0);
    found.riding = (size_t)earlier(found.other, riding_size(link, now_us));
    found.fragment = found.riding < found.other ? FRAGMENT_RIDING : FRAGMENT_LEAST;
    found.beside =
        (size_t)earlier(rate_bytes_in(&link->rate, BESIDE_US), found.other / BESIDE_PARTS);
    if (link->rate.capacity == 0) {
        found.beside = earlier(FIRST_BYTES, found.other);
    } else if (rate_in_company(&link->rate)) {
        found.beside = found.other;
    }
    return found;
}
