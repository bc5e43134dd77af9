/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/flight.h"

#include <stdlib.h>

static bool seat_is_before(const EmulatorFlightSeat *one, const EmulatorFlightSeat *other) {
    if (one->due_us != other->due_us)
        return one->due_us < other->due_us;
    return one->order < other->order;
}

static bool flight_grow(EmulatorFlight *flight) {
    size_t capacity = flight->capacity == 0 ? 64 : flight->capacity * 2;
    EmulatorFlightSeat *seats = realloc(flight->seats, capacity * sizeof *seats);
    if (seats == NULL)
        return false;
    flight->seats = seats;
    flight->capacity = capacity;
    return true;
}

bool emulator_flight_board(EmulatorFlight *flight, EmulatorFrame *frame, uint64_t due_us) {
    if (flight->count == flight->capacity && !flight_grow(flight))
        return false;
    EmulatorFlightSeat seat = {.due_us = due_us, .order = flight->next_order++, .frame = frame};
    size_t at = flight->count++;
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!seat_is_before(&seat, &flight->seats[parent]))
            break;
        flight->seats[at] = flight->seats[parent];
        at = parent;
    }
    flight->seats[at] = seat;
    return true;
}

uint64_t emulator_flight_due_us(const EmulatorFlight *flight) {
    return flight->count > 0 ? flight->seats[0].due_us : UINT64_MAX;
}

EmulatorFrame *emulator_flight_land(EmulatorFlight *flight, uint64_t now_us, uint64_t *ret_due_us) {
    if (emulator_flight_due_us(flight) > now_us || flight->count == 0)
        return NULL;
    EmulatorFrame *frame = flight->seats[0].frame;
    *ret_due_us = flight->seats[0].due_us;
    EmulatorFlightSeat seat = flight->seats[--flight->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= flight->count)
            break;
        if (child + 1 < flight->count &&
            seat_is_before(&flight->seats[child + 1], &flight->seats[child]))
            child++;
        if (!seat_is_before(&flight->seats[child], &seat))
            break;
        flight->seats[at] = flight->seats[child];
        at = child;
    }
    if (flight->count > 0)
        flight->seats[at] = seat;
    return frame;
}

void emulator_flight_finish(EmulatorFlight *flight) {
    for (size_t i = 0; i < flight->count; i++)
        emulator_frame_destroy(flight->seats[i].frame);
    free(flight->seats);
    *flight = (EmulatorFlight){0};
}
