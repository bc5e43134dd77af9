/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/node_media_room.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_frame(gpointer user, const MediaFrame *frame) {
    Room *room = user;
    room->gaps += room->frames > 0 && frame->number != room->last.number + 1;
    if (room->frames > 0) {
        g_assert_cmpint((gint32)(frame->media_time_ms - room->last.media_time_ms), >, 0);
        if (room->last.flags & MEDIA_FLAG_SILENCE) {
            room->pause_ms = frame->media_time_ms - room->last.media_time_ms;
        }
    }
    room->frames++;
    room->last = *frame;
    room->flags |= frame->flags;
    room->most_ms = MAX(room->most_ms, frame->duration_ms);
    room->least_ms = MIN(room->least_ms, frame->duration_ms);
    if (room->loop) {
        media_stream_frame(room->media, ROOM_STREAM, frame);
    }
}

static void on_ended(gpointer user, MediaKind kind, const char *reason) {
    Room *room = user;
    room->ended++;
    g_free(room->reason);
    room->reason = g_strdup(reason);
}

static void on_notice(gpointer user, const char *text) {
    Room *room = user;
    g_test_message("notice: %s", text);
    if (room->notices < ROOM_NOTICES) {
        room->said[room->notices++] = g_strdup(text);
    }
}

static void on_keyframe(gpointer user, guint32 stream) {
    Room *room = user;
    room->keyframes++;
    media_keyframe(room->media, MEDIA_KIND_VIDEO);
}

void room_on_started(gpointer user, const GError *error) {
    Room *room = user;
    room->started++;
    g_free(room->refusal);
    room->refusal = error != NULL ? g_strdup(error->message) : NULL;
    room->code = error != NULL ? error->code : -1;
    g_test_message("started: %s", error != NULL ? error->message : "yes");
}

void room_open(Room *room, const char *sink) {
    *room = (Room){.least_ms = G_MAXUINT};
    room->home = g_dir_make_tmp("maillon-media-XXXXXX", NULL);
    room->sink =
        g_strcmp0(sink, "fake") == 0 ? g_strdup(sink) : g_build_filename(room->home, sink, NULL);
    room->media = media_create(room->home, room->sink, "fake",
                               (MediaHandler){.frame = on_frame,
                                              .ended = on_ended,
                                              .notice = on_notice,
                                              .began = on_notice,
                                              .user = room,
                                              .keyframe = on_keyframe});
}

static void remove_all(const char *folder) {
    g_autoptr(GDir) open = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(open); name != NULL; name = g_dir_read_name(open)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

void room_close(Room *room) {
    gint64 begun_us = g_get_monotonic_time();
    media_destroy(room->media);
    room->media = NULL;
    g_test_message("ended in %d ms", (gint)((g_get_monotonic_time() - begun_us) / 1000));
}

void room_free(Room *room) {
    remove_all(room->home);
    for (guint i = 0; i < room->notices; i++) {
        g_free(room->said[i]);
    }
    g_free(room->home);
    g_free(room->sink);
    g_free(room->refusal);
    g_free(room->reason);
}

gboolean room_on_tick(gpointer user) {
    *(gboolean *)user = TRUE;
    return G_SOURCE_CONTINUE;
}

gboolean room_said(const Room *room, const char *words) {
    for (guint i = 0; i < room->notices; i++) {
        if (strstr(room->said[i], words) != NULL) {
            return TRUE;
        }
    }
    return FALSE;
}

void room_wait_ready(Room *room) {
    WAIT_FOR(room_said(room, "Landlock"));
}

void room_start(Room *room, MediaKind kind, const char *source) {
    guint before = room->started;
    media_source_start(room->media, kind, source, room_on_started, room);
    WAIT_FOR(room->started == before + 1);
}

MediaStats room_stats(const Room *room) {
    MediaStats found = {0};
    media_stream_stats(room->media, ROOM_STREAM, &found);
    return found;
}

GArray *room_children(void) {
    GArray *found = g_array_new(FALSE, FALSE, sizeof(gint));
    g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_auto(GStrv) words = g_strsplit(g_strstrip(text), " ", -1);
        for (char **word = words; *word != NULL && **word != '\0'; word++) {
            gint process = atoi(*word);
            g_array_append_val(found, process);
        }
    }
    return found;
}
