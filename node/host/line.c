/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/line.h"

#include <stdarg.h>

/* A line becomes weak past the first, and is so until it is past the second. */
#define RATE_WEAK_BPS 96000
#define RATE_FAIR_BPS 128000
#define LOSS_WEAK_PPM 50000
#define LOSS_FAIR_PPM 25000
#define RTT_WEAK_US   1000000
#define RTT_FAIR_US   700000

/* Voice in packets longer than these is heard later than on a good line. */
#define PACKET_GOOD_MS 20

/* Silence is said when it is longer than a person would notice. */
#define SILENT_MS 3000

#define MS_PER_S 1000

static gboolean answers(const LineView *view) {
    return view->state == MESH_LINK_UP && view->line != MESH_LINE_OUTAGE;
}

/* In the beginning, and in a trial, the rate only says what the line carries at least. */
static gboolean is_measured(const LineView *view) {
    return view->rate_bps != 0 && view->line != MESH_LINE_START && view->line != MESH_LINE_TRIAL;
}

LineWeakness line_weakness(const LineView *view, LineWeakness before) {
    if (!answers(view)) {
        return before;
    }
    guint rate_limit = before.rate ? RATE_FAIR_BPS : RATE_WEAK_BPS;
    guint loss_limit = before.loss ? LOSS_FAIR_PPM : LOSS_WEAK_PPM;
    guint rtt_limit = before.delay ? RTT_FAIR_US : RTT_WEAK_US;
    return (LineWeakness){.rate = is_measured(view) ? view->rate_bps < rate_limit : before.rate,
                          .loss = view->loss_ppm >= loss_limit,
                          .delay = view->rtt_us >= rtt_limit};
}

LineCondition line_condition(const LineView *view) {
    if (!answers(view)) {
        return view->known && view->silent_ms >= SILENT_MS ? LINE_SILENT : LINE_FINE;
    }
    if (view->line == MESH_LINE_SHARED) {
        return LINE_SHARED;
    }
    return view->weak.rate || view->weak.loss || view->weak.delay ? LINE_WEAK : LINE_FINE;
}

guint line_rate_told(const LineView *view) {
    return answers(view) && view->weak.rate && is_measured(view) ? view->rate_bps : 0;
}

/* ---- words ---- */

char *line_rate_text(Language language, guint rate_bps) {
    guint64 kbit = (rate_bps + G_GUINT64_CONSTANT(500)) / 1000;
    guint64 mbit = (rate_bps + G_GUINT64_CONSTANT(500000)) / 1000000;
    return kbit < 10000 ? g_strdup_printf(language_text_in(language, N_("%u kbit/s")), (guint)kbit)
                        : g_strdup_printf(language_text_in(language, N_("%u Mbit/s")), (guint)mbit);
}

char *line_time_text(Language language, guint64 ms) {
    guint64 s = ms / MS_PER_S;
    if (s < 1) {
        return g_strdup_printf(language_text_in(language, N_("%u ms")), (guint)ms);
    }
    if (s < 120) {
        return g_strdup_printf(language_text_in(language, N_("%u s")), (guint)s);
    }
    return s < 7200 ? g_strdup_printf(language_text_in(language, N_("%u min")), (guint)(s / 60))
                    : g_strdup_printf(language_text_in(language, N_("%u h")), (guint)(s / 3600));
}

