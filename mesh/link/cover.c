/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/cover.h"

#include "mesh/limits.h"

#define PPM          1000000
#define LITTLE_PPM   10000 /* so much is borne, */
#define MUCH_PPM     50000 /* and up to here repairs help, if two of them come in time */
#define REPAIR_TRIPS 3
#define MISSED_PPM   2000 /* that may be lost in spite of all copies */
#define SHARE        3    /* of the line: what a voice may take before its first copy is too much */
#define MORE_PERCENT 25   /* of the line, that it may take with further ones, */
#define MORE_BESIDE  38   /* and where they cost no headers */
#define APART_US     20000 /* a copy too close would be lost with the one before; */
#define APART_LEAST  10000 /* of short messages, the next one carries it */

static bool is_wanted(const CoverLine *line, uint64_t life_us) {
    return line->loss_ppm > MUCH_PPM ||
           (line->loss_ppm > LITTLE_PPM && life_us < REPAIR_TRIPS * line->trip_us);
}

/* What the line may carry is not known before it is sent: where it is too much, a queue will show,
 * and then it is known. */
static bool fits_twice(const CoverLine *line, uint64_t size) {
    return (line->overhead + size) * SHARE <= line->room ||
           (line->untried && line->overhead + size <= line->room);
}

static bool fits_halves(const CoverLine *line, uint64_t size, unsigned halves) {
    uint64_t percent = line->beside ? MORE_BESIDE : MORE_PERCENT;

    return (line->overhead + size * halves / 2) * 100 <= line->room * percent;
}

unsigned cover_copies(const CoverLine *line, size_t size, uint64_t life_us, uint64_t number) {
    uint64_t missed_ppm = (uint64_t)line->loss_ppm * line->loss_ppm / PPM;
    unsigned halves = 4;

    if (!is_wanted(line, life_us) || !fits_twice(line, size)) {
        return 1;
    }
    while (halves < 2 * MESH_COPIES_MAX && missed_ppm > MISSED_PPM &&
           fits_halves(line, size, halves + 1)) {
        halves++;
        missed_ppm = halves % 2 == 0 ? missed_ppm * line->loss_ppm / PPM : missed_ppm;
    }
    return (halves + (unsigned)(number % 2)) / 2;
}

uint64_t cover_apart_us(const CoverLine *line) {
    uint64_t apart_us = line->gap_us / 2;

    return apart_us > APART_US ? APART_US : apart_us < APART_LEAST ? APART_LEAST : apart_us;
}
