/* SPDX-License-Identifier: MPL-2.0 */
#include "media/wav.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RATE        48000
#define HEADER_SIZE 44
/* The header's lengths are 32 bits wide. */
#define DATA_MAX (G_MAXUINT32 - HEADER_SIZE - 1)
/* Samples between two headers. */
#define PERIOD RATE

struct MediaWav {
    int descriptor;
    gboolean full;
    guint32 data_size;   /* written */
    guint32 header_size; /* of the data, as the header says */
    gsize pending;
    gint16 buffer[PERIOD / 10];
};

static void put_uint(guint8 *bytes, guint32 value, gsize width) {
    for (gsize i = 0; i < width; i++) {
        bytes[i] = (guint8)(value >> (8 * i));
    }
}

static gboolean write_at(int descriptor, const void *data, gsize size, goffset offset) {
    const guint8 *at = data;
    while (size > 0) {
        gssize written = pwrite(descriptor, at, size, offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return FALSE;
        }
        at += written;
        offset += written;
        size -= (gsize)written;
    }
    return TRUE;
}

static void make_header(guint8 header[HEADER_SIZE], guint32 data_size) {
    memcpy(header, "RIFF....WAVEfmt ....................data....", HEADER_SIZE);
    put_uint(header + 4, data_size + HEADER_SIZE - 8, 4);
    put_uint(header + 16, 16, 4);
    put_uint(header + 20, 1, 2); /* PCM */
    put_uint(header + 22, 1, 2); /* channels */
    put_uint(header + 24, RATE, 4);
    put_uint(header + 28, RATE * 2, 4);
    put_uint(header + 32, 2, 2);
    put_uint(header + 34, 16, 2);
    put_uint(header + 40, data_size, 4);
}

static gboolean write_header(MediaWav *wav) {
    guint8 header[HEADER_SIZE];
    make_header(header, wav->data_size);
    wav->header_size = wav->data_size;
    return write_at(wav->descriptor, header, sizeof(header), 0);
}

/* Bytes of sound in a recording of ours, whatever its header says of its length; 0 if it is none.
 */
static guint32 recorded(int descriptor) {
    guint8 found[HEADER_SIZE], expected[HEADER_SIZE];
    off_t size = lseek(descriptor, 0, SEEK_END);
    make_header(expected, 0);
    if (size < HEADER_SIZE || pread(descriptor, found, HEADER_SIZE, 0) != HEADER_SIZE) {
        return 0;
    }
    memcpy(found + 4, expected + 4, 4);
    memcpy(found + 40, expected + 40, 4);
    gboolean ours = memcmp(found, expected, HEADER_SIZE) == 0;
    return ours ? (guint32)MIN(size - HEADER_SIZE, DATA_MAX) / 2 * 2 : 0;
}

MediaWav *media_wav_create(const char *path, gboolean go_on, GError **error) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (go_on ? 0 : O_TRUNC), 0600);
    MediaWav *wav = g_new0(MediaWav, 1);
    wav->descriptor = descriptor;
    wav->data_size = descriptor >= 0 && go_on ? recorded(descriptor) : 0;
    if (descriptor < 0 || ftruncate(descriptor, HEADER_SIZE + (off_t)wav->data_size) != 0 ||
        !write_header(wav)) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot write %s: %s", path,
                    g_strerror(errno));
        wav->full = TRUE;
        media_wav_destroy(wav);
        return NULL;
    }
    return wav;
}

static gboolean flush(MediaWav *wav) {
    gsize size = wav->pending * sizeof(gint16);
    if (wav->full || size == 0) {
        return TRUE;
    }
    if (wav->data_size > DATA_MAX - size ||
        !write_at(wav->descriptor, wav->buffer, size, HEADER_SIZE + (goffset)wav->data_size)) {
        wav->full = TRUE;
        return FALSE;
    }
    wav->data_size += (guint32)size;
    wav->pending = 0;
    return wav->data_size - wav->header_size < PERIOD * sizeof(gint16) || write_header(wav);
}

gboolean media_wav_write(MediaWav *wav, const gint16 *samples, gsize count, GError **error) {
    while (count > 0 && !wav->full) {
        gsize part = MIN(count, G_N_ELEMENTS(wav->buffer) - wav->pending);
        for (gsize i = 0; i < part; i++) {
            wav->buffer[wav->pending + i] = (gint16)GINT16_TO_LE(samples[i]);
        }
        wav->pending += part;
        samples += part;
        count -= part;
        if (wav->pending == G_N_ELEMENTS(wav->buffer) && !flush(wav)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "recording stopped: %s",
                        errno == 0 ? "the file is full" : g_strerror(errno));
            return FALSE;
        }
    }
    return TRUE;
}

void media_wav_destroy(MediaWav *wav) {
    if (wav == NULL) {
        return;
    }
    if (wav->descriptor >= 0) {
        flush(wav);
        write_header(wav);
        /* On a full disk, half of what was not recorded any more. */
        if (wav->full && ftruncate(wav->descriptor, HEADER_SIZE + (off_t)wav->data_size) != 0) {
            g_debug("a recording keeps some bytes past its end: %s", g_strerror(errno));
        }
        close(wav->descriptor);
    }
    g_free(wav);
}
