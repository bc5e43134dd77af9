/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The frames in flight: a heap ordered by the moment each is due at the far end.
 * Owns the frames it holds until they have landed.
 * Never reorders two frames due at the same moment.
 */
#pragma once

#include "tests/net/emulator/frame.h"

typedef struct {
    uint64_t due_us;
    uint64_t order;
    EmulatorFrame *frame;
} EmulatorFlightSeat;

typedef struct {
    EmulatorFlightSeat *seats;
    size_t count;
    size_t capacity;
    uint64_t next_order;
} EmulatorFlight;

/* Takes the frame; false, and the frame stays the caller's, only without memory. */
bool emulator_flight_board(EmulatorFlight *flight, EmulatorFrame *frame, uint64_t due_us);

/* When the next frame is due; UINT64_MAX when none flies. */
uint64_t emulator_flight_due_us(const EmulatorFlight *flight);

/* The next frame if it is due by now, now the caller's, or NULL. */
EmulatorFrame *emulator_flight_land(EmulatorFlight *flight, uint64_t now_us, uint64_t *ret_due_us);

/* Destroys what still flies. */
void emulator_flight_finish(EmulatorFlight *flight);
