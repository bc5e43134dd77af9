/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/parts.h"

#define PROBE_FIRST_US           600000 /* of a line whose round trip is unknown */
#define PROBE_MOST_US            1000000
#define PROBES_OFTEN             60 /* unanswered: it is a long one, and need not be found as soon */
#define PROBE_SELDOM_US          2000000
#define PROBE_LEAST_VARIATION_US 2000
#define SILENCE_LEAST_US         8000
#define BRIDGE_MOST_US           3000000
#define INSIST_PARTS             2 /* of what voice leaves: one for what is repeated, */
#define FADE_PARTS               4 /* the same while answers come */
#define INSIST_LEAST_US          200000
#define FADE_LEAST_US            250000 /* silences shorter than that are chance */
#define FADE_MOST_US             750000
#define FADE_LOSS_PPM            50000 /* where that is lost by chance, there are copies */
#define OUTAGE_PROBES            2     /* unanswered ones, after which nothing else is sent */

/* ---- times ---- */

uint64_t repair_trip_us(const Link *link) {
    return later(link->rate.delay.srtt_us, link->rate.delay.latest_rtt_us);
}

uint64_t repair_pace_us(const Link *link) {
    return later(later(link->pace_us, link->apart_us), RECEIPT_PACE_US);
}

uint64_t repair_answer_us(const Link *link) {
    uint64_t variation = later(4 * link->rate.delay.rttvar_us, PROBE_LEAST_VARIATION_US);

    return link->rate.delay.srtt_us ? link->rate.delay.srtt_us + variation + repair_pace_us(link)
                                    : 0;
}

/* The same by a path not measured yet: hardly longer than by the last one. */
static uint64_t guessed_us(const Link *link) {
    uint64_t guess_us = link->guess_us;

    return guess_us ? earlier(2 * guess_us, later(guess_us, PROBE_FIRST_US)) : PROBE_FIRST_US;
}

/* How long without an answer before one probes. */
static uint64_t probe_wait_us(const Link *link) {
    uint64_t answer_us = repair_answer_us(link);
    uint64_t base = answer_us ? answer_us : guessed_us(link);
    uint64_t most = link->probes < PROBES_OFTEN ? PROBE_MOST_US : PROBE_SELDOM_US;

    return earlier(base << earlier(link->probes, 16), later(base, most));
}

uint64_t repair_probe_us(const Link *link) {
    uint64_t from_us = later(link->progress_us, link->probed_us);

    if (link->flight.out == 0) {
        return UINT64_MAX;
    }
    return later(from_us, flight_oldest_us(&link->flight)) + probe_wait_us(link);
}

/* How far apart answers come when all is well, though packets and answers are lost: all but one
 * time in fifty. */
static uint64_t answers_us(const Link *link) {
    uint64_t permille = link->rate.weather.random_ppm / 1000;
    uint64_t packets = 1000 + 12 * permille + permille * permille / 50; /* in thousandths */

    return repair_pace_us(link) + packets * rate_packet_us(&link->rate) / 1000 +
           later(2 * link->rate.delay.rttvar_us, SILENCE_LEAST_US);
}

uint64_t repair_silent_us(const Link *link) {
    uint64_t oldest_us;

    if (link->flight.out == 0 || link->rate.delay.srtt_us == 0) {
        return UINT64_MAX;
    }
    oldest_us = flight_oldest_us(&link->flight);
    return later(link->progress_us, oldest_us + link->rate.delay.srtt_us) + answers_us(link);
}

uint64_t repair_bridge_from_us(const Link *link) {
    return later(link->progress_us, flight_oldest_us(&link->flight)) + answers_us(link);
}

uint64_t repair_bridged_us(const Link *link, uint64_t now_us, uint64_t bridge_us) {
    uint64_t silent_us = repair_silent_us(link);

    if (silent_us == UINT64_MAX || now_us >= silent_us + bridge_us || bridge_us == 0) {
        return 0;
    }
    return now_us - earlier(repair_bridge_from_us(link), now_us);
}

/* Answers come again: how long a silence is worth to be talked through. */
static void end_silence(Link *link, uint64_t silent_us, uint64_t now_us) {
    uint64_t lasted_us = now_us > silent_us ? now_us - silent_us : 0;

    if (lasted_us == 0) {
        return;
    }
    if (lasted_us > BRIDGE_MOST_US) {
        link->bridge_us /= 2;
    } else if (lasted_us > link->bridge_us) {
        link->bridge_us = lasted_us + lasted_us / 4;
    } else {
        link->bridge_us -= link->bridge_us / 16;
    }
}

