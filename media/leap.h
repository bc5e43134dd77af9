/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The times of a source that leap far ahead: one that takes them from a clock may do so before it
 * knows when the clock began, and a file may begin anywhere. Nobody waits hours for the next sound.
 * It owns how far times are put back. It never reads a clock.
 */
#pragma once

#include <stdint.h>

/* A pause in a source is waited for; one longer than that is none. */
#define MEDIA_LEAP_US 2000000

typedef struct {
    uint64_t back_us; /* so far are times put back that leap */
    uint64_t next_us; /* when what was last due is over */
} MediaLeap;

/* When that is due which comes at `now_us`, is for `given_us` and lasts so long. */
uint64_t media_leap_due_us(MediaLeap *leap, uint64_t given_us, uint64_t lasts_us, uint64_t now_us);
