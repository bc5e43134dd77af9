/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a person switched on, of one kind: the microphone, a camera, the screen, or what plays
 * instead. It owns the source's words, its state and its numbering over the lives of the helper.
 * It never starts the helper, and knows of no other kind.
 */
#pragma once

#include "node/media/helper.h"
#include "node/media/media.h"

typedef struct MediaTake MediaTake;

/* Both are borrowed. */
MediaTake *media_take_create(MediaKind kind, MediaHelper *capture, const MediaHandler *handler);
/* Forgets it; a start not done is not told. NULL-safe. */
void media_take_destroy(MediaTake *take);

/* As media_source_start and media_source_stop; starting goes on when the helper is ready. */
void media_take_start(MediaTake *take, const char *source, MediaProfile profile,
                      MediaStartDone done, gpointer data);
void media_take_stop(MediaTake *take);
gboolean media_take_runs(const MediaTake *take);
/* It is recorded, not sent. */
gboolean media_take_records(const MediaTake *take);

/* What the helper does: it is ready, says something of this kind, dies. */
void media_take_ready(MediaTake *take);
void media_take_message(MediaTake *take, const MediaMessage *message);
void media_take_gone(MediaTake *take, const char *reason, gboolean again);
