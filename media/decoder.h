/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One decoder: a packet goes in, and what it decodes to comes out before the call returns.
 * It owns the choice and the settings of the element that decodes.
 * It never gives up: a packet it cannot read gives nothing.
 */
#pragma once

#include "media/protocol.h"
#include "media/stage.h"

typedef struct MediaDecoder MediaDecoder;

/* Fails when the plugin is missing. Used by one thread at a time. */
MediaDecoder *media_decoder_create(MediaCodec codec, MediaStageOutput output, void *user,
                                   GError **error);
void media_decoder_destroy(MediaDecoder *decoder);

/* Decodes `bytes`, which are taken over. `duration_ms` is what the packet claims to last. */
void media_decoder_push(MediaDecoder *decoder, GBytes *bytes, guint duration_ms);

/* Opus: invents that much sound from what came before; may give less, or nothing. */
void media_decoder_conceal(MediaDecoder *decoder, guint duration_ms);
