/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-rtp`: one end of an RTP/Opus call as GStreamer makes it, to be measured beside
 * our voice. It owns one pipeline, given in GStreamer's own words. It never decodes or decides: it
 * prints the number of each RTP packet that passes the element `seen`.
 *
 * stdout: "ready", then "packet NUMBER SECONDS" of the monotonic clock; at the end of the source it
 * leaves.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_AT = 2, HEADER_SIZE = 12 }; /* RFC 3550 */

static GstPadProbeReturn seen(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    guint8 header[HEADER_SIZE];
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);

    if (gst_buffer_extract(buffer, 0, header, sizeof header) == sizeof header) {
        printf("packet %u %.6f\n", GST_READ_UINT16_BE(header + NUMBER_AT),
               (double)g_get_monotonic_time() / 1e6);
        fflush(stdout);
    }
    return GST_PAD_PROBE_OK;
}

static gboolean told(GstBus *bus, GstMessage *message, gpointer data) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        gst_message_parse_error(message, &error, NULL);
        fprintf(stderr, "bench-rtp: %s\n", error->message);
        exit(1);
    }
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
        g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    GstElement *pipeline, *element;

    gst_init(&argc, &argv);
    if (argc != 2) {
        fprintf(stderr, "usage: bench-rtp PIPELINE, with an element named `seen`\n");
        return 2;
    }
    pipeline = gst_parse_launch(argv[1], &error);
    element = error == NULL ? gst_bin_get_by_name(GST_BIN(pipeline), "seen") : NULL;
    if (element == NULL) {
        fprintf(stderr, "bench-rtp: %s\n", error != NULL ? error->message : "no element `seen`");
        return 1;
    }
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, seen, NULL, NULL);
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    gst_bus_add_watch(bus, told, loop);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    puts("ready");
    fflush(stdout);
    g_main_loop_run(loop);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(element);
    gst_object_unref(pipeline);
    return 0;
}
