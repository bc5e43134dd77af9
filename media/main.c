/* SPDX-License-Identifier: MPL-2.0 */
/* The program maillon-media: one process for each of its two roles, started by the node. */
#include <gst/gst.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "media/capture.h"
#include "media/heard.h"
#include "media/play.h"
#include "media/process.h"

static int usage(const char *reason) {
    g_printerr("maillon-media: %s\n"
               "usage: maillon-media play --endpoint ENDPOINT [--sink auto|fake|FILE.wav]"
               " [--continue] [--video-sink auto|fake|none] [--heard DESCRIPTOR]\n"
               "       maillon-media capture --endpoint ENDPOINT [--heard DESCRIPTOR]\n",
               reason);
    return 2;
}

/* Without it the microphone keeps its echo, and all else works. */
static MediaHeard *open_heard(gint descriptor) {
    MediaHeard *heard = descriptor >= 0 ? media_heard_open(descriptor) : NULL;
    if (descriptor >= 0) {
        close(descriptor);
    }
    return heard;
}

static int run(const char *role, MediaPlayOptions *options) {
    if (strcmp(role, "play") == 0) {
        return media_play_run(options);
    }
    if (strcmp(role, "capture") == 0) {
        return media_capture_run(options->endpoint, options->heard);
    }
    return usage("no such role");
}

int main(int argc, char **argv) {
    g_autofree char *endpoint = NULL;
    g_autofree char *sink = NULL;
    g_autofree char *video_sink = NULL;
    gboolean go_on = FALSE;
    gint heard = -1;
    const GOptionEntry entries[] = {
        {"endpoint", 0, 0, G_OPTION_ARG_STRING, &endpoint, "The node's socket", "ipc://PATH"},
        {"sink", 0, 0, G_OPTION_ARG_FILENAME, &sink, "Where sound goes", "auto|fake|FILE.wav"},
        {"continue", 0, 0, G_OPTION_ARG_NONE, &go_on, "Go on after what the file holds", NULL},
        {"video-sink", 0, 0, G_OPTION_ARG_STRING, &video_sink, "Where pictures go",
         "auto|fake|none"},
        {"heard", 0, 0, G_OPTION_ARG_INT, &heard, "Memory for what is played", "DESCRIPTOR"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GError) error = NULL;
    setlocale(LC_ALL, "");
    gboolean parented = media_process_follow_parent();
    g_autoptr(GOptionContext) context = g_option_context_new("play|capture");
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_group(context, gst_init_get_option_group());
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        return usage(error->message);
    }
    if (argc != 2 || endpoint == NULL) {
        return usage("a role and an endpoint are needed");
    }
    if (!parented) {
        g_printerr("maillon-media: the node is gone\n");
        return 1;
    }
    MediaPlayOptions options = {endpoint, sink == NULL ? "auto" : sink, go_on,
                                video_sink == NULL ? "none" : video_sink, open_heard(heard)};
    int status = run(argv[1], &options);
    media_heard_close(options.heard);
    return status;
}
