/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/link.h"

#include <stdlib.h>

#include "mesh/link/parts.h"

#define VOICE_GAP_US   200000 /* longer ones are silence */
#define ROOM_US        200000
#define ROOM_LEAST     8192
#define ROOM_MOST      131072
#define ANSWER_BYTES   10 /* of an acknowledgement */
#define ANSWER_PARTS   16 /* of the line that they take one of */
#define ANSWER_MOST_US 500000

Link *link_create(uint32_t overhead) {
    Link *link = calloc(1, sizeof *link);

    if (link) {
        link->overhead = overhead;
        link->voice_us = UINT64_MAX;
        link->voice_gap_us = VOICE_GAP_US;
        rate_init(&link->rate, MTU_BASE_SIZE);
        ascent_init(&link->ascent);
        queue_init(&link->queue);
        flight_init(&link->flight);
        mtu_reset(&link->mtu);
        receipt_init(&link->receipt);
        inbox_init(&link->inbox);
    }
    return link;
}

void link_destroy(Link *link) {
    if (link) {
        queue_finish(&link->queue);
        flight_finish(&link->flight);
        inbox_finish(&link->inbox);
        free(link);
    }
}

/* ---- messages in ---- */

MeshError link_submit(Link *link, LinkPriority priority, uint64_t now_us, uint64_t deadline_us,
                      Bytes message, uint64_t *ret_id) {
    return link_submit_parts(link, priority, now_us, deadline_us, message, (Bytes){.length = 0},
                             ret_id);
}

MeshError link_submit_parts(Link *link, LinkPriority priority, uint64_t now_us,
                            uint64_t deadline_us, Bytes head, Bytes body, uint64_t *ret_id) {
    bool limited = now_us >= rate_next_us(&link->rate) &&
                   (!queue_ready(&link->queue, LINK_DOCUMENT) || leave_is_held(link, now_us));
    MeshError error;

    queue_expire(&link->queue, now_us);
    if (priority == LINK_VOICE && deadline_us != UINT64_MAX) {
        deadline_us = earlier(deadline_us, flow_until_us(link, now_us));
    }
    error = queue_submit(&link->queue, priority, deadline_us, head, body, ret_id);
    if (error) {
        return error;
    }
    if (limited) {
        rate_limited(&link->rate, now_us);
    }
    if (priority == LINK_VOICE) {
        uint64_t gap_us = link->voice_us == UINT64_MAX ? VOICE_GAP_US : now_us - link->voice_us;

        link->voice_gap_us = (3 * link->voice_gap_us + earlier(gap_us, VOICE_GAP_US)) / 4;
        link->voice_size = (3 * link->voice_size + head.length + body.length) / 4;
        link->voice_us = now_us;
    }
    return MESH_OK;
}

void link_cancel(Link *link, uint64_t id) {
    queue_cancel(&link->queue, id);
}

size_t link_room(const Link *link) {
    uint64_t wanted = later(rate_bytes_in(&link->rate, ROOM_US), ROOM_LEAST);
    uint64_t waiting = link->queue.waiting[LINK_DOCUMENT];

    wanted = earlier(wanted, ROOM_MOST);
    wanted = waiting < wanted ? wanted - waiting : 0;
    return (size_t)earlier(wanted, queue_room(&link->queue, LINK_DOCUMENT));
}

/* ---- packets in ---- */

/* What a chunk says of the packets that follow, beside those in its packet before it. */
static ReceiptKind receipt_of(const PacketChunk *chunk, ReceiptKind before) {
    size_t end = (size_t)chunk->grain * PACKET_GRAIN_SIZE + chunk->bytes.length;

    if (chunk->kind == PACKET_PERISHABLE) {
        return end < chunk->size ? RECEIPT_BEGUN : RECEIPT_ENDED;
    }
    return before == RECEIPT_SILENT ? RECEIPT_ASKS : before;
}

