/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/link.h"

#include <inttypes.h>

void emulator_link_init(EmulatorLink *link, const EmulatorSettings settings[2], uint64_t seed,
                        uint64_t now_us) {
    static const char *const names[2] = {"a>b", "b>a"};
    *link = (EmulatorLink){.seed = seed, .started_us = now_us};
    for (unsigned i = 0; i < 2; i++) {
        emulator_lane_init(&link->lane[i], names[i], &settings[i], seed, now_us);
        link->lane[i].stats.queue = &link->queue[i];
    }
}

void emulator_link_finish(EmulatorLink *link) {
    for (unsigned i = 0; i < 2; i++)
        emulator_lane_finish(&link->lane[i]);
}

static void link_apply(EmulatorLink *link, const EmulatorAction *action, uint64_t now_us) {
    for (unsigned i = 0; i < 2; i++) {
        EmulatorLane *lane = &link->lane[i];
        if ((action->lanes & 1U << i) == 0)
            continue;
        if (action->kind == EMULATOR_ACTION_SET)
            emulator_lane_set(lane, action->key, action->value, now_us);
        else
            emulator_lane_switch(
                lane, action->kind == EMULATOR_ACTION_UP ? EMULATOR_LANE_UP : EMULATOR_LANE_DOWN,
                now_us);
    }
}

void emulator_link_advance(EmulatorLink *link, uint64_t now_us) {
    EmulatorAction action;
    uint64_t due_us;
    while (emulator_schedule_next(&link->schedule, now_us, &action, &due_us))
        link_apply(link, &action, due_us);
}

uint64_t emulator_link_deadline_us(const EmulatorLink *link) {
    uint64_t deadline_us = emulator_schedule_due_us(&link->schedule);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t lane_us = emulator_lane_deadline_us(&link->lane[i]);
        if (lane_us < deadline_us)
            deadline_us = lane_us;
    }
    return deadline_us;
}

static void link_act(EmulatorLink *link, const EmulatorAction *action, uint64_t now_us, FILE *out) {
    switch (action->kind) {
    case EMULATOR_ACTION_SET:
    case EMULATOR_ACTION_DOWN:
    case EMULATOR_ACTION_UP:
        link_apply(link, action, now_us);
        fputs("ok\n", out);
        break;
    case EMULATOR_ACTION_STATS:
        emulator_link_print(link, out, now_us);
        break;
    case EMULATOR_ACTION_RESET:
        emulator_link_print(link, out, now_us);
        for (unsigned i = 0; i < 2; i++)
            emulator_lane_reset(&link->lane[i], now_us);
        link->started_us = now_us;
        break;
    case EMULATOR_ACTION_OUTAGES:
    case EMULATOR_ACTION_QUIT:
        fputs("ok\n", out);
        break;
    }
}

/* Only what changes the line can be planned: nobody would read statistics printed at a time. */
static bool action_is_planned(const EmulatorAction *action) {
    return action->kind == EMULATOR_ACTION_OUTAGES || action->at_us > 0;
}

static bool action_may_be_planned(const EmulatorAction *action) {
    return action->kind <= EMULATOR_ACTION_OUTAGES;
}

EmulatorOutcome emulator_link_command(EmulatorLink *link, const char *line, uint64_t now_us,
                                      FILE *out) {
    EmulatorAction action;
    const char *reason;
    emulator_link_advance(link, now_us);
    if (!emulator_action_parse(line, &action, &reason)) {
        fprintf(out, "error: %s\n", reason);
        return EMULATOR_OUTCOME_GO_ON;
    }
    if (!action_is_planned(&action)) {
        link_act(link, &action, now_us, out);
        return action.kind == EMULATOR_ACTION_QUIT ? EMULATOR_OUTCOME_QUIT : EMULATOR_OUTCOME_GO_ON;
    }
    if (!action_may_be_planned(&action))
        fputs("error: only changes of the line can be planned\n", out);
    else if (!emulator_schedule_add(&link->schedule, &action, now_us))
        fputs("error: the schedule is full\n", out);
    else
        fputs("ok\n", out);
    return EMULATOR_OUTCOME_GO_ON;
}

void emulator_link_print(EmulatorLink *link, FILE *out, uint64_t now_us) {
    fprintf(out, "{\"seconds\":%.3f,\"seed\":%" PRIu64, (double)(now_us - link->started_us) / 1e6,
            link->seed);
    for (unsigned i = 0; i < 2; i++) {
        fprintf(out, ",\"%s\":", link->lane[i].name);
        emulator_lane_print(&link->lane[i], out, now_us);
    }
    fputs("}\n", out);
}
