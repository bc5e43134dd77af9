/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is told of something that wavers: a value is told once it has lasted, and the more often it
 * was told lately, the longer it rests before the next time.
 * It owns one value's past. It is pure: it never looks at a clock, and never tells by itself.
 */
#pragma once

#include <glib.h>

/* Between two tellings, ms: doubled by each that follows soon, the first again after a long rest.
 */
#define CALM_REST_MS_MIN 5000
#define CALM_REST_MS_MAX 300000

/* All zero in the beginning: 0 was told. */
typedef struct {
    guint told, seen;
    gint64 seen_ms; /* since when it is `seen` */
    gint64 told_ms;
    guint rest_ms; /* 0: nothing was told yet */
} Calm;

/*
 * Takes the value of now. TRUE: it is to be told now, and counts as told: it is another one than
 * the last told, has been the same for `hold_ms`, and the rest after the last telling is over.
 */
gboolean calm_due(Calm *calm, guint value, guint hold_ms, gint64 now_ms);
