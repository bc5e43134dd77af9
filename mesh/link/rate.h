/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a line carries, learnt from acknowledgements, and when the next packet may leave.
 * It owns the capacity and the pace; the delays and the losses it judges by are in its `delay` and
 * `weather`. It never sees a packet's bytes, and loss alone never slows it unless slowing helps.
 *
 * What the line carries is told by how packets arrive (see capacity.h). We pace so that about one
 * packet waits, and bound what is in flight by the same measure.
 *
 * A queue that stays is put to the test by a breath: what can wait pauses until ours would be gone.
 * What is still there then is another's, or no queue at all: the way has become longer. Beside
 * another who fills the queue whatever we do, we share as he does: a window that grows by half a
 * packet a round trip, and shrinks when something is lost that the weather does not explain.
 */
#pragma once

#include "mesh/link/arrivals.h"
#include "mesh/link/weather.h"

typedef enum {
    RATE_START,  /* nothing known: pairs, twice as many each time, until one is spread or queues */
    RATE_STEADY, /* the queue is kept at its target */
    RATE_TRIAL,  /* much is lost: a little slower, to see whether less is then */
    RATE_SHARED, /* the queue does not go when we yield: it is another's, we hold our part */
} RatePhase;

/* What can wait pauses, to see what of the queue is ours. */
typedef struct {
    bool out;              /* the answer is awaited */
    uint64_t from_us;      /* it began, */
    uint64_t from_total;   /* when so much had been sent; */
    uint64_t until_us;     /* nothing that can wait is sent before */
    uint64_t queue_us;     /* what there was, */
    uint64_t expected_us;  /* what should be left if it is ours, */
    uint64_t left_us;      /* and what was, at least, */
    uint32_t count;        /* as so many packets found */
    uint64_t next_us;      /* not again before */
    DelayBase base;        /* before it was last changed */
    uint64_t alone;        /* the capacity before any sign of others */
    uint64_t before_us;    /* what was left the time before */
    uint32_t others;       /* how surely others' packets are in the queue, */
    uint64_t others_at_us; /* as of then */
} RateBreath;

typedef struct {
    Delay delay;
    Weather weather;
    RatePhase phase;
    uint32_t packet;   /* wire bytes of the packets we aim at */
    uint32_t quarters; /* of a packet that should wait in the queue of the line */
    uint32_t favour;   /* so many 1/1024 of that, to take more or less of a line shared */
    uint32_t full;     /* wire bytes of a full packet */
    uint32_t gain;     /* pacing over capacity, in 1/1024 */
    uint32_t rounds;   /* without a queue, sending all we might */
    uint32_t streak;   /* how often we have therefore doubled the haste */
    uint64_t capacity; /* bytes a second on the wire; 0: unknown */

    uint64_t doubted;     /* the capacity as the last change of path left it */
    uint64_t highest;     /* capacity found on this path */
    uint64_t recent;      /* the same, halved in ten seconds, */
    uint64_t recent_us;   /* as of then */
    uint64_t confirmed;   /* the capacity when a queue last showed: no hurry to find more */
    uint64_t deepest;     /* bytes that waited in the line at most, and came through */
    uint32_t shallow;     /* how often less speed helped: the line has no room for a longer queue */
    uint64_t calm;        /* the capacity when the queue was last no longer than wanted, */
    uint64_t calm_at_us;  /* and when that was */
    uint64_t empty_at_us; /* the queue was last seen to be nearly empty */

    RateBreath breath;
    uint64_t part;      /* SHARED: bytes in flight that are our part */
    uint64_t part_from; /* sent_total when it last changed, */
    uint64_t part_cut;  /* and when it last shrank */

    Arrivals arrivals;
    uint64_t sent_total;    /* wire bytes that ever left */
    uint64_t round_end;     /* sent_total at the start of this round */
    uint64_t limited_at_us; /* there was last nothing to send though there might have been */

    uint64_t begun_us;      /* when the first packet left; 0: none did */
    uint64_t next_us;       /* when the next packet may leave */
    uint64_t pair_until_us; /* START: a large packet left alone, and the next leaves with it until
                               then */
    uint32_t pair;          /* its wire bytes, that the pace still owes */
    uint64_t pair_us;       /* when it left, */
    uint64_t pair_total;    /* and sent_total before */

    uint64_t trial_from; /* sent_total when the trial began */
    uint32_t trial_ppm;  /* what was lost before it */
    uint32_t trial_count, trial_lost;
} Rate;

/* `full`: wire bytes of the largest packet. */
void rate_init(Rate *rate, uint32_t full);
/* Doubts everything but the loss; keeps half the capacity. */
void rate_doubt(Rate *rate, uint64_t now_us);

/* What the next packets will be: wire bytes of a full one and of those we aim at, and how much of
 * one of these should queue in the line, in quarters. */
void rate_aim(Rate *rate, uint64_t now_us, uint32_t full, uint32_t packet, uint32_t quarters);
/* `size` wire bytes leave. */
void rate_sent(Rate *rate, uint64_t now_us, uint32_t size);
/* `size` wire bytes leave that are to wait for nothing, and nothing for them. */
void rate_padded(Rate *rate, uint32_t size);
/* `size` wire bytes leave that are nothing but an answer: nothing waits because of them while it is
 * not known what the line carries, lest the answers to a fast line hold up the little that is asked
 * on a slow estimate. */
void rate_answered(Rate *rate, uint64_t now_us, uint32_t size);
/* No answer tells of the queue: no faster than the line carries, until one does. */
void rate_unanswered(Rate *rate);
/* There is nothing to send though the line would take it. */
void rate_limited(Rate *rate, uint64_t now_us);
/* The newest packet was acknowledged */
void rate_acked(Rate *rate, uint64_t now_us, const DelaySample *sample);
/* The packet's fate is known: lost in a row of others, or NULL, it arrived. */
void rate_resolved(Rate *rate, const FlightPacket *packet, const FlightRow *lost);
/* A packet thought lost had arrived after all. */
void rate_found(Rate *rate);

/* How much of the usual queue it should want, in 1/1024: 1024 unless others that yield as we do are
 * known to be in the same queue. Then it is no stranger's. */
void rate_favour(Rate *rate, uint32_t favour);
/* Others that yield as we do are known to be in the same queue: what it does is not our doing. */
bool rate_in_company(const Rate *rate);
/* The latest packet took much longer than the one before: the next will tell whether the line has
 * become slower. */
bool rate_has_jumped(const Rate *rate);
/* When the next packet may leave. */
uint64_t rate_next_us(const Rate *rate);
/* Until when what can wait should: the queue runs empty. */
uint64_t rate_hold_us(const Rate *rate);
/* Bytes that may be in flight, `pace_us` being how long the other side may hold an answer. */
uint64_t rate_window(const Rate *rate, uint64_t pace_us);
/* Bytes a second we send at; an assumption while nothing is known. */
uint64_t rate_pace(const Rate *rate);
/* What the line is thought to carry, bytes a second; as above. */
uint64_t rate_capacity(const Rate *rate);
/* The line was seen to carry that and no more; else it may. */
bool rate_is_found(const Rate *rate);
/* Wire bytes sent in `us` at the capacity. */
uint64_t rate_bytes_in(const Rate *rate, uint64_t us);
/* The time a packet as we aim at takes. */
uint64_t rate_packet_us(const Rate *rate);
/* There and back with the packets we aim at, and no queue. */
uint64_t rate_trip_us(const Rate *rate);
/* The queue we are thought to cause. */
uint64_t rate_queue_us(const Rate *rate);
