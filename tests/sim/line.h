/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the way from one host to another does to datagrams: how long it takes, what it loses, how
 * much it carries, and whether it is cut. One direction: a lane of the emulator in virtual time.
 * It owns what is on its way. It never reads what it carries, and models nothing itself.
 */
#pragma once

#include "mesh/bytes.h"
#include "tests/net/emulator/lane.h"
#include "tests/sim/dice.h"
#include "tests/sim/schedule.h"

#define LINE_MTU 1500

typedef struct {
    EmulatorSettings lane; /* an MTU of 0 is LINE_MTU */
    uint32_t damage_ppm;   /* has some bits changed */
    uint32_t replay_ppm;   /* comes again, within a minute, from whoever kept it */
} LineSettings;

/* Something arrives at the far end; borrowed for the call. */
typedef void (*LineLand)(gpointer context, const uint8_t *bytes, size_t length);

typedef struct {
    EmulatorLane lane;
    char name[16];
    uint32_t damage_ppm, replay_ppm;
    Schedule *schedule;
    EmulatorHistogram *queue; /* NULL: of no interest, see line_measure */
    uint64_t armed_us;        /* looked at again then; UINT64_MAX: not */
    LineLand land;
    gpointer context;
} Line;

/* A perfect line, there since that moment. Those of one seed have the fades in common, their names
 * make the rest differ. */
void line_init(Line *line, const char *name, uint64_t seed, Schedule *schedule, uint64_t since_us,
               LineLand land, gpointer context);
void line_finish(Line *line);

/* As of now, for what is queued too. */
void line_change(Line *line, const LineSettings *settings);
void line_cut(Line *line, bool cut);
bool line_is_cut(const Line *line);
/* The same as of a moment since which nothing passed. */
void line_change_at(Line *line, const LineSettings *settings, uint64_t at_us);
void line_cut_at(Line *line, bool cut, uint64_t at_us);

/* From now on it is kept how long what is sent waits in its queue. */
void line_measure(Line *line);

/* Sends any bytes that cost `ip_bytes` on the line. */
void line_send(Line *line, const uint8_t *bytes, size_t length, size_t ip_bytes);
