/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One link in words: what is known of it goes in, a sentence that a person understands comes out.
 * It owns when a line is worth a sentence, and how it reads. It is pure: it asks nobody, remembers
 * nothing, and never says a figure that was not measured.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"
#include "node/cli/language.h"

/* What a source of this node sends at the moment. */
typedef enum {
    LINE_SOURCE_OFF,
    LINE_SOURCE_WHOLE,
    LINE_SOURCE_STILLS, /* single pictures */
    LINE_SOURCE_PAUSED, /* it is on, and nothing of it fits */
} LineSource;

/* Which of its figures make a line weak. */
typedef struct {
    gboolean rate, loss, delay;
} LineWeakness;

typedef struct {
    MeshLinkState state;
    MeshLineState line;
    gboolean known;    /* it was up before, since this node began */
    guint64 silent_ms; /* nothing was answered for so long */
    gboolean left;     /* because it went: it said so */
    guint rate_bps;    /* 0: not measured */
    guint loss_ppm;
    guint rtt_us;
    LineWeakness weak;
    LineSource voice, camera, screen; /* of this node, as far as this line decides of them */
    guint packet_ms;                  /* of the voice */
} LineView;

/* The one thing to be told of a line: the higher, the worse. */
typedef enum {
    LINE_FINE,
    LINE_WEAK,
    LINE_SHARED,
    LINE_SILENT,
} LineCondition;

/* What is weak now, given what was: a figure that wavers about a limit does not change it. */
LineWeakness line_weakness(const LineView *view, LineWeakness before);
LineCondition line_condition(const LineView *view);
/* The rate that the sentence tells of a weak line; 0: none. */
guint line_rate_told(const LineView *view);

/*
 * The sentence, without the member's name before it nor the point after it; NULL when there is
 * nothing to say. The caller frees.
 */
char *line_sentence(Language language, const LineView *view);

/* Figures as they are said: "40 kbit/s", "12 Mbit/s"; "450 ms", "12 s", "3 min". The caller frees.
 */
char *line_rate_text(Language language, guint rate_bps);
char *line_time_text(Language language, guint64 ms);

/* "the camera is paused", or of a screen; NULL when all of it is sent, or nothing asked for. */
const char *line_picture_text(Language language, LineSource source, gboolean camera);

/* English names for programs, and keys of language.h: of the link, and of how its rate is found. */
const char *line_state_name(MeshLinkState state);
const char *line_line_name(MeshLineState line);
