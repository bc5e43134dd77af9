/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A WAV file written as it is heard: 16-bit mono, 48 kHz.
 * It owns the file and its header, which is made true again every second.
 * It never buffers more than a second: a killed process leaves a file that plays.
 */
#pragma once

#include <gio/gio.h>

typedef struct MediaWav MediaWav;

/*
 * Opens the file, before the sandbox is entered, and empties it; with `go_on` a recording of ours
 * that is there is continued at its end.
 */
MediaWav *media_wav_create(const char *path, gboolean go_on, GError **error);

/*
 * Appends samples in host order. False once, when the disk or the format (4 GiB, 12 hours) is full;
 * everything after that is dropped. Any one thread at a time.
 */
gboolean media_wav_write(MediaWav *wav, const gint16 *samples, gsize count, GError **error);

/* Makes the header true and closes. */
void media_wav_destroy(MediaWav *wav);