/* Whether every frame can be true; `ret_kind`: what they are together, to be acknowledged. */
static bool check(const Link *link, Bytes plain, ReceiptKind *ret_kind) {
    BytesReader reader = bytes_reader(plain.data, plain.length);
    size_t position = 0;
    PacketFrame frame;

    *ret_kind = RECEIPT_SILENT;
    for (; position == 0 || bytes_left(&reader) > 0; position++) {
        if (!packet_read(&reader, &frame)) {
            return false;
        }
        switch (frame.kind) {
        case PACKET_FRAME_ACK:
            if (position > 0 || !repair_ack_is_true(link, &frame.ack)) {
                return false;
            }
            break;
        case PACKET_FRAME_APART:
            break;
        case PACKET_FRAME_PACE:
            *ret_kind = *ret_kind == RECEIPT_SILENT ? RECEIPT_ASKS : *ret_kind;
            break;
        case PACKET_FRAME_CHUNK:
            if (inbox_check(&link->inbox, &frame.chunk)) {
                return false;
            }
            *ret_kind = receipt_of(&frame.chunk, *ret_kind);
            break;
        }
    }
    return true;
}

/* On a line known to be slow acknowledgements take a small part of it: else those of what comes
 * fast would fill it. */
static uint64_t answers_apart_us(const Link *link) {
    uint64_t bytes = (uint64_t)(link->overhead + ANSWER_BYTES) * ANSWER_PARTS;

    return rate_is_found(&link->rate)
               ? earlier(bytes * 1000000 / rate_capacity(&link->rate), ANSWER_MOST_US)
               : 0;
}

MeshError link_receive(Link *link, uint64_t now_us, uint64_t counter, Bytes plain) {
    BytesReader reader = bytes_reader(plain.data, plain.length);
    MeshError error = MESH_OK;
    PacketFrame frame;
    ReceiptKind kind;

    if (!check(link, plain, &kind)) {
        return MESH_ERROR_MALFORMED;
    }
    link->heard_us = now_us;
    while (bytes_left(&reader) > 0) {
        MeshError chunk_error = MESH_OK;

        packet_read(&reader, &frame);
        switch (frame.kind) {
        case PACKET_FRAME_ACK:
            link->apart_us = 0;
            repair_apply_ack(link, now_us, &frame.ack);
            break;
        case PACKET_FRAME_PACE:
            link->receipt.pace_us = frame.pace_us;
            break;
        case PACKET_FRAME_APART:
            link->apart_us = frame.pace_us;
            break;
        case PACKET_FRAME_CHUNK:
            chunk_error = inbox_add(&link->inbox, now_us, &frame.chunk);
            break;
        }
        error = error ? error : chunk_error;
    }
    /* What could not be kept is not acknowledged: it comes again. */
    link->receipt.apart_us = answers_apart_us(link);
    if (!error &&
        !receipt_add(&link->receipt, now_us, counter, plain.length + link->overhead, kind)) {
        error = MESH_ERROR_REPLAYED;
    }
    return error;
}

bool link_take(Link *link, Bytes *ret_message) {
    return inbox_take(&link->inbox, ret_message);
}

/* ---- the line ---- */

uint64_t link_deadline_us(const Link *link, uint64_t now_us) {
    uint64_t deadline_us = earlier(link->receipt.due_us, link->queue.copy_us);

    deadline_us = earlier(deadline_us, flight_lost_us(&link->flight, repair_trip_us(link)));
    deadline_us = earlier(deadline_us, repair_probe_us(link));
    if (link->ascent.left > 0) {
        deadline_us = earlier(deadline_us, now_us);
    }
    if (leave_is_ready(link, now_us)) {
        deadline_us = earlier(deadline_us, rate_next_us(&link->rate));
    } else {
        deadline_us = earlier(deadline_us, leave_open_us(link, now_us));
    }
    return deadline_us;
}

