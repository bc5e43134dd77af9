/* SPDX-License-Identifier: MPL-2.0 */
#include <assert.h>

#include "mesh/link/parts.h"

#define PROBE_BYTES        400 /* of a packet that only asks whether the line is back */
#define TAIL_PACKETS       4
#define BESIDE_US          12000   /* of the line, beside what is urgent in a packet */
#define FIRST_BYTES        450     /* the same of the first packets, on a line not known yet */
#define URGENT_WINDOWS     3       /* how many may be in flight before what is urgent waits too */
#define VOICE_FLOWS_US     2000000 /* longer than a breath between words */
#define VOICE_PACKET_US    50000
#define VOICE_PACKET_SOON  30000 /* where even then it is large enough: */
#define VOICE_PACKET_GOOD  800
#define VOICE_PACKET_LEAST 160
#define ALONE_PACKET_US    650000
#define ALONE_PACKET_LEAST 400
#define LATE_QUEUE_US      350000 /* in the line: what is urgent would come too late, or later */
#define BEHIND_US          150000 /* so much of it may be left when it goes again */
#define DOUBT_US           50000  /* after answers are missed voice goes on, */
#define DOUBT_MOST_US      300000 /* and again, should there be none at all; */
#define DOUBT_TRIP_US      400000 /* where they take longer, they would tell too late */
#define FADE_LEAST_US      250000 /* silences shorter than that are chance */
#define FADE_PARTS         4      /* of what is free: one for what is repeated after so long */
#define VOICE_WAIT_US      350000 /* that it may be late on a slow line */
#define SPARE_LEAST        10     /* part of the line that is always free for it */
#define FADE_MOST_US       750000
#define FRAGMENT_LEAST     64    /* smaller ones cost more than they carry, */
#define FRAGMENT_RIDING    24    /* if not so much when the packet leaves anyway */
#define RIDING_QUEUE_US    40000 /* that may be left in the line; what is more goes first */
#define SLOW_BYTES         128   /* in the time of a packet beside voice: below 20 kbit/s */
#define RIDING_MORE        16    /* part of the rate more, to see whether the line carries it */
#define VOICE_QUARTERS     1     /* of a packet queued in the line: less to wait for */
#define COMPANY_QUARTERS   2
#define ALONE_QUARTERS     4
#define LONG_QUARTERS      3
#define SLOW_QUARTERS      1
#define BRIDGE_LOSS_PPM    250000
#define BRIDGE_SLOW_US     2000000
#define SLOW_PACKET_US     200000
#define LONG_PACKET_US     160000
#define LARGE_LEAST_US     20000 /* a packet that takes less is large enough */
#define REPEAT_LOSS_PPM    50000
#define LOSS_KNOWN         20 /* packets, before the loss is believed */
#define PACE_LEAST_US      8000
#define PACE_BYTES         912 /* an acknowledgement is worth a sixteenth of what it answers */
#define DOCUMENT_SHARE     9   /* others' bytes to one of documents, */
#define DOCUMENT_LEAST     19  /* and while voice flows */

static bool voice_flows(const Link *link, uint64_t now_us) {
    return link->voice_us != UINT64_MAX && now_us - link->voice_us < VOICE_FLOWS_US;
}

uint64_t send_lull_us(const Link *link, uint64_t now_us) {
    return voice_flows(link, now_us) ? link->voice_us + VOICE_FLOWS_US : UINT64_MAX;
}

/* The line is so slow that each packet of voice takes a good part of the time until the next. */
static bool is_slow(const Link *link) {
    return rate_bytes_in(&link->rate, VOICE_PACKET_US) < SLOW_BYTES;
}

/* When the next voice is overdue; there documents ride in its packet, and fill what it leaves of
 * the time until the next: one of their own would have a header, and stand in its way. */
static uint64_t voice_due_us(const Link *link) {
    return link->voice_us != UINT64_MAX && is_slow(link)
               ? link->voice_us + link->voice_gap_us + link->voice_gap_us / 2
               : 0;
}

uint64_t send_voice_until_us(const Link *link, uint64_t now_us) {
    return is_slow(link) ? now_us + VOICE_WAIT_US : UINT64_MAX;
}