uint64_t repair_stale_us(const Link *link) {
    return 4 * repair_trip_us(link) + 100000;
}

bool repair_in_outage(const Link *link) {
    return link->probes >= OUTAGE_PROBES;
}

/* ---- what became of what was sent ---- */

static void requeue(Link *link, const FlightPacket *packet, uint64_t sent_us) {
    const FlightChunk *chunk = NULL;

    while ((chunk = flight_chunk(&link->flight, packet, chunk))) {
        queue_lost(&link->queue, chunk, sent_us);
    }
    if (packet->pace_us == link->pace_us) {
        link->pace_us = 0;
    }
}

static void lose(Link *link, uint64_t now_us, FlightPacket *packet, bool weather) {
    bool too_large = mtu_is_trial(&link->mtu, packet->size);

    if (packet->state == FLIGHT_OUT) {
        requeue(link, packet, packet->sent_us);
    }
    flight_resolve(&link->flight, packet, FLIGHT_LOST);
    link->packets_lost++;
    mtu_learn(&link->mtu, now_us, packet->size, packet->sent_us, true);
    if (weather && !too_large) {
        FlightRow row = flight_row(&link->flight, packet);

        rate_resolved(&link->rate, packet, &row);
    }
}

/* What an outage swallowed says nothing of the weather. */
static void find_lost(Link *link, uint64_t now_us, bool weather) {
    FlightPacket *packet;

    while ((packet = flight_next_lost(&link->flight, now_us, repair_trip_us(link)))) {
        lose(link, now_us, packet, weather);
    }
}

bool repair_repeat(Link *link, FlightPacket *packet) {
    const FlightChunk *chunk = NULL;
    bool wanted = false;

    while ((chunk = flight_chunk(&link->flight, packet, chunk))) {
        wanted = wanted || queue_wants(&link->queue, chunk);
    }
    if (wanted) {
        requeue(link, packet, UINT64_MAX);
        packet->state = FLIGHT_PROBED;
    }
    return wanted;
}

void repair_probe(Link *link, uint64_t now_us) {
    FlightPacket *packet;

    while (link->flight.out > 0) {
        packet = flight_to_probe(&link->flight);
        if (!packet) {
            flight_probe_again(&link->flight);
        } else if (repair_repeat(link, packet)) {
            break;
        } else {
            lose(link, now_us, packet, !repair_in_outage(link));
        }
    }
    if (!flight_has_room(&link->flight)) {
        /* So much is out that no probe could leave: the oldest is given up for it. */
        lose(link, now_us, flight_oldest(&link->flight), false);
    }
    link->probed_us = now_us;
    link->probes_owed = 1;
}

void repair_answered(Link *link, uint64_t now_us, uint64_t took_us) {
    uint64_t left_us = now_us - earlier(now_us, took_us);
    uint64_t apart_us = repair_pace_us(link) + link->rate.delay.srtt_us / 4;

    link->heard_us = now_us;
    link->probes = link->probes > 0;
    if (link->flight.out > 0 &&
        later(link->probed_us, flight_oldest_us(&link->flight)) + apart_us <= left_us) {
        repair_probe(link, now_us);
    }
}

static void acknowledge(Link *link, uint64_t now_us, FlightPacket *packet) {
    const FlightChunk *chunk = NULL;

    if (packet->state == FLIGHT_LOST) {
        flight_overtaken(&link->flight, packet);
        rate_found(&link->rate);
        link->packets_lost--;
    }
    while ((chunk = flight_chunk(&link->flight, packet, chunk))) {
        queue_acked(&link->queue, chunk);
    }
    if (flight_resolve(&link->flight, packet, FLIGHT_ACKED)) {
        rate_resolved(&link->rate, packet, NULL);
    }
    mtu_learn(&link->mtu, now_us, packet->size, packet->sent_us, false);
    flight_release(&link->flight, packet);
}

/* On a slow line, what is repeated costs no header: it goes with a voice. */
static bool rides(const Link *link, uint64_t now_us) {
    return flow_is_slow(link) && flow_goes_on(link, now_us);
}

uint64_t repair_spare_us(const Link *link, uint64_t now_us, uint64_t bytes) {
    bool silent = now_us > repair_silent_us(link);

    if (rides(link, now_us)) {
        /* In a silence documents wait, and leave room. */
        return flow_spare_us(link, now_us, silent ? bytes * 3 / 4 : bytes, INSIST_PARTS);
    }
    return flow_spare_us(link, now_us, bytes + link->overhead, silent ? INSIST_PARTS : FADE_PARTS);
}

