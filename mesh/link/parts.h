/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of a Link, shared by the files that are its parts: link.c (messages and packets in),
 * flow.c (the voice that goes by it), leave.c (what may leave now), size.c (in how large a packet),
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

#define SLOW_PACKET_US 200000 /* of the line: a packet that takes longer is dear */

/* What may leave. */
typedef enum {
    LEAVE_NOTHING,
    LEAVE_VOTES,  /* and control */
    LEAVE_URGENT, /* and voice */
    LEAVE_PROMPT, /* and chat */
    LEAVE_ALL,
} Leave;

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
    uint64_t apart_us;        /* its acknowledgements, as it says; 0: as they were asked for */
    uint64_t progress_us;     /* something was last acknowledged */
    uint64_t guess_us;        /* how long an answer took by the path before this one; 0: unknown */
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

/* ---- flow.c ---- */

/* Voice flows: it was submitted so short a time ago that more will follow. */
bool flow_is_on(const Link *link, uint64_t now_us);
/* The line is so slow that each packet of voice takes a good part of the time until the next. */
bool flow_is_slow(const Link *link);
/* Answers take long: an outage is over long before it is known. */
bool flow_is_far(const Link *link);
/* There, what is said in the meantime would be lost, and the line is not filled by it: voice goes
 * on whatever is not answered. */
bool flow_goes_on(const Link *link, uint64_t now_us);
/* Wire bytes that stand in the way of voice for no longer than they may. */
uint64_t flow_room(const Link *link);
/* When the next voice is overdue; there documents ride in its packet, and fill what it leaves of
 * the time until the next: one of their own would have a header, and stand in its way. */
uint64_t flow_due_us(const Link *link);
/* When voice that flows will have paused for so long that what waits behind it need not any more;
 * UINT64_MAX: none flows. */
uint64_t flow_lull_us(const Link *link, uint64_t now_us);
/* Until when voice submitted now may wait: on a line that it nearly fills what comes too late to be
 * played would make what follows late as well. */
uint64_t flow_until_us(const Link *link, uint64_t now_us);
/* How long the line takes for so many bytes in that part of it, that voice leaves free. */
uint64_t flow_spare_us(const Link *link, uint64_t now_us, uint64_t bytes, unsigned parts);

/* ---- size.c ---- */

/* Wire bytes that a packet may have now, `capacity` bytes being there for what it holds. */
uint32_t size_full(const Link *link, uint64_t now_us, size_t capacity);
/* The size of a packet larger than those known to pass, that is to show whether it does: of a
 * document that keeps the line busy, and alone in it, so that nothing else waits if it is lost.
 * 0: it is not the time for one. */
uint32_t size_trial(const Link *link, uint64_t now_us, size_t capacity);
/* Bytes a packet may hold now; the rate aims at such packets from now on. */
PlanLimits size_limits(Link *link, uint64_t now_us, size_t capacity);

/* ---- leave.c ---- */

/* What the packets in flight still allow. Voice does not wait for answers that may be lost. */
Leave leave_now(const Link *link, uint64_t now_us);
/* The least urgent that may leave then. What is said now and then leaves when what is urgent may;
 * beside others whose voices wait in the same line it has its turn after those. */
LinkPriority leave_least(const Link *link, Leave leave);
/* The end of a document is in flight, and nothing else is to be sent: rather than to wait for what
 * the line loses to be missed, a round trip later, it is sent again while there is room. The packet
 * that held it; NULL: it is not so. */
FlightPacket *leave_to_repeat(const Link *link, uint64_t now_us);
/* Something waits that may leave as far as the packets in flight go. */
bool leave_is_ready(const Link *link, uint64_t now_us);
/* The same where it is known what may leave. */
bool leave_finds(const Link *link, uint64_t now_us, Leave leave);
/* Something would be sent, but for the packets in flight. */
bool leave_waits(const Link *link, uint64_t now_us);
/* Nothing answers: what can wait does. */
bool leave_is_held(const Link *link, uint64_t now_us);
/* When something may be sent though no answer comes until then; UINT64_MAX: never. */
uint64_t leave_open_us(const Link *link, uint64_t now_us);

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
/* How long after so much was said, or repeated, something may be again. */
uint64_t repair_spare_us(const Link *link, uint64_t now_us, uint64_t bytes);
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
/* As link_answered. */
void repair_answered(Link *link, uint64_t now_us, uint64_t took_us);
