/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The pause of a Rate in which the queue of the line runs empty, to see what of it is ours; and
 * what follows: that others are in it, or that the way has become longer. It owns the Rate's
 * RateBreath, and turns its phase to and from SHARED. It is only included by rate.c, of which it
 * is a part.
 */
#pragma once

#include "mesh/link/rate.h"

/* Whether it is time to see what of the queue is ours. */
bool breath_is_due(const Rate *rate, uint64_t now_us);
/* Beside none but our like, or alone again. */
void breath_stop_sharing(Rate *rate);
/* What can wait pauses, until all that was sent has arrived. */
void breath_begin(Rate *rate, uint64_t now_us);
/* What the first packets after the pause say; nothing while none is awaited. */
void breath_judge(Rate *rate, uint64_t now_us, const DelaySample *sample);
