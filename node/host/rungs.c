/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/rungs.h"

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/naming.h"
#include "node/host/notice.h"
#include "node/host/rung.h"

/* What a source sends is told when it has been so for that long. */
#define HOLD_MS 3000

/* The helper is only told how much fits: what a person does not allow of it is no fault of the
 * line. */
static gboolean get(const Host *host, MediaKind kind, MediaRung *ret_rung) {
    if (!media_rung(host->media, kind, ret_rung)) {
        return FALSE;
    }
    gboolean less = ret_rung->reason == MEDIA_REASON_LINE || ret_rung->reason == MEDIA_REASON_QUEUE;
    if (less && host->uplink_bound) {
        ret_rung->reason = MEDIA_REASON_SAVE;
    }
    return TRUE;
}

void rungs_view(Room *room, LineView *view) {
    const Host *host = room->host;
    LineSource sources[SOURCE_KINDS] = {LINE_SOURCE_OFF};
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        MediaRung rung;
        if (host->sources[kind].room == room->number && get(host, (MediaKind)kind, &rung)) {
            sources[kind] = rung_source(&rung);
            view->packet_ms = kind == MEDIA_KIND_VOICE ? rung.packet_ms : view->packet_ms;
        }
    }
    view->voice = sources[MEDIA_KIND_VOICE];
    view->camera = sources[MEDIA_KIND_VIDEO];
    view->screen = sources[MEDIA_KIND_SCREEN];
}

static void put_members(JsonBuilder *builder, const MediaRung *rung, Language language) {
    g_autofree char *sentence = rung_sentence(language, rung);
    json_put_text(builder, "kind", media_kind_name(rung->kind));
    json_put_text(builder, "codec", rung_codec_name(rung->codec));
    json_put_int(builder, "packet_ms", rung->packet_ms);
    json_put_int(builder, "height", rung->height);
    json_put_int(builder, "bitrate_bps", rung->bitrate_bps);
    json_put_int(builder, "wire_bps", rung->wire_bps);
    json_put_text(builder, "reason", sentence);
}

void rungs_put(Host *host, JsonBuilder *builder, Language language) {
    json_builder_begin_array(builder);
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        MediaRung rung;
        if (get(host, (MediaKind)kind, &rung)) {
            json_builder_begin_object(builder);
            put_members(builder, &rung, language);
            json_builder_end_object(builder);
        }
    }
    json_builder_end_array(builder);
}

/* ---- telling ---- */

static void put_reasons(JsonBuilder *builder, const MediaRung *rung) {
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = rung_sentence(language, rung);
    }
    naming_put_texts(builder, "reasons", texts);
    naming_free_texts(texts);
}

static void publish(Host *host, const MediaRung *rung) {
    if (bus_is_heard(host->bus)) {
        JsonBuilder *builder = json_begin_object();
        put_members(builder, rung, language_chosen());
        put_reasons(builder, rung);
        bus_publish(host->bus, "rung", builder);
    }
}

/* A person hears of pictures that end and come back; not of what they have just asked for. Of voice
 * that does not fit, talk.c tells, with an offer. */
static void tell_person(Host *host, const MediaRung *rung, RungTold *told) {
    gboolean paused = rung_source(rung) == LINE_SOURCE_PAUSED;
    if (paused == told->paused || rung->kind == MEDIA_KIND_VOICE) {
        return;
    }
    told->paused = paused;
    if (rung->reason == MEDIA_REASON_SAVE) {
        return;
    }
    if (!paused) {
        notice_tell(host, rung->kind == MEDIA_KIND_VIDEO ? N_("the camera is shown again")
                                                         : N_("the screen is shown again"));
        return;
    }
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = rung_sentence(language, rung);
    }
    notice_tell_texts(host, NULL, texts);
}

void rungs_look(Host *host, gint64 now_ms) {
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        RungTold *told = &host->rungs[kind];
        MediaRung rung;
        if (!get(host, (MediaKind)kind, &rung)) {
            *told = (RungTold){0}; /* the next source begins anew */
        } else if (calm_due(&told->calm, rung_value(&rung), HOLD_MS, now_ms)) {
            publish(host, &rung);
            tell_person(host, &rung, told);
        }
    }
}
