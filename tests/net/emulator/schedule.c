/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/schedule.h"

static void schedule_note(EmulatorSchedule *schedule, const EmulatorAction *action,
                          EmulatorActionKind kind, uint64_t due_us, uint64_t every_us) {
    EmulatorAppointment *appointment = &schedule->list[schedule->count++];
    *appointment = (EmulatorAppointment){.due_us = due_us, .every_us = every_us, .action = *action};
    appointment->action.kind = kind;
    appointment->action.at_us = 0;
}

bool emulator_schedule_add(EmulatorSchedule *schedule, const EmulatorAction *action,
                           uint64_t now_us) {
    if (schedule->count + 2 > EMULATOR_SCHEDULE_MAX)
        return false;
    if (action->kind != EMULATOR_ACTION_OUTAGES) {
        schedule_note(schedule, action, action->kind, now_us + action->at_us, 0);
        return true;
    }
    schedule_note(schedule, action, EMULATOR_ACTION_DOWN, now_us + action->from_us,
                  action->every_us);
    schedule_note(schedule, action, EMULATOR_ACTION_UP, now_us + action->until_us,
                  action->every_us);
    return true;
}

static unsigned schedule_first(const EmulatorSchedule *schedule) {
    unsigned first = 0;
    for (unsigned i = 1; i < schedule->count; i++) {
        if (schedule->list[i].due_us < schedule->list[first].due_us)
            first = i;
    }
    return first;
}

uint64_t emulator_schedule_due_us(const EmulatorSchedule *schedule) {
    return schedule->count > 0 ? schedule->list[schedule_first(schedule)].due_us : UINT64_MAX;
}

bool emulator_schedule_next(EmulatorSchedule *schedule, uint64_t now_us, EmulatorAction *ret_action,
                            uint64_t *ret_due_us) {
    if (schedule->count == 0)
        return false;
    unsigned first = schedule_first(schedule);
    EmulatorAppointment *appointment = &schedule->list[first];
    if (appointment->due_us > now_us)
        return false;
    *ret_action = appointment->action;
    *ret_due_us = appointment->due_us;
    if (appointment->every_us > 0) {
        appointment->due_us += appointment->every_us;
        return true;
    }
    schedule->count--;
    for (unsigned i = first; i < schedule->count; i++)
        schedule->list[i] = schedule->list[i + 1];
    return true;
}
