/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The microphones, cameras and loudspeakers of this machine.
 * It owns the search, which takes a thread of its own: some devices answer slowly.
 * It never opens one, and remembers none.
 */
#pragma once

#include <glib.h>

#include "media/protocol.h"

/* More of them are not told. */
#define MEDIA_DEVICES_MAX 64

/* Called in the main context for each, and at the end with the role NONE. */
typedef void (*MediaDevicesFound)(const MediaDevice *device, void *user);

/* One search at a time: another one asked for meanwhile is answered by the first. */
void media_devices_find(MediaDevicesFound found, void *user);
/* Waits for the search that goes on, if any; nothing is called any more. */
void media_devices_end(void);

/*
 * The words of this element that name its device, as a GStreamer description: the factory, and the
 * property that says which. NULL when no words would. The caller frees.
 */
char *media_devices_words(gpointer element);
