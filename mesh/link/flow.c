/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/parts.h"

#define FLOWS_US     2000000 /* longer than a breath between words */
#define PACKET_US    50000   /* of the line: a packet beside voice, */
#define LONG_US      60000   /* or up to so much, where two last no longer than one of voice */
#define LONG_PACKETS 2
#define WAIT_US      350000 /* that it may be late on a slow line */
#define SPARE_LEAST  10     /* part of the line that is always free for it */
#define SLOW_BYTES   128    /* in the time of such a packet: below 20 kbit/s */
#define FAR_TRIP_US  400000 /* answers that take longer would tell of an outage too late */

bool flow_is_on(const Link *link, uint64_t now_us) {
    return link->voice_us != UINT64_MAX && now_us - link->voice_us < FLOWS_US;
}

uint64_t flow_room(const Link *link) {
    uint64_t long_us = earlier(link->voice_gap_us / LONG_PACKETS, LONG_US);

    return rate_bytes_in(&link->rate, later(long_us, PACKET_US));
}

bool flow_is_slow(const Link *link) {
    return rate_bytes_in(&link->rate, PACKET_US) < SLOW_BYTES;
}

bool flow_is_far(const Link *link) {
    return rate_trip_us(&link->rate) > FAR_TRIP_US;
}

bool flow_goes_on(const Link *link, uint64_t now_us) {
    return flow_is_on(link, now_us) && flow_is_far(link);
}

uint64_t flow_due_us(const Link *link) {
    return link->voice_us != UINT64_MAX && flow_is_slow(link)
               ? link->voice_us + link->voice_gap_us + link->voice_gap_us / 2
               : 0;
}

uint64_t flow_lull_us(const Link *link, uint64_t now_us) {
    return flow_is_on(link, now_us) ? link->voice_us + FLOWS_US : UINT64_MAX;
}

uint64_t flow_until_us(const Link *link, uint64_t now_us) {
    return flow_is_slow(link) ? now_us + WAIT_US : UINT64_MAX;
}

uint64_t flow_spare_us(const Link *link, uint64_t now_us, uint64_t bytes, unsigned parts) {
    uint64_t room = rate_bytes_in(&link->rate, link->voice_gap_us);
    uint64_t voice = flow_is_on(link, now_us) ? link->voice_size + link->overhead : 0;
    uint64_t spare = later(room > voice ? room - voice : 0, room / SPARE_LEAST);

    return bytes * parts * link->voice_gap_us / later(spare, 1);
}
