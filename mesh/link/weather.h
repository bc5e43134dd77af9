/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is lost, and how much of that is the line's weather rather than our doing.
 * It owns the averages and the least that is always lost. It never slows anything: it only tells
 * when more is lost than the weather explains.
 */
#pragma once

#include "mesh/link/flight.h"

#define WEATHER_PPM 1000000

typedef struct {
    uint64_t resolved;    /* packets acknowledged or lost */
    uint32_t loss_ppm;    /* over about 128 packets */
    uint32_t random_ppm;  /* the same without those lost many in a row: copies help against it */
    uint32_t recent_ppm;  /* over about 32 */
    uint32_t weather_ppm; /* what is lost however slow we are */
    uint32_t slow_ppm;    /* over about 256: the weather is no worse */
    uint32_t owed_ppm;    /* of losses that the weather explains and that did not happen yet */
    bool lost;            /* the last of them was */
} Weather;

typedef enum {
    WEATHER_ARRIVED,
    WEATHER_EXPLAINED, /* lost, as many are */
    WEATHER_STRANGE,   /* lost, and the weather does not explain it */
    WEATHER_OUTAGE,    /* one of many in a row: the line was gone, which says nothing of its load */
} WeatherSign;

/* One packet's fate is known: lost in this row, or NULL, it arrived. */
WeatherSign weather_learn(Weather *weather, const FlightRow *row);
/* A packet thought lost had arrived after all. */
void weather_found(Weather *weather);
/* What is lost lately is the weather, as it is not our doing. */
void weather_accept(Weather *weather);
/* Too few packets are known to tell chance from weather. */
bool weather_is_new(const Weather *weather);
/* More is lost than the weather explains; `in_hand`: by far more. */
bool weather_is_worse(const Weather *weather, bool in_hand);
/* The weather is this, and so is what is lost now. */
void weather_settle(Weather *weather, uint32_t weather_ppm, uint32_t recent_ppm);
