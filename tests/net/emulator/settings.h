/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What one direction of the line is like, and the words a person describes it with.
 * Owns the named profiles W1 to W5 and the table of keys.
 * Never touches a line: lanes read a copy of these settings.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    EMULATOR_JITTER_IN_ORDER, /* a late frame holds up those behind it */
    EMULATOR_JITTER_FREE,     /* each frame on its own: jitter may overtake */
} EmulatorJitterKind;

typedef enum {
    EMULATOR_FADE_COMMON, /* both directions fade together, as a radio path does */
    EMULATOR_FADE_OWN,    /* this direction has its own dice */
} EmulatorFadeKind;

typedef struct {
    double rate_bps;     /* of IP bytes; 0 = as fast as the machine */
    double delay_us;     /* one way, after the last bit left */
    double jitter_us;    /* plus or minus, uniform */
    double loss;         /* random, 0 to 1 */
    double burst_share;  /* share of time (or of frames) in the bad state */
    double burst_us;     /* mean length of the bad state in time, or 0 */
    double burst_frames; /* mean length of the bad state in frames, when burst_us is 0 */
    double burst_loss;   /* loss in the bad state */
    double reorder;      /* share of frames held back */
    double reorder_us;   /* for how long; 0 = half the delay, at least 10 ms */
    double duplicate;    /* share of frames that arrive twice */
    double queue_bytes;  /* waiting, the frame on the line not counted; 0 = no limit */
    double mtu_bytes;    /* larger IP packets are dropped; 0 = no limit */
    EmulatorJitterKind jitter_kind;
    EmulatorFadeKind fade_kind;
} EmulatorSettings;

/* A perfect line: no limit, no delay, no loss. */
EmulatorSettings emulator_settings_perfect(void);

/* Sets one key from its text ("rate", "64k"; "loss", "10%"); false for an unknown key or value. */
bool emulator_settings_set(EmulatorSettings *settings, const char *key, const char *value);

/* A number with k, M, % behind it; false if it is not one, or is negative. */
bool emulator_settings_number(const char *text, double *ret_value);

/*
 * The settings of a named profile and the outage schedule that belongs to it ("" for none);
 * false if there is no such name.
 */
bool emulator_settings_profile(const char *name, EmulatorSettings *ret_settings,
                               const char **ret_schedule);
