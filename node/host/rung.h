/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What one source of this node sends, in words: a rung of the media helper goes in, a sentence that
 * a person understands comes out. It owns how it reads. It is pure, and never chooses a rung.
 */
#pragma once

#include "media/protocol.h"
#include "node/host/line.h"

/* How far the source gets through. */
LineSource rung_source(const MediaRung *rung);
/* What it sends, and why: "the camera is paused: speech needs the room". The caller frees. */
char *rung_sentence(Language language, const MediaRung *rung);
/* Two rungs of one value are the same to a person; never 0. */
guint rung_value(const MediaRung *rung);
/* English name for programs: "opus", "vp8"…, "none" when nothing is sent. */
const char *rung_codec_name(MediaCodec codec);
