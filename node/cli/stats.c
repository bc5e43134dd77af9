/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/stats.h"

#include <stdio.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/cli/print.h"

#define NAME_COLUMN   20
#define SOURCE_COLUMN 12
#define COUNTER_WIDTH 16

static const char *text_of(JsonObject *object, const char *name) {
    return json_text(object, name, "");
}

static long long count_of(JsonObject *object, const char *name) {
    return (long long)json_int(object, name, 0);
}

static void each(JsonObject *stats, const char *title, const char *list,
                 void (*print)(JsonObject *)) {
    JsonArray *array = json_list(stats, list);
    guint count = array != NULL ? json_array_get_length(array) : 0;
    if (count > 0) {
        puts(title);
    }
    for (guint i = 0; i < count; i++) {
        print(json_array_get_object_element(array, i));
    }
}

/* Whose it is, else the beginning of their key: of another meeting than the current one. */
static void print_name(JsonObject *object, const char *id) {
    const char *name = text_of(object, "name");
    g_autofree char *shown = print_short(name[0] != '\0' ? name : text_of(object, id), NAME_COLUMN);
    printf("  ");
    print_column(shown, NAME_COLUMN);
}

static const char *kind_text(JsonObject *source) {
    const char *kind = text_of(source, "kind");
    return strcmp(kind, "voice") == 0   ? _("microphone")
           : strcmp(kind, "video") == 0 ? _("camera")
                                        : _("screen");
}

static void print_reason(JsonObject *object) {
    g_autofree char *said = print_harmless(text_of(object, "reason"));
    if (said[0] != '\0') {
        printf("      %s\n", said);
    }
}

static void print_link(JsonObject *link) {
    g_autofree char *loss = print_tenths(json_real(link, "loss") * 100);
    print_name(link, "peer");
    printf(_("  %lld bit/s, %lld ms, %s %% lost; %lld ms waiting here, %lld ms on the way\n"),
           count_of(link, "rate_bps"), count_of(link, "rtt_ms"), loss, count_of(link, "queue_ms"),
           count_of(link, "line_queue_ms"));
    printf(_("      sent %lld B, received %lld B; %lld packets, %lld lost; %lld messages given up, "
             "too late to be sent\n"),
           count_of(link, "tx_bytes"), count_of(link, "rx_bytes"), count_of(link, "packets"),
           count_of(link, "lost"), count_of(link, "expired"));
    print_reason(link);
}

static void print_speaker(JsonObject *speaker) {
    print_name(speaker, "id");
    printf(_("  %lld frames: %lld in time, %lld late, %lld lost, %lld concealed; %lld ms\n"),
           count_of(speaker, "frames"), count_of(speaker, "in_time"), count_of(speaker, "late"),
           count_of(speaker, "lost"), count_of(speaker, "concealed"),
           count_of(speaker, "delay_ms"));
}

static void print_video(JsonObject *video) {
    print_name(video, "id");
    printf(_("  %s, %lld pictures: %lld in time, %lld late, %lld lost, %lld shown; %lld ms\n"),
           kind_text(video), count_of(video, "frames"), count_of(video, "in_time"),
           count_of(video, "late"), count_of(video, "lost"), count_of(video, "decoded"),
           count_of(video, "delay_ms"));
}

static void print_source(JsonObject *source) {
    printf("  ");
    print_column(kind_text(source), SOURCE_COLUMN);
    if (count_of(source, "wire_bps") > 0) {
        printf(_("  %s, %lld bit/s, %lld bit/s on the line\n"), text_of(source, "codec"),
               count_of(source, "bitrate_bps"), count_of(source, "wire_bps"));
    } else {
        puts(_("  nothing"));
    }
    print_reason(source);
}

static void print_counters(JsonObject *counters) {
    g_autoptr(GList) names = json_object_get_members(counters);
    puts(_("Counters"));
    for (GList *at = names; at != NULL; at = at->next) {
        printf("  %-*s %lld\n", COUNTER_WIDTH, (const char *)at->data,
               count_of(counters, at->data));
    }
}

void stats_print(JsonObject *stats) {
    each(stats, _("Links"), "links", print_link);
    each(stats, _("Voices heard"), "speakers", print_speaker);
    each(stats, _("Pictures seen"), "videos", print_video);
    each(stats, _("Sent from here"), "sources", print_source);
    if (json_object_has_member(stats, "counters")) {
        print_counters(json_object_get_object_member(stats, "counters"));
    }
}

void stats_print_stream(JsonObject *stream) {
    print_name(stream, "member");
    printf("  %s%s\n", kind_text(stream), json_flag(stream, "speaking") ? _(", speaks") : "");
}
