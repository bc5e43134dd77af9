/* SPDX-License-Identifier: MPL-2.0 */
#include "node/media/devices.h"

typedef struct {
    MediaDevicesDone done;
    gpointer data;
} Waiting;

struct MediaDevices {
    MediaHelper *capture;
    GArray *waiting;
    GPtrArray *list; /* MediaNamed, so far */
};

static void named_free(gpointer data) {
    MediaNamed *named = data;
    g_free(named->source);
    g_free(named->name);
    g_free(named);
}

MediaDevices *media_devices_create(MediaHelper *capture) {
    MediaDevices *devices = g_new0(MediaDevices, 1);
    devices->capture = capture;
    devices->waiting = g_array_new(FALSE, FALSE, sizeof(Waiting));
    devices->list = g_ptr_array_new_with_free_func(named_free);
    return devices;
}

void media_devices_destroy(MediaDevices *devices) {
    if (devices != NULL) {
        g_array_unref(devices->waiting);
        g_ptr_array_unref(devices->list);
        g_free(devices);
    }
}

/* Whoever is told may ask again. */
static void answer(MediaDevices *devices, const GError *error) {
    g_autoptr(GArray) waiting = devices->waiting;
    g_autoptr(GPtrArray) list = devices->list;
    devices->waiting = g_array_new(FALSE, FALSE, sizeof(Waiting));
    devices->list = g_ptr_array_new_with_free_func(named_free);
    for (guint i = 0; i < waiting->len; i++) {
        const Waiting *one = &g_array_index(waiting, Waiting, i);
        one->done(one->data, list, error);
    }
}

static void ask(MediaDevices *devices) {
    g_ptr_array_set_size(devices->list, 0);
    media_helper_send(devices->capture, &(MediaMessage){.type = MEDIA_DEVICES});
}

void media_devices_ask(MediaDevices *devices, MediaDevicesDone done, gpointer data) {
    Waiting one = {done, data};
    g_array_append_val(devices->waiting, one);
    if (devices->waiting->len == 1) {
        ask(devices);
    }
}

void media_devices_ready(MediaDevices *devices) {
    if (devices->waiting->len > 0) {
        ask(devices);
    }
}

void media_devices_told(MediaDevices *devices, const MediaDevice *device) {
    if (devices->waiting->len == 0) {
        return;
    }
    if (device->role == MEDIA_ROLE_NONE) {
        answer(devices, NULL);
        return;
    }
    g_autofree char *source = g_strndup(device->source.data, device->source.length);
    g_autofree char *name = g_strndup(device->name.data, device->name.length);
    MediaNamed *named = g_new(MediaNamed, 1);
    *named = (MediaNamed){device->role, g_utf8_make_valid(source, -1), g_utf8_make_valid(name, -1)};
    g_ptr_array_add(devices->list, named);
}

void media_devices_gone(MediaDevices *devices, const char *reason, gboolean again) {
    if (!again && devices->waiting->len > 0) {
        g_autoptr(GError) error =
            g_error_new_literal(MEDIA_ERROR_QUARK, MEDIA_FAILED_HELPER, reason);
        answer(devices, error);
    }
}
