/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/parts.h"

#define URGENT_WINDOWS  3      /* how many may be in flight before what is urgent waits too */
#define LATE_QUEUE_US   350000 /* in the line: what is urgent would come too late, or later */
#define BEHIND_US       150000 /* so much of it may be left when it goes again */
#define DOUBT_US        50000  /* after answers are missed voice goes on, */
#define DOUBT_MOST_US   300000 /* and again, should there be none at all; */
#define BRIDGE_LOSS_PPM 50000
#define BRIDGE_SLOW_US  2000000
#define REPEAT_LOSS_PPM 50000

/* How long a silence is worth to be talked through: as such were seen to last, and where packets
 * are long a while in any case, as few are lost by that. */
static uint64_t bridge_us(const Link *link) {
    return rate_packet_us(&link->rate) > SLOW_PACKET_US ? later(link->bridge_us, BRIDGE_SLOW_US)
                                                        : link->bridge_us;
}

/* The silence that is talked through: where packets are long, and waiting costs more than what may
 * be lost, or where several in a row are lost by chance; not beside voice, which a line become
 * slower would hurt. */
static uint64_t bridged_us(const Link *link, uint64_t now_us) {
    bool worth = rate_packet_us(&link->rate) > SLOW_PACKET_US ||
                 link->rate.weather.random_ppm > BRIDGE_LOSS_PPM;

    return worth && !flow_is_on(link, now_us) ? repair_bridged_us(link, now_us, bridge_us(link))
                                              : 0;
}

/* The queue of the line is ours, and so long that what is urgent would come too late. */
static bool is_late(const Link *link) {
    return link->rate.phase != RATE_SHARED && rate_queue_us(&link->rate) > LATE_QUEUE_US;
}

/* What is in flight and not on its way waits, but for what left the queue since the last answer;
 * what was lost counts until that is noticed. */
static uint64_t queued_us(const Link *link, uint64_t now_us) {
    uint64_t since_us =
        earlier(now_us - earlier(now_us, link->progress_us), rate_packet_us(&link->rate));
    uint64_t flying_us = link->flight.bytes * 1000000 / rate_capacity(&link->rate);
    uint64_t moving_us = rate_trip_us(&link->rate) + since_us;

    return flying_us > moving_us ? flying_us - moving_us : 0;
}

/* Something urgent may be sent. Behind a queue that is too long it is better off here, where it can
 * be overtaken or expire. */
static bool is_urgent_free(const Link *link, uint64_t now_us, uint64_t window) {
    return is_late(link) ? queued_us(link, now_us) <= BEHIND_US
                         : link->flight.bytes + link->rate.packet <= URGENT_WINDOWS * window;
}

/* A document was filling the line, and now nothing answers, or late: the line may have become far
 * slower. What voice sends until that is known would stand in the queue in front of what it sends
 * then. Where silences are known to be long they mean something else. Until when; 0: it is not so.
 */
static uint64_t doubt_until_us(const Link *link, uint64_t now_us) {
    uint64_t silent_us = repair_silent_us(link);
    uint64_t window = rate_window(&link->rate, repair_pace_us(link));

    if (!flow_is_on(link, now_us) || link->rate.phase != RATE_STEADY ||
        rate_in_company(&link->rate) || is_late(link) || flow_is_far(link) ||
        link->flight.bytes < window / 2) {
        return 0;
    }
    if (rate_has_jumped(&link->rate)) {
        return link->progress_us + DOUBT_MOST_US;
    }
    if (silent_us == UINT64_MAX || link->bridge_us > DOUBT_MOST_US ||
        now_us <= silent_us + DOUBT_US) {
        return 0;
    }
    return silent_us + DOUBT_MOST_US;
}

bool leave_is_held(const Link *link, uint64_t now_us) {
    return repair_in_outage(link) ||
           (bridged_us(link, now_us) == 0 && now_us > repair_silent_us(link));
}