static void add(GString *text, const char *between, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void add(GString *text, const char *between, const char *format, ...) {
    va_list arguments;
    if (text->len > 0) {
        g_string_append(text, between);
    }
    va_start(arguments, format);
    g_string_append_vprintf(text, format, arguments);
    va_end(arguments);
}

/* "1.4 s" there and back. The caller frees. */
static char *delay_text(Language language, guint rtt_us) {
    guint tenths = (rtt_us + 50000) / 100000;
    return tenths >= 10 ? g_strdup_printf(language_text_in(language, N_("%u.%u s")), tenths / 10,
                                          tenths % 10)
                        : line_time_text(language, rtt_us / 1000);
}

static const char *semicolon(Language language) {
    return language_text_in(language, N_("; "));
}

static void add_figures(GString *text, Language language, const LineView *view) {
    guint percent = (view->loss_ppm + 5000) / 10000;
    gboolean slow = line_rate_told(view) != 0;
    g_autofree char *rate = line_rate_text(language, view->rate_bps);
    g_autofree char *delay = delay_text(language, view->rtt_us);
    if (slow && view->weak.loss) {
        add(text, semicolon(language),
            language_text_in(language, N_("the line gives %s and loses %u %% of packets")), rate,
            percent);
    } else if (slow) {
        add(text, semicolon(language), language_text_in(language, N_("the line gives %s")), rate);
    } else if (view->weak.loss) {
        add(text, semicolon(language),
            language_text_in(language, N_("the line loses %u %% of packets")), percent);
    }
    if (view->weak.delay) {
        add(text, ", ", language_text_in(language, N_("an answer takes %s")), delay);
    }
    if (view->weak.rate && view->line == MESH_LINE_START) {
        add(text, semicolon(language),
            language_text_in(language, N_("it is being found out how much the line gives")));
    }
}

static void add_reason(GString *text, Language language, const LineView *view) {
    if (view->line == MESH_LINE_SHARED) {
        add(text, semicolon(language),
            language_text_in(language, N_("another program fills the line")));
    } else if (view->line == MESH_LINE_TRIAL) {
        add(text, semicolon(language),
            language_text_in(language,
                             N_("it is being tested whether the line itself loses them")));
    }
}

const char *line_picture_text(Language language, LineSource source, gboolean camera) {
    switch (source) {
    case LINE_SOURCE_STILLS:
        return language_text_in(language, camera ? N_("the camera sends stills")
                                                 : N_("the screen is sent as stills"));
    case LINE_SOURCE_PAUSED:
        return language_text_in(language,
                                camera ? N_("the camera is paused") : N_("the screen is paused"));
    case LINE_SOURCE_OFF:
    case LINE_SOURCE_WHOLE:
        break;
    }
    return NULL;
}

/* What the line makes of this node's own voice and pictures. */
static void add_sources(GString *text, Language language, const LineView *view) {
    g_autoptr(GString) said = g_string_new(NULL);
    const char *pictures[] = {line_picture_text(language, view->camera, TRUE),
                              line_picture_text(language, view->screen, FALSE)};
    if (view->voice == LINE_SOURCE_PAUSED) {
        add(said, ", ", language_text_in(language, N_("no voice fits")));
    } else if (view->voice == LINE_SOURCE_WHOLE && view->packet_ms > PACKET_GOOD_MS) {
        add(said, ", ", language_text_in(language, N_("voice goes in packets of %u ms")),
            view->packet_ms);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(pictures); i++) {
        if (pictures[i] != NULL) {
            add(said, ", ", "%s", pictures[i]);
        }
    }
    if (said->len > 0) {
        add(text, semicolon(language), "%s", said->str);
    }
}

char *line_sentence(Language language, const LineView *view) {
    GString *text = g_string_new(NULL);
    if (line_condition(view) == LINE_SILENT) {
        g_autofree char *time = line_time_text(language, view->silent_ms);
        g_string_append_printf(text,
                               language_text_in(language, view->left && view->state != MESH_LINK_UP
                                                              ? N_("it said goodbye %s ago")
                                                              : N_("no answer for %s")),
                               time);
    } else if (answers(view)) {
        add_figures(text, language, view);
        add_reason(text, language, view);
        add_sources(text, language, view);
    }
    return g_string_free(text, text->len == 0);
}

const char *line_state_name(MeshLinkState state) {
    switch (state) {
    case MESH_LINK_UP:
        return "up";
    case MESH_LINK_CONNECTING:
        return "connecting";
    case MESH_LINK_DOWN:
    default:
        return "down";
    }
}

const char *line_line_name(MeshLineState line) {
    static const char *const names[] = {
        [MESH_LINE_UNKNOWN] = "",    [MESH_LINE_START] = "start",   [MESH_LINE_STEADY] = "steady",
        [MESH_LINE_TRIAL] = "trial", [MESH_LINE_SHARED] = "shared", [MESH_LINE_OUTAGE] = "outage",
    };
    return (guint)line < G_N_ELEMENTS(names) ? names[line] : "";
}