uint64_t link_look_us(const Link *link, uint64_t now_us) {
    /* What waits for answers may leave whenever their lack lasts long enough. */
    if (leave_waits(link, now_us)) {
        return 0;
    }
    return earlier(link_deadline_us(link, now_us), flow_lull_us(link, now_us));
}

bool link_rests(const Link *link) {
    return link->flight.out == 0 && link->receipt.due_us == UINT64_MAX &&
           link->queue.copy_us == UINT64_MAX && !queue_ready(&link->queue, LINK_DOCUMENT);
}

unsigned link_urgency(const Link *link, uint64_t now_us) {
    unsigned urgency = LINK_CONTROL;

    if (link->receipt.due_us <= now_us) {
        return LINK_CONTROL;
    }
    if (link->ascent.left > 0) {
        return LINK_VOICE;
    }
    if (now_us < rate_next_us(&link->rate) || !leave_is_ready(link, now_us)) {
        return LINK_PRIORITIES;
    }
    while (urgency < LINK_DOCUMENT && !queue_ready(&link->queue, urgency)) {
        urgency++;
    }
    return urgency;
}

void link_hold(Link *link, bool held) {
    link->held = held;
}

void link_favour(Link *link, uint32_t favour) {
    rate_favour(&link->rate, favour);
}

void link_path_changed(Link *link, uint64_t now_us) {
    uint64_t answer_us = repair_answer_us(link);

    link->guess_us = answer_us ? answer_us : link->guess_us;
    rate_doubt(&link->rate, now_us);
    ascent_init(&link->ascent);
    mtu_reset(&link->mtu);
    link->probes = 0;
    if (link->flight.out > 0) {
        repair_probe(link, now_us); /* its answer will tell what of the rest is lost */
    }
}

void link_back(Link *link) {
    link->probed_us = 0;
}

void link_answered(Link *link, uint64_t now_us, uint64_t took_us) {
    repair_answered(link, now_us, took_us);
}

LinkLine link_line(const Link *link) {
    static const LinkLine LINES[] = {
        [RATE_START] = LINK_LINE_START,
        [RATE_STEADY] = LINK_LINE_STEADY,
        [RATE_TRIAL] = LINK_LINE_TRIAL,
        [RATE_SHARED] = LINK_LINE_SHARED,
    };

    return repair_in_outage(link) ? LINK_LINE_OUTAGE : LINES[link->rate.phase];
}

uint32_t link_rtt_us(const Link *link) {
    return (uint32_t)link->rate.delay.srtt_us;
}

uint32_t link_answer_us(const Link *link) {
    return (uint32_t)earlier(repair_answer_us(link), UINT32_MAX);
}

uint32_t link_rate_bps(const Link *link) {
    return (uint32_t)earlier(rate_capacity(&link->rate) * 8, UINT32_MAX);
}

LinkState link_state(const Link *link, uint64_t now_us) {
    uint64_t capacity = rate_capacity(&link->rate);
    uint64_t waiting = 0;

    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        waiting += link->queue.waiting[i];
    }
    return (LinkState){.rtt_us = link_rtt_us(link),
                       .answer_us = link_answer_us(link),
                       .loss_ppm = link->rate.weather.loss_ppm,
                       .rate_bps = link_rate_bps(link),
                       .rate_found = rate_is_found(&link->rate),
                       .queue_us = (uint32_t)earlier(waiting * 1000000 / capacity, UINT32_MAX),
                       .queue_own_us = (uint32_t)earlier(rate_queue_us(&link->rate), UINT32_MAX),
                       .reason = link_line(link),
                       .waiting = link->queue.bytes,
                       .chat_waiting = link->queue.first[LINK_CHAT] != NULL,
                       .said_waiting = link->queue.first[LINK_CHAT] != NULL ||
                                       link->queue.first[LINK_URGENT] != NULL,
                       .messages_expired = link->queue.expired,
                       .packets_sent = link->packets_sent,
                       .packets_lost = link->packets_lost};
}

bool link_expects(const Link *link) {
    return link->flight.out > 0;
}
