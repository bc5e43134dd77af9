/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The lines from every host to every other, each made when it is first used: of a large world few
 * ever are.
 * It owns the lines, and what was done to all of them, which one made later goes through too: a
 * line is the same whenever it was first used. It never sends anything by itself.
 */
#pragma once

#include "tests/sim/hosts.h"
#include "tests/sim/line.h"

typedef struct Wiring Wiring;

/* `land` and its context are those of every line. */
Wiring *wiring_create(Schedule *schedule, uint64_t seed, LineLand land, gpointer context);
void wiring_destroy(Wiring *wiring);

/* One direction; its dice are those of the seed and the two hosts. Borrowed. */
Line *wiring_line(Wiring *wiring, unsigned from, unsigned to);
/* Every line from some hosts to some others is like this from now on. */
void wiring_change(Wiring *wiring, const Hosts *from, const Hosts *to,
                   const LineSettings *settings);
/* Cuts them, or heals them. */
void wiring_cut(Wiring *wiring, const Hosts *from, const Hosts *to, bool cut);
/* Lines made so far. */
size_t wiring_count(const Wiring *wiring);

/* What a host is called: A … Z, AA, AB and so on. */
void wiring_name(unsigned host, char ret_name[8]);