Leave leave_now(const Link *link, uint64_t now_us) {
    uint64_t window = rate_window(&link->rate, repair_pace_us(link));
    uint64_t flying = link->flight.bytes + link->rate.packet;
    uint64_t bridged = bridged_us(link, now_us);
    bool silent = bridged == 0 && now_us > repair_silent_us(link);

    if (!flight_has_room(&link->flight)) {
        return LEAVE_NOTHING;
    }
    if (link->probes_owed > 0) {
        return LEAVE_ALL;
    }
    if (repair_in_outage(link)) {
        return link->flight.out == 0        ? LEAVE_ALL
               : flow_goes_on(link, now_us) ? LEAVE_URGENT
                                            : LEAVE_NOTHING;
    }
    if (link->rate.phase == RATE_SHARED) {
        silent = false; /* others make us wait */
    } else {
        window += rate_bytes_in(&link->rate, bridged);
    }
    if (now_us < doubt_until_us(link, now_us)) {
        return LEAVE_VOTES;
    }
    if (flying <= window) {
        bool rides = now_us < flow_due_us(link) && link->queue.waiting[LINK_VOICE] == 0;

        return silent || link->held || rides || now_us < rate_hold_us(&link->rate) ? LEAVE_PROMPT
                                                                                   : LEAVE_ALL;
    }
    return is_urgent_free(link, now_us, window) ? LEAVE_URGENT : LEAVE_NOTHING;
}

LinkPriority leave_least(const Link *link, Leave leave) {
    bool said = plan_is_small(&link->queue) && !rate_in_company(&link->rate);

    if (leave == LEAVE_ALL) {
        return LINK_DOCUMENT;
    }
    if (leave == LEAVE_VOTES) {
        return LINK_URGENT;
    }
    return leave == LEAVE_PROMPT || said ? LINK_CHAT : LINK_VOICE;
}

FlightPacket *leave_to_repeat(const Link *link, uint64_t now_us) {
    bool worth = link->rate.weather.random_ppm > REPEAT_LOSS_PPM &&
                 rate_packet_us(&link->rate) < SLOW_PACKET_US;

    if (!worth || link->rate.phase != RATE_STEADY || rate_in_company(&link->rate) ||
        link->probes_owed > 0 || flow_is_on(link, now_us)) {
        return NULL;
    }
    return queue_ready(&link->queue, LINK_DOCUMENT) ? NULL : flight_to_repeat(&link->flight);
}

bool leave_finds(const Link *link, uint64_t now_us, Leave leave) {
    if (!queue_ready(&link->queue, LINK_DOCUMENT)) {
        return leave == LEAVE_ALL && leave_to_repeat(link, now_us);
    }
    return leave != LEAVE_NOTHING && queue_ready(&link->queue, leave_least(link, leave));
}

bool leave_waits(const Link *link, uint64_t now_us) {
    return (queue_ready(&link->queue, LINK_DOCUMENT) || leave_to_repeat(link, now_us)) &&
           !leave_is_ready(link, now_us);
}

bool leave_is_ready(const Link *link, uint64_t now_us) {
    /* As nearly always nothing is to be sent: the rest need not be computed. */
    return (queue_ready(&link->queue, LINK_DOCUMENT) || leave_to_repeat(link, now_us)) &&
           leave_finds(link, now_us, leave_now(link, now_us));
}

uint64_t leave_open_us(const Link *link, uint64_t now_us) {
    uint64_t open_us = later(rate_hold_us(&link->rate), flow_due_us(link));
    uint64_t over = link->flight.bytes + link->rate.packet;
    uint64_t window;

    if (!queue_ready(&link->queue, LINK_DOCUMENT)) {
        return UINT64_MAX;
    }
    window = rate_window(&link->rate, repair_pace_us(link));
    if (over > window && bridge_us(link) > 0) {
        over = (over - window) * 1000000 / rate_capacity(&link->rate) + 1;
        open_us = later(open_us, repair_bridge_from_us(link) + over);
    }
    open_us = later(open_us, doubt_until_us(link, now_us));
    if (is_late(link)) {
        uint64_t queued = queued_us(link, now_us);

        open_us = later(open_us, queued > BEHIND_US ? now_us + queued - BEHIND_US : 0);
    }
    if (open_us <= now_us || !leave_is_ready(link, open_us)) {
        return UINT64_MAX;
    }
    return later(open_us, rate_next_us(&link->rate));
}
