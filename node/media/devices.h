/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Asking the capture helper which devices this machine has.
 * It owns those who wait for the answer, and the answer while it comes. It never starts the helper.
 */
#pragma once

#include "node/media/helper.h"
#include "node/media/media.h"

typedef struct MediaDevices MediaDevices;

/* The helper is borrowed. */
MediaDevices *media_devices_create(MediaHelper *capture);
/* Whoever waits is not told. NULL-safe. */
void media_devices_destroy(MediaDevices *devices);
void media_devices_ask(MediaDevices *devices, MediaDevicesDone done, gpointer data);

/* What the helper does: it is ready, tells of a device, dies. */
void media_devices_ready(MediaDevices *devices);
void media_devices_told(MediaDevices *devices, const MediaDevice *device);
void media_devices_gone(MediaDevices *devices, const char *reason, gboolean again);
