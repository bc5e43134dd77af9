/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ladder of voice: what its encoder should do on the line there is, and what that costs.
 * It owns the rungs, their cost byte by byte, and the hysteresis between them. It never reads a
 * clock or knows an encoder: the caller keeps the rung.
 */
#pragma once

#include "media/protocol.h"

/* One rung of voice. A packet is one frame; one of 120 ms is two of the encoder joined. */
typedef struct {
    unsigned rung;
    MediaCodec codec;
    uint16_t packet_ms; /* 20, 40, 60 or 120 */
    uint16_t frame_ms;  /* 20, 40 or 60: what the encoder makes */
    uint32_t bitrate_bps;
    uint32_t wire_bps;  /* while somebody speaks, on that line: headers, copies and repairs too */
    MediaReason reason; /* of the last change */
    bool dtx;           /* silence is not sent */
} MediaVoiceRung;

/* Where to begin, before the line is measured. */
MediaVoiceRung media_ladder_voice_first(MediaProfile profile);

/*
 * The rung of voice for that line, from the one there was: down at once as far as needed, up one
 * rung a call and only with some of the rate to spare. Voice takes at most a third of a line, so
 * that a document and votes have theirs, unless it is the least of Opus or less, which may take
 * most of it. What is lost is paid for: where the link sends copies, by these; else by repairs. On
 * a line of long round trips short packets gain nothing, so their headers are not paid.
 * A zero rate leaves the rung as it is. The reason is NARROW while not even the least fits.
 */
MediaVoiceRung media_ladder_voice(const MediaUplink *line, const MediaVoiceRung *now);

/*
 * Bits a second on the wire, IPv4 and UDP included, of packets that long with that payload on that
 * line; acknowledgements of what comes the other way are not counted.
 */
uint32_t media_ladder_cost(const MediaUplink *line, uint32_t packet_ms, uint32_t payload);
