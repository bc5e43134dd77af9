/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ladder of pictures: what a camera or a screen should send on the line there is, and how it
 * finds out that more would fit.
 * It owns their rungs, the hysteresis and the trials. It never reads a clock or knows an encoder:
 * the caller keeps the climb.
 */
#pragma once

#include "media/protocol.h"

typedef enum {
    MEDIA_WAY_OFF,    /* no picture is sent */
    MEDIA_WAY_STILLS, /* one when it has changed, no more often than the line takes it */
    MEDIA_WAY_VIDEO,
} MediaWay;

typedef struct {
    unsigned rung;
    MediaWay way;
    uint16_t width;
    uint16_t height;
    uint8_t fps;
    uint32_t bitrate_bps; /* video: of its encoder */
    uint32_t wire_bps;    /* with every header; of stills the most they may take together */
} MediaVideoRung;

/* Where to begin, before the line is measured: with stills. */
MediaVideoRung media_climb_first(MediaKind kind);

/*
 * The rung for that line, out of what `voice_bps` (0: nobody speaks here) leaves: down at once as
 * far as needed, up one rung a call and only with a quarter of the rate to spare. Where nothing is
 * left it is off; stills take half of what is left. A zero rate leaves the rung as it is.
 */
MediaVideoRung media_climb_rung(MediaKind kind, const MediaUplink *line, uint32_t voice_bps,
                                unsigned rung);

/*
 * A camera's or screen's way over the ladder. A line is only known to carry what was once sent, so
 * a small picture alone never proves that a larger one would fit: after some calls in which nothing
 * changed, the next rung is tried for a few, if it is not far above what is proven. It stays when
 * that has proven it; each failure makes the next trial later. Voice takes no part: it goes first
 * on the line, and waits for no trial. On a line already known it begins where half of what is left
 * is enough, with a small picture at most: the first one is as large as several others.
 */
typedef struct {
    MediaKind kind; /* VIDEO or SCREEN */
    bool begun;     /* on a line that is known */
    bool burst;     /* the caller says that a picture was too large to be sent; a step forgets it */
    unsigned rung;
    unsigned calm;      /* calls since something last changed */
    unsigned patience;  /* of these before a trial, or before a rung that was too much */
    unsigned shy;       /* calls before a higher rung is taken, whatever the rates say */
    unsigned left;      /* calls that a trial may still last; 0: none */
    MediaUplink before; /* the line when it began */
    unsigned told;      /* the last rung that was no trial: what a person is told, */
    MediaReason reason; /* why it is that one, */
    MediaUplink since;  /* and the line it was told on */
} MediaClimb;

/* The climb at its beginning; the first rung is media_climb_first. */
MediaClimb media_climb_begin(MediaKind kind);
/* Once for each UPLINK: the rung from now on, never above what the person allows. Otherwise as
   media_climb_rung. */
MediaVideoRung media_climb_step(MediaClimb *climb, const MediaUplink *line, uint32_t voice_bps,
                                MediaSave save);
/* The rung that a person is told: of a trial only once it is won. */
MediaVideoRung media_climb_told(const MediaClimb *climb);