/* Nothing answers, or it takes long until that is known, and the line was gone before: votes and
 * messages are repeated, in a part of what voice leaves of the line, so that they are the first to
 * be there when it is back. */
static void insist(Link *link, uint64_t now_us) {
    bool fades = link->bridge_us >= FADE_LEAST_US && flow_is_far(link) &&
                 link->rate.weather.random_ppm < FADE_LOSS_PPM;
    bool silent = now_us > repair_silent_us(link);
    uint64_t wait_us =
        silent ? INSIST_LEAST_US : earlier(link->rate.delay.srtt_us * 3 / 8, FADE_MOST_US);

    if (silent || fades) {
        queue_insist(&link->queue, wait_us, link->spared_us,
                     rides(link, now_us) ? link->voice_gap_us : 0);
    }
}

void repair_settle(Link *link, uint64_t now_us) {
    queue_expire(&link->queue, now_us);
    if (rides(link, now_us) && now_us > repair_silent_us(link)) {
        rate_unanswered(&link->rate);
    }
    insist(link, now_us);
    queue_copy(&link->queue, now_us, false);
    find_lost(link, now_us, !repair_in_outage(link));
    if (repair_probe_us(link) <= now_us) {
        /* Whoever is heard is there: its answers were lost, and it is asked again as soon. */
        link->probes = link->heard_us > link->probed_us ? 1 : link->probes + 1;
        if (repair_in_outage(link)) {
            mtu_doubt(&link->mtu);
        }
        repair_probe(link, now_us);
    }
}

/* ---- acknowledgements ---- */

/* The counter an ACK's `largest` means: the highest sent that ends in these bits. */
static bool largest_of(const Link *link, const PacketAck *ack, uint64_t *ret_counter) {
    uint64_t last = link->next_counter - 1;
    uint64_t back = (uint16_t)(last - ack->largest);

    if (link->next_counter == 0 || back > last) {
        return false;
    }
    *ret_counter = last - back;
    return true;
}

/* The next counter that an ACK says was received: start with `index` 0; false: no more. */
static bool ack_next(const PacketAck *ack, uint64_t largest, size_t *index, uint64_t *ret_counter) {
    while (*index <= ack->map_length * 8) {
        size_t i = (*index)++;

        if (i == 0 || ack->map[(i - 1) / 8] >> ((i - 1) % 8) & 1) {
            *ret_counter = largest - i;
            return true;
        }
    }
    return false;
}

bool repair_ack_is_true(const Link *link, const PacketAck *ack) {
    FlightPacket *packet;
    uint64_t largest;
    uint64_t counter;
    size_t index = 0;

    if (!largest_of(link, ack, &largest)) {
        return false;
    }
    while (ack_next(ack, largest, &index, &counter)) {
        if (counter > largest || !flight_find(&link->flight, counter, &packet)) {
            return false;
        }
    }
    return true;
}

void repair_apply_ack(Link *link, uint64_t now_us, const PacketAck *ack) {
    bool weather = !repair_in_outage(link);
    DelaySample sample = {.arrival = ack->arrival, .held_us = ack->delay_us};
    FlightPacket *packet;
    uint64_t largest;
    uint64_t counter;
    size_t index = 0;
    uint32_t out = link->flight.out;
    uint64_t silent_us = repair_silent_us(link);

    if (!largest_of(link, ack, &largest)) {
        return;
    }
    while (ack_next(ack, largest, &index, &counter)) {
        flight_find(&link->flight, counter, &packet);
        if (!packet || packet->state == FLIGHT_ACKED) {
            continue;
        }
        /* An older one, told of later, says nothing of what was sent between the two. */
        if (counter == largest && packet->state != FLIGHT_LOST &&
            flight_is_newest(&link->flight, packet)) {
            sample.sent_us = packet->sent_us;
            sample.sent_total = packet->sent_total;
            sample.size = packet->size;
        }
        acknowledge(link, now_us, packet);
    }
    if (link->flight.out < out) {
        end_silence(link, silent_us, now_us);
        link->progress_us = now_us;
        link->probes = 0;
    }
    if (sample.size > 0) {
        rate_acked(&link->rate, now_us, &sample);
        ascent_acked(&link->ascent, &link->rate, now_us, &sample);
    }
    find_lost(link, now_us, weather);
    flight_prune(&link->flight, now_us, repair_stale_us(link));
}
