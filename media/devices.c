/* SPDX-License-Identifier: MPL-2.0 */
#include "media/devices.h"

#include <gst/gst.h>
#include <string.h>

typedef struct {
    MediaRole role;
    char *source;
    char *name;
} Found;

typedef struct {
    MediaDevicesFound found;
    void *user;
    GThread *thread;
    GPtrArray *list; /* Found; of the thread until it is over */
    GSource *over;
} Search;

static Search *search; /* the one that goes on; of the main thread */

static void found_free(gpointer data) {
    Found *found = data;
    g_free(found->source);
    g_free(found->name);
    g_free(found);
}

char *media_devices_words(gpointer element) {
    /* ALSA, Pulse, Video4Linux; PipeWire; libcamera */
    static const char *const names[] = {"device", "target-object", "path", "camera-name"};
    GstElementFactory *factory = gst_element_get_factory(element);
    for (gsize i = 0; factory != NULL && i < G_N_ELEMENTS(names); i++) {
        GParamSpec *property = g_object_class_find_property(G_OBJECT_GET_CLASS(element), names[i]);
        g_autofree char *value = NULL;
        if (property == NULL || property->value_type != G_TYPE_STRING) {
            continue;
        }
        g_object_get(element, names[i], &value, NULL);
        if (value != NULL && g_utf8_validate(value, -1, NULL)) {
            g_autofree char *escaped = g_strescape(value, NULL);
            return g_strdup_printf("%s %s=\"%s\"", GST_OBJECT_NAME(factory), names[i], escaped);
        }
    }
    return NULL;
}

/* What a sound server plays is no microphone. */
static gboolean is_monitor(GstDevice *device) {
    g_autoptr(GstStructure) properties = gst_device_get_properties(device);
    const char *class =
        properties != NULL ? gst_structure_get_string(properties, "device.class") : NULL;
    return class != NULL && strcmp(class, "monitor") == 0;
}

static MediaRole role_of(GstDevice *device) {
    return gst_device_has_classes(device, "Audio/Source") && !is_monitor(device)
               ? MEDIA_ROLE_MICROPHONE
           : gst_device_has_classes(device, "Video/Source") ? MEDIA_ROLE_CAMERA
           : gst_device_has_classes(device, "Audio/Sink")   ? MEDIA_ROLE_SPEAKER
                                                            : MEDIA_ROLE_NONE;
}

static void take(GPtrArray *list, GstDevice *device) {
    MediaRole role = role_of(device);
    g_autoptr(GstElement) element =
        role != MEDIA_ROLE_NONE ? gst_device_create_element(device, NULL) : NULL;
    if (element == NULL || list->len >= MEDIA_DEVICES_MAX) {
        return;
    }
    gst_object_ref_sink(element);
    g_autofree char *words = media_devices_words(element);
    g_autofree char *name = gst_device_get_display_name(device);
    if (words == NULL || strlen(words) > MEDIA_TEXT_MAX) {
        return;
    }
    Found *found = g_new(Found, 1);
    *found =
        (Found){role, g_steal_pointer(&words), g_utf8_make_valid(name != NULL ? name : "", -1)};
    g_ptr_array_add(list, found);
}

static gpointer look(gpointer data) {
    Search *mine = data;
    GstDeviceMonitor *monitor = gst_device_monitor_new();
    if (gst_device_monitor_start(monitor)) {
        GList *devices = gst_device_monitor_get_devices(monitor);
        for (GList *at = devices; at != NULL; at = at->next) {
            take(mine->list, at->data);
        }
        g_list_free_full(devices, gst_object_unref);
        gst_device_monitor_stop(monitor);
    }
    gst_object_unref(monitor);
    g_source_set_ready_time(mine->over, 0);
    return NULL;
}

static void search_free(Search *mine) {
    g_thread_join(mine->thread);
    g_source_destroy(mine->over);
    g_source_unref(mine->over);
    g_ptr_array_unref(mine->list);
    g_free(mine);
}

static gboolean over_dispatch(GSource *source, GSourceFunc callback, gpointer user) {
    Search *mine = g_steal_pointer(&search);
    for (guint i = 0; i < mine->list->len; i++) {
        const Found *found = g_ptr_array_index(mine->list, i);
        MediaDevice device = {found->role, media_text(found->source), media_text(found->name)};
        mine->found(&device, mine->user);
    }
    mine->found(&(MediaDevice){.role = MEDIA_ROLE_NONE}, mine->user);
    search_free(mine);
    return G_SOURCE_REMOVE;
}

void media_devices_find(MediaDevicesFound found, void *user) {
    static GSourceFuncs functions = {NULL, NULL, over_dispatch, NULL, NULL, NULL};
    if (search != NULL) {
        return;
    }
    search = g_new0(Search, 1);
    search->found = found;
    search->user = user;
    search->list = g_ptr_array_new_with_free_func(found_free);
    search->over = g_source_new(&functions, sizeof(GSource));
    g_source_attach(search->over, NULL);
    search->thread = g_thread_new("devices", look, search);
}

void media_devices_end(void) {
    if (search != NULL) {
        search_free(g_steal_pointer(&search));
    }
}
