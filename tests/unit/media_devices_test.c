/* SPDX-License-Identifier: MPL-2.0 */
/* Devices as a person finds them: how they are called, what is no device, and how loud one is. */
#include <gst/gst.h>
#include <string.h>

#include "media/devices.h"
#include "media/input.h"
#include "media/meter.h"

#define RATE 48000

/* ---- a machine with devices: a provider of our own, as a plugin of a sound card has ---- */

typedef GstDevice Device;
typedef GstDeviceClass DeviceClass;
GType device_get_type(void);
G_DEFINE_TYPE(Device, device, GST_TYPE_DEVICE)

typedef GstDeviceProvider Provider;
typedef GstDeviceProviderClass ProviderClass;
GType provider_get_type(void);
G_DEFINE_TYPE(Provider, provider, GST_TYPE_DEVICE_PROVIDER)

/* An element that is told its device by words; it is not opened. */
static const char *factory_for(gboolean sink) {
    static const char *const names[][2] = {{"alsasrc", "alsasink"},
                                           {"pulsesrc", "pulsesink"},
                                           {"osssrc", "osssink"},
                                           {"openalsrc", "openalsink"}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GstElementFactory) source = gst_element_factory_find(names[i][0]);
        g_autoptr(GstElementFactory) output = gst_element_factory_find(names[i][1]);
        if (source != NULL && output != NULL) {
            return names[i][sink];
        }
    }
    return NULL;
}

static GstElement *device_create_element(GstDevice *device, const gchar *name) {
    g_autofree char *shown = gst_device_get_display_name(device);
    gboolean sink = gst_device_has_classes(device, "Audio/Sink");
    GstElement *element = gst_element_factory_make(factory_for(sink), name);
    if (element != NULL) {
        g_object_set(element, "device", shown, NULL);
    }
    return element;
}

static void device_class_init(DeviceClass *class) {
    class->create_element = device_create_element;
}

static void device_init(Device *device) {
}

static GstDevice *device_new(const char *name, const char *class, const char *monitor) {
    g_autoptr(GstCaps) caps = gst_caps_new_empty_simple("audio/x-raw");
    g_autoptr(GstStructure) properties =
        gst_structure_new("properties", "device.class", G_TYPE_STRING, monitor, NULL);
    return g_object_new(device_get_type(), "display-name", name, "device-class", class, "caps",
                        caps, "properties", properties, NULL);
}

static GList *provider_probe(GstDeviceProvider *provider) {
    GList *list = g_list_append(NULL, device_new("Micro \"A\"", "Audio/Source", "sound"));
    list = g_list_append(list, device_new("Monitor of B", "Audio/Source", "monitor"));
    list = g_list_append(list, device_new("Casque", "Audio/Sink", "sound"));
    return g_list_append(list, device_new("Lampe", "Light/Sink", "sound"));
}

static void provider_class_init(ProviderClass *class) {
    class->probe = provider_probe;
    gst_device_provider_class_set_static_metadata(class, "Test", "Source/Sink/Audio", "Test",
                                                  "Test");
}

static void provider_init(Provider *provider) {
}

/* ---- */

typedef struct {
    guint microphones, speakers, others;
    gboolean over;
    GString *words;
} Found;

static void on_found(const MediaDevice *device, void *user) {
    Found *found = user;
    found->over = device->role == MEDIA_ROLE_NONE;
    if (found->over) {
        return;
    }
    g_autofree char *source = g_strndup(device->source.data, device->source.length);
    g_autofree char *name = g_strndup(device->name.data, device->name.length);
    gboolean ours = strcmp(name, "Micro \"A\"") == 0 || strcmp(name, "Casque") == 0;
    found->microphones += ours && device->role == MEDIA_ROLE_MICROPHONE;
    found->speakers += ours && device->role == MEDIA_ROLE_SPEAKER;
    found->others += strcmp(name, "Monitor of B") == 0 || strcmp(name, "Lampe") == 0;
    if (ours) {
        g_string_append_printf(found->words, "%s;", source);
    }
}

