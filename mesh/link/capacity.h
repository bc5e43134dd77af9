/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a Rate thinks the line carries: what was sent between two packets that arrived, over the
 * time between their arrivals by the receiver's clock (never less than the time between their
 * departures, so that no acknowledger can make it more than what left here). While packets queue,
 * that is exactly what the line carries; while they do not, it only says that the line carries no
 * less. It owns the Rate's capacity, and turns its phase to STEADY when that shows. It is only
 * included by rate.c, of which it is a part, and by others that find the capacity: breath.c,
 * ascent.c.
 */
#pragma once

#include "mesh/link/rate.h"

#define RATE_SLOWEST         500  /* bytes a second */
#define RATE_TARGET_LEAST_US 4000 /* of a queue we want */
#define RATE_SUDDEN_QUEUE    8    /* times the target */
#define RATE_BURST_US        1000 /* timers are coarse: what they were late by is made up for */

/* What the acknowledged packet tells of it; beside others our part says what is ours. True if there
 * was not always something to send. */
bool capacity_learn(Rate *rate, uint64_t now_us, const DelaySample *sample);
/* It is found some other way; kept within what a line can be. */
void capacity_set(Rate *rate, uint64_t capacity);
/* Enough packets came, and waited long enough, for what is carried to be what the line carries. */
bool capacity_queue_shows(const Rate *rate);

/* ---- rate.c ---- */

/* The queue we want: it keeps the line busy while the next acknowledgement travels. */
uint64_t rate_target_us(const Rate *rate);
/* By how much the line shakes; 0 beside others, whose packets seem to shake it. */
uint64_t rate_jolts_us(const Rate *rate);
