/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What will happen to the line, and when.
 * Owns a bounded list of actions, some of which come back at a period.
 * Never acts and never reads a clock: it hands out what is due.
 */
#pragma once

#include "tests/net/emulator/action.h"

enum { EMULATOR_SCHEDULE_MAX = 256 };

typedef struct {
    uint64_t due_us;
    uint64_t every_us; /* 0 = once */
    EmulatorAction action;
} EmulatorAppointment;

typedef struct {
    EmulatorAppointment list[EMULATOR_SCHEDULE_MAX];
    unsigned count;
} EmulatorSchedule;

/* Notes an action whose times count from now; false when the list is full. */
bool emulator_schedule_add(EmulatorSchedule *schedule, const EmulatorAction *action,
                           uint64_t now_us);

/* When the next action is due; UINT64_MAX for never. */
uint64_t emulator_schedule_due_us(const EmulatorSchedule *schedule);

/* The next action due by now and its moment; of two at one moment, the one noted first. */
bool emulator_schedule_next(EmulatorSchedule *schedule, uint64_t now_us, EmulatorAction *ret_action,
                            uint64_t *ret_due_us);
