/* SPDX-License-Identifier: MPL-2.0 */
/* A figure that each seed of a line gives one value of. */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

/* How many are tried. */
static inline uint32_t seeds(void) {
    return g_test_slow() ? 30 : 4;
}

typedef struct {
    double value[64];
    unsigned count;
} Figure;

static inline void figure_add(Figure *figure, double value) {
    g_assert_cmpuint(figure->count, <, G_N_ELEMENTS(figure->value));
    figure->value[figure->count++] = value;
}

static inline double figure_last(const Figure *figure) {
    return figure->value[figure->count - 1];
}

static inline int by_value(const void *a, const void *b) {
    double first = *(const double *)a;
    double second = *(const double *)b;

    return first < second ? -1 : first > second;
}

/* The least, the middle and the most, valid until the next few calls. */
static inline const char *figure_text(Figure *figure) {
    static char text[8][64];
    static unsigned next;
    char *here = text[next++ % 8];

    qsort(figure->value, figure->count, sizeof figure->value[0], by_value);
    g_snprintf(here, sizeof text[0], "%.4g/%.4g/%.4g", figure->value[0],
               figure->value[figure->count / 2], figure->value[figure->count - 1]);
    return here;
}

static inline double figure_middle(Figure *figure) {
    qsort(figure->value, figure->count, sizeof figure->value[0], by_value);
    return figure->value[figure->count / 2];
}

static inline double figure_least(const Figure *figure) {
    double least = figure->value[0];

    for (unsigned i = 1; i < figure->count; i++) {
        least = MIN(least, figure->value[i]);
    }
    return least;
}

static inline double figure_most(const Figure *figure) {
    double most = figure->value[0];

    for (unsigned i = 1; i < figure->count; i++) {
        most = MAX(most, figure->value[i]);
    }
    return most;
}
