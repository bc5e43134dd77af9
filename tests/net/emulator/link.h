/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The line in both directions, and what is planned for it.
 * Owns two lanes and the schedule.
 * Never reads a clock or a socket, so a test can run it in virtual time.
 */
#pragma once

#include "tests/net/emulator/lane.h"
#include "tests/net/emulator/schedule.h"

typedef enum {
    EMULATOR_END_A,
    EMULATOR_END_B,
} EmulatorEnd;

typedef struct {
    EmulatorLane lane[2]; /* by the end where frames enter */
    EmulatorHistogram queue[2];
    EmulatorSchedule schedule;
    uint64_t seed;
    uint64_t started_us; /* of the statistics */
} EmulatorLink;

typedef enum {
    EMULATOR_OUTCOME_GO_ON,
    EMULATOR_OUTCOME_QUIT,
} EmulatorOutcome;

void emulator_link_init(EmulatorLink *link, const EmulatorSettings settings[2], uint64_t seed,
                        uint64_t now_us);
void emulator_link_finish(EmulatorLink *link);

/* Plays what is planned up to now. */
void emulator_link_advance(EmulatorLink *link, uint64_t now_us);

/* When there is something to do next; UINT64_MAX for never. */
uint64_t emulator_link_deadline_us(const EmulatorLink *link);

/*
 * Does what one line says and answers with one line: `ok`, `error: …`, or the statistics in JSON.
 */
EmulatorOutcome emulator_link_command(EmulatorLink *link, const char *line, uint64_t now_us,
                                      FILE *out);

/* Writes the statistics of both lanes up to now as one JSON line. */
void emulator_link_print(EmulatorLink *link, FILE *out, uint64_t now_us);
