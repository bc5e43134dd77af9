/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The drop-tail queue before the line, counted in IP bytes.
 * Owns the frames it holds until they are popped.
 * Never drops a frame it has taken.
 */
#pragma once

#include "tests/net/emulator/frame.h"

typedef struct {
    EmulatorFrame *first;
    EmulatorFrame *last;
    size_t bytes;
} EmulatorQueue;

/* Takes the frame unless it would pass the limit; false leaves it with the caller. */
bool emulator_queue_push(EmulatorQueue *queue, EmulatorFrame *frame, size_t limit_bytes);

/* The oldest frame, now the caller's, or NULL. */
EmulatorFrame *emulator_queue_pop(EmulatorQueue *queue);

/* Destroys what is still held. */
void emulator_queue_finish(EmulatorQueue *queue);
