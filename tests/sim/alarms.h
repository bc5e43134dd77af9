/* SPDX-License-Identifier: MPL-2.0 */
/*
 * When each node's core wants to be woken: a moment each, the earliest found at once.
 * It owns the moments. It never wakes anyone.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Alarms Alarms;

/* For nodes numbered below `count`. */
Alarms *alarms_create(unsigned count);
void alarms_destroy(Alarms *alarms);

/* UINT64_MAX: never. */
void alarms_set(Alarms *alarms, unsigned number, uint64_t at_us);
/* The earliest, of one moment the lowest number; false: there is none. */
bool alarms_first(const Alarms *alarms, unsigned *ret_number, uint64_t *ret_at_us);