/* What is sent so slowly that a line become faster shows, and a queue goes. */
static uint64_t riding_bytes(const Link *link, uint64_t us) {
    uint64_t capacity = rate_capacity(&link->rate);

    return earlier(rate_pace(&link->rate), capacity + capacity / RIDING_MORE) * us / 1000000;
}

/* Wire bytes of a packet that nothing waits for too long: while voice flows, that is little. */
static uint64_t wanted_size(const Link *link, uint64_t now_us) {
    uint64_t slow = rate_bytes_in(&link->rate, VOICE_PACKET_US);
    uint64_t soon = rate_bytes_in(&link->rate, VOICE_PACKET_SOON);

    if (!voice_flows(link, now_us)) {
        if (link->rate.confirmed == 0) {
            return UINT32_MAX; /* few packets may leave: each should carry much */
        }
        return later(rate_bytes_in(&link->rate, ALONE_PACKET_US), ALONE_PACKET_LEAST);
    }
    if (is_slow(link)) {
        return later(riding_bytes(link, link->voice_gap_us), VOICE_PACKET_LEAST);
    }
    return earlier(later(slow, VOICE_PACKET_LEAST), later(soon, VOICE_PACKET_GOOD));
}

/* Of a packet, that should wait in the line; less beside voice, but not so little that the queue of
 * others who do the same drowns it. */
