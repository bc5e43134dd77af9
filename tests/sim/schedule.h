/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtual time, and what is to happen in it: acts in the order of their moments, those of one
 * moment in the order in which they were added.
 * It owns the acts not yet done. It never looks at a real clock.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct Schedule Schedule;
typedef void (*ScheduleAct)(gpointer context);

Schedule *schedule_create(void);
/* What was not done is destroyed undone. NULL-safe. */
void schedule_destroy(Schedule *schedule);

uint64_t schedule_now_us(const Schedule *schedule);
/* Does `act` that long from now, then destroys the context, if there is a way given. */
void schedule_add(Schedule *schedule, uint64_t delay_us, ScheduleAct act, gpointer context,
                  GDestroyNotify destroy);
/* The moment of the next act; UINT64_MAX: none. */
uint64_t schedule_next_us(const Schedule *schedule);
/* Moves time on to the next act and does it. There must be one. */
void schedule_do_next(Schedule *schedule);
/* Moves time on; never past the next act, never back. */
void schedule_advance(Schedule *schedule, uint64_t to_us);
