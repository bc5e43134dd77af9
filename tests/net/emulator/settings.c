/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    const char *name;
    size_t offset;
    double scale; /* from what a person writes to what the struct holds */
    double maximum;
} Key;

#define KEY(field) offsetof(EmulatorSettings, field)

static const Key keys[] = {
    {"rate", KEY(rate_bps), 1, 1e11},
    {"delay", KEY(delay_us), 1000, 1e9},
    {"jitter", KEY(jitter_us), 1000, 1e9},
    {"loss", KEY(loss), 1, 1},
    {"burst_share", KEY(burst_share), 1, 0.99},
    {"burst_ms", KEY(burst_us), 1000, 1e9},
    {"burst_frames", KEY(burst_frames), 1, 1e6},
    {"burst_loss", KEY(burst_loss), 1, 1},
    {"reorder", KEY(reorder), 1, 1},
    {"reorder_ms", KEY(reorder_us), 1000, 1e9},
    {"duplicate", KEY(duplicate), 1, 1},
    {"queue", KEY(queue_bytes), 1, 1e10},
    {"mtu", KEY(mtu_bytes), 1, 65535},
};

typedef struct {
    const char *name;
    const char *schedule;
    double rate_bps, delay_ms, loss, queue_bytes, burst_share, burst_ms;
} Profile;

static const Profile profiles[] = {
    {"W1", "", 256e3, 100, 0.03, 32000, 0, 0},
    {"W2", "", 64e3, 300, 0.10, 16000, 0, 0},
    {"W3", "", 16e3, 600, 0, 8000, 0.05, 1000},
    {"W4", "", 2e6, 20, 0.20, 64000, 0, 0},
    {"W5", "down 30..60 every 60", 256e3, 80, 0.02, 32000, 0, 0},
};

EmulatorSettings emulator_settings_perfect(void) {
    return (EmulatorSettings){.burst_loss = 1};
}

bool emulator_settings_number(const char *text, double *ret_value) {
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value < 0)
        return false;
    if (strcmp(end, "k") == 0)
        value *= 1e3;
    else if (strcmp(end, "M") == 0)
        value *= 1e6;
    else if (strcmp(end, "%") == 0)
        value /= 100;
    else if (*end != '\0')
        return false;
    *ret_value = value;
    return true;
}

static bool settings_set_word(EmulatorSettings *settings, const char *key, const char *value) {
    if (strcmp(key, "jitter_order") == 0 && strcmp(value, "kept") == 0)
        settings->jitter_kind = EMULATOR_JITTER_IN_ORDER;
    else if (strcmp(key, "jitter_order") == 0 && strcmp(value, "free") == 0)
        settings->jitter_kind = EMULATOR_JITTER_FREE;
    else if (strcmp(key, "fade") == 0 && strcmp(value, "common") == 0)
        settings->fade_kind = EMULATOR_FADE_COMMON;
    else if (strcmp(key, "fade") == 0 && strcmp(value, "own") == 0)
        settings->fade_kind = EMULATOR_FADE_OWN;
    else
        return false;
    return true;
}

bool emulator_settings_set(EmulatorSettings *settings, const char *key, const char *value) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        double number;
        if (strcmp(keys[i].name, key) != 0)
            continue;
        if (!emulator_settings_number(value, &number) || number * keys[i].scale > keys[i].maximum)
            return false;
        number *= keys[i].scale;
        memcpy((char *)settings + keys[i].offset, &number, sizeof number);
        return true;
    }
    return settings_set_word(settings, key, value);
}

bool emulator_settings_profile(const char *name, EmulatorSettings *ret_settings,
                               const char **ret_schedule) {
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        const Profile *profile = &profiles[i];
        if (strcasecmp(profile->name, name) != 0)
            continue;
        EmulatorSettings settings = emulator_settings_perfect();
        settings.rate_bps = profile->rate_bps;
        settings.delay_us = profile->delay_ms * 1000;
        settings.loss = profile->loss;
        settings.queue_bytes = profile->queue_bytes;
        settings.burst_share = profile->burst_share;
        settings.burst_us = profile->burst_ms * 1000;
        *ret_settings = settings;
        *ret_schedule = profile->schedule;
        return true;
    }
    return false;
}
