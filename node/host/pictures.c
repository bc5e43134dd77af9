/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/pictures.h"

#include <string.h>

#include "node/host/sources.h"
#include "node/host/speakers.h"

/* Sources of which a picture is kept; of one more none is. */
#define KEPT_MAX (MESH_STREAMS_MAX + 2)

#define PIXELS_MAX (1920 * 1080)

/* Of one's own camera a keyframe costs the line: no page gets one sooner after another. */
#define OWN_WISH_US (2 * G_USEC_PER_SEC)

typedef struct {
    MeshKey member;
    MeshStreamKind kind;
    Picture picture; /* its payload is that of `bytes` */
    GBytes *bytes;
    gint64 came_us;
} Kept;

static void kept_free(gpointer data) {
    Kept *kept = data;
    g_bytes_unref(kept->bytes);
    g_free(kept);
}

void pictures_create(Host *host) {
    host->pictures = g_ptr_array_new_with_free_func(kept_free);
}

void pictures_destroy(Host *host) {
    g_clear_pointer(&host->pictures, g_ptr_array_unref);
}

static Kept *kept_find(Host *host, const MeshKey *member, MeshStreamKind kind, guint *ret_index) {
    for (guint i = 0; i < host->pictures->len; i++) {
        Kept *kept = g_ptr_array_index(host->pictures, i);
        if (kept->kind == kind && memcmp(kept->member.bytes, member->bytes, MESH_KEY_SIZE) == 0) {
            *ret_index = i;
            return kept;
        }
    }
    return NULL;
}

void pictures_end(Host *host, const MeshKey *member, MeshStreamKind kind) {
    guint index = 0;
    if (kept_find(host, member, kind, &index) != NULL) {
        g_ptr_array_remove_index_fast(host->pictures, index);
    }
}

static void keep(Host *host, const Picture *picture) {
    pictures_end(host, &picture->member, picture->kind);
    if (host->pictures->len >= KEPT_MAX) {
        return;
    }
    Kept *kept = g_new0(Kept, 1);
    *kept = (Kept){.member = picture->member,
                   .kind = picture->kind,
                   .picture = *picture,
                   .bytes = g_bytes_new(picture->payload.data, picture->payload.length),
                   .came_us = g_get_monotonic_time()};
    kept->picture.payload.data = g_bytes_get_data(kept->bytes, NULL);
    g_ptr_array_add(host->pictures, kept);
}

/* ---- what a picture claims of itself ---- */

/* RFC 6386 section 9.1. */
static gboolean is_vp8(Bytes bytes, gboolean keyframe) {
    const guint8 *at = bytes.data;
    if (bytes.length <= 3 || keyframe == ((at[0] & 1) != 0)) {
        return FALSE;
    }
    if (!keyframe) {
        return TRUE;
    }
    if (bytes.length < 10 || at[3] != 0x9d || at[4] != 0x01 || at[5] != 0x2a) {
        return FALSE;
    }
    guint width = (at[6] | (guint)at[7] << 8) & 0x3fff;
    guint height = (at[8] | (guint)at[9] << 8) & 0x3fff;
    return width > 0 && height > 0 && width * height <= PIXELS_MAX;
}

/* One lossy picture and nothing else: a keyframe of VP8 in a box. */
static gboolean is_still(Bytes bytes) {
    enum { BOX = 20 };
    return bytes.length > BOX && memcmp(bytes.data, "RIFF", 4) == 0 &&
           memcmp(bytes.data + 8, "WEBPVP8 ", 8) == 0 &&
           is_vp8((Bytes){bytes.data + BOX, bytes.length - BOX}, TRUE);
}

static gboolean read_frame(const MediaFrame *frame, Picture *ret_picture) {
    gboolean still = frame->codec == MEDIA_CODEC_WEBP;
    Picture picture = {.kind = (MeshStreamKind)frame->kind,
                       .codec = still ? PICTURE_WEBP : PICTURE_VP8,
                       .keyframe = still || (frame->flags & MEDIA_FLAG_KEYFRAME) != 0,
                       .number = frame->number,
                       .time_ms = frame->media_time_ms,
                       .payload = {frame->payload.data, frame->payload.length}};
    gboolean known = still || frame->codec == MEDIA_CODEC_VP8;
    if (!known || picture.payload.length > MEDIA_PAYLOAD_MAX ||
        !(still ? is_still(picture.payload) : is_vp8(picture.payload, picture.keyframe))) {
        return FALSE;
    }
    *ret_picture = picture;
    return TRUE;
}

void pictures_show(Host *host, const MeshKey *member, guint32 stream, const MediaFrame *frame) {
    Picture picture;
    if (host->page == NULL) {
        return;
    }
    if (!read_frame(frame, &picture)) {
        host->pictures_refused++;
        return;
    }
    picture.member = *member;
    picture.stream = stream;
    page_picture(host->page, &picture);
    if (picture.keyframe) {
        keep(host, &picture);
    }
}

/* ---- what pages ask ---- */

static void on_claimed(gpointer user, gboolean any) {
    Host *host = user;
    media_pictures(host->media, !any || !host->windowed);
}

static gboolean on_kept(gpointer user, const MeshKey *member, MeshStreamKind kind,
                        Picture *ret_picture) {
    guint index = 0;
    const Kept *kept = kept_find(user, member, kind, &index);
    if (kept == NULL) {
        return FALSE;
    }
    gint64 age_ms = (g_get_monotonic_time() - kept->came_us) / 1000;
    *ret_picture = kept->picture;
    ret_picture->age_ms = (guint32)CLAMP(age_ms, 1, G_MAXINT32);
    return TRUE;
}

static void on_wished(gpointer user, const MeshKey *member, MeshStreamKind kind) {
    Host *host = user;
    gint64 now_us = g_get_monotonic_time();
    if (memcmp(member->bytes, host->key.bytes, MESH_KEY_SIZE) != 0) {
        speakers_wish(host, member, kind);
    } else if (now_us - host->own_wish_us[kind] >= OWN_WISH_US) {
        host->own_wish_us[kind] = now_us;
        media_keyframe(host->media, (MediaKind)kind);
    }
}

LivePictures pictures_served(Host *host) {
    return (LivePictures){on_claimed, on_kept, on_wished, host};
}