static uint32_t quarters(const Link *link, uint64_t now_us) {
    if (!voice_flows(link, now_us)) {
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
    return !voice_flows(link, now_us) && link->rate.phase != RATE_SHARED &&
           link->rate.breath.others == 0 &&
           rate_bytes_in(&link->rate, LARGE_LEAST_US) < MTU_BASE_SIZE;
}

/* Wire bytes that a packet may have now. */
static uint32_t full_size(const Link *link, uint64_t now_us, size_t capacity) {
    uint64_t full = earlier(capacity + link->overhead, mtu_limit(&link->mtu, now_us));

    return (uint32_t)(is_large_good(link, now_us) ? full : earlier(full, MTU_BASE_SIZE));
}

/* The size of a packet larger than those known to pass, that is to show whether it does: of a
 * document that keeps the line busy, and alone in it, so that nothing else waits if it is lost. */
static uint32_t trial_size(const Link *link, uint64_t now_us, size_t capacity) {
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

    if (link->queue.waiting[LINK_VOICE] == 0 || voice_due_us(link) <= now_us) {
        return UINT64_MAX;
    }
    wire = next_us > now_us ? riding_bytes(link, next_us - now_us) : 0;
    return wire > link->overhead ? wire - link->overhead : 0;
}

/* Where answers take long, an outage is over long before that is known: what is said in the
 * meantime would be lost, and the line is not filled by it. */
static bool is_far_voice(const Link *link, uint64_t now_us) {
    return voice_flows(link, now_us) && rate_trip_us(&link->rate) > DOUBT_TRIP_US;
}

/* Bytes a packet may hold now. */
static PlanLimits packet_limits(Link *link, uint64_t now_us, size_t capacity) {
    uint32_t full = full_size(link, now_us, capacity);
    uint64_t wire = earlier(wanted_size(link, now_us), full);
    PlanLimits found = {.urgent = full - link->overhead,
                        .fragment = FRAGMENT_LEAST,
                        .voices = !is_slow(link) ? SIZE_MAX
                                  : link->queue.waiting[LINK_VOICE] <= 2 * link->voice_size ? 1
                                                                                            : 2};

    rate_aim(&link->rate, now_us, full, (uint32_t)wire, quarters(link, now_us));
    if (repair_in_outage(link)) {
        /* All else waits for an answer. */
        found.urgent = is_far_voice(link, now_us)
                           ? found.urgent
                           : earlier(found.urgent, PROBE_BYTES - link->overhead);
        return found;
    }
    found.other = (size_t)(wire > link->overhead ? wire - link->overhead : 0);
    found.riding = (size_t)earlier(found.other, riding_size(link, now_us));
    found.fragment = found.riding < found.other ? FRAGMENT_RIDING : FRAGMENT_LEAST;
    found.beside = (size_t)earlier(rate_bytes_in(&link->rate, BESIDE_US), found.other);
    if (link->rate.capacity == 0) {
        found.beside = earlier(FIRST_BYTES, found.other);
    } else if (rate_in_company(&link->rate)) {
        found.beside = found.other;
    }
    return found;
}

typedef enum {
    LEAVE_NOTHING,
    LEAVE_VOTES,  /* and control */
    LEAVE_URGENT, /* and voice */
    LEAVE_PROMPT, /* and chat */
    LEAVE_ALL,
} Leave;

/* How long a silence is worth to be talked through: as such were seen to last, and where packets
 * are long a while in any case, as few are lost by that. */
static uint64_t bridge_us(const Link *link) {
    return rate_packet_us(&link->rate) > SLOW_PACKET_US ? later(link->bridge_us, BRIDGE_SLOW_US)
                                                        : link->bridge_us;
}

/* The silence that is talked through: where packets are long, and waiting costs more than what may
 * be lost, or where most answers are lost; not beside voice, which a line become slower would hurt.
 */
static uint64_t bridged_us(const Link *link, uint64_t now_us) {
    bool worth = rate_packet_us(&link->rate) > SLOW_PACKET_US ||
                 link->rate.weather.random_ppm > BRIDGE_LOSS_PPM;

    return worth && !voice_flows(link, now_us) ? repair_bridged_us(link, now_us, bridge_us(link))
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

    if (!voice_flows(link, now_us) || link->rate.phase != RATE_STEADY ||
        rate_in_company(&link->rate) || is_late(link) ||
        rate_trip_us(&link->rate) > DOUBT_TRIP_US || link->flight.bytes < window / 2) {
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

bool send_is_held(const Link *link, uint64_t now_us) {
    return repair_in_outage(link) ||
           (bridged_us(link, now_us) == 0 && now_us > repair_silent_us(link));
}

/* What the packets in flight still allow. Voice does not wait for answers that may be lost. */
static Leave may_leave(const Link *link, uint64_t now_us) {
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
        return link->flight.out == 0                                                ? LEAVE_ALL
               : is_far_voice(link, now_us) && is_urgent_free(link, now_us, window) ? LEAVE_URGENT
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
        bool rides = now_us < voice_due_us(link) && link->queue.waiting[LINK_VOICE] == 0;

        return silent || link->held || rides || now_us < rate_hold_us(&link->rate) ? LEAVE_PROMPT
                                                                                   : LEAVE_ALL;
    }
    return is_urgent_free(link, now_us, window) ? LEAVE_URGENT : LEAVE_NOTHING;
}

/* What is said now and then leaves when what is urgent may; beside others whose voices wait in the
 * same line it has its turn after those. */
static LinkPriority least_of(const Link *link, Leave leave) {
    bool said = plan_is_small(&link->queue) && !rate_in_company(&link->rate);

    if (leave == LEAVE_ALL) {
        return LINK_DOCUMENT;
    }
    if (leave == LEAVE_VOTES) {
        return LINK_URGENT;
    }
    return leave == LEAVE_PROMPT || said ? LINK_CHAT : LINK_VOICE;
}

/* The end of a document is in flight, and nothing else is to be sent: rather than to wait for what
 * the line loses to be missed, a round trip later, it is sent again while there is room. */
static FlightPacket *to_repeat(const Link *link, uint64_t now_us) {
    bool worth = link->rate.weather.random_ppm > REPEAT_LOSS_PPM &&
                 rate_packet_us(&link->rate) < SLOW_PACKET_US;

    if (!worth || link->rate.phase != RATE_STEADY || rate_in_company(&link->rate) ||
        link->probes_owed > 0 || voice_flows(link, now_us)) {
        return NULL;
    }
    return queue_ready(&link->queue, LINK_DOCUMENT) ? NULL : flight_to_repeat(&link->flight);
}

/* The same as send_is_ready where it is known what may leave. */
static bool is_ready(const Link *link, uint64_t now_us, Leave leave) {
    if (!queue_ready(&link->queue, LINK_DOCUMENT)) {
        return leave == LEAVE_ALL && to_repeat(link, now_us);
    }
    return leave != LEAVE_NOTHING && queue_ready(&link->queue, least_of(link, leave));
}

bool send_waits(const Link *link, uint64_t now_us) {
    return (queue_ready(&link->queue, LINK_DOCUMENT) || to_repeat(link, now_us)) &&
           !send_is_ready(link, now_us);
}

bool send_is_ready(const Link *link, uint64_t now_us) {
    /* As nearly always nothing is to be sent: the rest need not be computed. */
    return (queue_ready(&link->queue, LINK_DOCUMENT) || to_repeat(link, now_us)) &&
           is_ready(link, now_us, may_leave(link, now_us));
}

uint64_t send_open_us(const Link *link, uint64_t now_us) {
    uint64_t open_us = later(rate_hold_us(&link->rate), voice_due_us(link));
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
    if (open_us <= now_us || !send_is_ready(link, open_us)) {
        return UINT64_MAX;
    }
    return later(open_us, rate_next_us(&link->rate));
}

/* How long the peer should hold acknowledgements at most: long on a slow line, where each costs. */
static uint64_t wanted_pace_us(const Link *link) {
    uint64_t wanted = link->rate.delay.srtt_us / 8;

    if (link->rate.phase == RATE_STEADY) {
        wanted = later(wanted, PACE_BYTES * 1000000 / rate_capacity(&link->rate));
    }
    wanted = earlier(later(wanted, PACE_LEAST_US), UINT8_MAX * PACKET_PACE_US);
    return wanted / PACKET_PACE_US * PACKET_PACE_US;
}

static bool pace_differs(const Link *link) {
    uint64_t wanted = wanted_pace_us(link);
    uint64_t known = link->pace_us ? link->pace_us : RECEIPT_PACE_US;

    return link->rate.delay.srtt_us > 0 && (wanted >= 2 * known || 2 * wanted <= known);
}

uint64_t send_spare_us(const Link *link, uint64_t now_us, uint64_t bytes, unsigned parts) {
    uint64_t room = rate_bytes_in(&link->rate, link->voice_gap_us);
    uint64_t voice = voice_flows(link, now_us) ? link->voice_size + link->overhead : 0;
    uint64_t spare = later(room > voice ? room - voice : 0, room / SPARE_LEAST);

    return bytes * parts * link->voice_gap_us / later(spare, 1);
}

/* A line that was gone for a while, and came back, may be again, and then it takes long to know. */
static uint64_t fade_us(const Link *link, uint64_t now_us) {
    bool worth = link->bridge_us >= FADE_LEAST_US && rate_trip_us(&link->rate) > DOUBT_TRIP_US &&
                 now_us >= link->spared_us;

    return worth ? earlier(link->rate.delay.srtt_us / 2, FADE_MOST_US) : 0;
}

static PlanLine plan_line(const Link *link, uint64_t now_us) {
    bool known = link->rate.weather.resolved >= LOSS_KNOWN;
    uint32_t loss_ppm = known ? link->rate.weather.random_ppm : 0;

    return (PlanLine){.trip_us = link->rate.delay.srtt_us,
                      .loss_ppm = loss_ppm,
                      .fade_us = fade_us(link, now_us),
                      .cover = {.room = rate_bytes_in(&link->rate, link->voice_gap_us),
                                .gap_us = link->voice_gap_us,
                                .trip_us = link->rate.delay.srtt_us,
                                .loss_ppm = loss_ppm,
                                .overhead = link->overhead,
                                .beside = link->queue.waiting[LINK_DOCUMENT] > 0,
                                .untried = link->rate.phase == RATE_START}};
}

static bool document_turn(const Link *link) {
    return link->document_credit >= link->rate.packet && link->queue.waiting[LINK_DOCUMENT] > 0;
}

/* Documents that wait earn a tenth of what is sent, or half of that. */
static void account_documents(Link *link, uint64_t now_us, const Plan *plan, size_t size) {
    size_t documents = plan_document_bytes(plan);
    size_t share = voice_flows(link, now_us) ? DOCUMENT_LEAST : DOCUMENT_SHARE;

    if (link->queue.waiting[LINK_DOCUMENT] == 0) {
        link->document_credit = 0;
        return;
    }
    if (!send_is_held(link, now_us)) {
        link->document_credit += documents < size ? (size - documents) / share : 0;
    }
    link->document_credit -= earlier(link->document_credit, documents);
    link->document_credit = earlier(link->document_credit, 4 * link->rate.full);
}

/* What a packet is to hold. */
typedef struct {
    Plan plan;
    bool tells;   /* a pace fits too, and is worth telling */
    bool bare;    /* and is all there is, to be answered */
    bool repeats; /* what is in flight */
} Choice;

/* The chunks of a packet, and what is remembered of it. */
static void write_chunks(Link *link, uint64_t now_us, uint64_t counter, const Choice *choice,
                         BytesWriter *writer) {
    const Plan *plan = &choice->plan;
    FlightPacket *packet = flight_add(&link->flight, counter, now_us);
    PlanLine line = plan_line(link, now_us);
    size_t small = plan_small_bytes(plan);

    packet->priority = (uint8_t)plan_priority(plan);
    packet->bulk =
        packet->priority == LINK_DOCUMENT || (is_slow(link) && plan_document_bytes(plan) > 0);
    packet->repeats = choice->repeats;
    if (choice->tells || choice->bare) {
        packet->pace_us = link->pace_us = wanted_pace_us(link);
        packet_write_pace(writer, link->pace_us);
    }
    if (line.fade_us > 0 && small > 0) {
        link->spared_us = now_us + send_spare_us(link, now_us, small + link->overhead, FADE_PARTS);
    }
    plan_write(plan, &link->queue, &link->flight, packet, now_us, line, writer);
    flight_set_size(&link->flight, packet, (uint32_t)(bytes_written(writer) + link->overhead));
    account_documents(link, now_us, plan, packet->size);
    if (packet->priority != LINK_VOICE || plan_document_bytes(plan) > 0) {
        ascent_put_off(&link->ascent, now_us);
    }
    packet->sent_total = link->rate.sent_total + packet->size;
    if (mtu_is_trial(&link->mtu, packet->size)) {
        mtu_tried(&link->mtu);
    }
    link->packets_sent++;
    link->probes_owed = 0;
}

static bool repeat(Link *link, uint64_t now_us) {
    FlightPacket *packet;

    while ((packet = to_repeat(link, now_us))) {
        if (repair_repeat(link, packet)) {
            return true;
        }
        packet->repeats = true;
    }
    return false;
}

/* What goes beside an acknowledgement of `ack_size` bytes. */
static Choice choose(Link *link, uint64_t now_us, size_t capacity, size_t ack_size) {
    PlanLimits limits = packet_limits(link, now_us, capacity);
    Leave leave = may_leave(link, now_us);
    uint32_t trial = ack_size > 0 ? 0 : trial_size(link, now_us, capacity);
    /* Of many in flight the answer will tell which are lost: what may be lost too is better small.
     */
    bool asks_only = link->probes_owed > 0 && link->flight.out > TAIL_PACKETS;
    bool documents_first = document_turn(link) && leave == LEAVE_ALL && !asks_only;
    Choice choice = {.tells = pace_differs(link)};
    size_t before = ack_size + (choice.tells ? PACKET_PACE_SIZE : 0);
    Plan *plan = &choice.plan;

    if (leave == LEAVE_NOTHING || now_us < rate_next_us(&link->rate) ||
        !flight_reserve(&link->flight, now_us, repair_stale_us(link))) {
        return choice;
    }
    if (is_ready(link, now_us, leave)) {
        queue_copy(&link->queue, now_us, true);
    }
    limits.least = asks_only ? LINK_CHAT : least_of(link, leave);
    if (trial > 0 && !asks_only) {
        limits.other = limits.riding = trial - link->overhead;
    }
    plan_fill(plan, &link->queue, before, limits, documents_first);
    if (plan->count == 0 && ack_size == 0) {
        choice.tells = false;
        before = 0;
        plan_fill(plan, &link->queue, 0, limits, documents_first);
    }
    if (plan->count == 0 && leave == LEAVE_ALL && repeat(link, now_us)) {
        choice.repeats = true;
        plan_fill(plan, &link->queue, before, limits, false);
    }
    if (choice.repeats || (plan->count == 0 && !queue_ready(&link->queue, LINK_DOCUMENT))) {
        rate_limited(&link->rate, now_us);
    }
    choice.bare = plan->count == 0 && leave == LEAVE_ALL && (asks_only || repair_in_outage(link));
    return choice;
}

/* Voice left, and nothing else is to: whether the line carries more than that is asked of padding.
 */
static void begin_ascent(Link *link, uint64_t now_us, uint32_t lead) {
    uint64_t voice = (link->voice_size + link->overhead) * 1000000 / later(link->voice_gap_us, 1);

    if (!queue_ready(&link->queue, LINK_DOCUMENT) && now_us <= repair_silent_us(link)) {
        ascent_begin(&link->ascent, &link->rate, now_us, lead, voice, link->voice_gap_us);
    }
}

/* A packet of it: the least pace, told again and again, so that the answer comes at once. */
static bool write_padding(Link *link, uint64_t now_us, uint64_t counter, size_t capacity,
                          BytesWriter *writer) {
    uint64_t wire = earlier(link->ascent.left, full_size(link, now_us, capacity));
    FlightPacket *packet;

    if (link->ascent.left > 0 && !flight_reserve(&link->flight, now_us, repair_stale_us(link))) {
        link->ascent.left = 0;
    }
    if (link->ascent.left == 0) {
        return false;
    }
    packet = flight_add(&link->flight, counter, now_us);
    packet->priority = LINK_DOCUMENT;
    packet->repeats = true;
    packet->pace_us = link->pace_us = PACKET_PACE_US;
    do {
        packet_write_pace(writer, link->pace_us);
    } while (bytes_written(writer) + link->overhead + PACKET_PACE_SIZE <= wire);
    flight_set_size(&link->flight, packet, (uint32_t)(bytes_written(writer) + link->overhead));
    packet->sent_total = link->rate.sent_total + packet->size;
    link->packets_sent++;
    rate_answered(&link->rate, packet->size);
    ascent_sent(&link->ascent, now_us, packet->size, packet->sent_total);
    return true;
}

size_t link_next(Link *link, uint64_t now_us, uint64_t counter, uint8_t *ret_plain, size_t capacity,
                 LinkPriority *ret_priority) {
    BytesWriter writer = bytes_writer(ret_plain, capacity);
    PacketAck ack;
    size_t ack_size = 0;
    Choice choice;

    assert(counter >= link->next_counter);
    repair_settle(link, now_us);
    if (write_padding(link, now_us, counter, capacity, &writer)) {
        *ret_priority = LINK_VOICE;
        link->next_counter = counter + 1;
        return bytes_written(&writer);
    }
    if (receipt_wanted(&link->receipt, now_us)) {
        receipt_ack(&link->receipt, now_us, &ack);
        ack_size = packet_ack_size(&ack);
    }
    choice = choose(link, now_us, capacity, ack_size);
    if (choice.plan.count == 0 && link->receipt.due_us > now_us) {
        choice = choose(link, now_us, capacity, ack_size = 0);
    }
    if (ack_size > capacity || (choice.plan.count == 0 && ack_size == 0 && !choice.bare)) {
        return 0;
    }
    if (ack_size > 0) {
        packet_write_ack(&writer, &ack);
        receipt_told(&link->receipt);
    }
    *ret_priority = LINK_CONTROL;
    if (choice.plan.count > 0 || choice.bare) {
        *ret_priority = plan_priority(&choice.plan);
        write_chunks(link, now_us, counter, &choice, &writer);
        rate_sent(&link->rate, now_us, (uint32_t)(bytes_written(&writer) + link->overhead));
        if (*ret_priority == LINK_VOICE) {
            begin_ascent(link, now_us, (uint32_t)(bytes_written(&writer) + link->overhead));
        }
    } else {
        rate_answered(&link->rate, (uint32_t)(bytes_written(&writer) + link->overhead));
    }
    assert(!writer.failed);
    link->next_counter = counter + 1;
    return bytes_written(&writer);
}
