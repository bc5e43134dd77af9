/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of a Link, shared by the files that are its halves: link.c (messages and packets in),
 * send.c (packets out), repair.c (what became of what was sent).
 * It owns nothing beside the struct. It is never included from outside mesh/link.
 */
#pragma once

#include "mesh/link/ascent.h"
#include "mesh/link/inbox.h"
#include "mesh/link/mtu.h"
#include "mesh/link/plan.h"
#include "mesh/link/rate.h"
#include "mesh/link/receipt.h"

struct Link {
    /* When something is to be done: looked at in every step, so in front. */
    Flight flight;
    Receipt receipt;
    Queue queue;
    uint32_t overhead;
    uint64_t next_counter; /* none below may be used any more; 0: none was */
    Rate rate;
    Ascent ascent;
    Mtu mtu;
    Inbox inbox;
    uint64_t voice_us;        /* voice was last submitted; UINT64_MAX: never */
    uint64_t voice_gap_us;    /* between its messages, smoothed */
    uint64_t voice_size;      /* of them, smoothed; bytes */
    uint64_t spared_us;       /* what is repeated unasked takes no more than its part until then */
    uint64_t document_credit; /* bytes */
    uint64_t pace_us;         /* told to the peer; 0: it may not know */
    uint64_t progress_us;     /* something was last acknowledged */
    uint64_t probed_us;
    uint64_t heard_us;    /* anything was last received */
    uint64_t bridge_us;   /* the line was silent so long, and came back as it was */
    uint32_t probes;      /* since the last progress */
    bool held;            /* no documents leave, and no pictures */
    uint32_t probes_owed; /* packets that may leave whatever the window says */
    uint64_t packets_sent, packets_lost;
};

static inline uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static inline uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* ---- send.c ---- */

/* Something waits that may leave as far as the packets in flight go. */
bool send_is_ready(const Link *link, uint64_t now_us);
/* Something would be sent, but for the packets in flight. */
bool send_waits(const Link *link, uint64_t now_us);
/* How long the line takes for so many bytes in that part of it, that voice leaves free. */
uint64_t send_spare_us(const Link *link, uint64_t now_us, uint64_t bytes, unsigned parts);
/* Until when voice submitted now may wait: on a line that it nearly fills what comes too late to be
 * played would make what follows late as well. */
uint64_t send_voice_until_us(const Link *link, uint64_t now_us);
/* Nothing answers: what can wait does. */
bool send_is_held(const Link *link, uint64_t now_us);
/* When voice that flows will have paused for so long that what waits behind it need not any more;
 * UINT64_MAX: none flows. */
uint64_t send_lull_us(const Link *link, uint64_t now_us);
/* When something may be sent though no answer comes until then; UINT64_MAX: never. */
uint64_t send_open_us(const Link *link, uint64_t now_us);

/* ---- repair.c ---- */

/* A round trip, the longer of the smoothed and the latest. */
uint64_t repair_trip_us(const Link *link);
/* How long the peer may hold an acknowledgement. */
uint64_t repair_pace_us(const Link *link);
/* How long an answer takes when all is well; 0: the round trip is unknown. */
uint64_t repair_answer_us(const Link *link);
/* When to probe, should no answer come until then; UINT64_MAX: nothing is in flight. */
uint64_t repair_probe_us(const Link *link);
/* From when on the silence of the line is strange; UINT64_MAX: nothing is awaited. */
uint64_t repair_silent_us(const Link *link);
/* From when on the lack of answers is bridged, if any are awaited. */
uint64_t repair_bridge_from_us(const Link *link);
/* How long there was no answer, if that is to be talked through, as for `bridge_us` it is. */
uint64_t repair_bridged_us(const Link *link, uint64_t now_us, uint64_t bridge_us);
/* A packet held lost is remembered so long: then it is no longer just late. */
uint64_t repair_stale_us(const Link *link);
/* Several probes were not answered: only probes are sent. */
bool repair_in_outage(const Link *link);

/* Everything the ACK says was received was sent. */
bool repair_ack_is_true(const Link *link, const PacketAck *ack);
/* Takes in a true ACK. */
void repair_apply_ack(Link *link, uint64_t now_us, const PacketAck *ack);
/* Does what is due: drops what is too late, queues copies and what is lost, probes. */
void repair_settle(Link *link, uint64_t now_us);
/* Queues what a packet held again, before its fate is known; false: nothing of it is wanted. */
bool repair_repeat(Link *link, FlightPacket *packet);
/* Sends the most urgent of what is in flight again, to see whether the line answers. */
void repair_probe(Link *link, uint64_t now_us);
