/* SPDX-License-Identifier: MPL-2.0 */
/* The program maillon-media: one process for each of its two roles, started by the node. */
#include <gst/gst.h>
#include <locale.h>
#include <string.h>

#include "media/capture.h"
#include "media/play.h"
#include "media/process.h"

static int usage(const char *reason) {
    g_printerr("maillon-media: %s\n"
               "usage: maillon-media play --endpoint ENDPOINT [--sink auto|fake|FILE.wav]"
               " [--continue] [--video-sink auto|fake|none]\n"
               "       maillon-media capture --endpoint ENDPOINT\n",
               reason);
    return 2;
}

int main(int argc, char **argv) {
    g_autofree char *endpoint = NULL;
    g_autofree char *sink = NULL;
    g_autofree char *video_sink = NULL;
    gboolean go_on = FALSE;
    const GOptionEntry entries[] = {
        {"endpoint", 0, 0, G_OPTION_ARG_STRING, &endpoint, "The node's socket", "ipc://PATH"},
        {"sink", 0, 0, G_OPTION_ARG_FILENAME, &sink, "Where sound goes", "auto|fake|FILE.wav"},
        {"continue", 0, 0, G_OPTION_ARG_NONE, &go_on, "Go on after what the file holds", NULL},
        {"video-sink", 0, 0, G_OPTION_ARG_STRING, &video_sink, "Where pictures go",
         "auto|fake|none"},
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
    if (strcmp(argv[1], "play") == 0) {
        MediaPlayOptions options = {endpoint, sink == NULL ? "auto" : sink, go_on,
                                    video_sink == NULL ? "none" : video_sink};
        return media_play_run(&options);
    }
    if (strcmp(argv[1], "capture") == 0) {
        return media_capture_run(endpoint);
    }
    return usage("no such role");
}
