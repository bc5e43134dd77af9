/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a person named as a source, as a GStreamer element that gives raw sound or pictures.
 * It owns the words: auto, test, a file's path, or a GStreamer description. A description that is
 * one sound card's element and nothing more, as `devices.h` names them, is a microphone, as is
 * auto. It never opens anything: that is for the pipeline the element is put in.
 */
#pragma once

#include <gst/gst.h>

#include "media/protocol.h"

/*
 * A bin with the source pad "src", floating. NULL with the reason when the file is none or the
 * description cannot be parsed. A machine without microphone or camera is an error message of the
 * element, once it is started. `ret_microphone`: whether it is one.
 */
GstElement *media_input_create(MediaKind kind, const char *source, gboolean *ret_microphone,
                               GError **error);
