/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/speech.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/host/match.h"
#include "node/host/notice.h"

#define LOOK_MS 250

typedef struct {
    guint room;
    MeshKey member;
    Speech speech;
} Voice;

gboolean speech_step(Speech *speech, guint8 level, gint64 now_ms) {
    gboolean speaks = speech->state == SPEECH_SPEAKS;
    if (level <= (speaks ? SPEECH_QUIET : SPEECH_LOUD)) {
        speech->loud_ms = now_ms;
        speech->state = SPEECH_SPEAKS;
    } else if (speaks && now_ms - speech->loud_ms >= SPEECH_HOLD_MS) {
        speech->state = SPEECH_SILENT;
    }
    return speaks != (speech->state == SPEECH_SPEAKS);
}

void speech_create(Host *host) {
    host->voices = g_array_new(FALSE, FALSE, sizeof(Voice));
}

void speech_destroy(Host *host) {
    g_clear_handle_id(&host->voices_timer, g_source_remove);
    g_clear_pointer(&host->voices, g_array_unref);
}

static Voice *find(const Room *room, const MeshKey *member) {
    GArray *voices = room->host->voices;
    for (guint i = 0; i < voices->len; i++) {
        Voice *voice = &g_array_index(voices, Voice, i);
        if (voice->room == room->number &&
            memcmp(voice->member.bytes, member->bytes, MESH_KEY_SIZE) == 0) {
            return voice;
        }
    }
    return NULL;
}

static void tell(Host *host, const Voice *voice) {
    Room *room = room_find(host, voice->room);
    char member[MATCH_TEXT_SIZE];
    if (room == NULL || host->bus == NULL || !bus_is_heard(host->bus)) {
        return;
    }
    match_text(voice->member.bytes, member);
    JsonBuilder *builder = notice_begin(room);
    json_put_text(builder, "member", member);
    json_put_flag(builder, "speaking", voice->speech.state == SPEECH_SPEAKS);
    bus_publish(host->bus, "speaking", builder);
}

static gint64 now_ms(void) {
    return g_get_monotonic_time() / 1000;
}

/* What a voice does not send is silence. */
static gboolean look(gpointer data) {
    Host *host = data;
    gboolean any = FALSE;
    for (guint i = 0; i < host->voices->len; i++) {
        Voice *voice = &g_array_index(host->voices, Voice, i);
        if (speech_step(&voice->speech, MEDIA_LEVEL_SILENCE, now_ms())) {
            tell(host, voice);
        }
        any |= voice->speech.state == SPEECH_SPEAKS;
    }
    host->voices_timer = any ? host->voices_timer : 0;
    return any ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void speech_heard(Room *room, const MeshKey *member, guint8 level) {
    Host *host = room->host;
    Voice *voice = find(room, member);
    if (voice == NULL) {
        Voice added = {.room = room->number, .member = *member};
        g_array_append_val(host->voices, added);
        voice = &g_array_index(host->voices, Voice, host->voices->len - 1);
    }
    if (speech_step(&voice->speech, level, now_ms())) {
        tell(host, voice);
    }
    if (voice->speech.state == SPEECH_SPEAKS && host->voices_timer == 0) {
        host->voices_timer = g_timeout_add(LOOK_MS, look, host);
    }
}

void speech_end(Room *room, const MeshKey *member) {
    Voice *voice = find(room, member);
    if (voice == NULL) {
        return;
    }
    if (voice->speech.state == SPEECH_SPEAKS) {
        voice->speech.state = SPEECH_SILENT;
        tell(room->host, voice);
    }
    g_array_remove_index_fast(room->host->voices,
                              (guint)(voice - (Voice *)(gpointer)room->host->voices->data));
}

gboolean speech_speaks(Room *room, const MeshKey *member) {
    const Voice *voice = find(room, member);
    return voice != NULL && voice->speech.state == SPEECH_SPEAKS;
}