static void test_found(void) {
    Found found = {.words = g_string_new("")};
    if (factory_for(FALSE) == NULL) {
        g_test_skip("GStreamer has no sound card's plugin here");
        g_string_free(found.words, TRUE);
        return;
    }
    g_assert_true(
        gst_device_provider_register(NULL, "ours", GST_RANK_PRIMARY, provider_get_type()));
    media_devices_find(on_found, &found);
    media_devices_find(on_found, &found); /* answered by the first */
    while (!found.over) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(found.microphones, ==, 1);
    g_assert_cmpuint(found.speakers, ==, 1);
    g_assert_cmpuint(found.others, ==, 0);
    g_autofree char *microphone =
        g_strdup_printf("%s device=\"Micro \\\"A\\\"\"", factory_for(FALSE));
    g_autofree char *speaker = g_strdup_printf("%s device=\"Casque\"", factory_for(TRUE));
    g_assert_nonnull(strstr(found.words->str, microphone));
    g_assert_nonnull(strstr(found.words->str, speaker));
    /* These words are a description, and lead back to the device. */
    g_autoptr(GError) error = NULL;
    g_autoptr(GstElement) again = gst_parse_launch(microphone, &error);
    g_assert_no_error(error);
    g_autofree char *device = NULL;
    g_object_get(again, "device", &device, NULL);
    g_assert_cmpstr(device, ==, "Micro \"A\"");
    g_string_free(found.words, TRUE);
}

/* Ended in the middle of the search, nothing more is told. */
static void test_ended(void) {
    Found found = {.words = g_string_new("")};
    media_devices_find(on_found, &found);
    media_devices_end();
    media_devices_end();
    g_assert_false(found.over);
    g_string_free(found.words, TRUE);
}

static guint hear(MediaMeter *meter, gint16 sample, gsize count, MediaLoudness *ret_loudness) {
    g_autofree gint16 *samples = g_new(gint16, count);
    for (gsize i = 0; i < count; i++) {
        samples[i] = (gint16)(i % 2 == 0 ? sample : -sample);
    }
    guint told = 0;
    for (gsize at = 0; at < count; at += MIN(480, count - at)) {
        told += media_meter_add(meter, samples + at, MIN(480, count - at), ret_loudness);
    }
    return told;
}

static void test_meter(void) {
    MediaMeter meter = {0};
    MediaLoudness loudness = {0};
    g_assert_cmpuint(hear(&meter, 0, RATE, &loudness), ==, 8); /* a second */
    g_assert_cmpuint(loudness.rms, ==, MEDIA_LEVEL_SILENCE);
    g_assert_cmpuint(loudness.peak, ==, MEDIA_LEVEL_SILENCE);
    g_assert_cmpuint(hear(&meter, 32767, RATE, &loudness), ==, 8);
    g_assert_cmpuint(loudness.rms, <=, 1);
    g_assert_cmpuint(loudness.peak, <=, 1);
    g_assert_cmpuint(hear(&meter, 3277, RATE, &loudness), ==, 8); /* a tenth: 20 dB less */
    g_assert_cmpuint(loudness.peak, ==, 20);
    hear(&meter, 16384, 480, &loudness); /* one loud moment in a quiet stretch */
    hear(&meter, 0, RATE / 8 - 480, &loudness);
    g_assert_cmpuint(loudness.peak, ==, 6);
    g_assert_cmpuint(loudness.rms, >, 10);
    gint16 lowest = -32768;
    hear(&meter, 0, RATE / 8 - 480, &loudness);
    for (guint i = 0; i < 480; i++) {
        media_meter_add(&meter, &lowest, 1, &loudness);
    }
    g_assert_cmpuint(loudness.peak, <=, 1);
}

/* What is cleaned of its echo: a sound card as it is, nothing that a person put together. */
static void test_microphones(void) {
    static const struct {
        const char *element; /* NULL: of a sound card */
        const char *rest;
        gboolean microphone;
    } cases[] = {
        {"auto", "", TRUE},
        {NULL, "", TRUE},
        {NULL, " device=\"hw:0\"", TRUE},
        {NULL, " ! audioconvert", FALSE},
        {"test", "", FALSE},
        {"audiotestsrc", " is-live=true", FALSE},
        {"filesrc", " location=/dev/null", FALSE},
        {"/dev/null", "", FALSE},
    };
    if (factory_for(FALSE) == NULL) {
        g_test_skip("GStreamer has no sound card's plugin here");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean microphone = !cases[i].microphone;
        const char *first = cases[i].element != NULL ? cases[i].element : factory_for(FALSE);
        g_autofree char *source = g_strconcat(first, cases[i].rest, NULL);
        GstElement *element = media_input_create(MEDIA_KIND_VOICE, source, &microphone, NULL);
        g_test_message("%s", source);
        g_assert_cmpint(microphone, ==, cases[i].microphone);
        gst_clear_object(&element);
    }
}

int main(int argc, char **argv) {
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/devices/found", test_found);
    g_test_add_func("/media/devices/ended", test_ended);
    g_test_add_func("/media/devices/microphones", test_microphones);
    g_test_add_func("/media/meter", test_meter);
    return g_test_run();
}
