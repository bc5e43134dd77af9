/* SPDX-License-Identifier: MPL-2.0 */
#include <assert.h>

#include "mesh/link/parts.h"

#define TAIL_PACKETS   4
#define LOSS_KNOWN     20 /* packets, before the loss is believed */
#define PACE_LEAST_US  8000
#define PACE_BYTES     912 /* an acknowledgement is worth a sixteenth of what it answers */
#define DOCUMENT_SHARE 9   /* others' bytes to one of documents, */
#define DOCUMENT_LEAST 19  /* and while voice flows */

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

static PlanLine plan_line(const Link *link) {
    bool known = link->rate.weather.resolved >= LOSS_KNOWN;
    uint32_t loss_ppm = known ? link->rate.weather.random_ppm : 0;

    return (PlanLine){.trip_us = link->rate.delay.srtt_us,
                      .loss_ppm = loss_ppm,
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
    size_t share = flow_is_on(link, now_us) ? DOCUMENT_LEAST : DOCUMENT_SHARE;

    if (link->queue.waiting[LINK_DOCUMENT] == 0) {
        link->document_credit = 0;
        return;
    }
    if (!leave_is_held(link, now_us)) {
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
    PlanLine line = plan_line(link);
    size_t small = plan_small_bytes(plan);

    packet->priority = (uint8_t)plan_priority(plan);
    packet->bulk = plan_document_bytes(plan) > 0;
    packet->repeats = choice->repeats;
    if (choice->tells || choice->bare) {
        packet->pace_us = link->pace_us = wanted_pace_us(link);
        packet_write_pace(writer, link->pace_us);
    }
    if (small > 0) {
        link->spared_us = now_us + repair_spare_us(link, now_us, small);
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

    while ((packet = leave_to_repeat(link, now_us))) {
        if (repair_repeat(link, packet)) {
            return true;
        }
        packet->repeats = true;
    }
    return false;
}

/* What goes beside an acknowledgement of `ack_size` bytes. */
static Choice choose(Link *link, uint64_t now_us, size_t capacity, size_t ack_size) {
    PlanLimits limits = size_limits(link, now_us, capacity);
    Leave leave = leave_now(link, now_us);
    uint32_t trial = ack_size > 0 ? 0 : size_trial(link, now_us, capacity);
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
    if (leave_finds(link, now_us, leave)) {
        queue_copy(&link->queue, now_us, true);
    }
    limits.least = asks_only ? LINK_CHAT : leave_least(link, leave);
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
    uint64_t wire = earlier(link->ascent.left, size_full(link, now_us, capacity));
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
    rate_padded(&link->rate, packet->size);
    ascent_sent(&link->ascent, now_us, packet->size, packet->sent_total);
    return true;
}

/* The peer should know that it is answered later than it wants. */
static bool tells_apart(const Link *link) {
    return link->receipt.apart_us > link->receipt.pace_us;
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
        ack_size = packet_ack_size(&ack) + (tells_apart(link) ? PACKET_PACE_SIZE : 0);
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
        if (tells_apart(link)) {
            packet_write_apart(&writer, link->receipt.apart_us);
        }
        receipt_told(&link->receipt, now_us);
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
        rate_answered(&link->rate, now_us, (uint32_t)(bytes_written(&writer) + link->overhead));
    }
    assert(!writer.failed);
    link->next_counter = counter + 1;
    return bytes_written(&writer);
}
