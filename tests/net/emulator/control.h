/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where commands come from while the line runs: standard input, or one client of a unix socket.
 * Owns its descriptors and the half line read so far.
 * Never understands a command: it cuts the stream into lines.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    int descriptor; /* -1 = closed */
    FILE *answers;
    size_t length;
    char buffer[512];
} EmulatorControl;

/* Reads from a descriptor, answers to a stream; takes both. */
void emulator_control_init(EmulatorControl *control, int descriptor, FILE *answers);
void emulator_control_finish(EmulatorControl *control);

/* Reads what waits; false, and closed, at the end of the stream. */
bool emulator_control_read(EmulatorControl *control);

/* The next whole line, without its end, cut to the size given; false when there is none. */
bool emulator_control_line(EmulatorControl *control, char *ret_line, size_t capacity);

/* A listening unix socket at this path, replaced if it exists; -1 with the reason on stderr. */
int emulator_control_listen(const char *path);
