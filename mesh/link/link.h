/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One queue for everything a node sends a neighbour: each message has a priority and a deadline;
 * the link repairs it until then and forgets it after. Packets go in and out as plain bytes.
 * It owns the messages waiting and in flight, those received in part, and the estimate of what the
 * line carries. It never encrypts, never knows an address, and never stores or reads a clock.
 */
#pragma once

#include "mesh/bytes.h"
#include "mesh/error.h"
#include "mesh/limits.h"

typedef struct Link Link;

typedef enum {
    LINK_CONTROL = 0, /* signals, floor */
    LINK_URGENT = 1,  /* votes, roster, journal heads */
    LINK_VOICE = 2,
    LINK_CHAT = 3,     /* chat, journal entries */
    LINK_PICTURE = 4,  /* slides, video */
    LINK_DOCUMENT = 5, /* documents: never less than a tenth of the line */
} LinkPriority;
#define LINK_PRIORITIES 6

/* How the rate is found at the moment. */
typedef enum {
    LINK_LINE_START,  /* too little is known: it is being tried how much the line carries */
    LINK_LINE_STEADY, /* about a packet is kept waiting in the line */
    LINK_LINE_TRIAL,  /* much is lost: it is being tried whether less is when we are slower */
    LINK_LINE_SHARED, /* another's packets wait in the line however little we send */
    LINK_LINE_OUTAGE, /* nothing is answered: only probes are sent */
} LinkLine;

typedef struct {
    uint32_t rtt_us;       /* smoothed; 0: not measured */
    uint32_t answer_us;    /* until a packet is acknowledged, when all is well; 0: not known */
    uint32_t loss_ppm;     /* of our packets, over the last few hundred */
    uint32_t rate_bps;     /* what the line is thought to carry, IP headers included */
    bool rate_found;       /* that was seen; else it is only what was tried, and it may be more */
    uint32_t queue_us;     /* what waits here, at that rate */
    uint32_t queue_own_us; /* what waits in the line because of us */
    LinkLine reason;       /* why the rate is what it is */
    uint64_t waiting;      /* bytes waiting or in flight */
    bool chat_waiting;     /* of chat some are */
    bool said_waiting;     /* of chat or of what is urgent some are */
    uint64_t messages_expired;
    uint64_t packets_sent, packets_lost;
} LinkState;

/* `overhead`: bytes that each packet costs on the wire beside its plain bytes. NULL: no memory.
 * Memory grows with what is queued and in flight, within limits.h; an idle link holds about 3 KB.
 */
Link *link_create(uint32_t overhead);
void link_destroy(Link *link);

/*
 * Queues a copy of the message (1 … MESH_MESSAGE_MAX bytes). `deadline_us`: absolute, UINT64_MAX
 * for a reliable message. `ret_id` (may be NULL) names it for link_cancel. FULL when the queue is:
 * the caller tries again when link_room says so; TOO_LARGE.
 */
MeshError link_submit(Link *link, LinkPriority priority, uint64_t now_us, uint64_t deadline_us,
                      Bytes message, uint64_t *ret_id);
/* The same of a message in two parts, one behind the other. */
MeshError link_submit_parts(Link *link, LinkPriority priority, uint64_t now_us,
                            uint64_t deadline_us, Bytes head, Bytes body, uint64_t *ret_id);
/* Forgets a message not yet wholly sent: it will not be delivered. Any other id does nothing. */
void link_cancel(Link *link, uint64_t id);
/* Bytes of documents that may still be queued without holding anything up: a few packets' worth of
 * what the line carries; 0: later. */
size_t link_room(const Link *link);

/*
 * The next packet: its plain bytes into `ret_plain[capacity]`, to be sealed under `counter`, which
 * is higher than any before; 0 when nothing may be sent now. Several messages share a packet.
 * `ret_priority`: the most urgent thing in it.
 */
size_t link_next(Link *link, uint64_t now_us, uint64_t counter, uint8_t *ret_plain, size_t capacity,
                 LinkPriority *ret_priority);

/* An authentic packet came. MALFORMED: it was dropped whole. Any bytes may be given. */
MeshError link_receive(Link *link, uint64_t now_us, uint64_t counter, Bytes plain);

/* The next message received whole; borrowed until the next call; false: none. Of one priority in
 * order of sending where nothing was lost; a lost one holds up none. Each is given once. */
bool link_take(Link *link, Bytes *ret_message);

/* The most urgent priority of what link_next would send now; LINK_PRIORITIES: nothing is known of.
 */
unsigned link_urgency(const Link *link, uint64_t now_us);

/* While held, no documents leave, and no pictures. */
void link_hold(Link *link, bool held);

/* Of a line that several links share: so many 1/1024 of the usual queue are wanted in it, more by
 * one that has less than its part. */
void link_favour(Link *link, uint32_t favour);

/* When link_next may have something: UINT64_MAX, never. May lie in the past: now. */
uint64_t link_deadline_us(const Link *link, uint64_t now_us);
/* Until something is submitted, received, sent or held, the deadline is no earlier than this; 0:
 * that is not known. */
uint64_t link_look_us(const Link *link, uint64_t now_us);
/* Nothing waits, is under way or owed: until something is submitted or received the deadline is
 * never. */
bool link_rests(const Link *link);

/* The path changed: what was learnt of the line is doubted, what is in flight is repaired soon. */
void link_path_changed(Link *link, uint64_t now_us);

/* Something is heard again after a long silence, or may be: if nothing of it tells what of that in
 * flight arrived, that is asked at once. */
void link_back(Link *link);

/* What left by the same path `took_us` ago, and not through this link, was answered now. What is in
 * flight for longer should have been too: it is repaired soon. */
void link_answered(Link *link, uint64_t now_us, uint64_t took_us);

LinkState link_state(const Link *link, uint64_t now_us);
/* Of that what is asked for each packet, alone. */
uint32_t link_rtt_us(const Link *link);
uint32_t link_answer_us(const Link *link);
uint32_t link_rate_bps(const Link *link);
LinkLine link_line(const Link *link);
/* Something unacknowledged is in flight. */
bool link_expects(const Link *link);
