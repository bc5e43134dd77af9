/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/alarms.h"

#define NOWHERE UINT32_MAX

/* A heap of numbers, and where in it each is. */
struct Alarms {
    uint64_t *at_us;
    guint32 *heap, *places;
    guint32 count;
};

Alarms *alarms_create(unsigned count) {
    Alarms *alarms = g_new0(Alarms, 1);

    alarms->at_us = g_new0(uint64_t, count);
    alarms->heap = g_new0(guint32, count);
    alarms->places = g_new(guint32, count);
    for (unsigned i = 0; i < count; i++)
        alarms->places[i] = NOWHERE;
    return alarms;
}

void alarms_destroy(Alarms *alarms) {
    g_free(alarms->at_us);
    g_free(alarms->heap);
    g_free(alarms->places);
    g_free(alarms);
}

static bool before(const Alarms *alarms, guint32 a, guint32 b) {
    return alarms->at_us[a] < alarms->at_us[b] || (alarms->at_us[a] == alarms->at_us[b] && a < b);
}

static void put(Alarms *alarms, guint32 place, guint32 number) {
    alarms->heap[place] = number;
    alarms->places[number] = place;
}

/* The number at this place may be too late or too early for it. */
static void sift(Alarms *alarms, guint32 place) {
    guint32 number = alarms->heap[place];

    while (place > 0 && before(alarms, number, alarms->heap[(place - 1) / 2])) {
        put(alarms, place, alarms->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (guint32 child; (child = 2 * place + 1) < alarms->count; place = child) {
        if (child + 1 < alarms->count &&
            before(alarms, alarms->heap[child + 1], alarms->heap[child]))
            child++;
        if (!before(alarms, alarms->heap[child], number))
            break;
        put(alarms, place, alarms->heap[child]);
    }
    put(alarms, place, number);
}

void alarms_set(Alarms *alarms, unsigned number, uint64_t at_us) {
    guint32 place = alarms->places[number];

    alarms->at_us[number] = at_us;
    if (at_us == UINT64_MAX && place != NOWHERE) {
        guint32 last = alarms->heap[--alarms->count];

        alarms->places[number] = NOWHERE;
        if (last != number) {
            put(alarms, place, last);
            sift(alarms, place);
        }
    } else if (at_us != UINT64_MAX) {
        if (place == NOWHERE) {
            place = alarms->count++;
            put(alarms, place, number);
        }
        sift(alarms, place);
    }
}

bool alarms_first(const Alarms *alarms, unsigned *ret_number, uint64_t *ret_at_us) {
    if (alarms->count == 0)
        return false;
    *ret_number = alarms->heap[0];
    *ret_at_us = alarms->at_us[alarms->heap[0]];
    return true;
}
