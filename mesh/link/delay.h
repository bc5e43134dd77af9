/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How long packets take, and how much of that is waiting in the line's queue.
 * It owns the round trip, the least delays of the last half minute and what exceeds them. It never
 * decides anything, and knows the line's rate only when told.
 *
 * The queue is the delay over the least one: one way or there and back, whichever is less, so that
 * neither the other direction's queue nor a clock that jumps counts; and the least of the last few
 * samples, so that a packet held up alone does not either. Where delays rise and fall by more than
 * what was sent explains, packets that must not overtake a late one all come as late: there is no
 * queue while the least of the last second is less than that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DELAY_SAMPLES_SIZE 4 /* of the queue, whose least one counts */
#define DELAY_RISES_SIZE   8

/* One packet just acknowledged, the newest so far. */
typedef struct {
    uint64_t sent_us;
    uint64_t sent_total; /* wire bytes that had left with it */
    uint32_t size;
    uint16_t arrival; /* ticks of the receiver's clock, cut */
    uint64_t held_us; /* as the receiver says */
} DelaySample;

/* The least delay of the last half minute, and the size of the packet that had it. */
typedef struct {
    int64_t delay_us[2]; /* of this and of the former quarter minute; INT64_MAX: none */
    uint32_t size[2];
    uint64_t since_us;
} DelayLow;

/* What the least delays are: those of the line without a queue, as far as one can see. */
typedef struct {
    DelayLow flight; /* one way, offset by the clocks' difference */
    DelayLow trip;   /* there and back */
    bool kept;       /* they are not forgotten after half a minute */
} DelayBase;

typedef struct {
    uint64_t srtt_us, rttvar_us, latest_rtt_us;
    DelayBase base;
    int64_t flight_ticks; /* the latest, one way */
    int64_t change_us;    /* of the latest flight against the one before */
    uint64_t shake_us;    /* how far flights go up and down again: no queue does that */
    uint64_t sent_total;  /* with the latest */
    uint64_t jolt_us;     /* how far flights rise that what was sent does not explain, so far, */
    uint32_t rises_us[DELAY_RISES_SIZE]; /* and the last times, before they fell again */
    uint32_t rise_count;
    uint64_t samples_us[DELAY_SAMPLES_SIZE];
    uint32_t sample_count;
    uint64_t least_us[2]; /* sample of this and of the former half second; UINT64_MAX: none */
    uint64_t half_us;     /* when this one began */
    uint64_t own_us;      /* by the one-way measure alone, smoothed as srtt_us is */
} Delay;

void delay_init(Delay *delay, uint64_t now_us);
/* Takes a sample in; `rate`: bytes a second of the line, 0: unknown. */
void delay_learn(Delay *delay, uint64_t now_us, const DelaySample *sample, uint64_t rate);
/* What the latest sample waited, whatever those before it did. */
uint64_t delay_latest_us(const Delay *delay);
/* How far the delay rises, and falls again, though no queue of ours does; 0: no further than usual.
 */
uint64_t delay_jolts_us(const Delay *delay);
/* The queue; `sudden_us`: two samples beyond it are no accident, and believed at once;
 * `jolts_us`: 0, or what the line shakes by. */
uint64_t delay_queue_us(const Delay *delay, uint64_t sudden_us, uint64_t jolts_us);
/* There and back of a packet of this size without a queue of ours. */
uint64_t delay_trip_us(const Delay *delay, uint32_t size, uint64_t rate);
/* The latest sample is the least there is, whatever was before: the way has become longer. */
void delay_rebase(Delay *delay, uint64_t now_us, const DelaySample *sample);
