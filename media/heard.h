/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the loudspeaker plays, and when it is heard: written by the player, read by the capture
 * beside it, so that it can be taken out of the microphone. It is the last second of sound, in
 * memory that both processes have from the node. It never waits and never asks: who reads late, or
 * what was never written, is silence; whatever the other process writes into it is only sound.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct MediaHeard MediaHeard;

/* Samples written at a time at most, and how far back they can be read: 0.1 s and 1.2 s. */
#define MEDIA_HEARD_WRITE_MAX 4800
#define MEDIA_HEARD_READ_MAX  57600

/* New memory, all silence, as a descriptor to be handed to both; -1 with errno when there is none.
 */
int media_heard_make(void);

/* Maps it; the descriptor is not needed any more. NULL with errno when it is no such memory. */
MediaHeard *media_heard_open(int descriptor);
/* NULL-safe. */
void media_heard_close(MediaHeard *heard);

/* A moment of the monotonic clock as a number of samples: 48 of them are a millisecond. */
uint64_t media_heard_place(uint64_t time_us);

/* What is heard from that place on. Between it and what was written before there is silence. */
void media_heard_write(MediaHeard *heard, uint64_t place, const int16_t *samples, size_t count);

/* What is heard from that place on; silence where nothing is known. Any thread may read. */
void media_heard_read(const MediaHeard *heard, uint64_t place, int16_t *ret_samples, size_t count);
