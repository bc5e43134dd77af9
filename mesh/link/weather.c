/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/weather.h"

#define PPM        WEATHER_PPM
#define KNOWN      24     /* packets, before anything is said */
#define EXCESS_PPM 70000  /* what chance alone may add */
#define HAND_PPM   250000 /* the same where the queue is in hand: a line too full loses so much */
#define NEW        64     /* packets: it is not known long */
#define OUTAGE_RUN 2      /* packets */
#define OUTAGE_US  50000
#define FADE_US    200000 /* where even two are far apart */
#define SURE_US    250000 /* nothing of that was chance */
#define OWED_MOST  (2 * PPM)

static uint32_t least(uint64_t a, uint64_t b) {
    return (uint32_t)(a < b ? a : b);
}

static uint32_t blend(uint32_t average, bool lost, uint64_t count) {
    int64_t step = ((lost ? PPM : 0) - (int64_t)average) / (int64_t)count;

    return (uint32_t)((int64_t)average + step);
}

/* Many in a row, for longer than chance takes so many. */
static bool is_outage(const FlightRow *row) {
    return row && row->us > (row->count > OUTAGE_RUN ? OUTAGE_US : FADE_US);
}

/* Of an outage, only the beginning of one so short that copies would help against it. */
static bool is_random(const FlightRow *row) {
    return !is_outage(row) || (row->us <= SURE_US &&
                               row->before_us <= (row->before < OUTAGE_RUN ? FADE_US : OUTAGE_US));
}

WeatherSign weather_learn(Weather *weather, const FlightRow *row) {
    bool lost = row != NULL;

    weather->resolved++;
    weather->lost = lost;
    weather->loss_ppm = blend(weather->loss_ppm, lost, least(weather->resolved, 128));
    if (is_random(row)) {
        weather->random_ppm = blend(weather->random_ppm, lost, least(weather->resolved, 128));
    }
    if (is_outage(row)) {
        return WEATHER_OUTAGE;
    }
    weather->recent_ppm = blend(weather->recent_ppm, lost, least(weather->resolved + 8, 32));
    weather->slow_ppm = blend(weather->slow_ppm, lost, least(weather->resolved + 8, 256));
    weather->weather_ppm = least(weather->weather_ppm, weather->slow_ppm);
    weather->owed_ppm = least(weather->owed_ppm + weather->weather_ppm, OWED_MOST);
    if (!lost) {
        return WEATHER_ARRIVED;
    }
    if (weather->owed_ppm < PPM) {
        return WEATHER_STRANGE;
    }
    weather->owed_ppm -= PPM;
    return WEATHER_EXPLAINED;
}

void weather_found(Weather *weather) {
    weather->loss_ppm -= least(weather->loss_ppm, PPM / 128);
    weather->random_ppm -= least(weather->random_ppm, PPM / 128);
    weather->recent_ppm -= least(weather->recent_ppm, PPM / 32);
}

void weather_accept(Weather *weather) {
    if (weather->resolved >= KNOWN && weather->weather_ppm < weather->slow_ppm) {
        weather->weather_ppm = weather->slow_ppm;
    }
}

bool weather_is_new(const Weather *weather) {
    return weather->resolved < NEW;
}

bool weather_is_worse(const Weather *weather, bool in_hand) {
    uint32_t arrives_ppm = PPM - weather->weather_ppm;
    uint32_t excess_ppm = least(in_hand ? HAND_PPM : EXCESS_PPM, arrives_ppm / 4);

    /* Of several lost the next ones will tell what that is. */
    return weather->resolved >= KNOWN && !weather->lost &&
           weather->recent_ppm >
               weather->weather_ppm + least(weather->weather_ppm, arrives_ppm) / 2 + excess_ppm;
}

void weather_settle(Weather *weather, uint32_t weather_ppm, uint32_t recent_ppm) {
    weather->weather_ppm = weather_ppm;
    weather->slow_ppm = weather_ppm;
    weather->recent_ppm = recent_ppm;
}
