/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One line a person or a test writes to the emulator, understood.
 * Owns the grammar of commands and schedules, which are the same words.
 * Never acts: the link does what an action says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EMULATOR_ACTION_SET,     /* a setting, on one or both lanes */
    EMULATOR_ACTION_DOWN,    /* cut */
    EMULATOR_ACTION_UP,      /* restore */
    EMULATOR_ACTION_OUTAGES, /* down from..until, every so often */
    EMULATOR_ACTION_STATS,   /* print the statistics */
    EMULATOR_ACTION_RESET,   /* print them and count anew */
    EMULATOR_ACTION_QUIT,
} EmulatorActionKind;

enum { EMULATOR_LANE_A_B = 1, EMULATOR_LANE_B_A = 2, EMULATOR_LANE_BOTH = 3 };

typedef struct {
    EmulatorActionKind kind;
    unsigned lanes;
    char key[24];
    char value[24];
    uint64_t at_us; /* from when the line is read; 0 = now */
    uint64_t from_us, until_us, every_us;
} EmulatorAction;

/*
 * Understands one line:
 *   [at S] KEY [a>b|b>a|both] VALUE      rate a>b 32k
 *   [at S] set [a>b.|b>a.]KEY=VALUE      set b>a.loss=10%   ("set" may be left out)
 *   [at S] down|up [a>b|b>a|both]
 *   down S..S [every S] [a>b|b>a|both]
 *   stats | reset | quit
 * On false, ret_reason says what is wrong.
 */
bool emulator_action_parse(const char *line, EmulatorAction *ret_action, const char **ret_reason);
