/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/wiring.h"

#define LETTERS   26
#define SEED_WIDE 16 /* pairs below this are numbered in a square, the others by a hash */

/* Something done to the lines from some hosts to others. */
typedef struct {
    uint64_t at_us;
    enum { DEED_CHANGE, DEED_CUT, DEED_HEAL } kind;
    LineSettings settings; /* CHANGE */
    Hosts from, to;
} Deed;

struct Wiring {
    Schedule *schedule;
    uint64_t seed;
    LineLand land;
    gpointer context;
    Line **rows[HOSTS_MAX]; /* NULL: no line from that host was used yet */
    size_t count;
    GArray *deeds; /* in the order done */
};

Wiring *wiring_create(Schedule *schedule, uint64_t seed, LineLand land, gpointer context) {
    Wiring *wiring = g_new0(Wiring, 1);

    wiring->schedule = schedule;
    wiring->seed = seed;
    wiring->land = land;
    wiring->context = context;
    wiring->deeds = g_array_new(FALSE, FALSE, sizeof(Deed));
    return wiring;
}

void wiring_destroy(Wiring *wiring) {
    for (unsigned from = 0; from < HOSTS_MAX; from++) {
        for (unsigned to = 0; wiring->rows[from] && to < HOSTS_MAX; to++) {
            if (wiring->rows[from][to])
                line_finish(wiring->rows[from][to]);
            g_free(wiring->rows[from][to]);
        }
        g_free(wiring->rows[from]);
    }
    g_array_unref(wiring->deeds);
    g_free(wiring);
}

void wiring_name(unsigned host, char ret_name[8]) {
    if (host < LETTERS)
        g_snprintf(ret_name, 8, "%c", 'A' + host);
    else
        g_snprintf(ret_name, 8, "%c%c", 'A' + (host / LETTERS - 1) % LETTERS, 'A' + host % LETTERS);
}

size_t wiring_count(const Wiring *wiring) {
    return wiring->count;
}

/* ---- making ---- */

/* Both directions of a pair have it in common: they fade together. */
static uint64_t seed_of(uint64_t seed, unsigned from, unsigned to) {
    uint64_t low = MIN(from, to), high = MAX(from, to);
    Dice dice;

    if (high < SEED_WIDE)
        return (seed * SEED_WIDE + low) * SEED_WIDE + high;
    emulator_random_init(&dice, (seed * HOSTS_MAX + low) * HOSTS_MAX + high);
    return emulator_random_next(&dice);
}

static void do_deed(Line *line, unsigned from, unsigned to, const Deed *deed) {
    if (!hosts_have(&deed->from, from) || !hosts_have(&deed->to, to))
        return;
    if (deed->kind == DEED_CHANGE)
        line_change_at(line, &deed->settings, deed->at_us);
    else
        line_cut_at(line, deed->kind == DEED_CUT, deed->at_us);
}

static Line *make_line(Wiring *wiring, unsigned from, unsigned to) {
    Line *line = g_new0(Line, 1);
    char one[8], other[8], name[18];

    wiring_name(from, one);
    wiring_name(to, other);
    g_snprintf(name, sizeof name, "%s>%s", one, other);
    line_init(line, name, seed_of(wiring->seed, from, to), wiring->schedule, 0, wiring->land,
              wiring->context);
    for (guint i = 0; i < wiring->deeds->len; i++)
        do_deed(line, from, to, &g_array_index(wiring->deeds, Deed, i));
    wiring->count++;
    return line;
}

Line *wiring_line(Wiring *wiring, unsigned from, unsigned to) {
    Line **row = wiring->rows[from];

    g_assert_cmpuint(MAX(from, to), <, HOSTS_MAX);
    if (!row)
        row = wiring->rows[from] = g_new0(Line *, HOSTS_MAX);
    if (!row[to])
        row[to] = make_line(wiring, from, to);
    return row[to];
}

/* ---- all of them ---- */

static void do_now(Wiring *wiring, Deed *deed) {
    deed->at_us = schedule_now_us(wiring->schedule);
    g_array_append_val(wiring->deeds, *deed);
    for (unsigned from = 0; from < HOSTS_MAX; from++)
        for (unsigned to = 0; wiring->rows[from] && to < HOSTS_MAX; to++)
            if (wiring->rows[from][to])
                do_deed(wiring->rows[from][to], from, to, deed);
}

void wiring_change(Wiring *wiring, const Hosts *from, const Hosts *to,
                   const LineSettings *settings) {
    Deed deed = {.kind = DEED_CHANGE, .settings = *settings, .from = *from, .to = *to};

    do_now(wiring, &deed);
}

void wiring_cut(Wiring *wiring, const Hosts *from, const Hosts *to, bool cut) {
    Deed deed = {.kind = cut ? DEED_CUT : DEED_HEAL, .from = *from, .to = *to};

    do_now(wiring, &deed);
}
