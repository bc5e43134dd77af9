/* SPDX-License-Identifier: MPL-2.0 */
#include "media/input.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

/* A quarter of a second each second: a beep to tell delay by, and silence to tell it is none. */
#define BEEPS                                                                                      \
    "audiotestsrc is-live=true samplesperbuffer=480 wave=ticks freq=440 volume=0.25 "              \
    "sine-periods-per-tick=110 tick-interval=1000000000"

static gboolean has_text(const char *text) {
    return text != NULL && text[0] != '\0';
}

static const char *automatic(MediaKind kind) {
    switch (kind) {
    case MEDIA_KIND_VOICE:
        return "autoaudiosrc name=chosen";
    case MEDIA_KIND_VIDEO:
        return "autovideosrc name=chosen";
    case MEDIA_KIND_SCREEN:
        return has_text(g_getenv("DISPLAY")) ? "ximagesrc use-damage=false" : NULL;
    case MEDIA_KIND_NONE:
        break;
    }
    return NULL;
}

/* The automatic elements choose only when started, and choose a "fake" when there is nothing. */
static void on_chosen(GstChildProxy *bin, GObject *child, const char *name, gpointer user) {
    if (g_str_has_prefix(name, "fake-")) {
        GST_ELEMENT_ERROR(bin, RESOURCE, NOT_FOUND,
                          ("no %s was found on this machine", (char *)user), (NULL));
    }
}

/* The last element is ours: its output is that of the whole, whenever what feeds it comes up. */
static GstElement *parse(const char *description, MediaKind kind, GError **error) {
    g_autofree char *whole =
        g_strdup_printf("%s ! %s name=maillon-output", description,
                        kind == MEDIA_KIND_VOICE ? "audioconvert" : "videoconvert");
    GstElement *bin =
        gst_parse_bin_from_description_full(whole, FALSE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
    if (bin == NULL) {
        return NULL;
    }
    g_autoptr(GstElement) last = gst_bin_get_by_name(GST_BIN(bin), "maillon-output");
    g_autoptr(GstPad) output = gst_element_get_static_pad(last, "src");
    gst_element_add_pad(bin, gst_ghost_pad_new("src", output));
    return bin;
}

static GstElement *file_create(const char *path, MediaKind kind, GError **error) {
    struct stat status;
    int failure = stat(path, &status) != 0 ? errno : 0;
    if (failure != 0 || !S_ISREG(status.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: %s", path,
                    failure != 0 ? g_strerror(failure) : "not a file");
        return NULL;
    }
    g_autofree char *uri = g_filename_to_uri(path, NULL, error);
    GstElement *bin = NULL;
    if (uri != NULL) {
        bin = parse(kind == MEDIA_KIND_VOICE
                        ? "uridecodebin name=file expose-all-streams=false caps=audio/x-raw"
                        : "uridecodebin name=file expose-all-streams=false caps=video/x-raw",
                    kind, error);
    }
    if (bin != NULL) {
        g_autoptr(GstElement) decoder = gst_bin_get_by_name(GST_BIN(bin), "file");
        g_object_set(decoder, "uri", uri, NULL);
    }
    return bin;
}

static GstElement *automatic_create(MediaKind kind, GError **error) {
    const char *description = automatic(kind);
    if (description == NULL) {
        g_set_error_literal(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                            has_text(g_getenv("WAYLAND_DISPLAY"))
                                ? "a Wayland desktop does not let its screen be taken"
                                : "there is no display");
        return NULL;
    }
    GstElement *bin = parse(description, kind, error);
    g_autoptr(GstElement) chosen = bin != NULL ? gst_bin_get_by_name(GST_BIN(bin), "chosen") : NULL;
    if (chosen != NULL) {
        const char *wanted = kind == MEDIA_KIND_VOICE ? "microphone" : "camera";
        g_signal_connect(chosen, "child-added", G_CALLBACK(on_chosen), (gpointer)wanted);
    }
    return bin;
}

static gboolean has_property(GstElement *element, const char *name) {
    return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name) != NULL;
}

/* Besides the one that parse() adds, it is one element: a sound card's (ALSA, Pulse; PipeWire). */
static gboolean is_microphone(GstElement *bin) {
    if (GST_BIN_NUMCHILDREN(bin) != 2) {
        return FALSE;
    }
    /* The newest is the first, and ours was added last. */
    GstElement *element = g_list_last(GST_BIN_CHILDREN(bin))->data;
    return GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE) &&
           (has_property(element, "buffer-time") || has_property(element, "target-object"));
}

static GstElement *described_create(MediaKind kind, const char *source, gboolean *ret_microphone,
                                    GError **error) {
    GstElement *bin = parse(source, kind, error);
    *ret_microphone = bin != NULL && kind == MEDIA_KIND_VOICE && is_microphone(bin);
    return bin;
}

GstElement *media_input_create(MediaKind kind, const char *source, gboolean *ret_microphone,
                               GError **error) {
    *ret_microphone = kind == MEDIA_KIND_VOICE && strcmp(source, "auto") == 0;
    if (strcmp(source, "auto") == 0) {
        return automatic_create(kind, error);
    }
    if (strcmp(source, "test") == 0) {
        return parse(kind == MEDIA_KIND_VOICE ? BEEPS : "videotestsrc is-live=true", kind, error);
    }
    if (g_path_is_absolute(source)) {
        return file_create(source, kind, error);
    }
    return described_create(kind, source, ret_microphone, error);
}
