/* SPDX-License-Identifier: MPL-2.0 */
#include "media/decoder.h"

struct MediaDecoder {
    MediaStage *stage;
};

static GstElement *element_create(MediaCodec codec, GError **error) {
    GstElement *element =
        gst_element_factory_make(codec == MEDIA_CODEC_OPUS ? "opusdec" : "vp8dec", NULL);
    if (element == NULL) {
        g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                    "no decoder for %s: a GStreamer plugin is missing",
                    codec == MEDIA_CODEC_OPUS ? "Opus" : "VP8");
    } else if (codec == MEDIA_CODEC_OPUS) {
        g_object_set(element, "plc", TRUE, NULL);
    } else {
        g_object_set(element, "threads", 1, NULL);
    }
    return element;
}

MediaDecoder *media_decoder_create(MediaCodec codec, MediaStageOutput output, void *user,
                                   GError **error) {
    GstElement *element = element_create(codec, error);
    if (element == NULL) {
        return NULL;
    }
    g_autoptr(GstCaps) caps =
        codec == MEDIA_CODEC_OPUS
            ? gst_caps_new_simple("audio/x-opus", "rate", G_TYPE_INT, 48000, "channels", G_TYPE_INT,
                                  1, "channel-mapping-family", G_TYPE_INT, 0, NULL)
            : gst_caps_new_empty_simple("video/x-vp8");
    MediaDecoder *decoder = g_new0(MediaDecoder, 1);
    decoder->stage = media_stage_create(element, caps, output, user);
    return decoder;
}

void media_decoder_destroy(MediaDecoder *decoder) {
    if (decoder != NULL) {
        media_stage_destroy(decoder->stage);
        g_free(decoder);
    }
}

void media_decoder_push(MediaDecoder *decoder, GBytes *bytes, guint duration_ms) {
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes(bytes);
    g_bytes_unref(bytes);
    media_stage_push(decoder->stage, buffer, duration_ms * GST_MSECOND);
}

void media_decoder_conceal(MediaDecoder *decoder, guint duration_ms) {
    media_stage_gap(decoder->stage, duration_ms * GST_MSECOND);
}
