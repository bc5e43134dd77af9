/* SPDX-License-Identifier: MPL-2.0 */
#include "media/words.h"

#include <gst/gst.h>

static const char *of_resource(gint code) {
    switch (code) {
    case GST_RESOURCE_ERROR_NOT_FOUND:
        return "it was not found: is it plugged in, or the name right?";
    case GST_RESOURCE_ERROR_BUSY:
        return "another program uses it: close that one and try again";
    case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
    case GST_RESOURCE_ERROR_OPEN_READ:
    case GST_RESOURCE_ERROR_OPEN_WRITE:
    case GST_RESOURCE_ERROR_OPEN_READ_WRITE:
        return "it cannot be opened: is it plugged in, and may it be used?";
    case GST_RESOURCE_ERROR_READ:
    case GST_RESOURCE_ERROR_WRITE:
    case GST_RESOURCE_ERROR_SYNC:
    case GST_RESOURCE_ERROR_CLOSE:
        return "it works no more: was it unplugged?";
    case GST_RESOURCE_ERROR_NO_SPACE_LEFT:
        return "the disk is full";
    default:
        return NULL;
    }
}

static const char *of_stream(gint code) {
    switch (code) {
    case GST_STREAM_ERROR_TYPE_NOT_FOUND:
    case GST_STREAM_ERROR_WRONG_TYPE:
    case GST_STREAM_ERROR_CODEC_NOT_FOUND:
    case GST_STREAM_ERROR_DEMUX:
    case GST_STREAM_ERROR_DECODE:
    case GST_STREAM_ERROR_FORMAT:
        return "it is of a kind that cannot be read here: try another";
    default:
        return NULL;
    }
}

const char *media_words(const GError *error, const char *details) {
    const char *words = NULL;
    g_printerr("maillon-media: %s%s%s\n", error->message, details != NULL ? "\n" : "",
               details != NULL ? details : "");
    if (error->domain == GST_RESOURCE_ERROR) {
        words = of_resource(error->code);
    } else if (error->domain == GST_STREAM_ERROR) {
        words = of_stream(error->code);
    }
    return words != NULL ? words : "it does not work as it is set up: try another";
}
